// Options with which a component can be tried, where its defaults are not enough: `STEM.examples.yaml` beside STEM.so.
//
//   my_folder: {root: my_folder.examples}      # a component's key: its options; paths are relative to this file
//   my_net: [{width: 8}, {width: 16, deep: true}]
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "config/tree.h"

namespace amae::compliance {

/// A map of options, as it would stand in a config.
using Example = config::NodePtr;

/// By the component's key.
using Examples = std::map<std::string, std::vector<Example>>;

/// The examples of a library; none when there is no such file. Throws InputError naming file and line for one that
/// is not of that form.
Examples examples_beside(const std::filesystem::path& library);

}  // namespace amae::compliance

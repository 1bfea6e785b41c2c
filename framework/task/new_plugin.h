// A first version of a plugin, written from the templates in task/new_plugin/ that are part of libamae.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace amae {

/// Writes a folder that builds at once: CMakeLists.txt, NAME.cpp, NAME.yaml, README.md, and what the kind needs beside
/// them. `kind` is "model", "dataset" or "transform"; `name` becomes the component's key, and the class's name in camel
/// case. The folder appears whole; nothing is ever overwritten. Returns the files, relative to the folder, sorted.
/// Throws InputError (code PLUGIN-NEW) for another kind, a name that is not 1 to 64 of a-z, 0-9 and _ with a letter
/// first, and a folder that is there and not empty; EnvironmentError when the disk says no.
std::vector<std::string> write_new_plugin(const std::string& kind, const std::string& name,
                                          const std::filesystem::path& folder);

}  // namespace amae

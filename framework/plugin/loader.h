// Finds plugin libraries, compares their stamps with ours, and lets the sound ones register.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "plugin/registry.h"

namespace amae {

/// Where plugins are looked for, in order: `extra` (--plugin-path and the config's `plugins:`), $AMAE_PLUGIN_PATH
/// (colon list), the user's folder ($XDG_DATA_HOME or ~/.local/share)/amae/plugins, and beside the program: the build's
/// plugins/, the checkout's plugins/, lib/amae/plugins of an installation. Each entry is a folder (searched with all
/// its sub-folders) or a file. Only `extra` entries must exist.
std::vector<std::filesystem::path> plugin_search_path(const std::vector<std::filesystem::path>& extra);

/// Begins the reason of a library whose static objects threw. The exception has gone through dlopen(), whose locks it
/// may have kept: nothing more can be opened in such a process.
inline constexpr const char* kThrewWhileOpened = "its start-up code threw: ";

/// Loads every *.so under the search path, unknown ones in a child process first where one was named (first_contact.h).
/// A library that cannot be used is recorded with its reason and the others load. Libraries stay loaded until the
/// process ends.
Registry load_plugins(const std::vector<std::filesystem::path>& search_path);

}  // namespace amae

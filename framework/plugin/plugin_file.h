// What the bytes of a file say of it as a plugin, before any of its code runs.
#pragma once

#include <filesystem>
#include <string>

namespace amae {

/// Why a file cannot be a plugin of this program, or empty: no whole ELF library of this machine (a cut one would kill
/// us inside dlopen), no note of amae's in it, or a note with other stamps, all of which are named with both values.
std::string plugin_file_problem(const std::filesystem::path& path);

}  // namespace amae

// Unknown libraries are opened in a child process first: one that crashes, exits or loops while it is loaded or while
// it registers costs the child, and is named. Verdicts are kept by the hash of the library's content.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace amae {

/// From now on load_plugins() lets `program` (amae itself, run as `program plugin probe FILE…`) meet unknown libraries
/// first. Empty, as at the start: they are opened at once.
void probe_plugins_with(std::filesystem::path program);

/// Those of the libraries that must not be opened here, with the reason. Known ones are looked up, unknown ones tried,
/// with progress when they are many. Only what crashed or worked is kept: what a library refuses by itself, such as a
/// missing licence, may change without it. No folder for the verdicts, or no permission: each is tried again.
/// Throws EnvironmentError (code CHILD) when the child ends before it has begun: no library's fault.
std::map<std::filesystem::path, std::string> refused_at_first_contact(
    const std::vector<std::filesystem::path>& libraries);

/// Tries one library now, whatever is known of it, and keeps the new verdict. Its reason, or empty. Nothing is tried
/// without a program to do so.
std::string meet_again(const std::filesystem::path& library);

/// The child's part: opens each library, lets it register and describes its options, and reports.
void run_probe(const std::vector<std::filesystem::path>& libraries);

}  // namespace amae

// Folders of the user that amae writes to beside those it is told.
#pragma once

#include <filesystem>
#include <string>

namespace amae {

/// The folder of all caches: `given`, else $AMAE_CACHE, else $XDG_CACHE_HOME/amae, else ~/.cache/amae.
std::filesystem::path cache_folder(const std::string& given = "");

}  // namespace amae

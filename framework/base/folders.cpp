#include "base/folders.h"

#include <cstdlib>

namespace amae {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets the environment
  return value != nullptr ? value : "";
}

}  // namespace

std::filesystem::path cache_folder(const std::string& given) {
  if (!given.empty()) return given;
  if (const std::string own = environment("AMAE_CACHE"); !own.empty()) return own;
  if (const std::string xdg = environment("XDG_CACHE_HOME"); !xdg.empty()) return std::filesystem::path(xdg) / "amae";
  return std::filesystem::path(environment("HOME")) / ".cache/amae";
}

}  // namespace amae

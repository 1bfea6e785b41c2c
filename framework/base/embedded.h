// Files that are part of the binary; cmake/AmaeEmbed.cmake puts them there.
#pragma once

#include <string_view>

namespace amae {

struct EmbeddedFile {
  std::string_view name;     ///< its path below the folder that was embedded
  std::string_view content;  ///< its bytes, for as long as the program runs
};

}  // namespace amae

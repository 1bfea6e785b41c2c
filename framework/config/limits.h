// What a config may grow to; a config is written by hand, so more than this is an accident or an attack.
#pragma once

#include <cstddef>
#include <string>

#include "amae/error.h"

namespace amae::config {

inline constexpr size_t kMaxNodes = 10'000;
inline constexpr size_t kMaxDepth = 64;  ///< open maps and lists
inline constexpr size_t kMaxBytes = size_t{1} << 20;
inline constexpr int kMaxFiles = 100;  ///< read through `extends` and `=@file`
inline constexpr int kMaxChain = 64;   ///< `${a}` that names another `${b}` and so on

inline Problem limit_problem(const std::string& where, const std::string& field, const std::string& got, size_t limit,
                             const std::string& what) {
  return {"CFG-LIMIT", where, field, "got " + got + ", expected at most " + std::to_string(limit) + " " + what};
}

}  // namespace amae::config

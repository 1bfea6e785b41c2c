// Why a request is not taken: what the server itself answers. (no LibTorch)
#pragma once

#include <string>
#include <utility>

namespace amae::http {

/// Thrown and caught within this room: it is an answer, not an error of ours.
struct Refusal {
  int status = 400;
  std::string code = "REQUEST";
  std::string message;
};

[[noreturn]] inline void refuse(std::string message) { throw Refusal{400, "REQUEST", std::move(message)}; }
[[noreturn]] inline void refuse(int status, std::string code, std::string message) {
  throw Refusal{status, std::move(code), std::move(message)};
}

}  // namespace amae::http

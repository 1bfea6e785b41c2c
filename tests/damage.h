// Files that are damaged for a moment, to see who notices.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "amae/draw.h"
#include "amae/error.h"
#include "base/file.h"

namespace amae {

/// While it lives, one bit of a file is another.
class FlippedBit {
 public:
  FlippedBit(const std::filesystem::path& path, uint64_t byte, int bit)
      : fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC)), byte_(byte), bit_(bit) {
    flip();
  }
  ~FlippedBit() {
    flip();
    ::close(fd_);
  }
  FlippedBit(const FlippedBit&) = delete;
  FlippedBit& operator=(const FlippedBit&) = delete;

 private:
  void flip() const {
    unsigned char value = 0;
    bool done = ::pread(fd_, &value, 1, static_cast<off_t>(byte_)) == 1;
    value = static_cast<unsigned char>(value ^ 1U << static_cast<unsigned>(bit_));
    done = done && ::pwrite(fd_, &value, 1, static_cast<off_t>(byte_)) == 1;
    if (!done) std::terminate();  // what follows would test something else
  }
  int fd_;
  uint64_t byte_;
  int bit_;
};

/// While it lives, a file ends after `size` bytes.
class CutFile {
 public:
  CutFile(const std::filesystem::path& path, uint64_t size)
      : fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC)), size_(size), tail_(read_file(path).substr(size)) {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) throw std::runtime_error("cannot cut " + path.string());
  }
  ~CutFile() {
    if (::pwrite(fd_, tail_.data(), tail_.size(), static_cast<off_t>(size_)) != std::ssize(tail_)) std::terminate();
    ::close(fd_);
  }
  CutFile(const CutFile&) = delete;
  CutFile& operator=(const CutFile&) = delete;

 private:
  int fd_;
  uint64_t size_;
  std::string tail_;
};

/// What to try on a file: every bit of its first bytes and a draw of the others, and lengths to cut it to.
struct DamagePlan {
  uint64_t first_bytes = 4096;  ///< all bits of these
  int64_t drawn_bits = 200;     ///< of the whole file
  int64_t cuts = 64;            ///< lengths, evenly from 0 on
  uint64_t seed = 1;
};

/// "none", or in words the damages after which `is_refused()` was false. The file is whole again afterwards.
template <class Refused>
std::string missed_damages(const std::filesystem::path& path, const DamagePlan& plan, const Refused& is_refused) {
  int64_t count = 0;
  std::string missed;
  const auto note = [&](const std::string& damage) {
    if (++count <= 10) missed += damage + "; ";
  };
  const uint64_t size = std::filesystem::file_size(path);
  const auto try_bit = [&](uint64_t byte, int bit) {
    const FlippedBit flipped(path, byte, bit);
    if (!is_refused()) note(fmt::format("bit {} of byte {} of {}", bit, byte, size));
  };
  for (uint64_t byte = 0; byte < std::min(size, plan.first_bytes); ++byte) {
    for (int bit = 0; bit < 8; ++bit) try_bit(byte, bit);
  }
  Draw draw(plan.seed, 0, 0, 0);
  for (int64_t i = 0; i < plan.drawn_bits; ++i) {
    const auto byte = static_cast<uint64_t>(draw.integer(0, static_cast<int64_t>(size)));
    try_bit(byte, static_cast<int>(draw.integer(0, 8)));
  }
  for (int64_t i = 0; i < plan.cuts; ++i) {
    const uint64_t length = size * static_cast<uint64_t>(i) / static_cast<uint64_t>(plan.cuts);
    const CutFile cut(path, length);
    if (!is_refused()) note(fmt::format("cut to {} of {} bytes", length, size));
  }
  return count == 0 ? "none" : fmt::format("{}: {}", count, missed);
}

/// Whether `action` throws InputError with exit code `input` and one problem: this code, about this file.
template <class Action>
bool refuses_file(const std::string& code, const std::filesystem::path& file, const Action& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.exit_code() == ExitCode::input && error.problems().size() == 1 && error.problems()[0].code == code &&
           error.problems()[0].where == file.string();
  } catch (const std::exception&) {  // a parser of others has seen a damaged byte
    return false;
  }
  return false;
}

}  // namespace amae

// Wire format of protobuf: each field is a varint key (number * 8 + type), then a varint (type 0), 8 bytes (1), a
// length and bytes (2) or 4 bytes (5). The messages used here:
//   Event   { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
//   Summary { repeated Value value = 1; }   Value { string tag = 1; float simple_value = 2; Image image = 4; }
//   Image   { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
#include "io/tensorboard.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "amae/error.h"
#include "base/text.h"
#include "io/crc32c.h"

namespace amae {
namespace {

constexpr size_t kAutoFlushBytes = size_t{1} << 20U;  // a run that never flushes must not grow without bound

void put_fixed(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFFU));
}

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out.push_back(static_cast<char>(value | 0x80U));
  out.push_back(static_cast<char>(value));
}

void put_bytes(std::string& out, int field, std::string_view bytes) {
  put_varint(out, static_cast<uint64_t>(field) << 3U | 2U);
  put_varint(out, bytes.size());
  out += bytes;
}

/// Width and height, which stand in the first chunk (IHDR) of every PNG, highest byte first.
std::pair<uint32_t, uint32_t> png_size(std::string_view png) {
  constexpr std::string_view kStart("\x89PNG\r\n\x1A\n\0\0\0\rIHDR", 16);
  if (png.size() < 24 || !png.starts_with(kStart)) throw std::invalid_argument("EventWriter: expected a PNG file");
  const auto number_at = [&](size_t at) {
    uint32_t number = 0;
    for (size_t i = at; i < at + 4; ++i) number = number << 8U | static_cast<unsigned char>(png[i]);
    return number;
  };
  return {number_at(16), number_at(20)};
}

std::string event(double wall_seconds, int64_t step) {
  std::string out;
  put_varint(out, 1U << 3U | 1U);
  put_fixed(out, std::bit_cast<uint64_t>(wall_seconds), 8);
  put_varint(out, 2U << 3U | 0U);
  put_varint(out, static_cast<uint64_t>(step));
  return out;
}

// The mask keeps a CRC of data that itself holds CRCs from degenerating (tensorflow/core/lib/hash/crc32c.h).
uint32_t masked(uint32_t crc) { return std::rotr(crc, 15) + 0xA282EAD8U; }

void put_record(std::string& out, std::string_view data) {
  std::string length;
  put_fixed(length, data.size(), 8);
  out += length;
  put_fixed(out, masked(crc32c(length)), 4);
  out += data;
  put_fixed(out, masked(crc32c(data)), 4);
}

[[noreturn]] void fail(const std::filesystem::path& path, const char* action, const std::string& why) {
  throw EnvironmentError("TENSORBOARD", printable(path.string()), fmt::format("cannot {}: {}", action, why));
}

std::string errno_text() { return std::generic_category().message(errno); }

}  // namespace

EventWriter::EventWriter(const std::filesystem::path& folder, double wall_seconds) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(folder, "create the folder", error.message());
  // A resumed run opens a new file, possibly within the same second: TensorBoard merges all files of a folder.
  const auto seconds = static_cast<int64_t>(std::floor(wall_seconds));
  for (int n = 0; fd_ < 0; ++n) {
    path_ = folder / fmt::format("events.out.tfevents.{:010d}.amae.{}.{}", seconds, ::getpid(), n);
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0 && errno != EEXIST) fail(path_, "create", errno_text());
  }
  std::string version = event(wall_seconds, 0);
  put_bytes(version, 3, "brain.Event:2");
  put_record(buffer_, version);
  try {
    flush();
  } catch (...) {
    ::close(fd_);  // the destructor does not run for a constructor that throws
    throw;
  }
}

EventWriter::~EventWriter() {
  try {
    flush();
  } catch (const std::exception&) {  // a full disk here has no one left to tell; flush() before is the place to know
  }
  ::close(fd_);
}

void EventWriter::scalar(const std::string& tag, int64_t step, double value, double wall_seconds) {
  std::string summary_value;
  put_bytes(summary_value, 1, tag);
  put_varint(summary_value, 2U << 3U | 5U);
  put_fixed(summary_value, std::bit_cast<uint32_t>(static_cast<float>(value)), 4);
  summary(step, summary_value, wall_seconds);
}

void EventWriter::image(const std::string& tag, int64_t step, std::string_view png, double wall_seconds) {
  constexpr uint64_t kRgb = 3;
  const auto [width, height] = png_size(png);
  std::string picture;
  put_varint(picture, 1U << 3U | 0U);
  put_varint(picture, height);
  put_varint(picture, 2U << 3U | 0U);
  put_varint(picture, width);
  put_varint(picture, 3U << 3U | 0U);
  put_varint(picture, kRgb);
  put_bytes(picture, 4, png);
  std::string summary_value;
  put_bytes(summary_value, 1, tag);
  put_bytes(summary_value, 4, picture);
  summary(step, summary_value, wall_seconds);
}

void EventWriter::summary(int64_t step, std::string_view value, double wall_seconds) {
  std::string of_event;
  put_bytes(of_event, 1, value);
  std::string message = event(wall_seconds, step);
  put_bytes(message, 5, of_event);
  put_record(buffer_, message);
  if (buffer_.size() > kAutoFlushBytes) flush();
}

void EventWriter::flush() {
  while (!buffer_.empty()) {
    const auto done = ::write(fd_, buffer_.data(), buffer_.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail(path_, "write", errno_text());
    buffer_.erase(0, static_cast<size_t>(done));  // what is written never comes twice, even after a failure between
  }
}

}  // namespace amae

#include "io/flac.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace amae {
namespace {

constexpr int kMaxBlocks = 10'000;                      // a real file has a handful
constexpr uint64_t kMaxFrameBytes = uint64_t{1} << 24;  // the largest that STREAMINFO can declare

struct StreamInfo {
  uint32_t min_block = 0, max_block = 0;  // samples of a frame
  uint64_t max_frame_bytes = 0;           // 0: not known
  int64_t rate_hz = 0, channels = 0, bits = 0;
  int64_t frames = 0;  // of all channels together one; 0: not known
};

uint64_t big_endian(const unsigned char* bytes, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8U | bytes[i];
  return value;
}

StreamInfo read_stream_info(const RegularFile& file, uint64_t start) {
  std::array<unsigned char, 34> bytes{};
  file.read(start, bytes.data(), bytes.size());
  StreamInfo info;
  info.min_block = static_cast<uint32_t>(big_endian(bytes.data(), 2));
  info.max_block = static_cast<uint32_t>(big_endian(bytes.data() + 2, 2));
  info.max_frame_bytes = big_endian(bytes.data() + 7, 3);
  const uint64_t packed = big_endian(bytes.data() + 10, 8);  // rate 20 bits, channels - 1 3, bits - 1 5, frames 36
  info.rate_hz = static_cast<int64_t>(packed >> 44U);
  info.channels = static_cast<int64_t>(packed >> 41U & 7U) + 1;
  info.bits = static_cast<int64_t>(packed >> 36U & 31U) + 1;
  info.frames = static_cast<int64_t>(packed & ((uint64_t{1} << 36U) - 1));
  if (info.min_block < 16 || info.max_block < info.min_block) {
    file.refuse(fmt::format("got blocks of {} to {} samples, expected 16 or more", info.min_block, info.max_block),
                "STREAMINFO");
  }
  if (info.bits != 8 && info.bits != 16 && info.bits != 24) {
    file.refuse(fmt::format("got samples of {} bits, expected 8, 16 or 24; convert the file", info.bits), "STREAMINFO");
  }
  if (info.frames == 0) {
    file.refuse("got no length in the header (unfinished recording or stream), expected one; repair the file",
                "STREAMINFO");
  }
  return info;
}

/// Walks the metadata; `first_frame` becomes the byte after it.
StreamInfo read_metadata(const RegularFile& file, uint64_t& first_frame) {
  std::optional<StreamInfo> info;
  uint64_t at = 4;
  for (int seen = 0;; ++seen) {
    if (seen == kMaxBlocks) file.refuse(fmt::format("got more than {} metadata blocks", kMaxBlocks));
    std::array<unsigned char, 4> head{};
    file.read(at, head.data(), head.size());
    const unsigned type = head[0] & 0x7FU;
    const uint64_t size = big_endian(head.data() + 1, 3);
    at += head.size();
    if ((type == 0) != (seen == 0) || (type == 0 && size != 34)) {
      file.refuse(
          fmt::format("got a metadata block of type {} and {} bytes as number {}, expected one STREAMINFO of 34 "
                      "bytes, and that first",
                      type, size, seen + 1));
    }
    if (size > file.size() || at > file.size() - size) {
      file.refuse(
          fmt::format("got a metadata block of {} bytes at byte {}, expected it within the file of {} "
                      "(truncated file)",
                      size, at, file.size()));
    }
    if (type == 0) info = read_stream_info(file, at);
    at += size;
    if ((head[0] & 0x80U) != 0) break;
  }
  first_frame = at;
  return *info;
}

// CRC-8 of frame headers: x^8 + x^2 + x + 1.
unsigned crc8(std::string_view bytes) {
  unsigned crc = 0;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc << 1U ^ ((crc & 0x80U) != 0 ? 0x107U : 0U)) & 0x1FFU;
    crc &= 0xFFU;
  }
  return crc;
}

/// The sample after the last one of the frame whose header `bytes` begins with, or nothing when it is no header.
std::optional<int64_t> end_of_frame(std::string_view bytes, const StreamInfo& info) {
  const auto byte = [&](size_t i) -> uint64_t { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U; };
  if (byte(0) != 0xFF || (byte(1) & 0xFEU) != 0xF8) return std::nullopt;
  const bool variable = (byte(1) & 1U) != 0;
  // The number of the frame (or of its first sample) in UTF-8's manner, up to 7 bytes.
  size_t more = 0;
  uint64_t number = byte(4);
  if (number >= 0xC0) {
    while (more < 6 && (number & (0x40U >> more)) != 0) ++more;
    number &= 0x3FU >> more;
    for (size_t i = 1; i <= more; ++i) {
      if ((byte(4 + i) & 0xC0U) != 0x80) return std::nullopt;
      number = number << 6U | (byte(4 + i) & 0x3FU);
    }
  } else if (number >= 0x80) {
    return std::nullopt;
  }
  size_t at = 5 + more;
  const uint64_t block_code = byte(2) >> 4U, rate_code = byte(2) & 15U;
  int64_t block = 0;
  if (block_code == 0 || rate_code == 15) return std::nullopt;
  if (block_code == 1) {
    block = 192;
  } else if (block_code <= 5) {
    block = int64_t{144} << block_code;  // 576 << (code - 2)
  } else if (block_code == 6) {
    block = static_cast<int64_t>(byte(at)) + 1;
    at += 1;
  } else if (block_code == 7) {
    block = static_cast<int64_t>(byte(at) << 8U | byte(at + 1)) + 1;
    at += 2;
  } else {
    block = int64_t{1} << block_code;  // 256 << (code - 8)
  }
  at += rate_code == 12 ? 1 : rate_code >= 13 ? 2 : 0;
  if (at >= bytes.size() || crc8(bytes.substr(0, at)) != byte(at)) return std::nullopt;
  const auto begin = static_cast<int64_t>(variable ? number : number * info.max_block);
  return begin + block;
}

// CRC-16 of whole frames (x^16 + x^15 + x^2 + 1, from 0), run backwards. A frame with its checksum leaves 0; so, going
// down from the end of the file with 0, the register is 0 again where a frame begins that reaches exactly to that end.
class BackwardCrc16 {
 public:
  BackwardCrc16() {
    for (unsigned i = 0; i < 256; ++i) {
      unsigned crc = i << 8U;
      for (int bit = 0; bit < 8; ++bit) crc = (crc << 1U ^ ((crc & 0x8000U) != 0 ? 0x8005U : 0U)) & 0xFFFFU;
      table_[i] = crc;
      by_low_byte_[crc & 0xFFU] = i;  // the low bytes of the table are all different
    }
  }
  /// Takes the byte before those taken so far.
  void step(unsigned char byte) {
    const unsigned index = by_low_byte_[state_ & 0xFFU];
    state_ = (index ^ byte) << 8U | (state_ ^ table_[index]) >> 8U;
  }
  [[nodiscard]] bool is_zero() const { return state_ == 0; }

 private:
  std::array<unsigned, 256> table_{}, by_low_byte_{};
  unsigned state_ = 0;
};

/// The sample at which the last frame ends, or nothing when the file ends in no whole frame.
std::optional<int64_t> end_of_last_frame(const RegularFile& file, uint64_t first_frame, const StreamInfo& info) {
  uint64_t end = file.size();
  std::array<char, 3> tag{};
  if (end >= first_frame + 128 && file.read_some(end - 128, tag.data(), 3) == 3 &&
      std::string_view(tag.data(), 3) == "TAG") {
    end -= 128;  // ID3v1, which taggers hang behind any kind of file
  }
  const uint64_t reach = info.max_frame_bytes > 0 ? info.max_frame_bytes : kMaxFrameBytes;
  const uint64_t stop = std::max(first_frame, end > reach ? end - reach : 0);
  BackwardCrc16 crc;
  std::string part, after;  // the bytes from `at` on, and some of those behind them
  for (uint64_t at = end; at > stop;) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(at - stop, 16'384));
    at -= count;
    part.resize(count);
    file.read(at, part.data(), count);
    part += after;
    for (size_t i = count; i-- > 0;) {
      crc.step(static_cast<unsigned char>(part[i]));
      if (!crc.is_zero() || part[i] != '\xFF') continue;
      if (const auto found = end_of_frame(std::string_view(part).substr(i, 16), info)) return found;
    }
    after = part.substr(0, 16);
  }
  return std::nullopt;
}

}  // namespace

SoundHeader read_flac_header(const RegularFile& file) {
  uint64_t first_frame = 0;
  const StreamInfo info = read_metadata(file, first_frame);
  const std::optional<int64_t> last = end_of_last_frame(file, first_frame, info);
  if (!last) {
    file.refuse(
        fmt::format("got no whole frame at the end of {} bytes, expected {} frames of sound as in the header "
                    "(truncated or damaged file)",
                    file.size(), info.frames));
  }
  if (*last != info.frames) {
    file.refuse(fmt::format("got {} frames, expected {} as in the header (truncated file or wrong header)", *last,
                            info.frames));
  }
  SoundHeader header;
  header.format = "FLAC";
  header.channels = info.channels;
  header.rate_hz = info.rate_hz;
  header.frames = info.frames;
  return header;
}

}  // namespace amae

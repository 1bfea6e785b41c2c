// Sound files made byte by byte, whole or broken on purpose; the reference that our readers are held against.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace amae::sounds {

inline std::string le(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
  return out;
}
inline std::string be(uint64_t value, int bytes) {
  const std::string out = le(value, bytes);
  return {out.rbegin(), out.rend()};
}

// RIFF.
inline std::string chunk(const std::string& id, const std::string& payload) {
  return id + le(payload.size(), 4) + payload + (payload.size() % 2 == 1 ? std::string(1, '\0') : "");
}
inline std::string fmt_chunk(int tag, int channels, int64_t rate, int bits) {
  return chunk("fmt ", le(tag, 2) + le(channels, 2) + le(rate, 4) + le(rate * channels * bits / 8, 4) +
                           le(channels * bits / 8, 2) + le(bits, 2));
}
inline std::string riff(const std::string& chunks) { return "RIFF" + le(4 + chunks.size(), 4) + "WAVE" + chunks; }
inline std::string wav(int tag, int channels, int64_t rate, int bits, const std::string& data) {
  return riff(fmt_chunk(tag, channels, rate, bits) + chunk("data", data));
}
/// 16-bit samples of a quiet saw tooth, the same for all channels.
inline std::string saw16(int channels, int frames) {
  std::string data;
  for (int n = 0; n < frames; ++n) {
    for (int c = 0; c < channels; ++c) data += le(static_cast<uint64_t>(n * 37 % 8'000 - 4'000), 2);
  }
  return data;
}

// FLAC (RFC 9639), with the simplest frames there are.
inline unsigned crc(const std::string& bytes, int width, unsigned polynomial) {
  const unsigned top = 1U << (width - 1);
  unsigned value = 0;
  for (const char c : bytes) {
    value ^= static_cast<unsigned>(static_cast<unsigned char>(c)) << (width - 8);
    for (int bit = 0; bit < 8; ++bit) value = (value & top) != 0 ? value << 1U ^ polynomial : value << 1U;
    if (width < 32) value &= (1U << width) - 1;
  }
  return value;
}

struct Flac {
  int channels = 1;
  int64_t rate = 16'000;
  int bits = 16;
  int block = 4'096;
  int64_t frames = 0;
  int64_t declared = -1;  ///< frames in the header; -1: the truth
  /// Sample of a channel; without it all are 0, and a block costs a few bytes.
  std::function<int(int channel, int64_t frame)> sample = {};

  [[nodiscard]] std::string stream_info() const {
    const uint64_t total = static_cast<uint64_t>(declared < 0 ? frames : declared);
    const uint64_t packed = static_cast<uint64_t>(rate) << 44U | static_cast<uint64_t>(channels - 1) << 41U |
                            static_cast<uint64_t>(bits - 1) << 36U | total;
    return be(static_cast<uint64_t>(block), 2) + be(static_cast<uint64_t>(block), 2) + be(0, 3) + be(0, 3) +
           be(packed, 8) + std::string(16, '\0');
  }
  [[nodiscard]] std::string frame(int64_t number) const {
    const int64_t begin = number * block, count = std::min<int64_t>(block, frames - begin);
    std::string bytes = {'\xFF', '\xF8', '\x70', static_cast<char>((channels - 1) << 4)};
    if (number < 0x80) {
      bytes += static_cast<char>(number);
    } else {
      bytes += static_cast<char>(0xC0 | number >> 6);
      bytes += static_cast<char>(0x80 | (number & 0x3F));
    }
    bytes += be(static_cast<uint64_t>(count - 1), 2);
    bytes += static_cast<char>(crc(bytes, 8, 0x07));
    for (int c = 0; c < channels; ++c) {
      bytes += sample ? '\x02' : '\x00';  // verbatim, constant
      for (int64_t n = 0; n < (sample ? count : 1); ++n) {
        bytes += be(static_cast<uint64_t>(sample ? sample(c, begin + n) : 0), bits / 8);
      }
    }
    return bytes + be(crc(bytes, 16, 0x8005), 2);
  }
  [[nodiscard]] std::string bytes() const {
    std::string all = "fLaC" + be(0x80, 1) + be(34, 3) + stream_info();
    for (int64_t number = 0; number * block < frames; ++number) all += frame(number);
    return all;
  }
};

// Ogg (RFC 3533).
struct OggPage {
  unsigned flags = 0;
  uint64_t granule = 0;
  uint32_t serial = 1, number = 0;
  std::string sizes;  ///< the segment table
  std::string body;

  [[nodiscard]] std::string bytes() const {
    const std::string start = std::string("OggS\0", 5) + le(flags, 1) + le(granule, 8) + le(serial, 4) + le(number, 4);
    const std::string rest = le(sizes.size(), 1) + sizes + body;
    return start + le(crc(start + le(0, 4) + rest, 32, 0x04C11DB7), 4) + rest;
  }
};

inline std::vector<OggPage> ogg_pages(const std::string& bytes) {
  std::vector<OggPage> pages;
  const auto number = [&](size_t at, size_t count) {
    uint64_t value = 0;
    for (size_t i = count; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes.at(at + i));
    return value;
  };
  for (size_t at = 0; at < bytes.size();) {
    OggPage page{static_cast<unsigned>(number(at + 5, 1)),  number(at + 6, 8),
                 static_cast<uint32_t>(number(at + 14, 4)), static_cast<uint32_t>(number(at + 18, 4)),
                 bytes.substr(at + 27, number(at + 26, 1)), {}};
    size_t size = 0;
    for (const char c : page.sizes) size += static_cast<unsigned char>(c);
    page.body = bytes.substr(at + 27 + page.sizes.size(), size);
    at += 27 + page.sizes.size() + size;
    pages.push_back(std::move(page));
  }
  return pages;
}
inline std::string ogg_bytes(const std::vector<OggPage>& pages) {
  std::string bytes;
  for (const OggPage& page : pages) bytes += page.bytes();
  return bytes;
}

}  // namespace amae::sounds

// The audio gate and the decoders behind it: any bytes either decode to finite samples or are refused.
#include <algorithm>
#include <cmath>
#include <vector>

#include "amae/error.h"
#include "io/audio_decoder.h"
#include "target.h"
#include "tests/io/sound_bytes.h"

namespace {

constexpr int64_t kMostSamples = 1 << 20;  // a small file may decode to millions of equal ones, which teach nothing

void decode(const std::string& path) {
  amae::AudioDecoder decoder(path);
  const amae::AudioInfo info = decoder.info();
  amae::fuzz::require(info.frames > 0 && info.channels >= 1 && info.channels <= amae::kMaxChannels &&
                          info.rate_hz >= amae::kMinRateHz && info.rate_hz <= amae::kMaxRateHz,
                      "what the gate lets through is within its limits");
  decoder.check_whole();
  decoder.check_decoded_size(info.frames);
  const int64_t block = 4'096;
  std::vector<float> samples(static_cast<size_t>(block * info.channels));
  const auto read_from = [&](int64_t begin, int64_t frames) {
    for (int64_t done = 0; done < frames; done += block) {
      const int64_t count = std::min(block, frames - done);
      decoder.read(samples.data(), count);
      amae::fuzz::require(std::all_of(samples.begin(), samples.begin() + count * info.channels,
                                      [](float v) { return std::abs(v) <= 1e4F; }),
                          "samples are finite and bounded");
      amae::fuzz::require(begin + done + count <= info.frames, "no more frames than the header says");
    }
  };
  read_from(0, std::min(info.frames, kMostSamples / info.channels));
  decoder.seek(info.frames / 2);
  read_from(info.frames / 2, std::min(info.frames - info.frames / 2, block));
}

}  // namespace

AMAE_FUZZ_TARGET(audio)(const uint8_t* data, size_t size) {
  static amae::MemoryFile file;
  file.put(amae::fuzz::text_of(data, size));
  try {
    decode(file.path());
  } catch (const amae::Error&) {  // refused
  }
  return 0;
}

#ifdef AMAE_LIBFUZZER
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed);

namespace {

using amae::sounds::be;
using amae::sounds::crc;
using amae::sounds::le;

/// Gives every page of an Ogg file its checksum.
void repair_ogg(std::string& bytes) {
  for (size_t at = 0; bytes.compare(at, 4, "OggS") == 0 && at + 27 <= bytes.size();) {
    size_t size = 27 + static_cast<unsigned char>(bytes[at + 26]);
    for (size_t i = at + 27; i < std::min(at + 27 + static_cast<unsigned char>(bytes[at + 26]), bytes.size()); ++i) {
      size += static_cast<unsigned char>(bytes[i]);
    }
    if (at + size > bytes.size()) return;
    bytes.replace(at + 22, 4, le(0, 4));
    bytes.replace(at + 22, 4, le(crc(bytes.substr(at, size), 32, 0x04C11DB7), 4));
    at += size;
    if (at >= bytes.size()) return;
  }
}

/// Gives every frame of a FLAC file its two checksums; a frame reaches to the next sync code.
void repair_flac(std::string& bytes) {
  const auto sync = [&](size_t from) {
    while (from + 1 < bytes.size() && !(bytes[from] == '\xFF' && (bytes[from + 1] & 0xFE) == static_cast<char>(0xF8)))
      ++from;
    return from + 1 < bytes.size() ? from : bytes.size();
  };
  for (size_t at = sync(42); at + 16 < bytes.size();) {
    const size_t next = sync(at + 2);
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
    size_t header = 5;
    for (unsigned mask = 0x40; byte(4) >= 0xC0 && (byte(4) & mask) != 0 && mask > 1; mask >>= 1U) ++header;
    const unsigned block = byte(2) >> 4U, rate = byte(2) & 15U;
    header += block == 6 ? 1 : block == 7 ? 2 : 0;
    header += rate == 12 ? 1 : rate == 13 || rate == 14 ? 2 : 0;
    if (at + header + 3 <= next) {
      bytes[at + header] = static_cast<char>(crc(bytes.substr(at, header), 8, 0x07));
      bytes.replace(next - 2, 2, be(crc(bytes.substr(at, next - 2 - at), 16, 0x8005), 2));
    }
    at = next;
  }
}

}  // namespace

// Checksums keep plain mutations out of everything behind them, so most mutants get theirs set right again.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 4 == 0) return size;
  std::string bytes(amae::fuzz::text_of(data, size));
  if (bytes.starts_with("OggS")) repair_ogg(bytes);
  if (bytes.starts_with("fLaC")) repair_flac(bytes);
  std::copy(bytes.begin(), bytes.end(), data);  // the size stays
  return size;
}
#endif

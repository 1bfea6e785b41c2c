// What a sound file says of itself, read and judged by us before any decoder sees the file. Content decides what a file
// is, never its name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/regular_file.h"

namespace amae {

inline constexpr int64_t kMaxChannels = 64;
inline constexpr int64_t kMinRateHz = 1'000, kMaxRateHz = 768'000;
inline constexpr const char* kSoundFormats = "WAV (PCM, float), FLAC or Ogg (Vorbis, Opus)";  ///< all that is read

/// Where the samples of a WAV file lie, and what they are.
struct PcmData {
  uint64_t begin = 0;  ///< byte of the first sample
  uint64_t bytes = 0;
  int bits = 0;           ///< 8 (unsigned), 16, 24, 32 (signed); 32, 64 when floating
  bool floating = false;  ///< IEEE numbers
  bool big_endian = false;
};

struct SoundHeader {
  std::string format;  ///< "WAV", "FLAC" or "OGG"
  int64_t channels = 0;
  int64_t rate_hz = 0;
  int64_t frames = 0;  ///< samples of each channel; of Ogg at most that many (see ogg.h)
  int64_t seekable =
      0;  ///< of Ogg: a frame before the last page, in that same count; beyond it decoders lose their place
  std::optional<PcmData> pcm;  ///< of WAV only
};

/// Throws InputError when the first bytes are those of no format we read (they are shown, and the format named where we
/// know it), when the header is damaged or the file shorter than it says (declared and present), without length, or
/// outside 1..64 channels, 1..768 kHz.
SoundHeader read_sound_header(const RegularFile& file);

}  // namespace amae

// Our own reading of WAV headers. libsndfile quietly clamps a data chunk that claims more bytes than the file has, so
// truncation must be found before it sees the file; so must codecs that we do not want to hand to a decoder.
#pragma once

#include <cstdint>

#include "io/regular_file.h"

namespace amae {

struct WavHeader {
  int64_t channels = 0;
  int64_t rate_hz = 0;
  int64_t frame_bytes = 0;  ///< bytes of one sample of every channel
  int64_t frames = 0;       ///< whole frames in the data chunk
};

/// True for files that begin like RIFF, RIFX, RF64 or Sony Wave64, whatever follows.
bool looks_like_wav(const RegularFile& file);

/// Walks the chunks. Throws InputError when the file is cut, has no or an unfinished data chunk, is not WAVE, or holds
/// anything but PCM of 8, 16, 24 or 32 bits or float of 32 or 64 bits (plain or WAVE_FORMAT_EXTENSIBLE).
/// Channel and rate limits are the caller's.
WavHeader read_wav_header(const RegularFile& file);

}  // namespace amae

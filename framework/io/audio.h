// Audio files in: WAV, FLAC, Ogg Vorbis/Opus through libsndfile, with truncation found by our own reading of the
// header.
#pragma once

#include <filesystem>
#include <string>

#include "amae/signal.h"

namespace amae {

struct AudioInfo {
  int64_t frames = 0;  ///< sample frames, per channel
  int64_t channels = 0;
  double rate_hz = 0;
  std::string format;  ///< "WAV", "FLAC", "OGG"
};

/// Reads the header only. Throws InputError (code "AUDIO", where = path) when the file is missing, not a regular file,
/// not audio (first bytes shown), truncated (declared and present bytes of a RIFF data chunk), empty, or outside
/// 1..64 channels, 1 kHz..768 kHz.
AudioInfo audio_info(const std::filesystem::path& path);

/// Decodes the whole file: Signal [C, N] float32, full scale 1, rate set. Beyond audio_info's checks: short reads,
/// decoder errors and samples that are not finite (first bad frame) are refused.
Signal read_audio(const std::filesystem::path& path);

/// Writes 16-bit PCM WAV; samples [C, N] float32, clipped to [-1, 1].
void write_wav(const std::filesystem::path& path, const at::Tensor& samples, double rate_hz);

}  // namespace amae

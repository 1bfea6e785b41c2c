// Audio files in and out: WAV, FLAC, Ogg Vorbis/Opus into tensors. Content decides what a file is; a name that says
// otherwise gives one warning.
#pragma once

#include <filesystem>

#include "amae/signal.h"
#include "io/audio_decoder.h"

namespace amae {

/// Reads the header only. Throws as AudioDecoder's constructor does.
AudioInfo audio_info(const std::filesystem::path& path);

/// Decodes a file, or `frames` frames of it from `begin_frame` on (-1: all that follow): Signal [C, N] float32, full
/// scale 1, rate set. Beyond audio_info's checks: short reads, damaged parts, decoder errors, samples that are not
/// finite or beyond ±10,000 (first bad frame), more decoded bytes than decoded_limit_bytes() and sections that leave
/// the file are refused. A section is found by seeking: what lies before and behind it is not decoded, and damage there
/// goes unseen.
Signal read_audio(const std::filesystem::path& path, int64_t begin_frame = 0, int64_t frames = -1);

/// Writes 16-bit PCM WAV; samples [C, N] float32, clipped to [-1, 1].
void write_wav(const std::filesystem::path& path, const at::Tensor& samples, double rate_hz);

}  // namespace amae

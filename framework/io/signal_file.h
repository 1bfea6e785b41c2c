// One file that holds one signal, whatever its format: sound, or IQ as NumPy or SigMF have it. Its content says which
// it is, not its name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "amae/signal.h"

namespace amae {

/// Thread-safe.
class SignalFile {
 public:
  /// Reads the header. WAV, FLAC, Ogg; .npy or .npz of complex [N] or real [2, N], whose rate is unknown; a SigMF
  /// archive, or its metadata with the samples beside it, of one recording, whose first channel it is. Throws
  /// InputError with the format's code ("AUDIO", "NPY", "SIGMF").
  explicit SignalFile(const std::filesystem::path& path);
  /// A SigMF recording as two files.
  SignalFile(const std::filesystem::path& metadata, const std::filesystem::path& samples);

  [[nodiscard]] const std::string& format() const { return format_; }  ///< "WAV", "FLAC", "OGG", "NPY" or "SIGMF"
  /// Shape [C, N] with all sizes known, rate (0: unknown) and domain.
  [[nodiscard]] const Spec& spec() const { return spec_; }
  [[nodiscard]] int64_t frames() const { return spec_.shape[1]; }
  /// Frames begin..begin + frames - 1. Throws InputError.
  [[nodiscard]] Signal read(int64_t begin, int64_t frames) const;
  [[nodiscard]] Signal read() const { return read(0, frames()); }

 private:
  void open_iq(const std::filesystem::path& path);
  void open_sigmf(const std::filesystem::path& path, const std::filesystem::path& samples);

  std::string format_;
  Spec spec_;
  std::function<at::Tensor(int64_t begin, int64_t frames)> read_;
};

}  // namespace amae

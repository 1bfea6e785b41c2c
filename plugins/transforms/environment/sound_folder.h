// A folder of recordings, for transforms that mix or filter with recorded sound.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "../common/sinc_resampler.h"

namespace amae {

/// What becomes of a recording's channels: their mean, or the first alone (the mean of a stereo impulse response would
/// be a comb filter).
enum class Downmix { mean, first };

/// One channel of samples, shared with the folder's memory.
using Samples = std::shared_ptr<const std::vector<float>>;

/// The recordings of one folder, decoded when they are asked for, at the rate asked for. Thread-safe.
///
/// Memory: decoded recordings are kept up to `memory` bytes, those used longest ago go first. A recording that a thread
/// is decoding or still mixing comes on top, and none is longer than `memory` decoded. What is kept changes no number.
class SoundFolder {
 public:
  /// Takes the files below `folder`, sub-folders included, that are named .wav, .flac or .ogg (any case), sorted by
  /// path, and reads every header. Throws InputError (field "folder") when the folder is missing or has no such file,
  /// and naming the first file that is not sound inside or too long for `memory`.
  SoundFolder(const std::filesystem::path& folder, Downmix downmix, int64_t memory);

  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(files_.size()); }
  [[nodiscard]] const std::filesystem::path& path(int64_t i) const { return files_[i].path; }

  /// Throws InputError unless every recording can be resampled to `rate_hz`, which must be a whole number > 0.
  void require_rate(double rate_hz) const;

  /// Recording `i` at `rate_hz`. Throws InputError when the file does not decode, or as require_rate() does.
  [[nodiscard]] Samples recording(int64_t i, double rate_hz) const;

 private:
  struct File {
    std::filesystem::path path;
    int64_t rate_hz;
  };
  struct Kept {
    Samples samples;
    uint64_t used = 0;  ///< running number of the last use
  };
  using Key = std::pair<int64_t, int64_t>;  ///< file or rate, rate to give

  [[nodiscard]] Samples decoded(int64_t i, int64_t rate_hz) const;
  [[nodiscard]] std::shared_ptr<const SincResampler> resampler(int64_t from, int64_t to) const;

  Downmix downmix_;
  int64_t memory_;
  std::vector<File> files_;
  mutable std::mutex mutex_;  // guards all below
  mutable std::map<Key, Kept> kept_;
  mutable int64_t kept_bytes_ = 0;
  mutable uint64_t uses_ = 0;
  mutable std::map<Key, std::shared_ptr<const SincResampler>> resamplers_;
};

/// A SoundFolder that is opened when it is first needed: when a config for training is read, but not where a trained
/// model serves and its folder may be far away.
class LazySoundFolder {
 public:
  LazySoundFolder(std::filesystem::path folder, Downmix downmix, int64_t memory)
      : folder_(std::move(folder)), downmix_(downmix), memory_(memory) {}

  /// Thread-safe; throws as the constructor of SoundFolder does.
  [[nodiscard]] const SoundFolder& get() const;

 private:
  std::filesystem::path folder_;
  Downmix downmix_;
  int64_t memory_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<const SoundFolder> opened_;
};

}  // namespace amae

#include "sound_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <system_error>

#include "../common/checks.h"
#include "base/text.h"
#include "io/audio.h"

namespace amae {
namespace {

namespace fs = std::filesystem;

InputError folder_error(const std::string& message) { return {"TRANSFORM-FOLDER", "", "folder", message}; }

bool named_as_sound(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return ending == ".wav" || ending == ".flac" || ending == ".ogg";
}

std::vector<fs::path> sounds_below(const fs::path& folder) {
  std::vector<fs::path> found;
  try {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (named_as_sound(entry.path()) && !entry.is_directory()) found.push_back(entry.path());
    }
  } catch (const fs::filesystem_error& error) {
    throw folder_error(
        fmt::format("got {}: {}, expected a folder of recordings", printable(folder.string()), error.code().message()));
  }
  if (found.empty()) {
    throw folder_error(
        fmt::format("got {} without any .wav, .flac or .ogg file, expected at least one", printable(folder.string())));
  }
  std::sort(found.begin(), found.end());  // the order of a listing differs from disk to disk
  return found;
}

int64_t whole_rate(double hz) {
  if (hz >= 1 && hz <= 1e9 && hz == std::floor(hz)) return static_cast<int64_t>(hz);
  throw input_error("the folder's recordings",
                    fmt::format("cannot be brought to {} Hz, expected a known, whole number of Hz", hz));
}

int64_t bytes_of(const Samples& samples) { return static_cast<int64_t>(samples->size() * sizeof(float)); }

}  // namespace

SoundFolder::SoundFolder(const fs::path& folder, Downmix downmix, int64_t memory) : downmix_(downmix), memory_(memory) {
  std::string first_bad;
  size_t bad = 0;
  for (fs::path& path : sounds_below(folder)) {
    try {
      const AudioInfo info = audio_info(path);
      const auto bytes = static_cast<double>(info.frames * info.channels) * sizeof(float);
      if (bytes > static_cast<double>(memory)) {
        throw folder_error(fmt::format("got {} decoded, expected at most the {} of memory; cut it or raise memory",
                                       bytes_text(bytes), bytes_text(static_cast<double>(memory))));
      }
      files_.push_back({std::move(path), static_cast<int64_t>(info.rate_hz)});
    } catch (const InputError& error) {
      if (bad++ == 0) first_bad = printable(path.string()) + ": " + error.problems().front().message;
    }
  }
  if (bad > 0) {
    throw folder_error(first_bad + (bad > 1 ? fmt::format(" (and {} more such files)", bad - 1) : ""));
  }
}

std::shared_ptr<const SincResampler> SoundFolder::resampler(int64_t from, int64_t to) const {
  const std::lock_guard lock(mutex_);
  auto& found = resamplers_[{from, to}];
  if (!found) found = std::make_shared<SincResampler>(from, to);
  return found;
}

void SoundFolder::require_rate(double rate_hz) const {
  const int64_t rate = whole_rate(rate_hz);
  for (const File& file : files_) {
    if (file.rate_hz == rate) continue;
    try {
      static_cast<void>(resampler(file.rate_hz, rate));
    } catch (const InputError& error) {
      throw folder_error(printable(file.path.string()) + ": " + error.problems().front().message);
    }
  }
}

Samples SoundFolder::decoded(int64_t i, int64_t rate_hz) const {
  const File& file = files_[i];
  const Signal signal = read_audio(file.path);
  if (static_cast<int64_t>(signal.rate_hz) != file.rate_hz) {
    throw InputError("AUDIO", printable(file.path.string()), "",
                     fmt::format("got {} Hz, expected {} Hz as when the config was read (the file was replaced)",
                                 signal.rate_hz, file.rate_hz));
  }
  const at::Tensor one =
      (downmix_ == Downmix::mean && signal.samples.size(0) > 1 ? signal.samples.mean(0) : signal.samples[0])
          .contiguous();
  const float* x = one.const_data_ptr<float>();
  const int64_t n = one.numel();
  if (file.rate_hz == rate_hz) return std::make_shared<std::vector<float>>(x, x + n);
  const auto filter = resampler(file.rate_hz, rate_hz);
  auto samples = std::make_shared<std::vector<float>>(static_cast<size_t>(filter->length(n)));
  filter->run(x, n, samples->data(), filter->length(n));
  return samples;
}

Samples SoundFolder::recording(int64_t i, double rate_hz) const {
  const Key key{i, whole_rate(rate_hz)};
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = kept_.find(key); found != kept_.end()) {
      found->second.used = ++uses_;
      return found->second.samples;
    }
  }
  // Not under the lock: two threads may decode one file at once, and get equal samples.
  const Samples samples = decoded(i, key.second);
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = kept_.try_emplace(key);
  place->second.used = ++uses_;
  if (!is_new) return place->second.samples;
  place->second.samples = samples;
  kept_bytes_ += bytes_of(samples);
  while (kept_bytes_ > memory_ && !kept_.empty()) {
    const auto oldest = std::min_element(kept_.begin(), kept_.end(),
                                         [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    kept_bytes_ -= bytes_of(oldest->second.samples);
    kept_.erase(oldest);
  }
  return samples;
}

const SoundFolder& LazySoundFolder::get() const {
  const std::lock_guard lock(mutex_);
  if (!opened_) opened_ = std::make_unique<const SoundFolder>(folder_, downmix_, memory_);
  return *opened_;
}

}  // namespace amae

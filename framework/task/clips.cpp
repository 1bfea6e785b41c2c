#include "task/clips.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/file.h"
#include "base/stop.h"
#include "base/text.h"
#include "io/audio.h"
#include "io/png.h"
#include "io/write_flac.h"
#include "report/canvas.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

constexpr double kLongestSound_s = 30;
constexpr int kClipWidth = 640, kClipSpectrogram = 160, kClipWave = 44;
constexpr Color kNight{24, 20, 40}, kWaveColor{120, 190, 220}, kQuadratureColor{230, 159, 0};

/// Decibels below the loudest, [F, T]; of IQ from the lowest frequency to the highest.
at::Tensor decibels(const Signal& signal) {
  const bool is_iq = signal.domain == Domain::iq;
  at::Tensor x =
      is_iq ? at::complex(signal.samples[0].contiguous(), signal.samples[1].contiguous()) : signal.samples.mean(0);
  int64_t n_fft = 1024;
  while (n_fft > 32 && n_fft * 8 > x.size(0)) n_fft /= 2;
  if (x.size(0) < n_fft) x = at::constant_pad_nd(x, {0, n_fft - x.size(0)});
  const at::Tensor window = at::hann_window(n_fft);
  const at::Tensor frames = x.unfold(0, n_fft, std::max<int64_t>(1, std::min(n_fft / 4, x.size(0) / kClipWidth + 1)));
  at::Tensor power = is_iq ? at::fft_fftshift(at::fft_fft(frames * window, c10::nullopt, 1), {1}).abs().square()
                           : at::fft_rfft(frames * window, c10::nullopt, 1).abs().square();
  const at::Tensor db = 10 * power.clamp_min(1e-12).log10();
  return (db - db.max()).t().contiguous();
}

std::string picture(const Signal& signal) {
  Canvas canvas(kClipWidth, kClipSpectrogram + kClipWave, kNight);
  canvas.spectrogram(0, 0, kClipWidth, kClipSpectrogram, decibels(signal), -80, 0);
  const at::Tensor peak = signal.samples.abs().max().clamp_min(1e-9);
  const at::Tensor waves = signal.samples / peak;
  const bool is_iq = signal.domain == Domain::iq;
  if (is_iq) canvas.waveform(0, kClipSpectrogram, kClipWidth, kClipWave, waves[1].contiguous(), kQuadratureColor);
  canvas.waveform(0, kClipSpectrogram, kClipWidth, kClipWave, (is_iq ? waves[0] : waves.mean(0)).contiguous(),
                  kWaveColor);
  return png_bytes(canvas.rgb());
}

/// A FLAC file's bytes: half of a WAV's, and every browser plays it.
std::string sound(const Signal& signal, const fs::path& scratch) {
  at::Tensor samples = signal.samples.size(0) > 2 ? signal.samples.mean(0, /*keepdim=*/true) : signal.samples;
  const double peak = samples.abs().max().item<double>();
  if (peak > 1) samples = samples / peak;
  samples = (samples * 32768).round().clamp(-32768, 32767) / 32768;  // 16 bits are enough for ears, and half the bytes
  write_flac(scratch / "clip.flac", samples.contiguous(), signal.rate_hz);
  return read_file(scratch / "clip.flac");
}

}  // namespace

Clips::Clips(std::shared_ptr<const EmbeddingStore> store, const Registry& registry) : store_(std::move(store)) {
  const Items& items = store_->items();
  for (const char* name : {"id", "path", "label", "fold", "start", "end"}) columns_.push_back(items.column(name));
  if (store_->manifest().data.empty()) return;
  try {
    data_ = open_source(store_->manifest().data, registry);
    for (int64_t number = 0; number < data_->size(); ++number) numbers_.emplace(data_->item(number).id, number);
  } catch (const Error& error) {
    problem_ = error.problems().front().message;
  }
}

Clips::Place Clips::place_of(int64_t row) const {
  const std::vector<std::string> cells = store_->items().cells(row);
  const std::string& id = cells[columns_[0]];
  const bool is_part = store_->manifest().maker.timestamps;
  Place place;
  const double start = number_of(cells[columns_[4]]), end = number_of(cells[columns_[5]]);
  if (is_part && !(start <= end && end > 0))  // no number is neither
    throw InputError("DATA", "", "", "its section in items.csv is none");
  if (is_part) place.start_s = start, place.end_s = end;
  if (!problem_.empty()) throw InputError("DATA", "", "", problem_);
  if (!data_) {
    place.source = file_source({cells[columns_[1]]});
    return place;
  }
  const auto found = numbers_.find(item_id(id, is_part));
  if (found == numbers_.end()) throw InputError("DATA", "", "", "is no longer in the data set");
  place.source = data_;
  place.number = found->second;
  return place;
}

Signal Clips::load(const Place& place, double longest_s, std::string* facts) {
  const EmbedSource& source = *place.source;
  const Spec spec = source.spec(place.number);
  int64_t begin = 0, frames = spec.shape.back();
  if (place.end_s > 0 && spec.rate_hz > 0) {
    begin = static_cast<int64_t>(std::lround(place.start_s * spec.rate_hz));
    frames = std::min(frames - begin, static_cast<int64_t>(std::lround((place.end_s - place.start_s) * spec.rate_hz)));
  }
  if (begin < 0 || frames < 1) throw InputError("DATA", "", "", "is shorter than when it was embedded");
  std::string text = fmt::format("{} samples of IQ", frames);
  if (spec.domain == Domain::audio) {
    const double seconds = static_cast<double>(frames) / spec.rate_hz;
    text = fmt::format("{}, {} Hz{}", duration_text(seconds), number_text(spec.rate_hz),
                       spec.shape[0] > 1 ? fmt::format(", {} channels", spec.shape[0]) : "");
    if (seconds > longest_s) {
      frames = static_cast<int64_t>(longest_s * spec.rate_hz);
      text += fmt::format(", the first {} s", longest_s);
    }
  }
  if (facts != nullptr) *facts = text;
  return source.read(place.number, begin, frames);
}

Signal Clips::signal(int64_t row, double longest_s) const { return load(place_of(row), longest_s, nullptr); }

template <class Find>
void Clips::fill(PageClip& clip, const Find& find) {
  throw_if_stopped();
  try {
    const Place place = find();
    clip.start_s = place.start_s;
    clip.end_s = place.end_s;
    const Signal signal = load(place, kLongestSound_s, &clip.facts);
    clip.picture = picture(signal);
    if (signal.domain != Domain::audio) return;
    clip.audio = sound(signal, scratch_.path());
    clip.audio_type = "audio/flac";
  } catch (const Error& error) {
    clip.note = error.problems().front().message;
  } catch (const std::exception& error) {
    clip.note = std::string(error.what()).substr(0, 200);
  }
}

PageClip Clips::of_row(int64_t row) {
  PageClip clip;
  const std::vector<std::string> cells = store_->items().cells(row);
  clip.id = cells[columns_[0]];
  clip.label = cells[columns_[2]];
  fill(clip, [&] { return place_of(row); });
  const std::string& fold = cells[columns_[3]];
  if (!fold.empty()) clip.facts += (clip.facts.empty() ? "fold " : ", fold ") + fold;
  return clip;
}

PageClip Clips::of_file(const std::string& file) {
  PageClip clip;
  clip.id = file;
  fill(clip, [&] { return Place{file_source({file})}; });
  return clip;
}

}  // namespace amae

// Sounds and pictures for the page of a search.
#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/file.h"
#include "base/stop.h"
#include "base/text.h"
#include "io/audio.h"
#include "io/png.h"
#include "io/write_flac.h"
#include "report/canvas.h"
#include "task/embed_source.h"
#include "task/search.h"

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

class Clips {
 public:
  Clips(const SearchResult& result, const std::vector<fs::path>& plugin_path) : store_(*result.store) {
    const Items& items = store_.items();
    for (const char* name : {"id", "path", "label", "fold", "start", "end"}) columns_.push_back(items.column(name));
    if (store_.manifest().data.empty()) return;
    try {
      data_ = open_source(store_.manifest().data, *load_registry(plugin_path));
      for (int64_t number = 0; number < data_->size(); ++number) numbers_.emplace(data_->item(number).id, number);
    } catch (const Error& error) {
      problem_ = error.problems().front().message;
    }
  }

  PageClip of_row(int64_t row) {
    throw_if_stopped();
    const std::vector<std::string> cells = store_.items().cells(row);
    const std::string &id = cells[columns_[0]], &path = cells[columns_[1]], &fold = cells[columns_[3]];
    PageClip clip;
    clip.id = id;
    clip.label = cells[columns_[2]];
    const bool is_part = store_.manifest().maker.timestamps;
    const double start = number_of(cells[columns_[4]]), end = number_of(cells[columns_[5]]);
    if (is_part && start <= end) {  // no number is neither
      clip.start_s = start;
      clip.end_s = end;
    }
    fill(clip, [&] {
      if (is_part && clip.end_s == 0) throw InputError("DATA", "", "", "its section in items.csv is none");
      if (!problem_.empty()) throw InputError("DATA", "", "", problem_);
      if (!data_) return load(*file_source({path}), 0, clip);
      const auto found = numbers_.find(item_id(id, is_part));
      if (found == numbers_.end()) throw InputError("DATA", "", "", "is no longer in the data set");
      return load(*data_, found->second, clip);
    });
    if (!fold.empty()) clip.facts += (clip.facts.empty() ? "fold " : ", fold ") + fold;
    return clip;
  }

  PageClip of_file(const std::string& file) {
    throw_if_stopped();
    PageClip clip;
    clip.id = file;
    fill(clip, [&] { return load(*file_source({file}), 0, clip); });
    return clip;
  }

 private:
  /// What the page has of an item: its section, of a long sound the first seconds. Nothing else is decoded.
  static Signal load(const EmbedSource& source, int64_t number, PageClip& clip) {
    const Spec spec = source.spec(number);
    int64_t begin = 0, frames = spec.shape.back();
    if (clip.end_s > 0 && spec.rate_hz > 0) {
      begin = static_cast<int64_t>(std::lround(clip.start_s * spec.rate_hz));
      frames = std::min(frames - begin, static_cast<int64_t>(std::lround((clip.end_s - clip.start_s) * spec.rate_hz)));
    }
    if (begin < 0 || frames < 1) throw InputError("DATA", "", "", "is shorter than when it was embedded");
    if (spec.domain == Domain::audio) {
      const double seconds = static_cast<double>(frames) / spec.rate_hz;
      clip.facts = fmt::format("{}, {} Hz{}", duration_text(seconds), number_text(spec.rate_hz),
                               spec.shape[0] > 1 ? fmt::format(", {} channels", spec.shape[0]) : "");
      if (seconds > kLongestSound_s) {
        frames = static_cast<int64_t>(kLongestSound_s * spec.rate_hz);
        clip.facts += fmt::format(", the first {} s", kLongestSound_s);
      }
    } else {
      clip.facts = fmt::format("{} samples of IQ", frames);
    }
    return source.read(number, begin, frames);
  }

  /// Picture and sound of what `load` gives; an odd clip costs them, not the page.
  template <class Load>
  void fill(PageClip& clip, const Load& load) {
    try {
      const Signal signal = load();
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

  const EmbeddingStore& store_;
  std::vector<size_t> columns_;
  std::unique_ptr<EmbedSource> data_;                 // null: sound files
  std::unordered_map<std::string, int64_t> numbers_;  // of its items, by id
  std::string problem_;                               // why the data set cannot be opened
  TemporaryFolder scratch_;
};

}  // namespace

SearchPage page_of(const SearchResult& result, const std::vector<fs::path>& plugin_path) {
  Clips clips(result, plugin_path);
  SearchPage page;
  page.are_distances = result.metric == "l2";
  page.title = result.found.size() == 1 ? "Similar to " + result.found[0].query : "Similar sounds";
  for (const FoundFor& found : result.found) {
    PageSearch& search = page.searches.emplace_back();
    if (found.row >= 0) {
      search.query = clips.of_row(found.row);
    } else if (!found.file.empty()) {
      search.query = clips.of_file(found.file);
    } else {
      search.query.id = found.query;
      search.query.note = "a vector, without a sound";
    }
    for (const Hit& hit : found.hits) {
      PageClip clip = clips.of_row(hit.row);
      clip.score = hit.score;
      if (!search.query.label.empty() && !clip.label.empty()) clip.same_label = clip.label == search.query.label;
      search.results.push_back(std::move(clip));
    }
  }
  const StoreManifest& manifest = result.store->manifest();
  page.about = {{"store", result.store->folder().string()},
                {"items", std::to_string(manifest.rows)},
                {"model", fmt::format("{} ({})", manifest.bundle, manifest.bundle_id)},
                {"index", fmt::format("{}, {}", result.index, result.metric)}};
  if (!result.filter.empty()) page.about.emplace_back("where", result.filter);
  return page;
}

}  // namespace amae

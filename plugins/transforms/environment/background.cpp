#include "background.h"

#include <cmath>
#include <utility>

#include "../common/checks.h"
#include "../common/level.h"

namespace amae {
namespace {

constexpr double kSilence = 1e-20;  // -200 dB of full scale: gains stay far from the ends of float

/// Samples start .. start + n - 1 of `sound`, from the beginning again after its end.
std::vector<float> piece(const std::vector<float>& sound, int64_t start, int64_t n) {
  std::vector<float> taken;
  taken.reserve(static_cast<size_t>(n));
  while (static_cast<int64_t>(taken.size()) < n) {
    const int64_t count = std::min(n - static_cast<int64_t>(taken.size()), static_cast<int64_t>(sound.size()) - start);
    taken.insert(taken.end(), sound.begin() + start, sound.begin() + start + count);
    start = 0;
  }
  return taken;
}

}  // namespace

void BackgroundOptions::check() const { require_interval("snr_db", snr_db); }

Background::Background(BackgroundOptions options)
    : options_(std::move(options)), folder_(options_.folder, Downmix::mean, options_.memory) {}

Spec Background::output(const Spec& input, Mode mode) const {
  require_domain(input, "background", {Domain::audio});
  if (mode == Mode::train) {
    const SoundFolder& folder = folder_.get();
    if (input.rate_hz > 0) folder.require_rate(input.rate_hz);
  }
  return input;
}

void Background::apply(Batch& batch, const Stage& stage) const {
  at::Tensor out = plain(batch.x).clone();
  const Rows shape(out);
  const int64_t n = shape.length;
  for (int64_t item = 0; item < shape.items; ++item) {
    Draw draw = stage.draw(batch.ids[item]);
    if (!draw.chance(options_.p)) continue;
    float* x = out.mutable_data_ptr<float>() + item * shape.item_size();
    const double power = mean_square(x, shape.item_size());
    if (power == 0) continue;
    const double snr_db = draw.uniform(options_.snr_db[0], options_.snr_db[1]);
    const SoundFolder& folder = folder_.get();
    const Samples sound = folder.recording(draw.integer(0, folder.size()), batch.rate_hz);
    const auto length = static_cast<int64_t>(sound->size());
    const int64_t start = draw.integer(0, length > n ? length - n + 1 : length);
    const std::vector<float> background = piece(*sound, start, n);
    const double noise = mean_square(background.data(), n);
    if (noise < kSilence) continue;
    const auto gain = static_cast<float>(std::sqrt(power / noise / std::pow(10.0, snr_db / 10)));
    for (int64_t row = 0; row < shape.rows; ++row, x += n) {
      for (int64_t i = 0; i < n; ++i) x[i] += gain * background[i];
    }
  }
  batch.x = out;
}

}  // namespace amae

#include "compliance/inputs.h"

#include <ATen/CPUGeneratorImpl.h>

namespace amae::compliance {
namespace {

at::Tensor noise(const Spec& input, int64_t items, uint64_t seed) {
  std::vector<int64_t> shape = {items};
  shape.insert(shape.end(), input.shape.begin(), input.shape.end());
  const at::Tensor x = at::randn(shape, at::detail::createCPUGenerator(seed), at::kFloat);
  if (input.domain != Domain::spectrogram) return x * 0.1;
  switch (input.level) {
    case Level::power:
      return x.square();
    case Level::magnitude:
      return x.abs();
    case Level::logarithm:
      return x * 2 - 4;
    case Level::other:
      return x;
  }
  return x;
}

/// `value` of a waveform (full scale 1) as the level of a spectrogram would show it.
double at_level(const Spec& input, double value) {
  if (input.domain != Domain::spectrogram || input.level != Level::logarithm) return value;
  return value > 0 ? 10.0 : -100.0;
}

Batch batch_of(const Spec& input, at::Tensor x) {
  Batch batch;
  const int64_t items = x.size(0);
  batch.x = std::move(x);
  batch.y = at::zeros({items, 3}, at::kFloat);
  for (int64_t i = 0; i < items; ++i) {
    batch.y[i][i % 3] = 1;
    batch.ids.push_back(i);
  }
  batch.rate_hz = input.rate_hz;
  return batch;
}

}  // namespace

const std::vector<Spec>& standard_inputs() {
  static const std::vector<Spec> inputs = {
      {Domain::spectrogram, {1, 64, 100}, 100, Level::logarithm},
      {Domain::spectrogram, {1, 80, 200}, 100, Level::other},
      {Domain::spectrogram, {3, 40, 61}, 62.5, Level::power},
      {Domain::spectrogram, {1, 128, 216}, 43, Level::power},
      {Domain::iq, {2, 128}, 200e3},
      {Domain::iq, {2, 1000}, 1e6},
      {Domain::audio, {1, 8000}, 16000},
      {Domain::audio, {2, 4410}, 44100},
      {Domain::spectrogram, {3, 224, 224}, 100, Level::other},
  };
  return inputs;
}

Batch noise_batch(const Spec& input, int64_t items, uint64_t seed) {
  return batch_of(input, noise(input, items, seed));
}

std::vector<std::pair<std::string, Batch>> hard_items(const Spec& input, uint64_t seed) {
  const at::Tensor blank = at::full_like(noise(input, 1, seed), at_level(input, 0));
  at::Tensor impulse = blank.clone();
  impulse.view(-1)[impulse.numel() / 3] = at_level(input, 1);
  return {{"silence", batch_of(input, blank)},
          {"an impulse", batch_of(input, impulse)},
          {"full scale", batch_of(input, at::full_like(blank, at_level(input, 1)))},
          {"a constant", batch_of(input, at::full_like(blank, 0.25))},
          {"plain noise", batch_of(input, noise(input, 1, seed))}};
}

}  // namespace amae::compliance

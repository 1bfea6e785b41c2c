// What transforms that mix examples of one batch share: whom to mix with, and when to stop.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "amae/transform.h"

namespace amae {

/// Most likely class of each item of y [B, K]; all 0 without labels.
inline std::vector<int64_t> main_classes(const at::Tensor& y, int64_t items) {
  if (!y.defined()) return std::vector<int64_t>(static_cast<size_t>(items), 0);
  const at::Tensor best = y.argmax(1).contiguous();
  return {best.const_data_ptr<int64_t>(), best.const_data_ptr<int64_t>() + items};
}

/// Another item of the batch: of another class where there is one, else any other; -1 when the item is alone.
inline int64_t partner_of(int64_t item, const std::vector<int64_t>& classes, Draw& draw) {
  const auto items = static_cast<int64_t>(classes.size());
  std::vector<int64_t> others;
  for (int64_t i = 0; i < items; ++i) {
    if (classes[i] != classes[item]) others.push_back(i);
  }
  if (!others.empty()) return others[draw.integer(0, static_cast<int64_t>(others.size()))];
  if (items < 2) return -1;
  const int64_t i = draw.integer(0, items - 1);
  return i < item ? i : i + 1;
}

/// How one item is mixed: x = own x1 + other x2, y = label y1 + (1 - label) y2.
struct Mix {
  int64_t partner = -1;  ///< -1: stays as it is
  double own = 1, other = 0, label = 1;
};

/// out[i] = a values[i] + b values[partner], (a, b) = weights(mixes[i]); values[i] where it has no partner. All
/// partners are taken as they were before. New memory.
template <class Weights>
at::Tensor blended(const at::Tensor& values, const std::vector<Mix>& mixes, Weights weights) {
  const at::Tensor from = values.contiguous();
  at::Tensor to = at::empty(from.sizes(), from.options());
  const auto items = static_cast<int64_t>(mixes.size());
  const int64_t size = items == 0 ? 0 : from.numel() / items;
  for (int64_t item = 0; item < items; ++item) {
    const Mix& mix = mixes[item];
    const float* first = from.const_data_ptr<float>() + item * size;
    const float* second = from.const_data_ptr<float>() + std::max<int64_t>(0, mix.partner) * size;
    float* out = to.mutable_data_ptr<float>() + item * size;
    if (mix.partner < 0) {
      std::copy_n(first, size, out);
      continue;
    }
    const auto [wide_a, wide_b] = weights(mix);
    const auto a = static_cast<float>(wide_a), b = static_cast<float>(wide_b);
    for (int64_t i = 0; i < size; ++i) out[i] = a * first[i] + b * second[i];
  }
  return to;
}

/// The labels y [B, K] of the mixes.
inline at::Tensor mix_labels(const at::Tensor& y, const std::vector<Mix>& mixes) {
  return blended(y, mixes, [](const Mix& m) { return std::pair{m.label, 1 - m.label}; });
}

/// Applies mixes[i] to item i of x and y.
inline void mix_items(Batch& batch, const std::vector<Mix>& mixes) {
  batch.x = blended(batch.x, mixes, [](const Mix& m) { return std::pair{m.own, m.other}; });
  if (batch.y.defined()) batch.y = mix_labels(batch.y, mixes);
}

/// True in the last `off_last` share of the run's epochs, rounded to whole epochs.
inline bool is_off(const Stage& stage, double off_last) {
  return stage.epoch >= stage.epochs - std::llround(off_last * static_cast<double>(stage.epochs));
}

}  // namespace amae

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

/// Applies mixes[i] to item i; all partners are taken as they were before. New memory for x and y.
inline void mix_items(Batch& batch, const std::vector<Mix>& mixes) {
  const auto mixed = [&mixes](const at::Tensor& values, auto weights) {
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
      const auto [a, b] = weights(mix);
      for (int64_t i = 0; i < size; ++i) out[i] = a * first[i] + b * second[i];
    }
    return to;
  };
  const auto weights = [](double a, double b) { return std::pair{static_cast<float>(a), static_cast<float>(b)}; };
  batch.x = mixed(batch.x, [&](const Mix& m) { return weights(m.own, m.other); });
  if (batch.y.defined()) batch.y = mixed(batch.y, [&](const Mix& m) { return weights(m.label, 1 - m.label); });
}

/// True in the last `off_last` share of the run's epochs, rounded to whole epochs.
inline bool is_off(const Stage& stage, double off_last) {
  return stage.epoch >= stage.epochs - std::llround(off_last * static_cast<double>(stage.epochs));
}

}  // namespace amae

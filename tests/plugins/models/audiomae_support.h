// What the tests of AudioMAE++ share: a tiny model and numerical gradients.
#pragma once

#include <torch/autograd.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "plugins/models/audiomae/audiomae.h"

namespace amae::audiomae_test {

/// 15 tokens: 3 bands by 5 steps of patches with 4 bins and 2 frames; one frame stays over.
inline Spec picture(int64_t channels = 1) { return {Domain::spectrogram, {channels, 12, 11}, 100.0}; }
constexpr int64_t kTokens = 15, kBands = 3;

inline AudioMaeOptions tiny() {
  return {.size = "custom",
          .dim = 16,
          .depth = 2,
          .heads = 2,
          .decoder_dim = 8,
          .decoder_depth = 1,
          .decoder_heads = 1,
          .patch_time = 2,
          .patch_frequency = 4};
}

inline std::shared_ptr<AudioMae> build(const AudioMaeOptions& options, const Spec& input = picture(),
                                       bool reconstructs = true, uint64_t seed = 1) {
  torch::manual_seed(seed);
  auto net = std::make_shared<AudioMae>(options, input, reconstructs);
  net->eval();
  return net;
}

/// Ascending token numbers [batch, count], other ones for each item.
inline torch::Tensor some_kept(int64_t batch, int64_t count, int64_t tokens = kTokens) {
  return std::get<0>(torch::rand({batch, tokens}).argsort(int64_t{1}).narrow(1, 0, count).sort(1));
}

/// Central differences of the scalar f at every element of `at` agree with autograd. float64: a step of 1e-5 leaves an
/// error of about 1e-10 of the curvature and 1e-11 of rounding.
inline void check_gradient(const std::function<torch::Tensor()>& f, torch::Tensor at) {
  REQUIRE(at.scalar_type() == torch::kFloat64);
  const auto analytical = torch::autograd::grad({f()}, {at})[0].contiguous();
  const torch::NoGradGuard no_grad;
  constexpr double kStep = 1e-5;
  const auto numerical = torch::zeros_like(analytical);
  auto* const values = at.data_ptr<double>();
  for (int64_t i = 0; i < at.numel(); ++i) {
    const double before = values[i];
    values[i] = before + kStep;
    const double above = f().item<double>();
    values[i] = before - kStep;
    const double below = f().item<double>();
    values[i] = before;
    numerical.data_ptr<double>()[i] = (above - below) / (2 * kStep);
  }
  CHECK((analytical - numerical).abs().max().item<double>() < 1e-7 * (1.0 + analytical.abs().max().item<double>()));
  CHECK(analytical.abs().max().item<double>() > 1e-4);  // there was something to compare
}

}  // namespace amae::audiomae_test

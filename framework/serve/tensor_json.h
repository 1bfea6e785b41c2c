// Tensors and pictures of them as the API has them.
#pragma once

#include <torch/types.h>

#include <nlohmann/json.hpp>
#include <string>

#include "amae/signal.h"

namespace amae::serve {

/// {"shape", "dtype", "data"}: float32, or uint8 of bytes and truth values; little-endian, C order, base64.
nlohmann::ordered_json tensor_json(const torch::Tensor& tensor);

/// Maps [C, H, W] made small enough to look at: at most `high` x `wide` by averaging, each channel in 256 steps of its
/// own range: {"name", "shape", "dtype", "data", "of", "min", "max"}, value = min + (max - min) * byte / 255.
nlohmann::ordered_json map_json(const std::string& name, const torch::Tensor& map, int64_t high, int64_t wide);

/// How much the summary looks at each token: [heads, bands, steps] of attention weights [1, heads, N, N] (row = query,
/// N the grid's tokens or one more before them: the summary token's row; without one, the mean over all queries).
/// Undefined when N fits no such grid.
torch::Tensor attention_received(const torch::Tensor& weights, int64_t bands, int64_t steps);

/// Least and largest of each of at most `bins` equal stretches of each channel: {"bins", "seconds", "channels"}.
nlohmann::ordered_json waveform_json(const Signal& signal, int64_t bins);

}  // namespace amae::serve

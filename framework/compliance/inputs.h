// Inputs that models and transforms meet in practice, and signals that are hard on them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "amae/transform.h"

namespace amae::compliance {

/// Specs of single items, the usual ones first: spectrograms of several sizes, levels and channels, IQ, audio.
const std::vector<Spec>& standard_inputs();

/// A batch of `items` that an input of this spec could be: noise at a usual level (powers are not negative), with ids
/// 0…items-1 and one-hot labels of three classes. Varying sizes are not allowed.
Batch noise_batch(const Spec& input, int64_t items, uint64_t seed);

/// Single items that break careless arithmetic, by name: silence, an impulse, full scale, a constant (DC), noise.
std::vector<std::pair<std::string, Batch>> hard_items(const Spec& input, uint64_t seed);

}  // namespace amae::compliance

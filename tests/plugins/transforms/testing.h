// Small vocabulary of the transform tests.
#pragma once

#include <ATen/ATen.h>

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "amae/error.h"
#include "amae/transform.h"
#include "io/safetensors.h"

namespace amae::testing {

inline at::Generator generator(uint64_t seed) {
  auto g = at::globalContext().defaultGenerator(at::kCPU).clone();
  g.set_current_seed(seed);
  return g;
}

inline at::Tensor noise(at::IntArrayRef sizes, uint64_t seed = 1) {
  return at::randn(sizes, generator(seed), at::kFloat);
}

/// Positive numbers, as powers are.
inline at::Tensor power(at::IntArrayRef sizes, uint64_t seed = 1) { return noise(sizes, seed).square() + 1e-3; }

/// [1, 1, n] with a single 1 at `place`.
inline at::Tensor impulse(int64_t n, int64_t place = 0) {
  at::Tensor x = at::zeros({1, 1, n});
  x[0][0][place] = 1;
  return x;
}

/// A batch with ids 100, 101, ...; item i has class i mod classes.
inline Batch batch_of(at::Tensor x, double rate_hz = 100, int64_t classes = 3) {
  Batch batch;
  const int64_t items = x.size(0);
  batch.x = std::move(x);
  batch.y = at::zeros({items, classes});
  for (int64_t i = 0; i < items; ++i) {
    batch.y[i][i % classes] = 1;
    batch.ids.push_back(100 + i);
  }
  batch.rate_hz = rate_hz;
  return batch;
}

inline Batch single(const Batch& batch, int64_t item) {
  return {batch.x.narrow(0, item, 1).clone(), batch.y.narrow(0, item, 1).clone(), {batch.ids[item]}, batch.rate_hz};
}

inline Stage stage(uint64_t seed = 7, int64_t epoch = 0, uint32_t index = 3) { return {seed, epoch, 10, index}; }

inline Batch applied(const Transform& transform, Batch batch, const Stage& at_stage = stage()) {
  transform.apply(batch, at_stage);
  return batch;
}

/// Largest difference relative to the largest value of `expected`; infinite when the shapes differ.
inline double relative_error(const at::Tensor& got, const at::Tensor& expected) {
  if (got.sizes() != expected.sizes()) return std::numeric_limits<double>::infinity();
  return ((got - expected).abs().max() / expected.abs().max()).item<double>();
}

// A plain pointer: GCC 14 takes a reference from a call with a temporary string for one into that string.
inline const TensorDict& reference(const char* name) {
  static std::map<std::string, TensorDict> files;
  auto& file = files[name];
  if (file.empty()) file = read_safetensors(std::string(AMAE_TEST_DATA) + "/" + name + ".safetensors");
  return file;
}

/// The field that an InputError thrown by `action` names; "" when it throws none.
template <class Action>
std::string refused_field(Action action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.problems().front().field;
  }
  return "";
}

}  // namespace amae::testing

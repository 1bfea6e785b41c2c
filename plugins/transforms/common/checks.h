// What the transforms share: refusals in one wording, and plain access to a batch's memory.
//
// Letters: B batch, C channels, N samples, F frequency bins, T frames, V views.
#pragma once

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include "amae/error.h"
#include "amae/signal.h"

namespace amae {

/// For check(): an option whose value breaks a rule that spans fields.
[[nodiscard]] inline InputError option_error(const std::string& field, const std::string& message) {
  return {"CFG-VALUE", "", field, message};
}

/// For output() and apply(): what arrives is not accepted. The message reads "TRANSFORM got ..., expected ...".
[[nodiscard]] inline InputError input_error(const std::string& transform, const std::string& message) {
  return {"TRANSFORM-INPUT", "", "input", transform + " " + message};
}

/// Throws InputError unless `input` is of one of `domains` and has the number of axes that its domain has.
inline void require_domain(const Spec& input, const std::string& transform, std::initializer_list<Domain> domains) {
  if (std::find(domains.begin(), domains.end(), input.domain) == domains.end()) {
    std::string names;
    for (const Domain domain : domains) names += (names.empty() ? "" : " or ") + std::string(to_string(domain));
    throw input_error(transform, fmt::format("got {}, expected {}", to_string(input.domain), names));
  }
  const size_t axes = input.domain == Domain::spectrogram ? 3 : 2;
  if (input.shape.size() != axes) {
    throw input_error(transform,
                      fmt::format("got {} axes, expected {}", input.shape.size(), axes == 3 ? "[C, F, T]" : "[C, N]"));
  }
}

/// Throws InputError when `input` is a spectrogram whose values are none of `levels`.
inline void require_level(const Spec& input, const std::string& transform, std::initializer_list<Level> levels) {
  if (input.domain != Domain::spectrogram || std::find(levels.begin(), levels.end(), input.level) != levels.end())
    return;
  std::string names;
  for (const Level level : levels) names += (names.empty() ? "" : " or ") + std::string(to_string(level));
  throw input_error(transform, fmt::format("got a spectrogram of {}, expected {}", to_string(input.level), names));
}

/// x as the loops want it: float32, contiguous, in host memory. Shares x's memory where x is so already: read only.
[[nodiscard]] inline at::Tensor plain(const at::Tensor& x) {
  TORCH_CHECK(x.defined() && x.scalar_type() == at::kFloat && x.device().is_cpu() && x.dim() >= 2,
              "a batch's x must be float32 [B, ...] on the CPU");
  return x.contiguous();
}

/// The part of `batch` shapes that loops need: B items, each `rows` rows of `length` values (the last axis).
struct Rows {
  explicit Rows(const at::Tensor& x)
      : items(x.size(0)), length(x.size(-1)), rows(x.numel() / std::max<int64_t>(1, items * length)) {}
  int64_t items, length, rows;
  [[nodiscard]] int64_t item_size() const { return rows * length; }
};

/// A list option that holds an interval: two finite values in order.
template <class T>
void require_interval(const std::string& field, const std::vector<T>& values) {
  if (values.size() != 2 || !(values[0] <= values[1])) {
    throw option_error(field, fmt::format("got {} value(s) [{}], expected [low, high] with low <= high", values.size(),
                                          fmt::join(values, ", ")));
  }
}

}  // namespace amae

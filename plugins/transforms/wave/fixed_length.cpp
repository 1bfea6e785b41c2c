#include "fixed_length.h"

#include <cmath>
#include <utility>
#include <vector>

#include "../common/checks.h"

namespace amae {
namespace {

int64_t target_length(double duration_s, double rate_hz) {
  const auto length = static_cast<int64_t>(std::llround(duration_s * rate_hz));
  if (length < 1) {
    throw InputError("TRANSFORM-INPUT", "", "duration",
                     fmt::format("got {} s, expected at least one sample at {} Hz", duration_s, rate_hz));
  }
  return length;
}

/// Where output sample i - left of a periodic continuation lies in 0..n-1.
int64_t wrap(int64_t i, int64_t n) { return ((i % n) + n) % n; }

int64_t mirror(int64_t i, int64_t n) {
  if (n == 1) return 0;
  const int64_t place = wrap(i, 2 * (n - 1));
  return place < n ? place : 2 * (n - 1) - place;
}

}  // namespace

FixedLength::FixedLength(FixedLengthOptions options) : options_(std::move(options)) {}

Spec FixedLength::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "fixed_length", {Domain::audio, Domain::iq});
  if (input.shape[1] == 0 && options_.pad != "zero") {
    throw input_error("fixed_length", fmt::format("got an empty clip, expected samples to {}", options_.pad));
  }
  Spec out = input;
  out.shape[1] = input.rate_hz > 0 ? target_length(options_.duration, input.rate_hz) : -1;
  return out;
}

void FixedLength::apply(Batch& batch, const Stage& /*stage*/) const {
  if (!(batch.rate_hz > 0)) throw input_error("fixed_length", "got an unknown rate, expected samples per second");
  const int64_t target = target_length(options_.duration, batch.rate_hz);
  const at::Tensor x = plain(batch.x);
  const int64_t n = x.size(-1);
  if (n == target) return;
  if (n == 0 && options_.pad != "zero") {
    throw input_error("fixed_length", fmt::format("got an empty clip, expected samples to {}", options_.pad));
  }
  // Output sample i shows input sample i + shift.
  const int64_t shift = options_.align == "center" ? (n >= target ? (n - target) / 2 : -((target - n) / 2)) : 0;
  if (n > target) {
    batch.x = x.narrow(-1, shift, target).contiguous();
    return;
  }
  if (options_.pad == "zero") {
    batch.x = at::constant_pad_nd(x, {-shift, target - n + shift});
    return;
  }
  at::Tensor index = at::empty({target}, at::kLong);
  for (int64_t i = 0; i < target; ++i) {
    index.mutable_data_ptr<int64_t>()[i] = options_.pad == "tile" ? wrap(i + shift, n) : mirror(i + shift, n);
  }
  batch.x = x.index_select(-1, index);
}

}  // namespace amae

#include "sinc_resampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "amae/error.h"

namespace amae {
namespace {

// Compilers do not reorder float sums by themselves; eight running sums let them use vector registers.
constexpr int64_t kLanes = 8;

float dot(const float* a, const float* b, int64_t n) {
  float lane[kLanes] = {};
  for (int64_t k = 0; k < n; k += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) lane[l] += a[k + l] * b[k + l];
  }
  return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

/// Modified Bessel function of order 0 by its power series: all terms are positive, so nothing cancels. The library's
/// std::cyl_bessel_i takes seconds for the six million taps of 44101 -> 16000 Hz.
double bessel_i0(double x) {
  double term = 1, sum = 1;
  for (int k = 1; term > sum * 1e-17; ++k) {
    term *= (x / 2 / k) * (x / 2 / k);
    sum += term;
  }
  return sum;
}

/// `peak` = bessel_i0(k.beta), taken out of the loop.
double window(double t, const SincKernel& k, double peak) {
  const double x = t / static_cast<double>(k.width);
  if (k.window == SincWindow::hann) {
    const double c = std::cos(std::numbers::pi * x / 2);
    return c * c;
  }
  return bessel_i0(k.beta * std::sqrt(std::max(0.0, 1 - x * x))) / peak;
}

double sinc(double t) { return t == 0 ? 1 : std::sin(std::numbers::pi * t) / (std::numbers::pi * t); }

}  // namespace

SincResampler::SincResampler(int64_t from, int64_t to, const SincKernel& kernel)
    : from_(from / std::gcd(from, to)), to_(to / std::gcd(from, to)) {
  const double base = static_cast<double>(std::min(from_, to_)) * kernel.rolloff;
  const double reach = static_cast<double>(kernel.width * from_) / base;  // half the window, in input samples
  taps_ = 2 * static_cast<int64_t>(std::ceil(reach)) + 1;
  taps_ = (taps_ + kLanes - 1) / kLanes * kLanes;
  constexpr double kLargest = 64.0 * 1024 * 1024;  // floats
  if (static_cast<double>(to_) * static_cast<double>(taps_) > kLargest) {
    throw InputError("TRANSFORM-INPUT", "", "rate",
                     fmt::format("got {} -> {} Hz, expected rates with a larger common divisor (reduced: {}/{})", from,
                                 to, to_, from_));
  }
  const double peak = bessel_i0(kernel.beta);
  first_.resize(to_);
  kernel_.assign(to_ * taps_, 0.0F);
  for (int64_t j = 0; j < to_; ++j) {
    // In exact integers the phase lies at j*from/to input samples after the block's start.
    const int64_t whole = j * from_ / to_;
    const double part = static_cast<double>(j * from_ % to_) / static_cast<double>(to_);
    first_[j] = whole + static_cast<int64_t>(std::ceil(part - reach));
    for (int64_t k = 0; k < taps_; ++k) {
      const double offset = static_cast<double>(first_[j] + k - whole) - part;
      const double t = offset * base / static_cast<double>(from_);
      if (std::abs(t) >= static_cast<double>(kernel.width)) continue;
      kernel_[j * taps_ + k] =
          static_cast<float>(base / static_cast<double>(from_) * window(t, kernel, peak) * sinc(t));
    }
  }
}

void SincResampler::run(const float* x, int64_t n, float* y, int64_t count) const {
  int64_t phase = 0, block = 0;
  for (int64_t out = 0; out < count; ++out) {
    const int64_t start = block + first_[phase];
    const float* taps = kernel_.data() + phase * taps_;
    if (start >= 0 && start + taps_ <= n) {
      y[out] = dot(x + start, taps, taps_);
    } else {
      float sum = 0;
      for (int64_t k = std::max<int64_t>(0, -start); k < std::min(taps_, n - start); ++k) sum += x[start + k] * taps[k];
      y[out] = sum;
    }
    if (++phase == to_) phase = 0, block += from_;
  }
}

std::pair<int64_t, int64_t> nearest_fraction(double value, int64_t limit) {
  int64_t p0 = 0, q0 = 1, p1 = 1, q1 = 0;
  for (double rest = value;;) {
    const auto whole = static_cast<int64_t>(std::floor(rest));
    if (whole * q1 + q0 > limit) {
      // The best one is the last convergent or the semiconvergent that still fits.
      const int64_t k = (limit - q0) / q1;
      const int64_t ps = k * p1 + p0, qs = k * q1 + q0;
      const auto miss = [value](int64_t p, int64_t q) {
        return std::abs(static_cast<double>(p) / static_cast<double>(q) - value);
      };
      return miss(ps, qs) < miss(p1, q1) ? std::pair{ps, qs} : std::pair{p1, q1};
    }
    p0 = std::exchange(p1, whole * p1 + p0);
    q0 = std::exchange(q1, whole * q1 + q0);
    const double left = rest - static_cast<double>(whole);
    if (left < 1e-12 || std::abs(static_cast<double>(p1) / static_cast<double>(q1) - value) < 1e-12) return {p1, q1};
    rest = 1 / left;
  }
}

}  // namespace amae

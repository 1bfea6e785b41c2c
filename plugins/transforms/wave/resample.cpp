#include "resample.h"

#include <cmath>

#include "../common/checks.h"

namespace amae {
namespace {

constexpr int64_t kLargestDenominator = 1000;

bool whole(double hz) { return hz >= 1 && hz <= 1e9 && hz == std::floor(hz); }

}  // namespace

void ResampleOptions::check() const {
  if (!whole(rate)) throw option_error("rate", fmt::format("got {} Hz, expected a whole number of Hz", rate));
  if (ratio > 0 && nearest_fraction(ratio, kLargestDenominator).first == 0) {
    throw option_error("ratio", fmt::format("got {}, expected at least 1/{}", ratio, kLargestDenominator));
  }
}

Resample::Resample(ResampleOptions options) : options_(std::move(options)) {
  if (options_.ratio == 0) return;
  const auto [p, q] = nearest_fraction(options_.ratio, kLargestDenominator);
  by_ratio_ = {q, p};
}

Resample::Change Resample::change(double from_hz) const {
  if (options_.ratio > 0) return by_ratio_;
  if (!whole(from_hz)) {
    throw input_error("resample",
                      fmt::format("got a rate of {} Hz, expected a known, whole number of Hz, or a ratio", from_hz));
  }
  return {static_cast<int64_t>(from_hz), static_cast<int64_t>(options_.rate)};
}

double Resample::rate_after(double from_hz) const {
  if (options_.ratio == 0) return options_.rate;
  return from_hz * static_cast<double>(by_ratio_.to) / static_cast<double>(by_ratio_.from);
}

std::shared_ptr<const SincResampler> Resample::resampler(double from_hz) const {
  const auto [from, to] = change(from_hz);
  const std::lock_guard lock(mutex_);
  auto& found = by_rate_[from];
  if (!found) {
    const SincWindow window = options_.method == "sinc_interp_hann" ? SincWindow::hann : SincWindow::kaiser;
    const SincKernel kernel{window, options_.width, options_.rolloff, options_.beta};
    found = std::make_shared<SincResampler>(from, to, kernel);
  }
  return found;
}

Spec Resample::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "resample", {Domain::audio, Domain::iq});
  Spec out = input;
  out.rate_hz = rate_after(input.rate_hz);
  if (options_.ratio == 0 && input.rate_hz == options_.rate) return out;
  if (options_.ratio == 0 && input.rate_hz == 0) {  // rates differ from item to item; each is checked when it comes
    out.shape[1] = -1;
  } else if (input.shape[1] >= 0) {
    out.shape[1] = resampler(input.rate_hz)->length(input.shape[1]);
  } else {
    static_cast<void>(resampler(input.rate_hz));
  }
  return out;
}

void Resample::apply(Batch& batch, const Stage& /*stage*/) const {
  if (options_.ratio == 0 ? batch.rate_hz == options_.rate : by_ratio_.from == by_ratio_.to) return;
  const auto filter = resampler(batch.rate_hz);
  const at::Tensor x = plain(batch.x);
  const Rows shape(x);
  const int64_t length = filter->length(shape.length);
  auto sizes = x.sizes().vec();
  sizes.back() = length;
  at::Tensor out = at::empty(sizes, x.options());
  for (int64_t row = 0; row < shape.items * shape.rows; ++row) {
    filter->run(x.const_data_ptr<float>() + row * shape.length, shape.length,
                out.mutable_data_ptr<float>() + row * length, length);
  }
  batch.x = out;
  batch.rate_hz = rate_after(batch.rate_hz);
}

}  // namespace amae

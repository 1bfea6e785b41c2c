#include "resample.h"

#include <cmath>

#include "../common/checks.h"

namespace amae {
namespace {

bool whole(double hz) { return hz >= 1 && hz <= 1e9 && hz == std::floor(hz); }

}  // namespace

void ResampleOptions::check() const {
  if (!whole(rate)) throw option_error("rate", fmt::format("got {} Hz, expected a whole number of Hz", rate));
}

Resample::Resample(ResampleOptions options) : options_(std::move(options)) {}

std::shared_ptr<const SincResampler> Resample::resampler(double from_hz) const {
  if (!whole(from_hz)) {
    throw input_error("resample", fmt::format("got a rate of {} Hz, expected a known, whole number of Hz", from_hz));
  }
  const auto from = static_cast<int64_t>(from_hz);
  const std::lock_guard lock(mutex_);
  auto& found = by_rate_[from];
  if (!found) {
    const SincWindow window = options_.method == "sinc_interp_hann" ? SincWindow::hann : SincWindow::kaiser;
    const SincKernel kernel{window, options_.width, options_.rolloff, options_.beta};
    found = std::make_shared<SincResampler>(from, static_cast<int64_t>(options_.rate), kernel);
  }
  return found;
}

Spec Resample::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "resample", {Domain::audio, Domain::iq});
  Spec out = input;
  out.rate_hz = options_.rate;
  if (input.rate_hz == options_.rate) return out;
  if (input.rate_hz == 0) {  // rates differ from item to item; each is checked when it comes
    out.shape[1] = -1;
  } else if (input.shape[1] >= 0) {
    out.shape[1] = resampler(input.rate_hz)->length(input.shape[1]);
  } else {
    static_cast<void>(resampler(input.rate_hz));
  }
  return out;
}

void Resample::apply(Batch& batch, const Stage& /*stage*/) const {
  if (batch.rate_hz == options_.rate) return;
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
  batch.rate_hz = options_.rate;
}

}  // namespace amae

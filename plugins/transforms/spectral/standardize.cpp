#include "standardize.h"

#include <cmath>
#include <utility>
#include <vector>

#include "../common/checks.h"

namespace amae {

Standardize::Standardize(StandardizeOptions options) : options_(std::move(options)) {}

Spec Standardize::output(const Spec& input, Mode /*mode*/) const {
  Spec out = input;
  out.level = Level::other;
  if (!per_bin()) return out;
  require_domain(input, "standardize", {Domain::spectrogram});
  if (mean_.defined() && input.shape[1] >= 0 && input.shape[1] != mean_.size(0)) {
    throw input_error("standardize", fmt::format("got {} bins, expected {} as in the data it was fitted on",
                                                 input.shape[1], mean_.size(0)));
  }
  return out;
}

void Standardize::fit(const std::function<bool(Batch&)>& next) {
  std::vector<double> sum, squares;
  double count = 0;
  for (Batch batch; next(batch);) {
    const at::Tensor x = plain(batch.x);
    const Rows shape(x);
    const int64_t bins = per_bin() ? x.size(2) : 1;
    if (sum.empty()) sum.assign(bins, 0), squares.assign(bins, 0);
    TORCH_CHECK(static_cast<int64_t>(sum.size()) == bins, "standardize: batches differ in their number of bins");
    const float* value = x.const_data_ptr<float>();
    for (int64_t row = 0; row < shape.items * shape.rows; ++row) {
      double row_sum = 0, row_squares = 0;
      for (int64_t i = 0; i < shape.length; ++i, ++value) {
        const double v = static_cast<double>(*value);
        row_sum += v;
        row_squares += v * v;
      }
      sum[row % bins] += row_sum;
      squares[row % bins] += row_squares;
    }
    count += static_cast<double>(x.numel()) / static_cast<double>(bins);
  }
  if (count == 0) throw input_error("standardize", "got no training examples to fit on, expected at least one");
  const auto bins = static_cast<int64_t>(sum.size());
  at::Tensor mean = at::empty({bins}, at::kFloat), deviation = at::empty({bins}, at::kFloat);
  for (int64_t b = 0; b < bins; ++b) {
    const double m = sum[b] / count;
    mean.mutable_data_ptr<float>()[b] = static_cast<float>(m);
    deviation.mutable_data_ptr<float>()[b] = static_cast<float>(std::sqrt(std::max(0.0, squares[b] / count - m * m)));
  }
  if (!at::isfinite(mean).all().item<bool>() || !at::isfinite(deviation).all().item<bool>()) {
    throw input_error("standardize", "got values that are not finite in the training split, expected numbers");
  }
  mean_ = mean;
  std_ = deviation;
}

void Standardize::apply(Batch& batch, const Stage& /*stage*/) const {
  if (!mean_.defined()) {
    throw InputError("TRANSFORM-STATE", "", "standardize",
                     "got no statistics, not fitted; fit it or load a checkpoint");
  }
  const at::Tensor x = plain(batch.x);
  const Rows shape(x);
  const int64_t bins = mean_.size(0);
  if (per_bin() && (x.dim() != 4 || x.size(2) != bins)) {
    throw input_error("standardize",
                      fmt::format("got {} bins, expected {} as in the data it was fitted on", x.size(-2), bins));
  }
  at::Tensor out = at::empty(x.sizes(), x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  for (int64_t row = 0; row < shape.items * shape.rows; ++row, from += shape.length, to += shape.length) {
    const float mean = mean_.const_data_ptr<float>()[row % bins];
    const float scale = 1.0F / std::max(std_.const_data_ptr<float>()[row % bins], static_cast<float>(options_.eps));
    for (int64_t i = 0; i < shape.length; ++i) to[i] = (from[i] - mean) * scale;
  }
  batch.x = out;
}

TensorDict Standardize::state() const {
  if (!mean_.defined()) return {};
  return {{"mean", mean_}, {"std", std_}};
}

void Standardize::load_state(const TensorDict& state) {
  const auto tensor = [&](const char* name) {
    const auto found = state.find(name);
    if (found == state.end()) {
      throw InputError("TRANSFORM-STATE", "", name, "got no such tensor, expected mean and std of standardize");
    }
    const at::Tensor& t = found->second;
    const bool fits = t.defined() && t.dim() == 1 && t.scalar_type() == at::kFloat && t.size(0) > 0 &&
                      (per_bin() || t.size(0) == 1) && at::isfinite(t).all().item<bool>();
    if (!fits) {
      throw InputError(
          "TRANSFORM-STATE", "", name,
          fmt::format("got a tensor of another form, expected finite float32 {}", per_bin() ? "[F]" : "[1]"));
    }
    return t.detach().to(at::kCPU).clone();
  };
  at::Tensor mean = tensor("mean"), deviation = tensor("std");
  if (mean.size(0) != deviation.size(0)) {
    throw InputError("TRANSFORM-STATE", "", "std",
                     fmt::format("got {} values, expected {} as in mean", deviation.size(0), mean.size(0)));
  }
  mean_ = mean;
  std_ = deviation;
}

}  // namespace amae

#include "mel_stats.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include "amae/error.h"

namespace amae {
namespace {

InputError input_error(const std::string& message) { return {"MODEL-INPUT", "", "input", message}; }

/// Product of all sizes but the last, which is time.
int64_t rows_of(const Spec& input) {
  const size_t axes = input.domain == Domain::spectrogram ? 3 : 2;
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < input.shape.size(); ++i) rows = input.shape[i] > 0 && rows > 0 ? rows * input.shape[i] : 0;
  if (input.shape.size() != axes || rows == 0) {
    throw input_error(fmt::format("got {}, expected {} of known size along all axes but time", input.text(),
                                  axes == 3 ? "a spectrogram [C, F, T]" : "a signal [C, N]"));
  }
  return rows;
}

}  // namespace

MelStats::MelStats(const Spec& input) : axes_(input.shape.size()), rows_(rows_of(input)) {}

torch::Tensor MelStats::forward(const torch::Tensor& x) {
  const bool fits = x.dim() == static_cast<int64_t>(axes_) + 1 && x.size(-1) > 0 && x.size(0) > 0 &&
                    x.numel() == x.size(0) * rows_ * x.size(-1);
  if (!fits) {
    throw input_error(
        fmt::format("got [{}], expected items of {} rows and at least one frame", fmt::join(x.sizes(), ", "), rows_));
  }
  const auto [variance, mean] = torch::var_mean(x.to(torch::kDouble).reshape({x.size(0), rows_, x.size(-1)}), {2},
                                                /*unbiased=*/false);
  return torch::cat({mean, variance.sqrt()}, 1).to(x.scalar_type());
}

}  // namespace amae

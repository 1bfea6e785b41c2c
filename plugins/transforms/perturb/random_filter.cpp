#include "random_filter.h"

#include <algorithm>

#include "../common/checks.h"
#include "biquad.h"

namespace amae {
namespace {

struct Kind {
  FilterKind filter;
  const std::vector<double>& interval_hz;
};

Kind kind_of(const std::string& name, const RandomFilterOptions& options) {
  if (name == "low_pass") return {FilterKind::low_pass, options.low_pass};
  if (name == "high_pass") return {FilterKind::high_pass, options.high_pass};
  if (name == "band_pass") return {FilterKind::band_pass, options.band_pass};
  return {FilterKind::peaking, options.peaking};
}

}  // namespace

void RandomFilterOptions::check() const {
  if (kinds.empty()) throw option_error("kinds", "got none, expected at least one kind of filter");
  require_interval("low_pass", low_pass);
  require_interval("high_pass", high_pass);
  require_interval("band_pass", band_pass);
  require_interval("peaking", peaking);
  require_interval("q", q);
  require_interval("gain_db", gain_db);
}

void RandomFilter::check_rate(double rate_hz) const {
  for (const std::string& name : options_.kinds) {
    require_below_nyquist(name, kind_of(name, options_).interval_hz, rate_hz);
  }
}

at::Tensor RandomFilter::perturb(const at::Tensor& x, double rate_hz, Draw& draw) const {
  const std::string& name = options_.kinds[draw.integer(0, static_cast<int64_t>(options_.kinds.size()))];
  const auto [filter, interval_hz] = kind_of(name, options_);
  const double frequency = std::min(0.49, draw_log(interval_hz, draw) / known(rate_hz));
  const double q = draw_log(options_.q, draw);
  const Biquad biquad = make_biquad(filter, frequency, q, draw.uniform(options_.gain_db[0], options_.gain_db[1]));
  at::Tensor y = at::empty(x.sizes(), x.options());
  const int64_t n = x.size(1);
  for (int64_t c = 0; c < x.size(0); ++c) {
    biquad.run(x.const_data_ptr<float>() + c * n, y.mutable_data_ptr<float>() + c * n, n);
  }
  return y;
}

}  // namespace amae

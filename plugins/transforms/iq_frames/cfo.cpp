#include "cfo.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../common/checks.h"

namespace amae {

void CfoOptions::check() const {
  require_interval("offset", offset);
  if (!offset_hz.empty()) require_interval("offset_hz", offset_hz);
}

void Cfo::check_rate(double rate_hz) const {
  const std::vector<double>& hz = options_.offset_hz;
  if (hz.empty()) return;
  const auto refuse = [](const std::string& message) { throw InputError("TRANSFORM-INPUT", "", "offset_hz", message); };
  if (!(rate_hz > 0)) {
    refuse(
        fmt::format("got [{}] Hz for data of unknown rate, expected offset, a share of the rate", fmt::join(hz, ", ")));
  }
  if (std::max(std::abs(hz[0]), std::abs(hz[1])) > rate_hz / 2) {
    refuse(fmt::format("got [{}] Hz, expected values within {} Hz, half the rate that arrives", fmt::join(hz, ", "),
                       rate_hz / 2));
  }
}

void Cfo::change(const IqFrame& frame, Draw& draw) const {
  const bool in_hz = !options_.offset_hz.empty();
  const std::vector<double>& interval = in_hz ? options_.offset_hz : options_.offset;
  const double drawn = draw.uniform(interval[0], interval[1]);
  turn(frame, 0, 2 * std::numbers::pi * (in_hz ? drawn / frame.rate_hz : drawn));
}

}  // namespace amae

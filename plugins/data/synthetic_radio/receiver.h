// The ideal receiver of a clean frame, for tests and pictures: it knows what the channel was.
#pragma once

#include "clean_radio.h"

namespace amae {

struct Received {
  Iq symbols;        ///< what was received of each symbol
  size_t first = 0;  ///< its number in FrameTruth::symbols
};

/// Turns the carrier back and correlates with the pulse at the instant of each symbol whose pulse, as far as `reach`
/// symbols, lies within the frame. `late`: symbols by which the quadrature is late (0.5 for OQPSK). Without fading and
/// noise, signal x is received as its symbols times a real factor. Cost: one root raised cosine for each symbol and
/// sample in reach.
inline Received matched_filter(const Iq& x, const FrameTruth& truth, double roll_off, int reach, double late = 0) {
  Received received;
  const double end = truth.first + truth.step * static_cast<double>(x.size() - 1);
  received.first = static_cast<size_t>(std::ceil(truth.first)) + static_cast<size_t>(reach);
  for (size_t k = received.first; static_cast<double>(k) + reach + late <= end; ++k) {
    double i = 0, q = 0;
    const double from = (static_cast<double>(k) - reach - truth.first) / truth.step;
    const double to = (static_cast<double>(k) + reach + late - truth.first) / truth.step;
    for (auto n = static_cast<size_t>(std::max(0.0, std::ceil(from))); n < x.size() && static_cast<double>(n) <= to;
         ++n) {
      const double angle = truth.phase + truth.carrier * static_cast<double>(n);
      const double c = std::cos(angle), s = std::sin(angle);
      const auto re = static_cast<double>(x.i[n]), im = static_cast<double>(x.q[n]);
      const double t = truth.first + truth.step * static_cast<double>(n) - static_cast<double>(k);
      i += (re * c + im * s) * root_raised_cosine(t, roll_off);
      q += (im * c - re * s) * root_raised_cosine(t - late, roll_off);
    }
    received.symbols.i.push_back(static_cast<float>(i * truth.step));
    received.symbols.q.push_back(static_cast<float>(q * truth.step));
  }
  return received;
}

/// RMS error of what was received, after the best real factor, over the RMS value of what was sent.
inline double error_vector(const Received& received, const Iq& sent) {
  double product = 0, power = 0, error = 0;
  for (size_t n = 0; n < received.symbols.size(); ++n) {
    const size_t k = received.first + n;
    product += static_cast<double>(received.symbols.i[n] * sent.i[k] + received.symbols.q[n] * sent.q[k]);
    power += static_cast<double>(received.symbols.i[n] * received.symbols.i[n] +
                                 received.symbols.q[n] * received.symbols.q[n]);
  }
  const auto factor = static_cast<float>(product / power);
  double reference = 0;
  for (size_t n = 0; n < received.symbols.size(); ++n) {
    const size_t k = received.first + n;
    const float di = factor * received.symbols.i[n] - sent.i[k], dq = factor * received.symbols.q[n] - sent.q[k];
    error += static_cast<double>(di * di + dq * dq);
    reference += static_cast<double>(sent.i[k] * sent.i[k] + sent.q[k] * sent.q[k]);
  }
  return std::sqrt(error / reference);
}

}  // namespace amae

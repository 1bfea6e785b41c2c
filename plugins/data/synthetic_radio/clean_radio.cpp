#include "clean_radio.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tones.h"
#include "waveform.h"

namespace amae {
namespace {

constexpr double kTau = 2 * std::numbers::pi;
constexpr int kShapingReach = 8;  // symbols: what the pulse has beyond is 44 dB down (at a roll-off of 0.35; 0.1: 32)
constexpr size_t kLatency = 3;    // of a path without delay, samples
constexpr size_t kTaps = 11;      // of a path's filter: four samples either way of a delay of up to 4

/// Delay by a part of a sample: a sinc, windowed by another (Lanczos).
std::vector<float> delay_taps(double delay) {
  const auto sinc = [](double x) { return x == 0 ? 1.0 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); };
  std::vector<float> taps;
  for (size_t k = 0; k < kTaps; ++k) {
    const double x = static_cast<double>(k) - static_cast<double>(kLatency) - delay;
    taps.push_back(static_cast<float>(std::abs(x) < 4 ? sinc(x) * sinc(x / 4) : 0.0));
  }
  return taps;
}

/// Random symbols, of which at least one between `begin` and `end` is not 0: OOK that is off all the time has no power
/// that an SNR could refer to.
Iq draw_symbols(const Modulation& modulation, size_t count, size_t begin, size_t end, Draw& draw) {
  const auto& points = modulation.points;
  const auto mask = static_cast<uint32_t>(points.size() - 1);  // their number is a power of two
  Iq symbols(count);
  for (bool has_power = false; !has_power;) {
    for (size_t k = 0; k < count; ++k) {
      const auto& point = points[draw.bits() & mask];
      symbols.i[k] = static_cast<float>(point.real());
      symbols.q[k] = static_cast<float>(point.imag());
      has_power = has_power || (k >= begin && k < end && std::norm(point) > 0);
    }
  }
  return symbols;
}

/// x[n] exp(j (phase + carrier n)), in place.
void turn_carrier(Iq& x, double phase, double carrier) {
  double re = std::cos(phase), im = std::sin(phase);
  const double turn_re = std::cos(carrier), turn_im = std::sin(carrier);
  for (size_t n = 0; n < x.size(); ++n) {
    const auto c = static_cast<float>(re), s = static_cast<float>(im);
    rotate(x, n, c, s);
    const double turned = re * turn_re - im * turn_im;
    im = re * turn_im + im * turn_re;
    re = turned;
  }
}

}  // namespace

CleanRadio::CleanRadio(const SyntheticRadioOptions& options)
    : options_(options),
      shaping_(kShapingReach, [&](double t) { return root_raised_cosine(t, options.roll_off); }),
      rectangular_(1, rectangular_phase_pulse),
      gfsk_(3, [](double t) { return gaussian_phase_pulse(t, 0.35); }),
      gmsk_(3, [](double t) { return gaussian_phase_pulse(t, 0.3); }) {
  for (const double delay : options_.path_delays) path_taps_.push_back(delay_taps(delay));
}

Iq CleanRadio::digital(const Modulation& modulation, std::span<const double> times, Draw& draw,
                       FrameTruth& truth) const {
  const auto count = static_cast<size_t>(times.back()) + 1 + kShapingReach + 1;
  Iq out(times.size());
  if (modulation.family == Family::linear || modulation.family == Family::offset) {
    truth.symbols = draw_symbols(modulation, count, kShapingReach, count - kShapingReach - 1, draw);
    shape(shaping_, truth.symbols.i, times, 0, out.i);
    shape(shaping_, truth.symbols.q, times, modulation.family == Family::offset ? 0.5 : 0, out.q);
    return out;
  }
  std::vector<float> symbols(count);
  for (auto& symbol : symbols) symbol = (draw.bits() & 1U) != 0 ? 1.0F : -1.0F;
  const double start = draw.uniform(0, kTau);
  if (modulation.family == Family::cpfsk) {
    modulate_phase(rectangular_, 0.5, start, symbols, times, out);
  } else if (modulation.family == Family::gfsk) {
    modulate_phase(gfsk_, 0.8 / std::numbers::pi, start, symbols, times, out);
  } else {
    modulate_phase(gmsk_, 0.5, start, symbols, times, out);
  }
  return out;
}

Iq CleanRadio::analog(Family family, size_t samples, double step_s, Draw& draw) const {
  const Tones tones(draw, 15e3);
  const auto depth = static_cast<float>(draw.uniform(0.5, 1));
  const bool lower_sideband = draw.chance(0.5);
  Iq out(samples);
  if (family == Family::wbfm) {
    const double deviation_hz = std::min(75e3, 0.375 * options_.rate);
    const double gain = kTau * deviation_hz * static_cast<double>(depth);
    tones.integral().sum(step_s, out);
    for (size_t n = 0; n < samples; ++n) unit_phasor(gain * static_cast<double>(out.i[n]), out.i[n], out.q[n]);
    return out;
  }
  tones.sum(step_s, out);
  for (size_t n = 0; n < samples; ++n) {
    float& i = out.i[n];
    float& q = out.q[n];
    if (family == Family::am_dsb_wc || family == Family::am_dsb_sc) q = 0;
    if (lower_sideband) q = -q;
    if (family == Family::am_dsb_wc || family == Family::am_ssb_wc) {
      i = 1 + depth * i;
      q *= depth;
    }
  }
  return out;
}

std::vector<std::complex<double>> CleanRadio::draw_paths(Draw& draw) const {
  std::vector<std::complex<double>> paths;
  for (const double gain : options_.path_gains) {
    const double k = options_.fading == "rician" && paths.empty() ? options_.rician_k : 0;
    const double random = std::sqrt(0.5 / (k + 1)), steady = std::sqrt(k / (k + 1));  // its phase: the frame's
    const double re = steady + random * draw.normal();
    const double im = random * draw.normal();
    paths.emplace_back(gain * re, gain * im);
  }
  return paths;
}

Iq CleanRadio::faded(const Iq& x, Draw& draw) const {
  Iq taps(kTaps);
  const auto paths = draw_paths(draw);
  for (size_t path = 0; path < paths.size(); ++path) {
    const auto re = static_cast<float>(paths[path].real()), im = static_cast<float>(paths[path].imag());
    for (size_t t = 0; t < kTaps; ++t) {
      taps.i[t] += re * path_taps_[path][t];
      taps.q[t] += im * path_taps_[path][t];
    }
  }
  return filtered(x, taps);
}

FrameParts CleanRadio::parts(const Modulation& modulation, double snr_db, Draw& signal_draw, Draw& noise_draw) const {
  Draw& draw = signal_draw;
  const auto length = static_cast<size_t>(options_.length);
  const bool is_faded = options_.fading != "none";
  const size_t samples = is_faded ? length + kTaps - 1 : length;  // the filter needs some before the frame
  const double rate = 1 + 1e-6 * draw.uniform(-1, 1) * options_.sample_rate_offset;
  FrameParts parts;
  FrameTruth& truth = parts.truth;
  truth.step = rate / static_cast<double>(options_.samples_per_symbol);
  truth.carrier =
      kTau * draw.uniform(-1, 1) * options_.carrier_offset / static_cast<double>(options_.samples_per_symbol);
  truth.phase = draw.uniform(0, kTau);
  const double first = kShapingReach + draw.uniform();  // from there on the symbols that are felt have numbers from 0

  Iq x;
  if (is_digital(modulation.family)) {
    std::vector<double> times(samples);
    for (size_t n = 0; n < samples; ++n) times[n] = first + truth.step * static_cast<double>(n);
    x = digital(modulation, times, draw, truth);
  } else {
    x = analog(modulation.family, samples, rate / options_.rate, draw);
  }
  const size_t before = is_faded ? kTaps - 1 - kLatency : 0;
  truth.first = first + truth.step * static_cast<double>(before);
  turn_carrier(x, truth.phase - truth.carrier * static_cast<double>(before), truth.carrier);
  parts.signal = is_faded ? faded(x, draw) : std::move(x);
  scale(parts.signal, 1 / std::sqrt(mean_power(parts.signal)));
  parts.noise = Iq(length);
  fill_gaussian(noise_draw, std::pow(10.0, -snr_db / 10), parts.noise);
  return parts;
}

void CleanRadio::frame(const Modulation& modulation, double snr_db, Draw& signal_draw, Draw& noise_draw,
                       std::span<float> i, std::span<float> q) const {
  FrameParts made = parts(modulation, snr_db, signal_draw, noise_draw);
  Iq& x = made.signal;
  for (size_t n = 0; n < x.size(); ++n) {
    x.i[n] += made.noise.i[n];
    x.q[n] += made.noise.q[n];
  }
  scale(x, 1 / std::sqrt(mean_power(x)));
  std::copy(x.i.begin(), x.i.end(), i.begin());
  std::copy(x.q.begin(), x.q.end(), q.begin());
}

}  // namespace amae

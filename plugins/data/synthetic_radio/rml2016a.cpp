#include "rml2016a.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "waveform.h"

namespace amae {
namespace {

constexpr double kSamplesPerSymbol = 8;
constexpr int kHalfPulse = 44;                                             // symbols
constexpr uint64_t kTextStream = 1, kSpeechStream = 2, kWindowStream = 3;  // beside the channel's 0

size_t bits_of(const Modulation& modulation) {
  if (modulation.name == "QAM16") return 20'000;
  return modulation.name == "QAM64" ? 30'000 : 10'000;
}

size_t symbols_of(const Modulation& modulation) { return bits_of(modulation) / static_cast<size_t>(modulation.bits()); }

/// Constellations there are not scaled to unit power.
double amplitude_of(const Modulation& modulation) {
  if (modulation.name == "PAM4") return std::sqrt(5.0);
  if (modulation.name == "QAM16") return std::sqrt(10.0);
  return modulation.name == "QAM64" ? std::sqrt(42.0) : 1.0;
}

/// Place of the Gray code `code` in its sequence.
uint32_t gray_place(uint32_t code) {
  for (uint32_t shift = 1; shift < 32; shift *= 2) code ^= code >> shift;
  return code;
}

/// Which point some bits mean: neighbours differ in one bit; in a square, each axis has half of the bits.
size_t point_of(const Modulation& modulation, uint32_t bits) {
  const auto count = static_cast<uint32_t>(modulation.bits());
  if (!modulation.name.starts_with("QAM")) return gray_place(bits);
  const uint32_t half = count / 2, mask = (1U << half) - 1;
  return (gray_place(bits >> half) << half) | gray_place(bits & mask);
}

/// Value between samples by the cubic through four (Catmull-Rom); 0 outside.
double between(std::span<const float> x, double at) {
  const auto k = static_cast<size_t>(std::max(1.0, std::floor(at)));
  if (k + 2 >= x.size()) return 0;
  const double u = at - static_cast<double>(k);
  const double a = static_cast<double>(x[k - 1]), b = static_cast<double>(x[k]), c = static_cast<double>(x[k + 1]),
               d = static_cast<double>(x[k + 2]);
  return b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)));
}

/// Phase of the frequency-modulated carrier: 75 us pre-emphasis (bilinear, flat again beyond 0.925 of half the rate),
/// then 75 kHz for a sound of amplitude 1.
std::vector<float> frequency_modulated(std::span<const float> sound) {
  constexpr double kStep = 1 / kSpeechRateHz;
  const double sensitivity = 2 * std::numbers::pi * 75e3 / kSpeechRateHz;
  const double low = std::tan(0.5 * kStep / 75e-6);  // corners, warped for the bilinear transform
  const double high = std::tan(0.5 * std::numbers::pi * 0.925);
  const double pole = (1 - high) / (1 + high), zero = (1 - low) / (1 + low);
  const double gain = (1 - pole) / (1 - zero);  // 1 at 0 Hz
  std::vector<float> phase;
  double sum = 0, before_in = 0, emphasised = 0;
  for (const float value : sound) {
    const auto in = static_cast<double>(value);
    emphasised = gain * (in - zero * before_in) + pole * emphasised;
    before_in = in;
    sum += sensitivity * emphasised;
    phase.push_back(static_cast<float>(sum));
  }
  return phase;
}

}  // namespace

Rml2016a::Rml2016a(uint64_t seed, std::vector<const Modulation*> modulations, std::vector<double> snr_db,
                   int64_t frames)
    : seed_(seed),
      modulations_(std::move(modulations)),
      snr_db_(std::move(snr_db)),
      frames_(frames),
      channel_(seed),
      text_(30'000, Draw(seed, kTextStream, 0, 0)),
      speech_(speech_like(Draw(seed, kSpeechStream, 0, 0))),
      fm_phase_(frequency_modulated(speech_)),
      shaping_(kHalfPulse, [](double t) { return root_raised_cosine(t, 0.35); }),
      cpfsk_(1, rectangular_phase_pulse),
      gfsk_(3, [](double t) { return gaussian_phase_pulse(t, 0.35); }) {
  for (size_t cell = 0; cell < modulations_.size() * snr_db_.size(); ++cell) {
    const auto length = static_cast<int64_t>(transmission_length(*modulations_[cell / snr_db_.size()]));
    const auto furthest = std::llround(0.05 * static_cast<double>(length));
    Draw draw(seed, kWindowStream, cell, 0);
    int32_t transmission = 0;
    int64_t start = draw.integer(50, 501);
    for (int64_t frame = 0; frame < frames; ++frame) {
      if (start + static_cast<int64_t>(kLength) >= length) {
        ++transmission;
        start = draw.integer(50, 501);
      }
      windows_.push_back({static_cast<int32_t>(start), transmission});
      start += draw.integer(static_cast<int64_t>(kLength), furthest + 1);
    }
  }
}

size_t Rml2016a::transmission_length(const Modulation& modulation) {
  if (is_digital(modulation.family)) return symbols_of(modulation) * static_cast<size_t>(kSamplesPerSymbol);
  return modulation.family == Family::wbfm ? kSpeechSamples : 45'351;  // 10,000 samples at 200 for 44.1 kHz
}

Iq Rml2016a::sent_symbols(const Modulation& modulation, const TextBits::Pattern& pattern,
                          std::vector<double> times) const {
  // The filter's delay is half its length. Symbols from the first that is felt; those that were never sent are 0.
  for (auto& time : times) time = time / kSamplesPerSymbol - kHalfPulse;
  const auto first = static_cast<int64_t>(std::floor(times.front())) - kHalfPulse;
  const auto count = static_cast<size_t>(times.back() - static_cast<double>(first)) + kHalfPulse + 2;
  const double amplitude = amplitude_of(modulation);
  const auto bits = static_cast<size_t>(modulation.bits());
  const auto last = static_cast<int64_t>(symbols_of(modulation));
  Iq symbols(count);
  for (size_t k = 0; k < count; ++k) {
    const int64_t number = first + static_cast<int64_t>(k);
    if (number < 0 || number >= last) continue;
    uint32_t code = 0;
    for (size_t b = 0; b < bits; ++b) {
      code = 2 * code + (text_.bit(static_cast<size_t>(number) * bits + b, pattern) ? 1 : 0);
    }
    const auto& point = modulation.points[point_of(modulation, code)];
    symbols.i[k] = static_cast<float>(amplitude * point.real());
    symbols.q[k] = static_cast<float>(amplitude * point.imag());
  }
  for (auto& time : times) time -= static_cast<double>(first);
  Iq out(times.size());
  shape(shaping_, symbols.i, times, 0, out.i);
  shape(shaping_, symbols.q, times, 0, out.q);
  return out;
}

Iq Rml2016a::sent_frequencies(const Modulation& modulation, const TextBits::Pattern& pattern,
                              std::vector<double> times) const {
  const bool is_gaussian = modulation.family == Family::gfsk;
  const Pulse& pulse = is_gaussian ? gfsk_ : cpfsk_;
  // The frequency pulse of symbol k lies between k and k + 1.
  for (auto& time : times) time = time / kSamplesPerSymbol - 0.5;
  const int64_t first = std::max<int64_t>(0, static_cast<int64_t>(std::floor(times.front())) - pulse.reach());
  const auto count =
      static_cast<size_t>(times.back() - static_cast<double>(first)) + static_cast<size_t>(pulse.reach()) + 2;
  const auto last = static_cast<int64_t>(symbols_of(modulation));
  std::vector<float> symbols(count);
  for (size_t k = 0; k < count; ++k) {
    const int64_t number = first + static_cast<int64_t>(k);
    if (number < last) symbols[k] = text_.bit(static_cast<size_t>(number), pattern) ? 1.0F : -1.0F;
  }
  const double index = is_gaussian ? 0.1 * kSamplesPerSymbol / std::numbers::pi : 0.5;
  const int64_t sum = 2 * text_.ones(static_cast<size_t>(first), pattern) - first;
  for (auto& time : times) time -= static_cast<double>(first);
  Iq out(times.size());
  modulate_phase(pulse, index, std::numbers::pi * index * static_cast<double>(sum), symbols, times, out);
  if (is_gaussian) scale(out, 0.999);
  return out;
}

Iq Rml2016a::sent(const Modulation& modulation, const TextBits::Pattern& pattern, std::span<const double> times) const {
  if (modulation.family == Family::linear) return sent_symbols(modulation, pattern, {times.begin(), times.end()});
  if (is_digital(modulation.family)) return sent_frequencies(modulation, pattern, {times.begin(), times.end()});
  Iq out(times.size());
  if (modulation.family == Family::am_ssb_sc) return out;
  for (size_t n = 0; n < times.size(); ++n) {
    if (modulation.family == Family::wbfm) {
      unit_phasor(between(fm_phase_, times[n]), out.i[n], out.q[n]);
    } else {
      out.i[n] = static_cast<float>(1 + between(speech_, times[n] * (kSpeechRateHz / 200e3)));
    }
  }
  return out;
}

void Rml2016a::parts(size_t modulation, size_t snr, int64_t frame, Iq& signal, Iq& noise) const {
  constexpr size_t kBefore = Rml2016aChannel::kTaps - 1;
  const size_t cell = modulation * snr_db_.size() + snr;
  const Window& window = windows_[cell * static_cast<size_t>(frames_) + static_cast<size_t>(frame)];
  const auto start = static_cast<size_t>(window.start);
  Draw draw(seed_, static_cast<uint64_t>(window.transmission), cell, 1);
  TextBits::Pattern pattern;
  for (auto& word : pattern) word = (static_cast<uint64_t>(draw.bits()) << 32) | draw.bits();

  std::vector<double> times(kLength + kBefore);
  for (size_t n = 0; n < times.size(); ++n) times[n] = channel_.time(start - kBefore + n);
  Iq x = sent(*modulations_[modulation], pattern, times);
  for (size_t n = 0; n < x.size(); ++n) {
    float c = 0, s = 0;
    unit_phasor(channel_.carrier_phase(start - kBefore + n), c, s);
    rotate(x, n, c, s);
  }
  // 1 Hz turns 128 samples by 0.23 degrees: the taps of one instant will do.
  signal = filtered(x, channel_.fading(start + kLength / 2));
  const auto amplitude = static_cast<float>(std::pow(10.0, -snr_db_[snr] / 10));
  noise = Iq(kLength);
  for (size_t n = 0; n < kLength; ++n) {
    noise.i[n] = amplitude * channel_.noise().i[start + n];
    noise.q[n] = amplitude * channel_.noise().q[start + n];
  }
}

void Rml2016a::frame(size_t modulation, size_t snr, int64_t frame, std::span<float> i, std::span<float> q) const {
  Iq signal, noise;
  parts(modulation, snr, frame, signal, noise);
  double sum = 0;
  for (size_t n = 0; n < kLength; ++n) {
    i[n] = signal.i[n] + noise.i[n];
    q[n] = signal.q[n] + noise.q[n];
    sum += std::hypot(static_cast<double>(i[n]), static_cast<double>(q[n]));
  }
  for (size_t n = 0; n < kLength; ++n) {
    i[n] = static_cast<float>(i[n] / sum);
    q[n] = static_cast<float>(q[n] / sum);
  }
}

}  // namespace amae

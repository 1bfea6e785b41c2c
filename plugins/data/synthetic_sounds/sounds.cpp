#include "sounds.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <utility>

namespace amae {
namespace {

constexpr double kTau = 2 * std::numbers::pi;

double log_uniform(Draw& draw, double low, double high) {
  return std::exp(draw.uniform(std::log(low), std::log(high)));
}

/// Uniform white noise in [-1, 1): half the cost of normal(), and every use filters it.
double white(Draw& draw) { return static_cast<double>(static_cast<int32_t>(draw.bits())) * 0x1p-31; }

/// Where a sound is written, and the frequencies that all kinds share.
struct Canvas {
  std::span<float> out;
  double rate_hz;
  Draw& draw;

  [[nodiscard]] double seconds(size_t i) const { return static_cast<double>(i) / rate_hz; }
  [[nodiscard]] double progress(size_t i) const { return static_cast<double>(i) / static_cast<double>(out.size()); }
  /// Scales frequencies down where the rate leaves no room for them.
  [[nodiscard]] double room() const { return std::min(1.0, rate_hz / 16000); }
  [[nodiscard]] double centre_hz() const { return log_uniform(draw, 300, 2000) * room(); }
  /// +1 or -1.
  [[nodiscard]] double direction() const { return draw.chance(0.5) ? 1 : -1; }
};

/// A harmonic tone: pitch_hz(i) and level(i) at sample i, weight of each harmonic.
template <class Pitch, class Level>
void tone(Canvas& canvas, const std::vector<double>& weights, Pitch pitch_hz, Level level) {
  double phase = canvas.draw.uniform(0, kTau);
  for (size_t i = 0; i < canvas.out.size(); ++i) {
    const double hz = pitch_hz(i);
    phase += kTau * hz / canvas.rate_hz;
    if (phase > kTau) phase -= kTau;
    // sin(k p) = 2 cos(p) sin((k-1) p) - sin((k-2) p): one sine and one cosine whatever the number of harmonics.
    const double twice_cosine = 2 * std::cos(phase);
    double previous = 0, current = std::sin(phase), sum = 0;
    for (size_t k = 0; k < weights.size() && static_cast<double>(k + 1) * hz < 0.45 * canvas.rate_hz; ++k) {
      sum += weights[k] * current;
      previous = std::exchange(current, twice_cosine * current - previous);
    }
    canvas.out[i] = static_cast<float>(sum * level(i));
  }
}

std::vector<double> few_harmonics(Draw& draw) { return {1.0, draw.uniform(0, 0.5), draw.uniform(0, 0.3)}; }

constexpr auto kSteady = [](size_t) { return 1.0; };

void chirp(Canvas& canvas, double direction) {
  const double centre = canvas.centre_hz();
  const double octaves = canvas.draw.uniform(1, 2) * direction;
  tone(
      canvas, few_harmonics(canvas.draw),
      [&](size_t i) { return centre * std::exp2(octaves * (canvas.progress(i) - 0.5)); }, kSteady);
}

void tremolo(Canvas& canvas) {
  const double centre = canvas.centre_hz();
  const double swing_hz = canvas.draw.uniform(5, 12), depth = canvas.draw.uniform(0.8, 1.0);
  const double start = canvas.draw.uniform(0, kTau);
  tone(
      canvas, few_harmonics(canvas.draw), [&](size_t) { return centre; },
      [&](size_t i) { return 1 - depth * (0.5 + 0.5 * std::cos(start + kTau * swing_hz * canvas.seconds(i))); });
}

/// Pitch swings around a centre by a factor of 2^(+-octaves).
void swinging_pitch(Canvas& canvas, double octaves, double swing_hz) {
  const double centre = canvas.centre_hz();
  const double start = canvas.draw.uniform(0, kTau);
  tone(
      canvas, few_harmonics(canvas.draw),
      [&](size_t i) { return centre * std::exp2(octaves * std::sin(start + kTau * swing_hz * canvas.seconds(i))); },
      kSteady);
}

void vibrato(Canvas& canvas) {
  const double depth = canvas.draw.uniform(0.05, 0.12);
  swinging_pitch(canvas, std::log2(1 + depth), canvas.draw.uniform(5, 9));
}

void siren(Canvas& canvas) {
  const double span = canvas.draw.uniform(1.8, 3.0);
  swinging_pitch(canvas, std::log2(span) / 2, canvas.draw.uniform(2, 3.5));
}

void buzz_glide(Canvas& canvas) {
  const double pitch = log_uniform(canvas.draw, 80, 250) * canvas.room();
  const double octaves = canvas.draw.uniform(0.6, 1.2) * canvas.direction();
  const double decay = canvas.draw.uniform(4, 10);
  std::vector<double> weights;
  for (int k = 0; k < 20; ++k) weights.push_back(std::exp(-k / decay));
  tone(
      canvas, weights, [&](size_t i) { return pitch * std::exp2(octaves * (canvas.progress(i) - 0.5)); }, kSteady);
}

/// Adds a ringing, decaying sine from sample `start` on: a rotating and shrinking phasor.
void ring(Canvas& canvas, size_t start, double hz, double decay_s, double level) {
  const double shrink = std::exp(-1 / (decay_s * canvas.rate_hz));
  const double turn_real = shrink * std::cos(kTau * hz / canvas.rate_hz);
  const double turn_imag = shrink * std::sin(kTau * hz / canvas.rate_hz);
  double real = level, imag = 0;
  const auto length = static_cast<size_t>(7 * decay_s * canvas.rate_hz);  // then 60 dB down
  for (size_t i = start; i < std::min(canvas.out.size(), start + length); ++i) {
    canvas.out[i] += static_cast<float>(imag);
    const double turned = real * turn_real - imag * turn_imag;
    imag = real * turn_imag + imag * turn_real;
    real = turned;
  }
}

void bell(Canvas& canvas) {
  const double lowest = canvas.centre_hz() * 0.7;
  const double decay_s = canvas.draw.uniform(0.08, 0.3);
  std::vector<double> ratios = {1.0, 2.0, 2.76, 4.1};
  std::vector<double> levels;
  for (auto& ratio : ratios) {
    ratio *= canvas.draw.uniform(0.95, 1.05);
    levels.push_back(canvas.draw.uniform(0.3, 1.0));
  }
  const auto strikes = canvas.draw.integer(1, 4);
  for (int64_t s = 0; s < strikes; ++s) {
    const double at =
        s == 0 ? 0 : (static_cast<double>(s) + canvas.draw.uniform(-0.2, 0.2)) / static_cast<double>(strikes);
    const auto start = static_cast<size_t>(at * static_cast<double>(canvas.out.size()));
    for (size_t k = 0; k < ratios.size(); ++k) {
      if (lowest * ratios[k] < 0.45 * canvas.rate_hz) {
        ring(canvas, start, lowest * ratios[k], decay_s / std::sqrt(ratios[k]), levels[k]);
      }
    }
  }
}

void clicks(Canvas& canvas) {
  const double period = canvas.rate_hz / canvas.draw.uniform(8, 20);
  const double decay_s = canvas.draw.uniform(0.002, 0.005);
  const double low = canvas.centre_hz(), high = canvas.centre_hz() * 2;
  for (double start = 0; start < static_cast<double>(canvas.out.size()); start += period) {
    ring(canvas, static_cast<size_t>(start), low, decay_s, 1);
    ring(canvas, static_cast<size_t>(start), high, decay_s, 0.6);
  }
}

/// White noise through a band-pass whose centre may move. The filter is the trapezoidal state-variable filter
/// (Zavalishin 2012, "The Art of VA Filter Design", section 4), which stays stable while its centre moves.
template <class Centre, class Level>
void band_noise(Canvas& canvas, double q, Centre centre_hz, Level level) {
  double low_state = 0, band_state = 0;
  for (size_t i = 0; i < canvas.out.size(); ++i) {
    const double g = std::tan(std::numbers::pi * centre_hz(i) / canvas.rate_hz);
    const double band = (g * (white(canvas.draw) - low_state) + band_state) / (1 + g * (g + 1 / q));
    const double low = low_state + g * band;
    low_state = 2 * low - low_state;
    band_state = 2 * band - band_state;
    canvas.out[i] = static_cast<float>(band * level(i));
  }
}

void noise_bursts(Canvas& canvas) {
  const double centre = canvas.centre_hz();
  const double q = canvas.draw.uniform(1.5, 5);
  const double bursts_hz = canvas.draw.uniform(3, 6), duty = canvas.draw.uniform(0.3, 0.6);
  band_noise(
      canvas, q, [&](size_t) { return centre; },
      [&](size_t i) {
        const double t = canvas.seconds(i) * bursts_hz;
        const double inside = (t - std::floor(t)) / duty;  // 0..1 within a burst
        return inside < 1 ? std::min({1.0, 8 * inside, 8 * (1 - inside)}) : 0.0;
      });
}

void noise_sweep(Canvas& canvas) {
  const double centre = canvas.centre_hz();
  const double q = canvas.draw.uniform(4, 8);
  const double octaves = std::log2(canvas.draw.uniform(3, 6)) * canvas.direction();
  band_noise(
      canvas, q, [&](size_t i) { return centre * std::exp2(octaves * (canvas.progress(i) - 0.5)); }, kSteady);
}

void paint(SoundKind kind, Canvas& canvas) {
  switch (kind) {
    case SoundKind::chirp_up:
      return chirp(canvas, 1);
    case SoundKind::chirp_down:
      return chirp(canvas, -1);
    case SoundKind::tremolo:
      return tremolo(canvas);
    case SoundKind::vibrato:
      return vibrato(canvas);
    case SoundKind::clicks:
      return clicks(canvas);
    case SoundKind::bell:
      return bell(canvas);
    case SoundKind::noise_bursts:
      return noise_bursts(canvas);
    case SoundKind::siren:
      return siren(canvas);
    case SoundKind::buzz_glide:
      return buzz_glide(canvas);
    case SoundKind::noise_sweep:
      return noise_sweep(canvas);
  }
}

double rms(std::span<const float> x) {
  double sum = 0;
  for (const float value : x) sum += static_cast<double>(value) * value;
  return std::sqrt(sum / static_cast<double>(x.size()));
}

/// 10 ms ramps: a sound cut off hard would click at its edges, and clicks are a class of their own.
void fade_edges(std::span<float> x, double rate_hz) {
  const size_t length = std::min(static_cast<size_t>(0.01 * rate_hz), x.size() / 2);
  for (size_t i = 0; i < length; ++i) {
    const auto gain = static_cast<float>(i) / static_cast<float>(length);
    x[i] *= gain;
    x[x.size() - 1 - i] *= gain;
  }
}

/// Roughly -3 dB an octave: one-pole low-passes a decade apart, each of the same variance.
std::vector<float> pink_noise(size_t samples, double rate_hz, Draw& draw) {
  std::array<double, 3> pole{}, gain{}, state{};
  for (size_t k = 0; k < pole.size(); ++k) {
    pole[k] = std::exp(-kTau * std::array{30.0, 300.0, 3000.0}[k] / rate_hz);
    gain[k] = std::sqrt(1 - pole[k] * pole[k]);
  }
  std::vector<float> noise(samples);
  for (auto& value : noise) {
    const double input = white(draw);
    double sum = 0;
    for (size_t k = 0; k < pole.size(); ++k) sum += state[k] = pole[k] * state[k] + gain[k] * input;
    value = static_cast<float>(sum);
  }
  return noise;
}

}  // namespace

std::vector<float> make_sound(SoundKind kind, int64_t samples, double rate_hz, double snr_db, Draw& draw) {
  std::vector<float> clip(static_cast<size_t>(samples));
  const auto length = static_cast<int64_t>(static_cast<double>(samples) * draw.uniform(0.6, 1.0));
  const auto onset = draw.integer(0, samples - length + 1);
  const double peak_wanted = draw.uniform(0.1, 0.9);
  const std::span<float> part(clip.data() + onset, static_cast<size_t>(length));

  Canvas canvas{part, rate_hz, draw};
  paint(kind, canvas);
  fade_edges(part, rate_hz);

  const auto noise = pink_noise(clip.size(), rate_hz, draw);
  const std::span<const float> noise_part(noise.data() + onset, part.size());
  const auto noise_gain = static_cast<float>(rms(part) / rms(noise_part) * std::pow(10.0, -snr_db / 20));
  float peak = 0;
  for (size_t i = 0; i < clip.size(); ++i) {
    clip[i] += noise_gain * noise[i];
    peak = std::max(peak, std::abs(clip[i]));
  }
  const auto gain = static_cast<float>(peak_wanted) / peak;
  for (auto& value : clip) value *= gain;
  return clip;
}

}  // namespace amae

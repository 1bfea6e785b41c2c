#include "rml2016a_sources.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

namespace amae {
namespace {

constexpr double kCircle = 2 * std::numbers::pi;

std::string english_like(size_t length, Draw& draw) {
  // The most frequent first; low numbers are drawn more often (Zipf's law).
  constexpr std::array<const char*, 39> kWords = {
      "the", "and",  "i",    "to",  "of",  "a",    "you",  "my",  "in", "that",  "is", "not",  "with",
      "me",  "it",   "for",  "be",  "his", "your", "this", "but", "he", "have",  "as", "thou", "him",
      "so",  "will", "what", "thy", "all", "her",  "no",   "by",  "do", "shall", "if", "are",  "we"};
  std::string text;
  size_t line = 0;
  bool begins = true;
  while (text.size() < length) {
    const double place = std::exp(draw.uniform(0, std::log(static_cast<double>(kWords.size() + 1))));
    std::string word = kWords[std::min(static_cast<size_t>(place) - 1, kWords.size() - 1)];
    if (begins || word == "i") word[0] = static_cast<char>(word[0] - 'a' + 'A');
    begins = draw.chance(0.1);
    if (begins) word += '.';
    const bool breaks = text.size() + word.size() - line > 60;
    text += word + (breaks ? '\n' : ' ');
    if (breaks) line = text.size();
  }
  text.resize(length);
  return text;
}

/// Resonance of a formant at `hz`, 1 at its centre.
double formant(double hz, double centre, double width) {
  const double off = (hz - centre) / width;
  return 1 / (1 + off * off);
}

double vowel(double hz) {
  return formant(hz, 600, 90) + 0.4 * formant(hz, 1250, 120) + 0.15 * formant(hz, 2600, 200) +
         0.01 * std::max(0.0, 1 - hz / 8000);
}

}  // namespace

TextBits::TextBits(size_t bits, Draw draw) : words_((bits + 63) / 64) {
  const std::string text = english_like(8 * words_.size(), draw);
  for (size_t k = 0; k < text.size(); ++k) {
    words_[k / 8] |= static_cast<uint64_t>(static_cast<unsigned char>(text[k])) << (8 * (k % 8));
  }
}

int64_t TextBits::ones(size_t count, const Pattern& pattern) const {
  int64_t sum = 0;
  for (size_t word = 0; word < count / 64; ++word) sum += std::popcount(words_[word] ^ pattern[word % 4]);
  for (size_t at = count / 64 * 64; at < count; ++at) sum += bit(at, pattern) ? 1 : 0;
  return sum;
}

std::vector<float> speech_like(Draw draw) {
  std::vector<float> sound(kSpeechSamples);
  const auto begin = static_cast<size_t>(kSpeechPause * static_cast<double>(kSpeechSamples));
  const auto voiced = static_cast<double>(kSpeechSamples - begin);
  double phase = draw.uniform(0, kCircle);
  const double pitch_hz = draw.uniform(105, 125), rise = draw.uniform(0.15, 0.3);
  for (size_t n = begin; n < kSpeechSamples; ++n) {
    const double progress = static_cast<double>(n - begin) / voiced;
    const double hz = pitch_hz * (1 + rise * progress);
    phase += kCircle * hz / kSpeechRateHz;
    // sin(k p) = 2 cos(p) sin((k-1) p) - sin((k-2) p): one sine and one cosine for all harmonics.
    const double twice_cosine = 2 * std::cos(phase);
    double previous = 0, current = std::sin(phase), sum = 0;
    for (int k = 1; k * hz < 8000; ++k) {
      sum += vowel(k * hz) * current;
      previous = std::exchange(current, twice_cosine * current - previous);
    }
    const double syllable = std::sin(kCircle * progress);  // two of them, the second half as loud
    sound[n] = static_cast<float>(sum * syllable * syllable * (progress < 0.5 ? 1 : 0.5));
  }
  const float peak = std::abs(
      *std::max_element(sound.begin(), sound.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
  // The room: noise below 3 kHz, 80 dB under the voice's peak, two steps of a 16-bit recording.
  const double pole = std::exp(-kCircle * 3000 / kSpeechRateHz), gain = std::sqrt(1 - pole * pole);
  double hiss = 0;
  for (auto& value : sound) {
    hiss = pole * hiss + gain * 3e-5 * draw.normal();
    value = value * (0.3F / peak) + static_cast<float>(hiss);
  }
  return sound;
}

}  // namespace amae

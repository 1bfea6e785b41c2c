// What the published generator of RML2016.10a sends, as far as it can be had: it reads Shakespeare's works and the
// first 10,000 samples of a podcast. We have neither file, so both are replaced by computed ones with the properties
// that matter to the data set.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "amae/draw.h"

namespace amae {

/// Bits of English-like text in ASCII, each byte's lowest bit first: words drawn from the most frequent ones, a capital
/// at the start of a sentence. As there, the bits are a pattern of their own for each transmission XOR the same text,
/// so that the bits that all letters share come out as a sequence with a period of 256.
class TextBits {
 public:
  using Pattern = std::array<uint64_t, 4>;

  TextBits(size_t bits, Draw draw);

  [[nodiscard]] bool bit(size_t at, const Pattern& pattern) const {
    return (((words_[at / 64] ^ pattern[at / 64 % 4]) >> (at % 64)) & 1U) != 0;
  }
  /// Ones among the first `count` bits.
  [[nodiscard]] int64_t ones(size_t count, const Pattern& pattern) const;

 private:
  std::vector<uint64_t> words_;
};

inline constexpr double kSpeechRateHz = 220.5e3;  ///< five times the recording's 44.1 kHz, where FM is made
inline constexpr size_t kSpeechSamples = 50'000;  ///< 0.227 s, of the recording 10,000 samples

/// Share of the time before the voice sets in. The recording begins with a pause too, which is why most frames of
/// AM-DSB and WBFM are plain carriers there; how long it lasts is not published. This share gives WBFM a recall as
/// published (0.27 to 0.41).
inline constexpr double kSpeechPause = 0.65;

/// A voice that says two syllables after a pause with next to no hiss: harmonics of a gliding pitch through three
/// formants. Full scale is 0.5, as there (16-bit samples over 65535); peak 0.3; nothing above 8 kHz.
std::vector<float> speech_like(Draw draw);

}  // namespace amae

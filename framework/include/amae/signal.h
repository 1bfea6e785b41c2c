// The values that travel: a Signal out of a dataset, a Batch through transforms into a model, and the Spec that says
// ahead of time what they will look like.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

namespace amae {

/// What the numbers mean.
enum class Domain {
  audio,        ///< waveform, x [C, N], C channels
  iq,           ///< complex baseband, x [2, N]: row 0 in-phase, row 1 quadrature
  spectrogram,  ///< x [C, F, T]: F frequency bins, T frames
};

[[nodiscard]] inline const char* to_string(Domain domain) {
  switch (domain) {
    case Domain::audio:
      return "audio";
    case Domain::iq:
      return "iq";
    case Domain::spectrogram:
      return "spectrogram";
  }
  return "?";
}

/// What the values of a spectrogram are, and so what may be done to them: powers of several sounds add up (on average),
/// a logarithm needs values that are not negative, a change of level is a factor for some and a sum for others.
enum class Level {
  power,      ///< not negative; sounds mix by adding
  magnitude,  ///< root of power
  logarithm,  ///< decibels or natural logarithms
  other,      ///< anything else: standardised, cepstral, compressed
};

[[nodiscard]] inline const char* to_string(Level level) {
  switch (level) {
    case Level::power:
      return "power";
    case Level::magnitude:
      return "magnitude";
    case Level::logarithm:
      return "logarithms";
    case Level::other:
      return "values that are no level";
  }
  return "?";
}

/// One recording or frame as the dataset gives it.
struct Signal {
  at::Tensor samples;  ///< [C, N] float32, contiguous, full scale = 1
  double rate_hz = 0;  ///< samples per second; 0 = unknown (IQ without metadata)
  Domain domain = Domain::audio;
};

/// Shape and meaning of one item (without the batch dimension) at one place in the pipeline.
struct Spec {
  Domain domain = Domain::audio;
  std::vector<int64_t> shape;  ///< [C, N] or [C, F, T]; -1 = varies from item to item
  double rate_hz = 0;          ///< of the last axis: samples or frames per second; 0 = varies or unknown
  Level level = Level::power;  ///< of a spectrogram's values; means nothing for audio and IQ

  /// "spectrogram [1, 64, 313] at 62.5 Hz"; a varying size prints as "?".
  [[nodiscard]] std::string text() const;
};

/// Items stacked. The core never mixes shapes or rates in one batch; where they vary, batches hold one item.
struct Batch {
  at::Tensor x;              ///< [B, ...] float32
  at::Tensor y;              ///< [B, K] float32 class weights (one-hot, soft or multi-hot); undefined without labels
  std::vector<int64_t> ids;  ///< row in the dataset of each item
  double rate_hz = 0;        ///< of the last axis of x

  [[nodiscard]] int64_t size() const { return x.defined() ? x.size(0) : 0; }
};

}  // namespace amae

// Transforms `log` and `db`: levels instead of power.
#pragma once

#include <string>

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct LogOptions {
  double eps = 1e-6;
  std::string base = "e";

  void describe(Fields& f) {
    f.add("eps", eps, "added before the logarithm").range(1e-30, 1e6);
    f.add("base", base, "of the logarithm").choices({"e", "10"});
  }
};

/// Spectrogram [B, C, F, T] -> log(x + eps), same shape. x must not be negative.
class Log final : public Transform {
 public:
  explicit Log(LogOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  LogOptions options_;
};

struct DecibelOptions {
  double amin = 1e-10;
  double top_db = 80;
  std::string multiplier = "power";

  void describe(Fields& f) {
    f.add("amin", amin, "smaller values are raised to it").range(1e-30, 1);
    f.add("top_db", top_db, "levels further below the item's maximum are raised to that; 0 keeps all")
        .unit("dB")
        .range(0, 400);
    f.add("multiplier", multiplier, "power: 10 log10 x; magnitude: 20 log10 x").choices({"power", "magnitude"});
  }
};

/// Spectrogram [B, C, F, T] -> decibels, same shape: torchaudio.transforms.AmplitudeToDB with reference 1; the maximum
/// is taken over all channels of an item.
class Decibel final : public Transform {
 public:
  explicit Decibel(DecibelOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  DecibelOptions options_;
};

}  // namespace amae

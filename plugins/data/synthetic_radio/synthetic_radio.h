// Frames of modulated radio, computed when they are asked for: fast enough to train from without a cache.
#pragma once

#include <memory>

#include "amae/dataset.h"
#include "clean_radio.h"
#include "radio_options.h"
#include "rml2016a.h"

namespace amae {

/// Raised whenever the numbers of a frame change: part of the cache key.
inline constexpr int kRadioVersion = 2;

/// frames_per_cell frames of each class at each SNR: row = (frame * SNRs + snr) * classes + class. A row depends on the
/// options and on itself alone, and more frames leave the earlier ones as they are. Columns: "modulation" (the class),
/// "snr" (the label, dB). Neither folds nor groups; in mode rml2016a_faithful the frames of one transmission are not
/// kept together, as the published splits did not.
///
/// Mode clean (clean_radio.h): over 20,000 frames of 128 samples a second on one core. Mode rml2016a_faithful
/// (rml2016a.h).
class SyntheticRadio final : public Dataset {
 public:
  explicit SyntheticRadio(const SyntheticRadioOptions& options);

  [[nodiscard]] int64_t size() const override;
  [[nodiscard]] std::string id(int64_t row) const override;  ///< "QPSK/-4/0017"
  [[nodiscard]] Signal load(int64_t row) const override;     ///< [2, length]
  [[nodiscard]] Spec spec() const override;
  [[nodiscard]] const std::vector<std::string>& classes() const override { return options_.classes; }
  [[nodiscard]] at::Tensor labels() const override { return labels_; }
  [[nodiscard]] std::map<std::string, std::vector<double>> columns() const override;
  [[nodiscard]] std::map<std::string, TextColumn> text_columns() const override;
  [[nodiscard]] std::string content_hash(int64_t row) const override;

 private:
  struct Place {
    size_t modulation, snr;
    int64_t frame;
  };
  [[nodiscard]] Place place_of(int64_t row) const;

  SyntheticRadioOptions options_;
  std::vector<const Modulation*> modulations_;
  at::Tensor labels_;
  std::string parameters_;    ///< all that a row's content depends on but its number
  uint64_t frames_seed_ = 0;  ///< a hash of these: two data sets of mode clean share no symbols and no noise
  std::unique_ptr<const CleanRadio> clean_;
  std::unique_ptr<const Rml2016a> faithful_;
};

}  // namespace amae

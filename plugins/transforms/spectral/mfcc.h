// Transform `mfcc`: cepstral coefficients of a spectrogram whose level is logarithmic already.
#pragma once

#include "amae/options.h"
#include "amae/transform.h"

namespace amae {

struct MfccOptions {
  int64_t n_mfcc = 40;
  double lifter = 0;

  void describe(Fields& f) {
    f.add("n_mfcc", n_mfcc, "number of coefficients, the zeroth included; at most the mel bins").range(1, 4096);
    f.add("lifter", lifter, "L: coefficient k is multiplied by 1 + L/2 sin(pi k / L); 0: none; Kaldi: 22")
        .range(0, 10000);
  }
};

/// Spectrogram x [B, C, F, T] -> [B, C, n_mfcc, T]: the orthonormal DCT-II over F, coefficient k of frame t being
/// sqrt(2/F) sum_f cos(pi k (f + 1/2) / F) x[f, t], for k = 0 divided by sqrt(2).
///
/// torchaudio.transforms.MFCC is the chain mel_spectrogram, db, mfcc; torchaudio.compliance.kaldi.mfcc is
/// {mel_spectrogram, profile: kaldi}, {mfcc, n_mfcc: 13, lifter: 22}. Kaldi's own --use-energy, which puts the energy
/// of the frame into the place of the zeroth coefficient, is not offered.
class Mfcc final : public Transform {
 public:
  explicit Mfcc(MfccOptions options);
  [[nodiscard]] Spec output(const Spec& input, Mode mode) const override;
  void apply(Batch& batch, const Stage& stage) const override;

 private:
  void require_bins(int64_t bins) const;
  [[nodiscard]] at::Tensor cosines(int64_t bins) const;

  MfccOptions options_;
};

}  // namespace amae

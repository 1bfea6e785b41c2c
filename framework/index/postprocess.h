// What is done to embeddings before they are compared: subtract the mean, keep the main directions, scale to length 1.
// Dimension letters: N rows, D width of the embeddings, W width of what comes out.
#pragma once

#include <ATen/ATen.h>

#include "amae/transform.h"  // TensorDict
#include "index/post_options.h"

namespace amae {

/// Fitted once on the rows of an index, stored with it, and applied to every query.
///   y = (x - mean) P, whitened: y / deviation; then y / |y|. A row of zeros stays so.
/// Principal axes are those of the covariance, in float64; the sign of each makes its largest loading positive.
class PostProcess {
 public:
  PostProcess() = default;  ///< leaves everything as it is

  /// x [N, D] float32, N >= 1. At most min(N - 1, D) directions have any spread; no more are kept. Where D <= pca and
  /// nothing is whitened a rotation would change no similarity: it is left out.
  static PostProcess fit(const PostOptions& options, const at::Tensor& x);

  /// [N, D] -> [N, W] float32. Throws std::invalid_argument when the width is another.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;

  /// W for D.
  [[nodiscard]] int64_t width(int64_t dimension) const { return axes_.defined() ? axes_.size(1) : dimension; }
  /// "centre, PCA to 128 (0.97 of the variance), whitened, L2".
  [[nodiscard]] std::string text() const;

  [[nodiscard]] TensorDict state() const;
  /// Throws InputError (code "INDEX") when tensors are missing or do not fit each other.
  static PostProcess from_state(const TensorDict& state);

 private:
  at::Tensor mean_;  ///< [D] float32, or undefined
  at::Tensor axes_;  ///< [D, W] float32, scaled when whitening, or undefined
  double kept_ = 1;  ///< share of the variance along the axes
  bool l2_ = false, whitened_ = false;
};

/// Rows of length 1; a row of zeros stays so.
at::Tensor unit_rows(const at::Tensor& x);

}  // namespace amae

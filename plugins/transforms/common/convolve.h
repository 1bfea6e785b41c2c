// Filtering with a long response.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace amae {

/// y[c, n] = sum_k h[k] x[c, n - k] for n < N, the first N samples of the convolution of each row of x [C, N] float32;
/// h must not be empty. One FFT of a 5-smooth length >= N + M - 1 in float32, M = min(N, length of h): the error is
/// about 1e-6 of the largest value of y.
at::Tensor convolve(const at::Tensor& x, const std::vector<float>& h);

}  // namespace amae

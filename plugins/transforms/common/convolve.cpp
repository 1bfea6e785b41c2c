#include "convolve.h"

#include <algorithm>
#include <cstdint>

#include "fast_length.h"

namespace amae {

at::Tensor convolve(const at::Tensor& x, const std::vector<float>& h) {
  TORCH_CHECK(x.dim() == 2 && !h.empty(), "convolve: x must be [C, N] and h not empty");
  const int64_t n = x.size(1);
  if (x.numel() == 0) return x.clone();
  const int64_t taps = std::min(n, static_cast<int64_t>(h.size()));  // later ones do not reach the first N samples
  const at::Tensor response = at::empty({taps}, at::kFloat);
  std::copy_n(h.begin(), taps, response.mutable_data_ptr<float>());
  const int64_t length = fast_length(n + taps - 1);
  const at::Tensor spectrum = at::fft_rfft(x, length) * at::fft_rfft(response, length);
  return at::fft_irfft(spectrum, length).narrow(1, 0, n).contiguous();
}

}  // namespace amae

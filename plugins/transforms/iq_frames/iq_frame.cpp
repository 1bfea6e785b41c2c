#include "iq_frame.h"

#include <complex>

#include "../common/checks.h"

namespace amae {

void require_iq(const Spec& input, const std::string& transform) {
  require_domain(input, transform, {Domain::iq});
  if (input.shape[0] != 2) {
    throw input_error(transform,
                      fmt::format("got {}, expected two rows, in-phase and quadrature: iq [2, N]", input.text()));
  }
}

at::Tensor plain_iq(const at::Tensor& x, const std::string& transform) {
  TORCH_CHECK(x.dim() == 3 && x.size(1) == 2, transform, ": x must be [B, 2, N]");
  return plain(x);
}

void turn(const IqFrame& frame, double phase, double step) {
  std::complex<double> turned = std::polar(1.0, phase);
  const std::complex<double> by = std::polar(1.0, step);
  for (int64_t n = 0; n < frame.n; ++n) {
    // The product by hand: std::complex's own first looks for infinities, which costs most of the time.
    const double i = frame.i[n], q = frame.q[n], c = turned.real(), s = turned.imag();
    frame.i[n] = static_cast<float>(i * c - q * s);
    frame.q[n] = static_cast<float>(i * s + q * c);
    turned = {c * by.real() - s * by.imag(), c * by.imag() + s * by.real()};
  }
}

}  // namespace amae

#include "iq_array.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/iq_frame.h"

namespace amae {
namespace {

constexpr int64_t kMostSamples = int64_t{1} << 30;

}  // namespace

IqArray::IqArray(const std::filesystem::path& path, const std::string& name, const std::string& layout)
    : array_(open_npy_array(path, name)) {
  find_axes(layout);
  if (frames() == 0) array_.refuse("got no frame, expected at least one", "shape");
  if (samples_ < 1 || samples_ > kMostSamples)
    array_.refuse(fmt::format("got frames of {} samples, expected 1 to {}", samples_, kMostSamples), "shape");
}

void IqArray::find_axes(const std::string& layout) {
  const std::vector<int64_t>& shape = array_.shape();
  const std::string got =
      fmt::format("got ({}) of {} numbers", fmt::join(shape, ", "), array_.type().is_complex ? "complex" : "real");
  constexpr const char* kExpected = "expected [N, 2, L] or [N, L, 2] of real numbers or [N, L] of complex ones";
  if (array_.type().is_complex) {
    if (shape.size() != 2) array_.refuse(fmt::format("{}, {}", got, kExpected), "shape");
    interleaved_ = true;
    samples_ = shape[1];
    return;
  }
  if (shape.size() != 3) array_.refuse(fmt::format("{}, {}", got, kExpected), "shape");
  const bool may_be_first = shape[1] == 2 && layout != "channels_last";
  const bool may_be_last = shape[2] == 2 && layout != "channels_first";
  if (may_be_first && may_be_last) {
    array_.refuse(got +
                      ", where two axes could be I and Q; set layout: channels_first for [N, 2, L] or "
                      "channels_last for [N, L, 2]",
                  "shape");
  }
  if (!may_be_first && !may_be_last)
    array_.refuse(layout == "auto" ? fmt::format("{}, {}", got, kExpected)
                                   : fmt::format("{}, expected {} as layout: {} says", got,
                                                 layout == "channels_first" ? "[N, 2, L]" : "[N, L, 2]", layout),
                  "shape");
  interleaved_ = may_be_last;
  samples_ = may_be_last ? shape[1] : shape[2];
}

at::Tensor IqArray::read(int64_t frame) const {
  const std::string bytes = array_.read_row(frame);
  const auto number = static_cast<size_t>(array_.type().bytes);
  const size_t step = interleaved_ ? 2 * number : number;
  const size_t quadrature = interleaved_ ? number : number * static_cast<size_t>(samples_);
  at::Tensor iq = at::empty({2, samples_}, at::kFloat);
  auto* out = iq.mutable_data_ptr<float>();
  to_float32(array_.type(), bytes.data(), step, samples_, out);
  to_float32(array_.type(), bytes.data() + quadrature, step, samples_, out + samples_);
  check_finite(iq, [&](const std::string& message) { array_.refuse(message, fmt::format("frame {}", frame)); });
  return iq;
}

}  // namespace amae

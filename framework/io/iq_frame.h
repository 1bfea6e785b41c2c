// What the readers of IQ data do with a row once its bytes are there.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "amae/signal.h"
#include "base/hash.h"
#include "base/text.h"

namespace amae {

/// Throws through `refuse`, a callable that takes the message, when a sample is NaN or infinite.
template <class Refuse>
void check_finite(const at::Tensor& samples, const Refuse& refuse) {
  const float* x = samples.const_data_ptr<float>();
  const int64_t count = samples.size(1);
  for (int64_t i = 0; i < samples.numel(); ++i) {
    if (!std::isfinite(x[i]))
      refuse(fmt::format("got sample {} of {}, which is not finite ({}), expected numbers", i % count, count, x[i]));
  }
}

/// Hash of a signal's numbers, shape, rate and domain: the same whichever reader of radio files they came through.
inline std::string signal_hash(const Signal& signal) {
  const at::Tensor samples = signal.samples.contiguous();
  std::string bytes = fmt::format("{} {} {} {}\n", to_string(signal.domain), samples.size(0), samples.size(1),
                                  number_text(signal.rate_hz));
  bytes.append(static_cast<const char*>(samples.const_data_ptr()), samples.nbytes());
  return xxh3_hex(bytes);
}

}  // namespace amae

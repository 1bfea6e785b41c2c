// The out-of-line members of the contract's classes: their type information lives in libamae alone.
#include <fmt/format.h>

#include <vector>

#include "amae/plugin.h"
#include "base/text.h"

namespace amae {

Dataset::~Dataset() = default;
Transform::~Transform() = default;
Encoder::~Encoder() = default;
MaskedAutoencoder::~MaskedAutoencoder() = default;

std::string Spec::text() const {
  std::vector<std::string> sizes;
  for (const int64_t size : shape) sizes.push_back(size < 0 ? "?" : std::to_string(size));
  std::string result = fmt::format("{} [{}]", to_string(domain), join(sizes, ", "));
  if (rate_hz > 0) result += fmt::format(" at {} Hz", number_text(rate_hz));
  return result;
}

}  // namespace amae

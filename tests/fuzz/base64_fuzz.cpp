// base64: what a text decodes to is encoded as that text again, any bytes come back from theirs, and what is refused is
// right up to the offset that is told.
#include <optional>
#include <string>

#include "base/base64.h"
#include "target.h"

AMAE_FUZZ_TARGET(base64)(const uint8_t* data, size_t size) {
  const std::string_view input = amae::fuzz::text_of(data, size);
  std::string bytes;
  amae::fuzz::require(!amae::base64_decode(amae::base64(input), bytes) && bytes == input, "bytes come back");
  const std::optional<size_t> wrong = amae::base64_decode(input, bytes);
  if (!wrong) {
    amae::fuzz::require(amae::base64(bytes) == input, "no bytes have two texts");
    return 0;
  }
  amae::fuzz::require(bytes.empty() && *wrong <= size, "the offset lies within the text or at its end");
  // Letters up to the offset, so those of whole groups decode; and the character there cannot be what follows them.
  const std::string_view right = input.substr(0, *wrong - *wrong % 4);
  amae::fuzz::require(!amae::base64_decode(right, bytes), "the text is right up to the offset");
  for (const char c : input.substr(right.size(), *wrong - right.size()))
    amae::fuzz::require(!amae::base64_decode(std::string("AAA") + c, bytes), "the text is right up to the offset");
  return 0;
}

// Bytes as text, for pages that carry their pictures and sounds within themselves, and for requests that do.
// Source: RFC 4648, section 4: the standard alphabet with padding.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace amae {

/// No line breaks.
std::string base64(std::string_view bytes);

/// The bytes that base64() gives `text` for, and for no others: the padding must be there, the bits behind the last
/// byte must be zero, and there are no line breaks. Returns the offset of the first character that is wrong, which is
/// text.size() where more was to come; `bytes` is then empty.
[[nodiscard]] std::optional<size_t> base64_decode(std::string_view text, std::string& bytes);

}  // namespace amae

// Bytes as text, for pages that carry their pictures and sounds within themselves.
#pragma once

#include <string>
#include <string_view>

namespace amae {

/// Standard alphabet with padding, no line breaks. Source: RFC 4648, section 4.
std::string base64(std::string_view bytes);

}  // namespace amae

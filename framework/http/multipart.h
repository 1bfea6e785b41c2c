// Forms with files, as browsers and curl send them. (no LibTorch)
// Source: RFC 7578 (multipart/form-data), RFC 2046, section 5.1 (multipart).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace amae::http {

/// One field of a form.
struct Part {
  std::string name;
  std::string filename;   ///< as the client wrote it, any bytes but control characters; empty: none
  std::string type;       ///< Content-Type as it stands, or empty
  std::string_view body;  ///< within the body of the form
};

inline constexpr size_t kMaxParts = 16;
inline constexpr size_t kMaxPartHeaders = 16;
inline constexpr size_t kMaxPartHeaderBytes = 8U << 10U;
inline constexpr size_t kMaxAroundParts = 4U << 10U;  ///< bytes before the first boundary, and behind the last

/// The parts of a form in their order; none is fine. `content_type` is the header with its boundary. In time linear in
/// the size of the body. Names may come more than once; filename* is passed over, as RFC 7578 forbids it.
///
/// Throws BadRequest: 415 when `content_type` is no multipart/form-data; 400, with "; at byte N" of the body where that
/// says something, for a boundary that is missing or no boundary, a body without the first or the last one, lines that
/// begin with the boundary and go on, parts without a name, headers that are no headers, an encoding such as base64 in
/// Content-Transfer-Encoding, and what exceeds the limits above.
std::vector<Part> parse_multipart(std::string_view content_type, std::string_view body);

}  // namespace amae::http

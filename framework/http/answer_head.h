// The head of an answer as bytes. (no LibTorch)
#pragma once

#include <string>

#include "http/message.h"

namespace amae::http {

enum class Framing { length, chunked, until_close };

/// Status line and headers, up to the empty line. `framing` says how the client finds the end of the body; with length
/// it is that of response.body, unless the status has none (204, 304). Control characters in headers become blanks.
std::string answer_head(const Response& response, Framing framing, bool keeps_alive);

}  // namespace amae::http

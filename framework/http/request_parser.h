// Bytes to requests, without a socket: what a client may send, and what is answered to the rest. (no LibTorch)
//
// Two readings of one message are how requests get smuggled past a proxy, so whatever RFC 9110 and 9112 let a server
// refuse is refused, and the answer to some bytes does not depend on how they were cut on their way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/chunked_decoder.h"
#include "http/head_scanner.h"
#include "http/message.h"
#include "http/refusal.h"

namespace amae::http {

struct ParserLimits {
  uint64_t body_bytes = 32U << 20U;
  uint64_t header_bytes = 16U << 10U;  ///< request line and headers
  uint64_t target_bytes = 8U << 10U;
};

/// One request. For one thread; holds nothing outside of itself.
///
///   head --feed()--> head_ready --read_body()--> body --feed()--> complete --take()
///
/// Without a body, read_body() leads to complete. From head and body, feed() may also lead to refused: 400, 413, 414,
/// 415 (Content-Encoding), 417, 431, 501 (Transfer-Encoding), 505. After that the connection cannot go on.
class RequestParser {
 public:
  enum class State { head, head_ready, body, complete, refused };

  explicit RequestParser(const ParserLimits& limits)
      : scanner_(limits.header_bytes, limits.target_bytes), chunks_(limits.body_bytes), limits_(limits) {}

  /// Takes bytes and returns how many: all, unless the head or the request ends within them. In another state than head
  /// and body it takes none.
  size_t feed(std::string_view bytes);
  [[nodiscard]] State state() const { return state_; }

  /// The request without its body. In head_ready.
  [[nodiscard]] const Request& head() const { return request_; }
  /// Goes on to the body. In head_ready.
  void read_body();
  /// The whole request, moved out. In complete.
  Request take() { return std::move(request_); }
  /// Why not. In refused.
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }

  // From head_ready on:
  [[nodiscard]] bool is_head_request() const { return is_head_request_; }  ///< HEAD, which comes as a GET
  [[nodiscard]] bool is_http_1_0() const { return is_http_1_0_; }
  [[nodiscard]] bool keeps_alive() const { return keeps_alive_; }
  [[nodiscard]] bool expects_continue() const { return expects_continue_; }
  /// Bytes of the body, 0 for none; empty when they are not known before (chunked).
  [[nodiscard]] std::optional<uint64_t> content_length() const { return content_length_; }

  /// Bytes of the body that are held.
  [[nodiscard]] size_t body_bytes() const { return request_.body.size(); }

 private:
  void read_head();
  void read_host(const std::string& authority);
  void read_framing();
  void read_expectation();
  size_t count(std::string_view name) const;
  size_t feed_body(std::string_view bytes);

  HeadScanner scanner_;
  ChunkedDecoder chunks_;
  ParserLimits limits_;
  Request request_;
  Refusal refusal_;
  std::optional<uint64_t> content_length_ = 0;
  bool is_head_request_ = false;
  bool is_http_1_0_ = false;
  bool keeps_alive_ = false;
  bool expects_continue_ = false;
  State state_ = State::head;
};

}  // namespace amae::http

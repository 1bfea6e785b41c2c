// An HTTP/1.1 server for one machine: every size, count and time is bounded, and one thread does all reading and
// writing. Nothing that it calls may block. (no LibTorch)
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/message.h"

namespace amae::http {

struct ServerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 8080;  ///< 0: any free one
  uint64_t max_body_bytes = 32U << 20U;
  uint64_t max_header_bytes = 16U << 10U;  ///< request line and headers
  uint64_t max_target_bytes = 8U << 10U;
  /// Of all bodies that are being read at once; beyond it, 503. At least max_body_bytes.
  uint64_t max_bodies_bytes = uint64_t{1} << 30U;
  int max_connections = 2048;
  /// From a request's first byte to its last, then anew for its answer to be taken, however steadily bytes come and go.
  /// For a stream: for what has gathered to be taken. The handler's own time is not limited.
  std::chrono::milliseconds request_timeout{10'000};
  std::chrono::milliseconds idle_timeout{10'000};  ///< before the first request of a connection, and between two
};

struct ServerCounts {
  int64_t connections = 0;  ///< open now
  int64_t accepted = 0;
  int64_t timeouts = 0;  ///< connections that were closed for being too slow within a request
  int64_t refused = 0;   ///< requests that the server itself answered with an error, and connections beyond the limit
};

/// The server answers by itself what is no sound request, with the JSON of error_json() and "Connection: close": 400,
/// 417, 501 and 505 (code "REQUEST"), 408 ("TIMEOUT"), 413, 414 and 431 ("SIZE"), 415 for a Content-Encoding ("TYPE"),
/// 503 with Retry-After beyond its connections and max_bodies_bytes ("BUSY"), 500 for a request that was dropped
/// ("INTERNAL").
class Server {
 public:
  /// Judges a request by its head, before its body is read and before "100 Continue": an answer refuses it. It is sent
  /// at once; the connection lives on when the body is at most 256 KiB, which are read and thrown away. May be null.
  using Admit = std::function<std::optional<Response>(const Request& head)>;
  /// Both are called on the thread of run(), which does nothing else meanwhile: work belongs to other threads. What
  /// they throw is answered with 500.
  using Handle = std::function<void(Request request, std::shared_ptr<Exchange> exchange)>;

  /// Binds and listens; `options.host` is a name or an address of IPv4 or IPv6. Lets the process open as many files as
  /// max_connections takes, up to its hard limit. Throws EnvironmentError (code "PORT", where = "HOST:PORT", with
  /// errno's text) when it cannot listen.
  Server(const ServerOptions& options, Admit admit, Handle handle);
  /// Not while run() runs. Exchanges may outlive it: then their client is gone.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] uint16_t port() const;
  /// Serves on the calling thread until drain() or stop() has done its work, also when one of them was called before.
  /// To be called once.
  void run();
  /// Takes no new connections but those that wait already, lets requests that have begun be answered (with
  /// "Connection: close"), finishes streams, closes idle connections after 250 ms, so that a request on its way is not
  /// cut, and ends run() when no connection is left, or after `limit`. Thread-safe.
  void drain(std::chrono::milliseconds limit);
  /// Ends run() at once. Thread-safe.
  void stop();
  [[nodiscard]] ServerCounts counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// {"error": {"code", "message", "field"?, "hint"?}} and a line break; texts that are not UTF-8 are made so.
std::string error_json(const std::string& code, const std::string& message, const std::string& field = "",
                       const std::string& hint = "");

}  // namespace amae::http

// Requests and answers of HTTP as the rest of amae sees them. (no LibTorch)
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace amae::http {

struct Request {
  std::string method;  ///< "GET", also for HEAD: the server keeps the body of its answer back
  std::string path;    ///< percent-decoded, without the query: "/v1/predict"; begins with "/"
  std::vector<std::pair<std::string, std::string>> query;    ///< decoded, in order
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case, in order
  std::string body;

  /// The first header of that lower-case name, or empty.
  [[nodiscard]] const std::string& header(const std::string& name) const;
  /// The media type of Content-Type in lower case, without parameters: "audio/wav"; empty: none.
  [[nodiscard]] std::string content_type() const;
};

struct Response {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// One request that waits for its answer. Thread-safe, and nothing in it waits for the client; an exchange that is
/// dropped unanswered is answered with 500.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Answers; only the first call of send() or begin_stream() counts.
  virtual void send(Response response) = 0;
  /// True once the client has closed the connection, or only its own direction: nobody waits for the answer any more.
  /// One that is sent all the same is delivered where that is possible.
  [[nodiscard]] virtual bool gone() const = 0;

  /// An answer without an end, as Server-Sent Events are: 200, `type` and "Cache-Control: no-store", then what write()
  /// gives, until finish() or destruction. write() is false once the client is gone, the server drains, or more than 1
  /// MiB is waiting to be sent, which ends the connection.
  virtual void begin_stream(const std::string& type) = 0;
  virtual bool write(std::string text) = 0;
  virtual void finish() = 0;
};

}  // namespace amae::http

// A plain client for tests of servers: a blocking socket that sends any bytes, and never waits longer than 20 s.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace amae::http {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  bool is_whole = false;  ///< the body came to its end

  [[nodiscard]] std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

class Client {
 public:
  explicit Client(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (socket_ < 0) throw std::runtime_error("no socket");
    const timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      close();
      throw std::runtime_error("no connection");
    }
  }
  ~Client() { close(); }
  Client(Client&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), received_(std::move(other.received_)), is_lost_(other.is_lost_) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// False when the server has closed the connection before all was sent.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  Answer get(const std::string& target) {
    send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return read_answer();
  }
  Answer post(const std::string& target, const std::string& body) {
    send("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body);
    return read_answer();
  }

  /// The next answer; status 0 when the connection ended before its head did. Without `has_body`: one to HEAD, or 100.
  Answer read_answer(bool has_body = true) {
    Answer answer = read_head();
    if (answer.status == 0 || answer.status == 100 || !has_body) {
      answer.is_whole = answer.status != 0;
      return answer;
    }
    if (answer.header("transfer-encoding") == "chunked") {
      for (std::string chunk = read_chunk(answer.is_whole); !chunk.empty(); chunk = read_chunk(answer.is_whole))
        answer.body += chunk;
      return answer;
    }
    const std::string length = answer.header("content-length");
    size_t bytes = SIZE_MAX;  // until the connection ends
    std::from_chars(length.data(), length.data() + length.size(), bytes);
    while (received_.size() < bytes && receive()) continue;
    answer.is_whole = length.empty() ? !is_lost_ : received_.size() >= bytes;
    answer.body = received_.substr(0, bytes);
    received_.erase(0, bytes);
    return answer;
  }
  /// The next answer's status line and headers.
  Answer read_head() {
    Answer answer;
    size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos)
      if (!receive()) return answer;
    std::string head = received_.substr(0, end + 2);
    received_.erase(0, end + 4);
    if (!head.starts_with("HTTP/1.1 ")) throw std::runtime_error("no answer: " + head);
    answer.status = std::stoi(head.substr(9, 3));
    for (size_t at = head.find("\r\n") + 2; at < head.size();) {
      const size_t colon = head.find(':', at), line_end = head.find("\r\n", at);
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      answer.headers[name] = head.substr(colon + 2, line_end - colon - 2);
      at = line_end + 2;
    }
    return answer;
  }
  /// The next chunk of a chunked body; empty at its end, when `is_whole` is set, and when the connection ends before.
  std::string read_chunk(bool& is_whole) {
    size_t line = 0;
    while ((line = received_.find("\r\n")) == std::string::npos)
      if (!receive()) return "";
    const size_t bytes = std::stoull(received_.substr(0, line), nullptr, 16);
    while (received_.size() < line + 2 + bytes + 2)
      if (!receive()) return "";
    std::string chunk = received_.substr(line + 2, bytes);
    received_.erase(0, line + 2 + bytes + 2);
    is_whole = bytes == 0;
    return chunk;
  }

  /// True once the server has closed the connection and nothing more has come from it.
  bool is_closed() { return received_.empty() && !receive() && !has_timed_out_; }
  /// True when the server ended it by a reset, which may have lost what it sent before.
  [[nodiscard]] bool is_lost() const { return is_lost_; }
  /// True when bytes come within `milliseconds`, or the end.
  [[nodiscard]] bool hears_within(int milliseconds) const {
    pollfd ready{socket_, POLLIN, 0};
    return !received_.empty() || ::poll(&ready, 1, milliseconds) > 0;
  }

  void finish_sending() { ::shutdown(socket_, SHUT_WR); }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  /// Ends the connection without a word.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close();
  }
  [[nodiscard]] int socket() const { return socket_; }

 private:
  bool receive() {
    char bytes[16384];
    for (;;) {
      const auto got = ::recv(socket_, bytes, sizeof(bytes), 0);
      if (got > 0) received_.append(bytes, static_cast<size_t>(got));
      if (got >= 0) return got > 0;
      if (errno == EINTR) continue;
      has_timed_out_ = errno == EAGAIN || errno == EWOULDBLOCK;
      is_lost_ = !has_timed_out_;
      return false;
    }
  }

  int socket_;
  std::string received_;
  bool is_lost_ = false;
  bool has_timed_out_ = false;
};

}  // namespace amae::http

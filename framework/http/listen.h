// The socket that a server listens on. (no LibTorch)
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace amae::http {

/// A file descriptor, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

struct Listener {
  Descriptor socket;
  bool is_ipv6 = false;
  uint16_t port = 0;  ///< the one that it got
};

/// Listens on `host`, a name or an address of IPv4 or IPv6, without waiting in accept(). A name of several addresses
/// means the first that works, those of IPv4 before others. Throws EnvironmentError (code "PORT", where "HOST:PORT").
Listener listen_on(const std::string& host, uint16_t port);

/// Lets this process open `wanted` files and sockets at once, or as many as its hard limit allows.
void raise_descriptor_limit(uint64_t wanted);

}  // namespace amae::http

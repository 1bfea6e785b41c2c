#include "http/listen.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "amae/error.h"
#include "base/text.h"

namespace amae::http {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

std::string place(const std::string& host, uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", printable(host), port) : fmt::format("{}:{}", printable(host), port);
}

Addresses resolve(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    const int number = error == EAI_SYSTEM ? errno : error;
    const char* text = error == EAI_SYSTEM ? std::strerror(number) : ::gai_strerror(error);
    throw EnvironmentError("PORT", place(host, port),
                           fmt::format("{} (error {}), expected an address of this machine", text, number));
  }
  return {found, &::freeaddrinfo};
}

/// A listening socket, or none and errno.
Descriptor open(const addrinfo& address) {
  Descriptor socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return socket;
  const int on = 1;  // connections of a server before us may linger; one that still listens is an error all the same
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(socket.get(), address.ai_addr, address.ai_addrlen) == 0 && ::listen(socket.get(), SOMAXCONN) == 0)
    return socket;
  const int error = errno;
  socket = Descriptor();
  errno = error;
  return Descriptor();
}

uint16_t port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  std::array<char, NI_MAXSERV> port{};
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, nullptr, 0, port.data(), port.size(),
                    NI_NUMERICSERV) != 0)
    return 0;
  return static_cast<uint16_t>(std::atoi(port.data()));  // NOLINT(cert-err34-c): the system wrote it
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Listener listen_on(const std::string& host, uint16_t port) {
  const Addresses found = resolve(host, port);
  std::vector<const addrinfo*> addresses;
  for (const addrinfo* address = found.get(); address != nullptr; address = address->ai_next)
    addresses.push_back(address);
  std::stable_sort(addresses.begin(), addresses.end(), [](const addrinfo* a, const addrinfo* b) {
    return a->ai_family == AF_INET && b->ai_family != AF_INET;
  });
  int error = 0;
  for (const addrinfo* address : addresses) {
    Listener listener{open(*address), address->ai_family == AF_INET6, 0};
    if (listener.socket.get() < 0) {
      if (error == 0) error = errno;
      continue;
    }
    listener.port = port_of(listener.socket.get());
    return listener;
  }
  const char* hint = error == EADDRINUSE ? "; is another server running? --port takes another one, 0 any free one"
                     : error == EACCES   ? "; ports below 1024 need a privilege, --port takes another one"
                                         : "";
  throw EnvironmentError("PORT", place(host, port),
                         fmt::format("cannot listen: {} (errno {}){}", std::strerror(error), error, hint));
}

void raise_descriptor_limit(uint64_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);  // when it fails, connections wait for others to end
}

}  // namespace amae::http

#include "http/server.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "http/connection.h"
#include "http/io_thread.h"
#include "http/listen.h"

namespace amae::http {
namespace {

using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;

constexpr auto kAcceptPause = std::chrono::milliseconds(100);
// While more comes than is taken, what came in two milliseconds is refused together: woken for each, this thread would
// take much more time from those who compute.
constexpr auto kOverloadPause = std::chrono::milliseconds(2);
constexpr int kMostAccepts = 64;              // in a row: those who are here want to be served too
constexpr size_t kMostTurnedAway = 64;        // connections beyond the limit, while they take their answer
constexpr uint64_t kOtherDescriptors = 1024;  // of files, plugins, devices

}  // namespace

struct Server::Impl {
  Impl(const ServerOptions& options, Admit admit, Handle handle)
      : io(std::make_shared<IoThread>(context)),
        acceptor(context.get_executor()),
        pause(context.get_executor()),
        drain_limit(context.get_executor()) {
    clients.options = options;
    clients.options.max_bodies_bytes = std::max(options.max_bodies_bytes, options.max_body_bytes);
    clients.admit = std::move(admit);
    clients.handle = std::move(handle);
    clients.io = io;
    clients.on_leave = [this] { end_if_drained(); };
    raise_descriptor_limit(static_cast<uint64_t>(options.max_connections) + kMostTurnedAway + kOtherDescriptors);
    Listener listener = listen_on(options.host, options.port);
    port = listener.port;
    protocol = listener.is_ipv6 ? boost::asio::ip::tcp::v6() : boost::asio::ip::tcp::v4();
    acceptor.assign(protocol, listener.socket.get());
    listener.socket.release();
  }
  ~Impl() {
    io->close();
    close_all();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void wait_for_clients();
  void accept(int most);
  void welcome(Descriptor descriptor);
  void drain(std::chrono::milliseconds limit);
  void end_if_drained();
  void close_all();
  void serve();

  boost::asio::io_context context{1};
  std::shared_ptr<IoThread> io;
  Clients clients;
  boost::asio::ip::tcp protocol = boost::asio::ip::tcp::v4();
  Acceptor acceptor;
  Timer pause, drain_limit;
  uint16_t port = 0;
};

void Server::Impl::wait_for_clients() {
  if (!acceptor.is_open()) return;
  acceptor.async_wait(Acceptor::wait_read, [this](const boost::system::error_code& error) {
    if (!error) accept(kMostAccepts);
  });
}

void Server::Impl::accept(int most) {
  for (int i = 0; i < most && acceptor.is_open(); ++i) {
    Descriptor descriptor(::accept4(acceptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (descriptor.get() >= 0) {
      welcome(std::move(descriptor));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
    // No descriptor or no memory is left, which others must give back. The client, if there is one, waits in the queue
    // of the system, and waiting for it in the event loop would end at once.
    pollfd queue{acceptor.native_handle(), POLLIN, 0};
    if (::poll(&queue, 1, 0) == 0) break;
    if (clients.evict_idle()) continue;
    pause.expires_after(kAcceptPause);
    pause.async_wait([this](const boost::system::error_code& error) {
      if (!error) accept(kMostAccepts);
    });
    return;
  }
  wait_for_clients();
}

void Server::Impl::welcome(Descriptor descriptor) {
  ++clients.accepted;
  const auto limit = static_cast<size_t>(clients.options.max_connections);
  const bool is_full = clients.all.size() >= limit && !clients.evict_idle();
  if (is_full && clients.all.size() >= limit + kMostTurnedAway) {
    ++clients.refused;
    return;
  }
  const int on = 1;
  ::setsockopt(descriptor.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  std::shared_ptr<Connection> connection;
  try {
    Socket socket(context.get_executor());
    socket.assign(protocol, descriptor.get());
    descriptor.release();
    connection = clients.add(std::move(socket));
    if (is_full) return connection->turn_away({503, "BUSY", "this server has all the connections that it takes"});
    connection->begin();
  } catch (const std::exception&) {  // no memory
    if (connection) connection->close();
  }
}

void Server::Impl::drain(std::chrono::milliseconds limit) {
  if (clients.is_draining) return;
  accept(clients.options.max_connections);  // who waits in the queue would be cut
  clients.is_draining = true;
  boost::system::error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  const std::vector<std::shared_ptr<Connection>> present(clients.all.begin(), clients.all.end());
  for (const auto& connection : present) connection->drain();
  drain_limit.expires_after(limit);
  drain_limit.async_wait([this](const boost::system::error_code& error) {
    if (!error) context.stop();
  });
  end_if_drained();
}

void Server::Impl::end_if_drained() {
  if (clients.is_draining && clients.all.empty()) context.stop();
}

void Server::Impl::serve() {
  while (context.run_one() > 0) {
    const int64_t before = clients.not_taken;
    context.poll();
    if (clients.not_taken != before) std::this_thread::sleep_for(kOverloadPause);
  }
}

void Server::Impl::close_all() {
  while (!clients.all.empty()) clients.all.front()->close();
}

Server::Server(const ServerOptions& options, Admit admit, Handle handle)
    : impl_(std::make_unique<Impl>(options, std::move(admit), std::move(handle))) {}

Server::~Server() = default;

uint16_t Server::port() const { return impl_->port; }

void Server::run() {
  impl_->wait_for_clients();
  for (bool has_ended = false; !has_ended;) {
    try {
      impl_->serve();
      has_ended = true;
    } catch (const std::exception&) {
      // Out of memory outside of any connection: the server goes on.
    }
  }
  impl_->close_all();
}

void Server::drain(std::chrono::milliseconds limit) {
  impl_->io->post([impl = impl_.get(), limit] { impl->drain(limit); });
}

void Server::stop() { impl_->context.stop(); }

ServerCounts Server::counts() const {
  const Clients& clients = impl_->clients;
  return {clients.connections, clients.accepted, clients.timeouts, clients.refused};
}

}  // namespace amae::http

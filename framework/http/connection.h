// One client's connection: requests come in, answers go out, one after the other. (no LibTorch)
//
//                 +----------------------------- keep-alive ------------------------------+
//                 v                                                                       |
//   accept ---> idle ---> reading ---> handling ---> answering ---> discarding -----------+
//                            |             |             |                                |
//                            |             +---------> streaming -------------------------+
//                            +-- refused ------------> answering ---> lingering ---> closed
//
// Each state but handling has a deadline, and none is moved by a client that makes a little progress. All of it runs on
// the io thread; nothing waits but in the event loop.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/io_thread.h"
#include "http/request_parser.h"
#include "http/server.h"

namespace amae::http {

using Executor = boost::asio::io_context::executor_type;
using Clock = std::chrono::steady_clock;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using Timer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, Executor>;

class Connection;

/// What the connections of one server share. For the io thread, but for the counts.
struct Clients {
  ServerOptions options;
  Server::Admit admit;
  Server::Handle handle;
  std::shared_ptr<IoThread> io;
  std::function<void()> on_leave;  ///< a connection has left `all`

  std::list<std::shared_ptr<Connection>> all;
  std::list<Connection*> idle;  ///< between requests, the one that waits longest first
  uint64_t body_bytes = 0;      ///< of all bodies that are being read
  int64_t not_taken = 0;        ///< requests that `admit` answered with 503
  bool is_draining = false;
  std::array<char, 64 << 10> buffer;  ///< for whoever reads now: connections at rest own none

  std::atomic<int64_t> connections{0}, accepted{0}, timeouts{0}, refused{0};

  /// Adds a connection, which may begin.
  std::shared_ptr<Connection> add(Socket socket);
  /// Closes the connection that is idle for longest. False when none is.
  bool evict_idle();
};

/// What an exchange and its connection both see of one request.
struct Ticket {
  std::atomic<bool> is_gone{false};     ///< the client, or the whole connection
  std::atomic<size_t> unsent_bytes{0};  ///< of a stream
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Clients& clients, Socket socket);

  /// Waits for the first request.
  void begin();
  /// Answers before any request, and closes.
  void turn_away(const Refusal& refusal) { fail(refusal); }
  /// Takes no more requests than the one that has begun.
  void drain();
  void close();
  /// True when nothing has come that would be lost by closing.
  [[nodiscard]] bool is_quiet();

  // From the exchange of `ticket`; nothing happens when it is not the present one.
  void answer(const Ticket* ticket, Response response);
  void begin_stream(const Ticket* ticket, const std::string& type);
  void stream(const Ticket* ticket, const std::string& text);
  void finish_stream(const Ticket* ticket);
  void cut_stream(const Ticket* ticket);

 private:
  friend struct Clients;
  enum class State { idle, reading, handling, answering, streaming, discarding, lingering, closed };

  template <class Work>
  auto guarded(Work work);
  void wait_readable();
  void on_readable();
  std::optional<std::string_view> receive();
  void become_idle();
  void leave_idle();
  bool read(std::string_view bytes);
  bool judge(std::string_view& rest);
  void invite_body();
  void hand_over();
  void count_body(size_t bytes);
  void watch();
  void fail(const Refusal& refusal);
  void send(Response response, bool is_last);
  void on_sent();
  void go_on();
  bool discard(std::string_view bytes);
  void flush();
  void on_flushed();
  void linger();
  void cut();
  void expire_after(std::chrono::milliseconds time);
  void set_alarm();
  void on_alarm();
  void on_expired();

  Clients& clients_;
  std::list<std::shared_ptr<Connection>>::iterator place_;
  std::list<Connection*>::iterator idle_place_;
  Socket socket_;
  Timer timer_;
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point alarm_ = Clock::time_point::max();  // when the timer fires; may be before the deadline

  State state_ = State::lingering;
  bool is_waiting_ = false;  // for bytes
  bool is_writing_ = false;
  bool is_last_ = false;  // closes after this answer
  bool is_head_request_ = false;
  bool is_http_1_0_ = false;
  bool is_finishing_ = false;  // of a stream

  std::unique_ptr<RequestParser> parser_;
  size_t counted_bytes_ = 0;  // in clients_.body_bytes
  std::string rest_;          // came behind a request
  std::shared_ptr<Ticket> ticket_;
  uint64_t to_discard_ = 0;                     // of a refused body, or while lingering
  std::string head_, body_;                     // being written
  std::string batch_;                           // of a stream, to be written next
  size_t batch_bytes_ = 0, written_bytes_ = 0;  // of the stream's texts in batch_ and in body_
};

}  // namespace amae::http

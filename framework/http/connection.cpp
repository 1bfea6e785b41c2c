#include "http/connection.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <exception>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "http/answer_head.h"
#include "http/exchange.h"

namespace amae::http {
namespace {

using namespace std::chrono_literals;

// A refused body up to this size is read to its end, because a new connection costs more.
constexpr uint64_t kMostDiscardedBytes = 256U << 10U;
constexpr auto kLingerTime = 1000ms;
constexpr uint64_t kMostLingerBytes = 64U << 20U;
// A request that crosses our closing on its way would be cut.
constexpr auto kDrainGrace = 250ms;
constexpr auto kWatchInterval = 250ms;
constexpr int kMostTries = 16;                 // idle connections that may have sent something by now
constexpr size_t kMostHeadBytes = 16U << 10U;  // read at once, as what follows is kept until the answer has gone
constexpr int kMostReads = 8;                  // in a row: the others want to be read too
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

enum class Peer { silent, has_sent, half_closed, lost };

Peer look_at(int socket) {
  pollfd ready{socket, POLLIN | POLLRDHUP, 0};
  if (::poll(&ready, 1, 0) <= 0) return Peer::silent;
  if ((ready.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return Peer::lost;
  return (ready.revents & POLLRDHUP) != 0 ? Peer::half_closed : Peer::has_sent;
}

Response error_response(const Refusal& refusal) {
  Response response{refusal.status, "application/json", error_json(refusal.code, refusal.message)};
  if (refusal.status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

ParserLimits limits_of(const ServerOptions& options) {
  return {options.max_body_bytes, options.max_header_bytes, options.max_target_bytes};
}

}  // namespace

std::shared_ptr<Connection> Clients::add(Socket socket) {
  all.push_front(std::make_shared<Connection>(*this, std::move(socket)));
  all.front()->place_ = all.begin();
  ++connections;
  return all.front();
}

bool Clients::evict_idle() {
  int tries = 0;
  for (Connection* connection : idle) {
    if (++tries > kMostTries) return false;
    if (!connection->is_quiet()) continue;
    connection->shared_from_this()->close();
    return true;
  }
  return false;
}

Connection::Connection(Clients& clients, Socket socket)
    : clients_(clients), idle_place_(clients.idle.end()), socket_(std::move(socket)), timer_(socket_.get_executor()) {}

/// What the event loop calls: keeps the connection alive, and ends it when memory runs out.
template <class Work>
auto Connection::guarded(Work work) {
  return [self = shared_from_this(), work](const boost::system::error_code& error, auto&&...) {
    if (self->state_ == State::closed) return;
    try {
      work(*self, error);
    } catch (const std::exception&) {
      self->close();
    }
  };
}

// ---- reading ----

void Connection::begin() {
  become_idle();
  wait_readable();
}

void Connection::become_idle() {
  state_ = State::idle;
  idle_place_ = clients_.idle.insert(clients_.idle.end(), this);
  expire_after(clients_.is_draining ? kDrainGrace : clients_.options.idle_timeout);
}

void Connection::leave_idle() {
  if (idle_place_ == clients_.idle.end()) return;
  clients_.idle.erase(idle_place_);
  idle_place_ = clients_.idle.end();
}

/// Waits without a buffer. There is at most one such wait; what its end means depends on the state by then.
void Connection::wait_readable() {
  if (std::exchange(is_waiting_, true)) return;
  socket_.async_wait(Socket::wait_read, guarded([](Connection& self, const boost::system::error_code& error) {
                       self.is_waiting_ = false;
                       if (error) return self.close();
                       self.on_readable();
                     }));
}

void Connection::on_readable() {
  if (state_ == State::handling || state_ == State::streaming) return watch();
  for (int i = 0; i < kMostReads; ++i) {
    if (state_ == State::answering || state_ == State::closed) return;  // whoever ends that state waits anew
    const auto bytes = receive();
    if (!bytes) return;
    const bool wants_more = state_ == State::discarding || state_ == State::lingering ? discard(*bytes) : read(*bytes);
    if (!wants_more) return;
  }
  wait_readable();
}

/// What has come, at least one byte. Otherwise nothing: then it waits, or the connection is closed.
std::optional<std::string_view> Connection::receive() {
  const bool may_be_rest = state_ == State::idle || (parser_ && parser_->state() == RequestParser::State::head);
  const bool drops = state_ == State::discarding || state_ == State::lingering;
  const size_t most = may_be_rest ? kMostHeadBytes
                      : drops     ? std::min<uint64_t>(clients_.buffer.size(), to_discard_)
                                  : clients_.buffer.size();
  // Bytes that nobody wants need not be copied out of the kernel: see MSG_TRUNC in tcp(7).
  const auto got =
      ::recv(socket_.native_handle(), clients_.buffer.data(), most, MSG_DONTWAIT | (drops ? MSG_TRUNC : 0));
  if (got > 0) return std::string_view(clients_.buffer.data(), static_cast<size_t>(got));
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    wait_readable();
  } else {
    close();
  }
  return std::nullopt;
}

/// True when more bytes are wanted now.
bool Connection::read(std::string_view bytes) {
  if (state_ == State::idle) {
    leave_idle();
    state_ = State::reading;
    parser_ = std::make_unique<RequestParser>(limits_of(clients_.options));
    expire_after(clients_.options.request_timeout);
  }
  for (;;) {
    bytes.remove_prefix(parser_->feed(bytes));
    count_body(parser_->body_bytes());
    switch (parser_->state()) {
      case RequestParser::State::head_ready:
        if (!judge(bytes)) return false;
        parser_->read_body();
        if (parser_->state() == RequestParser::State::body && parser_->expects_continue() && bytes.empty()) {
          invite_body();
          return false;
        }
        break;
      case RequestParser::State::complete:
        rest_ = bytes;
        hand_over();
        return false;
      case RequestParser::State::refused:
        fail(parser_->refusal());
        return false;
      case RequestParser::State::head:
      case RequestParser::State::body:
        if (clients_.body_bytes <= clients_.options.max_bodies_bytes || counted_bytes_ == 0) return true;
        fail({503, "BUSY", "too much is being sent to this server at once"});
        return false;
    }
  }
}

/// Asks whether the request whose head has come is wanted. When not, it is answered and `rest` taken care of.
bool Connection::judge(std::string_view& rest) {
  is_head_request_ = parser_->is_head_request();
  is_http_1_0_ = parser_->is_http_1_0();
  std::optional<Response> refusal;
  try {
    refusal = clients_.admit ? clients_.admit(parser_->head()) : std::nullopt;
  } catch (const std::exception&) {
    refusal = error_response({500, "INTERNAL", "the request could not be judged"});
  }
  if (!refusal) return true;
  if (refusal->status == 503) ++clients_.not_taken;
  // After an answer instead of 100, a client may send the body or not (RFC 9110, 10.1.1): there is no telling.
  const bool ends_with_body = parser_->content_length().value_or(kMostDiscardedBytes + 1) <= kMostDiscardedBytes &&
                              (parser_->content_length() == 0U || !parser_->expects_continue());
  to_discard_ = ends_with_body ? parser_->content_length().value_or(0) : 0;
  const bool is_last = !ends_with_body || !parser_->keeps_alive();
  if (!is_last) rest_ = rest;
  parser_.reset();
  send(std::move(*refusal), is_last);
  return false;
}

/// Reads on once the client has got its "100 Continue", so that two writes never meet.
void Connection::invite_body() {
  is_writing_ = true;
  boost::asio::async_write(socket_, boost::asio::buffer(kContinue),
                           guarded([](Connection& self, const boost::system::error_code& error) {
                             self.is_writing_ = false;
                             if (error) return self.close();
                             self.wait_readable();
                           }));
}

void Connection::hand_over() {
  is_last_ = !parser_->keeps_alive();
  Request request = parser_->take();
  parser_.reset();
  count_body(0);
  state_ = State::handling;
  deadline_ = Clock::time_point::max();
  ticket_ = std::make_shared<Ticket>();
  auto exchange = std::make_shared<ServerExchange>(clients_.io, weak_from_this(), ticket_);
  wait_readable();
  try {
    clients_.handle(std::move(request), std::move(exchange));
  } catch (const std::exception&) {
    // The exchange that it dropped answers for it.
  }
}

void Connection::count_body(size_t bytes) {
  clients_.body_bytes += bytes;
  clients_.body_bytes -= std::exchange(counted_bytes_, bytes);
}

/// While the handler works nothing is read, but a client that goes is seen.
void Connection::watch() {
  switch (look_at(socket_.native_handle())) {
    case Peer::lost:
      return close();
    case Peer::half_closed:
      if (state_ == State::streaming) return close();
      ticket_->is_gone = true;  // an answer would still be sent: the client may have closed its own direction only
      is_last_ = true;
      return;
    case Peer::has_sent:
      // The next request already: waiting for bytes would end at once. A stream's end is seen by its writes.
      if (state_ == State::handling) expire_after(kWatchInterval);
      return;
    case Peer::silent:
      return wait_readable();
  }
}

bool Connection::is_quiet() { return look_at(socket_.native_handle()) != Peer::has_sent; }

// ---- answering ----

void Connection::fail(const Refusal& refusal) {
  ++clients_.refused;
  Response response = error_response(refusal);  // first, for the refusal may be the parser's own
  if (parser_) is_head_request_ = parser_->is_head_request();
  parser_.reset();
  count_body(0);
  send(std::move(response), true);
}

void Connection::answer(const Ticket* ticket, Response response) {
  if (state_ != State::handling || ticket_.get() != ticket) return;
  send(std::move(response), is_last_);
}

void Connection::send(Response response, bool is_last) {
  state_ = State::answering;
  is_last_ = is_last || clients_.is_draining;
  is_writing_ = true;
  head_ = answer_head(response, Framing::length, !is_last_);
  body_ = is_head_request_ || response.status == 204 || response.status == 304 ? "" : std::move(response.body);
  expire_after(clients_.options.request_timeout);
  const std::array<boost::asio::const_buffer, 2> buffers{boost::asio::buffer(head_), boost::asio::buffer(body_)};
  boost::asio::async_write(socket_, buffers, guarded([](Connection& self, const boost::system::error_code& error) {
                             self.is_writing_ = false;
                             if (error) return self.close();
                             self.on_sent();
                           }));
}

void Connection::on_sent() {
  head_ = std::string();
  body_ = std::string();
  ticket_.reset();
  if (is_last_) return linger();
  if (to_discard_ > 0) {
    state_ = State::discarding;
    expire_after(clients_.options.request_timeout);
    const std::string rest = std::exchange(rest_, {});
    if (rest.empty() || discard(rest)) wait_readable();
    return;
  }
  go_on();
}

/// To the next request, which may have come already.
void Connection::go_on() {
  is_head_request_ = false;
  become_idle();
  const std::string rest = std::exchange(rest_, {});
  if (rest.empty() || read(rest)) wait_readable();
}

/// Of a body that nobody wants, or of whatever comes before the client closes. True when more is awaited.
bool Connection::discard(std::string_view bytes) {
  const auto discarded = std::min<uint64_t>(bytes.size(), to_discard_);
  to_discard_ -= discarded;
  if (to_discard_ > 0) return true;
  if (state_ == State::lingering) {
    close();
  } else {
    rest_ = bytes.substr(static_cast<size_t>(discarded));
    go_on();
  }
  return false;
}

/// Closing while bytes are on their way here would make the system take back the answer; so only our direction is
/// closed, until the client closes its own. Source: RFC 9112, section 9.6.
void Connection::linger() {
  state_ = State::lingering;
  rest_ = std::string();
  boost::system::error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  if (error) return close();
  to_discard_ = kMostLingerBytes;
  expire_after(kLingerTime);
  wait_readable();
}

// ---- streams ----

void Connection::begin_stream(const Ticket* ticket, const std::string& type) {
  if (state_ != State::handling || ticket_.get() != ticket) return;
  const Response response{200, type, "", {{"Cache-Control", "no-store"}}};
  if (is_head_request_) {
    ticket_->is_gone = true;
    return send(response, true);
  }
  is_last_ = is_last_ || is_http_1_0_ || clients_.is_draining;
  batch_ = answer_head(response, is_http_1_0_ ? Framing::until_close : Framing::chunked, !is_last_);
  state_ = State::streaming;
  is_finishing_ = false;
  flush();
  if (clients_.is_draining) drain();
}

void Connection::stream(const Ticket* ticket, const std::string& text) {
  if (state_ != State::streaming || ticket_.get() != ticket || is_finishing_ || text.empty()) return;
  if (is_http_1_0_) {
    batch_ += text;
  } else {
    fmt::format_to(std::back_inserter(batch_), "{:x}\r\n{}\r\n", text.size(), text);
  }
  batch_bytes_ += text.size();
  flush();
}

void Connection::finish_stream(const Ticket* ticket) {
  if (state_ != State::streaming || ticket_.get() != ticket || std::exchange(is_finishing_, true)) return;
  if (!is_http_1_0_) batch_ += "0\r\n\r\n";
  flush();
}

void Connection::cut_stream(const Ticket* ticket) {
  if (state_ != State::streaming || ticket_.get() != ticket) return;
  cut();
}

/// Writes all that has gathered; what comes meanwhile is the next batch.
void Connection::flush() {
  if (is_writing_) return;
  if (batch_.empty()) return is_finishing_ ? on_sent() : void();
  is_writing_ = true;
  body_ = std::exchange(batch_, {});
  written_bytes_ = std::exchange(batch_bytes_, 0);
  expire_after(clients_.options.request_timeout);
  boost::asio::async_write(socket_, boost::asio::buffer(body_),
                           guarded([](Connection& self, const boost::system::error_code& error) {
                             self.is_writing_ = false;
                             if (error) return self.close();
                             self.on_flushed();
                           }));
}

void Connection::on_flushed() {
  deadline_ = Clock::time_point::max();
  body_ = std::string();
  ticket_->unsent_bytes -= written_bytes_;
  flush();
}

// ---- ends ----

void Connection::drain() {
  if (state_ == State::idle) return expire_after(kDrainGrace);
  if (state_ != State::streaming) return;
  is_last_ = true;
  ticket_->is_gone = true;  // no more texts
  finish_stream(ticket_.get());
}

void Connection::close() {
  if (std::exchange(state_, State::closed) == State::closed) return;
  if (ticket_) ticket_->is_gone = true;
  leave_idle();
  count_body(0);
  parser_.reset();
  boost::system::error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  --clients_.connections;
  const auto self = std::move(*place_);
  clients_.all.erase(place_);
  clients_.on_leave();
}

/// Closes on a client that is too slow; what the system still holds for it goes too.
void Connection::cut() {
  ++clients_.timeouts;
  const ::linger at_once{1, 0};
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close();
}

void Connection::expire_after(std::chrono::milliseconds time) {
  deadline_ = Clock::now() + time;
  if (deadline_ < alarm_) set_alarm();
}

/// The timer is left alone when the deadline moves on, as it does several times in each request.
void Connection::set_alarm() {
  alarm_ = deadline_;
  timer_.expires_at(alarm_);
  timer_.async_wait(guarded([](Connection& self, const boost::system::error_code& error) {
    if (!error) self.on_alarm();
  }));
}

void Connection::on_alarm() {
  alarm_ = Clock::time_point::max();
  if (deadline_ == Clock::time_point::max()) return;
  if (Clock::now() < deadline_) return set_alarm();
  on_expired();
}

void Connection::on_expired() {
  deadline_ = Clock::time_point::max();
  switch (state_) {
    case State::handling:
      return watch();
    case State::reading:
      ++clients_.timeouts;
      if (is_writing_) return close();
      return fail({408, "TIMEOUT",
                   fmt::format("got no whole request within {}, expected a faster client",
                               duration_text(static_cast<double>(clients_.options.request_timeout.count()) / 1000.0))});
    case State::answering:
    case State::streaming:
    case State::discarding:
      return cut();
    case State::idle:
    case State::lingering:
    case State::closed:
      return close();
  }
}

}  // namespace amae::http

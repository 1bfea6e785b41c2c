#include "http/exchange.h"

#include <exception>
#include <utility>

namespace amae::http {
namespace {

constexpr size_t kMostUnsentBytes = size_t{1} << 20U;

}  // namespace

ServerExchange::ServerExchange(std::shared_ptr<IoThread> io, std::weak_ptr<Connection> connection,
                               std::shared_ptr<Ticket> ticket)
    : io_(std::move(io)), connection_(std::move(connection)), ticket_(std::move(ticket)) {}

ServerExchange::~ServerExchange() {
  try {
    finish();
    if (stage_ == Stage::waiting)
      send({500, "application/json", error_json("INTERNAL", "the request was dropped without an answer")});
  } catch (const std::exception&) {
    // Out of memory: the client gets no answer until it closes.
  }
}

template <class Work>
void ServerExchange::post(Work work) {
  io_->post([connection = connection_, ticket = ticket_, work = std::move(work)]() mutable {
    if (const auto present = connection.lock()) work(*present, ticket.get());
  });
}

void ServerExchange::send(Response response) {
  if (!advance(Stage::waiting, Stage::done)) return;
  post([response = std::move(response)](Connection& connection, const Ticket* ticket) mutable {
    connection.answer(ticket, std::move(response));
  });
}

void ServerExchange::begin_stream(const std::string& type) {
  if (!advance(Stage::waiting, Stage::streaming)) return;
  post([type](Connection& connection, const Ticket* ticket) { connection.begin_stream(ticket, type); });
}

bool ServerExchange::write(std::string text) {
  if (stage_ != Stage::streaming || gone()) return false;
  if (ticket_->unsent_bytes > kMostUnsentBytes) {
    post([](Connection& connection, const Ticket* ticket) { connection.cut_stream(ticket); });
    return false;
  }
  ticket_->unsent_bytes += text.size();
  post([text = std::move(text)](Connection& connection, const Ticket* ticket) { connection.stream(ticket, text); });
  return true;
}

void ServerExchange::finish() {
  if (!advance(Stage::streaming, Stage::done)) return;
  post([](Connection& connection, const Ticket* ticket) { connection.finish_stream(ticket); });
}

}  // namespace amae::http

// What a handler holds of a request. (no LibTorch)
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "http/connection.h"
#include "http/io_thread.h"
#include "http/message.h"

namespace amae::http {

/// Hands everything over to the io thread. It never makes a connection its own, so that the last one to hold a
/// connection is always the io thread.
class ServerExchange : public Exchange {
 public:
  ServerExchange(std::shared_ptr<IoThread> io, std::weak_ptr<Connection> connection, std::shared_ptr<Ticket> ticket);
  ~ServerExchange() override;
  ServerExchange(const ServerExchange&) = delete;
  ServerExchange& operator=(const ServerExchange&) = delete;

  void send(Response response) override;
  [[nodiscard]] bool gone() const override { return ticket_->is_gone; }
  void begin_stream(const std::string& type) override;
  bool write(std::string text) override;
  void finish() override;

 private:
  enum class Stage { waiting, streaming, done };
  bool advance(Stage from, Stage to) { return stage_.compare_exchange_strong(from, to); }
  template <class Work>
  void post(Work work);

  std::shared_ptr<IoThread> io_;
  std::weak_ptr<Connection> connection_;
  std::shared_ptr<Ticket> ticket_;
  std::atomic<Stage> stage_{Stage::waiting};
};

}  // namespace amae::http

// A small trained model, an index over its data, and the server over both, on a port of its own.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/base64.h"
#include "base/log.h"
#include "io/audio.h"
#include "serve/service.h"
#include "task/embed_store.h"
#include "task/finetune.h"
#include "tests/http/client.h"
#include "tests/task/testing.h"

namespace amae {

/// A run of one epoch over synthetic sounds.
class TrainedModel {
 public:
  explicit TrainedModel(const std::string& config = kSmall, const std::vector<std::string>& overrides = {}) {
    log::set_level(log::Level::error);
    Plan plan = configs.plan(config, overrides);
    plan.config.train.epochs = 1;
    finetune(plan, {{"test"}, "cpu"}, [&] { return run(); });
    registry = plan.registry;
    dataset = registry->make_dataset(plan.config.data);
  }
  [[nodiscard]] std::filesystem::path run() const { return configs.path() / "run"; }
  [[nodiscard]] std::string wav(int64_t row) const {
    const auto path = configs.path() / ("clip" + std::to_string(row) + ".wav");
    const Signal signal = dataset->load(row);
    write_wav(path, signal.samples, signal.rate_hz);
    return path.string();
  }
  [[nodiscard]] std::string wav_bytes(int64_t row) const { return read_file(wav(row)); }

  Configs configs;
  std::shared_ptr<const Registry> registry;
  std::unique_ptr<Dataset> dataset;
};

/// The server of options, in threads of this process.
class Served {
 public:
  explicit Served(serve::ServeOptions options) {
    options.http.port = 0;
    options.device = "cpu";
    service_ = std::make_unique<serve::Service>(options, std::vector<std::filesystem::path>{AMAE_BUILD_DIR "/plugins"});
    server_ = std::make_unique<http::Server>(
        options.http, [this](const http::Request& head) { return service_->admit(head); },
        [this](http::Request request, std::shared_ptr<http::Exchange> exchange) {
          service_->handle(std::move(request), std::move(exchange));
        });
    service_->set_counts([this] { return server_->counts(); });
    thread_ = std::jthread([this] { server_->run(); });
  }
  ~Served() {
    server_->stop();
    thread_.join();
    service_.reset();
  }

  [[nodiscard]] uint16_t port() const { return server_->port(); }
  [[nodiscard]] http::Server& server() const { return *server_; }
  [[nodiscard]] serve::Service& service() const { return *service_; }

  /// One request over a connection of its own.
  [[nodiscard]] http::Answer get(const std::string& target) const { return http::Client(port()).get(target); }
  [[nodiscard]] http::Answer post(const std::string& target, const std::string& type, const std::string& body,
                                  const std::string& headers = "") const {
    http::Client client(port());
    client.send("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + type + "\r\n" + headers +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.read_answer();
  }
  [[nodiscard]] nlohmann::json json(const http::Answer& answer, int status = 200) const {
    INFO(answer.body.substr(0, 500));
    REQUIRE(answer.status == status);
    return nlohmann::json::parse(answer.body);
  }

 private:
  std::unique_ptr<serve::Service> service_;
  std::unique_ptr<http::Server> server_;
  std::jthread thread_;
};

}  // namespace amae

// What each route answers.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "http/clip_request.h"
#include "http/server.h"
#include "serve/index_service.h"
#include "serve/predictor.h"
#include "serve/run_service.h"
#include "serve/serve.h"

namespace amae::serve {

/// Thread-safe. Its two first functions are those that http::Server calls; they never block.
class Service {
 public:
  /// Loads model, index and runs. Throws as serve() does.
  Service(const ServeOptions& options, const std::vector<std::filesystem::path>& plugin_path);

  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  std::optional<http::Response> admit(const http::Request& head);
  void handle(http::Request request, std::shared_ptr<http::Exchange> exchange);

  /// What GET /metrics asks of the server.
  void set_counts(std::function<http::ServerCounts()> counts) { counts_ = std::move(counts); }
  /// From now on GET /readyz says 503.
  void begin_draining() { is_draining_ = true; }
  /// "model resnet 3f9a01234567, 10 classes, …" for people.
  [[nodiscard]] std::string about() const;

 private:
  struct Reply;
  struct Slot;
  using Reading = std::function<http::Response(const http::Request&)>;

  [[nodiscard]] std::string route_of(const http::Request& request) const;
  [[nodiscard]] std::optional<http::Response> refused_by_origin(const http::Request& head) const;
  [[nodiscard]] http::Response busy() const;
  std::shared_ptr<Slot> take_slot();

  http::Response read_only(const http::Request& request);
  http::Response item_part(const std::string& path);
  void follow(const http::Request& request, Reply& reply);
  void predict(http::Request request, std::shared_ptr<Reply> reply, std::shared_ptr<Slot> slot,
               std::shared_ptr<ModelOwner::Announced> announced);
  void embed_or_search(http::Request request, std::shared_ptr<Reply> reply, std::shared_ptr<Slot> slot, bool searches);
  [[nodiscard]] Clip clip_of(const http::ClipRequest& request, Timing& timing) const;
  [[nodiscard]] nlohmann::ordered_json model_json() const;
  [[nodiscard]] IndexService& index() const;
  [[nodiscard]] RunService& runs() const;

  ServeOptions options_;
  std::shared_ptr<const Registry> registry_;
  Bundle bundle_;
  nlohmann::ordered_json model_;  // of every answer
  std::string model_page_;        // of GET /v1/model
  torch::Device device_ = torch::kCPU;
  EmbedOptions embed_options_;
  Statistics statistics_;
  std::function<http::ServerCounts()> counts_;
  std::atomic<bool> is_draining_ = false;
  std::atomic<int64_t> in_flight_ = 0;
  std::unique_ptr<FrontEnds> front_ends_;
  std::unique_ptr<IndexService> index_;
  std::unique_ptr<RunService> runs_;
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<ModelOwner> owner_;
  std::unique_ptr<Predictor> predictor_;
};

}  // namespace amae::serve

// Run folders over HTTP: a list, the figures of one, and its events as they come.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "http/message.h"

namespace amae::serve {

/// Thread-safe. Only folders that a look into the runs folder finds are ever opened.
class RunService {
 public:
  /// Throws InputError when `folder` is none.
  explicit RunService(std::filesystem::path folder);
  ~RunService();
  RunService(const RunService&) = delete;
  RunService& operator=(const RunService&) = delete;

  /// {"runs"}: newest first, folds below their run.
  [[nodiscard]] nlohmann::ordered_json list() const;
  /// One with its metrics. Throws InputError (code QUERY) when there is none of that id.
  [[nodiscard]] nlohmann::ordered_json run(const std::string& id) const;
  /// Server-Sent Events: what metrics.jsonl has behind line `after`, then what comes, until the client is gone.
  void follow(const std::string& id, int64_t after, std::shared_ptr<http::Exchange> exchange);

 private:
  struct Follower;
  [[nodiscard]] std::filesystem::path folder_of(const std::string& id) const;
  void look();

  std::filesystem::path folder_;
  std::mutex mutex_;
  std::condition_variable ends_;
  bool is_over_ = false;
  std::list<std::unique_ptr<Follower>> followers_;
  std::jthread thread_;
};

}  // namespace amae::serve

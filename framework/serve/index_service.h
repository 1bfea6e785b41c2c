// The items of an embedding store over HTTP: pages of them, their sounds and pictures, what is near, and a map.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "http/message.h"
#include "index/search_index.h"
#include "task/clips.h"
#include "train/bundle.h"

namespace amae::serve {

/// Thread-safe. Throws InputError for what a request asks wrongly: code QUERY for rows that are not there.
class IndexService {
 public:
  /// Opens and verifies store and index. Throws InputError as `amae search` does; code MODEL when the store is another
  /// model's than `identity` says. `domain`: of its items.
  IndexService(const std::filesystem::path& store, const BundleIdentity& identity, Domain domain,
               const Registry& registry);
  ~IndexService() { is_over_ = true; }
  IndexService(const IndexService&) = delete;
  IndexService& operator=(const IndexService&) = delete;

  [[nodiscard]] const EmbeddingStore& store() const { return *store_; }
  [[nodiscard]] nlohmann::ordered_json about() const;
  [[nodiscard]] nlohmann::ordered_json item(int64_t row) const;
  [[nodiscard]] nlohmann::ordered_json items(int64_t offset, int64_t limit,
                                             const std::vector<std::string>& where) const;
  /// The nearest of a vector [1, D] as the model gives it, or of a row, which is not among them.
  [[nodiscard]] nlohmann::ordered_json nearest_to(const at::Tensor& embedding, int64_t k,
                                                  const std::vector<std::string>& where, int64_t row = -1) const;
  [[nodiscard]] nlohmann::ordered_json nearest_to_row(int64_t row, int64_t k,
                                                      const std::vector<std::string>& where) const;
  /// Signal, sound (FLAC) or picture (PNG) of an item.
  [[nodiscard]] Signal signal(int64_t row) const;
  http::Response audio(int64_t row);
  http::Response picture(int64_t row);
  /// 202 while it is being computed, which the first call begins.
  http::Response map();

 private:
  void check_row(int64_t row) const;
  std::shared_ptr<const PageClip> clip(int64_t row);
  [[nodiscard]] nlohmann::ordered_json compute_map() const;

  std::shared_ptr<const EmbeddingStore> store_;
  bool has_sound_;
  std::unique_ptr<SearchIndex> index_;
  std::mutex clips_mutex_;
  Clips clips_;
  std::list<std::pair<int64_t, std::shared_ptr<const PageClip>>> kept_clips_;  // the last used first
  std::mutex map_mutex_;
  std::string map_;  // JSON, once it is there
  std::optional<http::Response> map_failure_;
  bool map_begun_ = false;
  std::atomic<bool> is_over_ = false;  // the map of a store that nobody will see is given up
  std::jthread map_thread_;
};

}  // namespace amae::serve

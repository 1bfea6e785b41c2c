#include "serve/index_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/stop.h"
#include "base/text.h"
#include "data/threads.h"
#include "http/server.h"
#include "task/neighbours.h"

namespace amae::serve {

using nlohmann::ordered_json;

namespace {

constexpr size_t kKeptClips = 64;
constexpr int64_t kMostMapPoints = 20'000, kMostForUmap = 20'000;
constexpr double kLongestClip_s = 600;  // as an upload has a limit too

/// A number where the cell is one, else null.
ordered_json number_cell(const std::string& cell) {
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value)) return nullptr;
  return value;
}

}  // namespace

IndexService::IndexService(const std::filesystem::path& store, const BundleIdentity& identity, Domain domain,
                           const Registry& registry)
    : store_(std::make_shared<EmbeddingStore>(store)), has_sound_(domain == Domain::audio), clips_(store_, registry) {
  EmbeddingMaker maker = store_->manifest().maker;
  maker.weights = identity.weights;
  maker.pipeline = identity.pipeline;
  if (const std::string difference = maker.difference(store_->manifest().maker); !difference.empty()) {
    throw InputError("MODEL", printable(store.string()), "",
                     difference + " as in the store: it was made by another model than the one to serve");
  }
  index_ = std::make_unique<SearchIndex>(store_);
}

ordered_json IndexService::about() const {
  return {{"rows", store_->rows()},
          {"dimension", store_->dimension()},
          {"metric", index_->description().value("metric", "")},
          {"type", index_->description().at("options").value("type", "")},
          {"columns", store_->items().columns()}};
}

void IndexService::check_row(int64_t row) const {
  if (row >= 0 && row < store_->rows()) return;
  throw InputError("QUERY", "", "/row", fmt::format("got {}, expected 0 to {}", row, store_->rows() - 1));
}

ordered_json IndexService::item(int64_t row) const {
  check_row(row);
  const std::vector<std::string>& names = store_->items().columns();
  const std::vector<std::string> cells = store_->items().cells(row);
  ordered_json json{{"row", row}};
  ordered_json others = ordered_json::object();
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "start" || names[i] == "end") {
      json[names[i] + "_s"] = number_cell(cells[i]);
    } else if (names[i] == "id" || names[i] == "path" || names[i] == "label" || names[i] == "fold") {
      json[names[i]] = cells[i];
    } else if (names[i] != "content") {
      others[names[i]] = cells[i];
    }
  }
  json["columns"] = others;
  json["audio"] = has_sound_ ? ordered_json(fmt::format("/v1/items/{}/audio", row)) : ordered_json(nullptr);
  json["picture"] = fmt::format("/v1/items/{}/picture", row);
  return json;
}

ordered_json IndexService::items(int64_t offset, int64_t limit, const std::vector<std::string>& where) const {
  const Filter filter(where);
  std::vector<int64_t> rows;
  if (!filter.empty()) rows = filter.rows(store_->items());
  const int64_t total = filter.empty() ? store_->rows() : std::ssize(rows);
  ordered_json items = ordered_json::array();
  for (int64_t i = offset; i < std::min(total, offset + limit); ++i)
    items.push_back(item(filter.empty() ? i : rows[static_cast<size_t>(i)]));
  return {{"total", total}, {"offset", offset}, {"items", items}};
}

ordered_json IndexService::nearest_to(const at::Tensor& embedding, int64_t k, const std::vector<std::string>& where,
                                      int64_t row) const {
  const at::Tensor prepared = index_->prepared(embedding, "embedding");
  const Filter filter(where);
  std::vector<int64_t> among;
  if (!filter.empty()) {
    among = filter.rows(store_->items());
    std::erase(among, row);
    if (among.empty())
      throw InputError("QUERY", "", "/where", "got no other row that fulfils " + printable(filter.text()));
  }
  const int64_t there = filter.empty() ? index_->rows() - (row >= 0 ? 1 : 0) : std::ssize(among);
  const int64_t wanted = std::min(k, there);  // a page asks for ten, however few there are
  ordered_json hits = ordered_json::array();
  if (wanted > 0) {
    const bool may_find_itself = filter.empty() && row >= 0;
    const auto found = index_->search(prepared, wanted + (may_find_itself ? 1 : 0), filter.empty() ? nullptr : &among);
    for (const Hit& hit : found[0]) {
      if (hit.row == row || std::ssize(hits) == wanted) continue;
      ordered_json json = item(hit.row);
      json["score"] = hit.score;
      hits.push_back(std::move(json));
    }
  }
  return {{"metric", index_->description().value("metric", "")},
          {"more_is_nearer", index_->more_is_nearer()},
          {"hits", hits}};
}

ordered_json IndexService::nearest_to_row(int64_t row, int64_t k, const std::vector<std::string>& where) const {
  check_row(row);
  return nearest_to(store_->vectors(row, 1), k, where, row);
}

Signal IndexService::signal(int64_t row) const {
  check_row(row);
  return clips_.signal(row, kLongestClip_s);
}

std::shared_ptr<const PageClip> IndexService::clip(int64_t row) {
  check_row(row);
  const std::lock_guard lock(clips_mutex_);
  const auto found =
      std::find_if(kept_clips_.begin(), kept_clips_.end(), [&](const auto& entry) { return entry.first == row; });
  if (found != kept_clips_.end()) {
    kept_clips_.splice(kept_clips_.begin(), kept_clips_, found);
  } else {
    kept_clips_.emplace_front(row, std::make_shared<const PageClip>(clips_.of_row(row)));
    if (kept_clips_.size() > kKeptClips) kept_clips_.pop_back();
  }
  return kept_clips_.front().second;
}

http::Response IndexService::audio(int64_t row) {
  const auto found = clip(row);
  if (found->audio.empty()) throw InputError("DATA", found->id, "", found->note.empty() ? "has no sound" : found->note);
  return {200, found->audio_type, found->audio, {{"Cache-Control", "private, max-age=3600"}}};
}

http::Response IndexService::picture(int64_t row) {
  const auto found = clip(row);
  if (found->picture.empty()) throw InputError("DATA", found->id, "", found->note);
  return {200, "image/png", found->picture, {{"Cache-Control", "private, max-age=3600"}}};
}

ordered_json IndexService::compute_map() const {
  const int64_t rows = store_->rows();
  MapOptions options;
  options.method = rows >= 4 && rows <= kMostForUmap ? "umap" : "pca";
  const at::Tensor places = map_store(*store_, {}, options,
                                      [this](int64_t, int64_t) {
                                        if (is_over_) throw Stopped();
                                      })
                                .to(at::kFloat)
                                .contiguous();
  const StoreLabels labels = labels_of(store_->items());
  const int64_t shown = std::min(rows, kMostMapPoints);
  const size_t id = store_->items().column("id");
  ordered_json points = ordered_json::array(), ids = ordered_json::array();
  const float* place = places.const_data_ptr<float>();
  for (int64_t i = 0; i < shown; ++i) {
    const int64_t row = i * rows / shown;
    points.push_back({place[2 * row], place[2 * row + 1], labels.of_row[static_cast<size_t>(row)], row});
    ids.push_back(store_->items().cell(row, id));
  }
  return {{"method", options.method},  {"rows", rows},
          {"classes", labels.classes}, {"columns", store_->items().columns()},
          {"points", points},          {"ids", ids}};
}

http::Response IndexService::map() {
  const std::lock_guard lock(map_mutex_);
  if (!map_.empty()) return {200, "application/json", map_};
  if (map_failure_) return *map_failure_;
  if (!map_begun_) {
    map_begun_ = true;
    map_thread_ = std::jthread([this] {
      use_one_core_in_this_thread();
      http::Response failure;
      std::string made;
      try {
        made = compute_map().dump(-1, ' ', false, ordered_json::error_handler_t::replace);
      } catch (const Error& error) {
        failure = {422, "application/json", http::error_json(error.problems()[0].code, error.problems()[0].message)};
      } catch (const std::exception& error) {
        failure = {500, "application/json", http::error_json("INTERNAL", error.what())};
      }
      const std::lock_guard done(map_mutex_);
      map_ = made;
      if (made.empty()) map_failure_ = failure;
    });
  }
  return {202, "application/json", "{\"state\": \"computing\"}\n", {{"Retry-After", "1"}}};
}

}  // namespace amae::serve

// Making and updating STORE/index.bin.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "amae/draw.h"
#include "amae/error.h"
#include "base/hash.h"
#include "base/stop.h"
#include "base/text.h"
#include "index/index_file.h"
#include "index/search_index.h"

namespace amae {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr int64_t kRowsAtOnce = 65536;     // that are read, post-processed and added
constexpr int64_t kRowsToFit = 100'000;    // that post-processing is fitted on
constexpr int64_t kPointsOfCluster = 256;  // for training: FAISS itself takes no more
constexpr double kMostChange = 0.25;       // of the rows since all was fitted, beyond which clusters would be stale
constexpr uint32_t kSampleStream = 0x1D;   // of Draw

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

json options_json(const IndexOptions& o) {
  const bool is_hnsw = o.factory.empty() && o.type == "hnsw", is_ivf = o.factory.empty() && o.type.starts_with("ivf");
  json told{{"type", o.factory.empty() ? o.type : "factory"}, {"metric", o.metric}, {"seed", o.seed}};
  if (!o.factory.empty()) told["factory"] = o.factory;
  if (o.metric == "cosine")
    told["post"] = {{"centre", o.post.centre}, {"pca", o.post.pca}, {"whiten", o.post.whiten}, {"l2", o.post.l2}};
  if (is_hnsw) told.update({{"links", o.links}, {"ef_construction", o.ef_construction}});
  if (is_ivf) told["lists"] = o.lists;
  if (o.factory.empty() && o.type == "ivf_pq") told["code_bytes"] = o.code_bytes;
  return told;
}

std::string factory_of(const IndexOptions& o, int64_t width, int64_t rows) {
  if (!o.factory.empty()) return o.factory;
  if (o.type == "flat") return "Flat";
  if (o.type == "hnsw") return fmt::format("HNSW{},Flat", o.links);
  const auto root = static_cast<int64_t>(4 * std::sqrt(static_cast<double>(rows)));
  const int64_t lists = o.lists > 0 ? o.lists : std::clamp<int64_t>(root, 1, std::max<int64_t>(1, rows / 39));
  if (o.type == "ivf_flat") return fmt::format("IVF{},Flat", lists);
  int64_t bytes = o.code_bytes > 0 ? o.code_bytes : std::max<int64_t>(1, width / 4);
  while (o.code_bytes == 0 && width % bytes != 0) --bytes;  // each byte stands for as many numbers
  return fmt::format("IVF{},PQ{}np", lists, bytes);
}

/// What a row is; it keeps its place in the index as long as this stays the same.
std::vector<int64_t> keys_of(const Items& items) {
  const size_t id = items.column("id"), start = items.column("start"), end = items.column("end"),
               content = items.column("content");
  std::vector<int64_t> keys;
  for (int64_t row = 0; row < items.rows(); ++row) {
    const std::vector<std::string> cells = items.cells(row);
    const std::string text = cells[id] + '\n' + cells[start] + '\n' + cells[end] + '\n' + cells[content];
    keys.push_back(static_cast<int64_t>(xxh3_key(text)));
  }
  return keys;
}

/// What the vectors are a function of, beside their items.
std::string maker_text(const EmbeddingMaker& m) {
  return fmt::format("{} {} {} {} {} {} {}", m.weights, m.pipeline, m.type, m.pooling, m.chunk_s, m.hop_s,
                     m.timestamps);
}

/// At most `most` rows, ascending: all, or a draw.
std::vector<int64_t> sample_rows(int64_t rows, int64_t most, int64_t seed) {
  std::vector<int64_t> sample(static_cast<size_t>(rows));
  for (int64_t i = 0; i < rows; ++i) sample[static_cast<size_t>(i)] = i;
  if (rows <= most) return sample;
  sample = Draw(static_cast<uint64_t>(seed), 0, 0, kSampleStream).permutation(rows);
  sample.resize(static_cast<size_t>(most));
  std::sort(sample.begin(), sample.end());
  return sample;
}

class Builder {
 public:
  Builder(const EmbeddingStore& store, const IndexOptions& options,
          const std::function<void(int64_t, int64_t)>& progress)
      : store_(store), options_(options), progress_(progress), keys_(keys_of(store.items())) {}

  IndexChange run(bool afresh) {
    change_.reason = afresh ? "asked for" : reason_to_rebuild();
    change_.rebuilt = !change_.reason.empty();
    if (change_.rebuilt) {
      make();
    } else if (change_.added == 0 && change_.removed == 0 && old_store_ == store_.id() &&
               (effort_asked() == 0 || effort_asked() == parts_.effort)) {
      return change_;  // nothing to do
    } else {
      update();
    }
    write();
    return change_;
  }

 private:
  /// Why the old index cannot be updated; if it can, the changes are in the members.
  std::string reason_to_rebuild() {
    std::error_code ignored;
    if (!fs::exists(store_.folder() / kStoreIndexFile, ignored)) return "there was none";
    try {
      old_ = open_index_file(store_.folder());
      old_->verify();
      parts_ = read_index_parts(*old_);
    } catch (const InputError& error) {
      return "the old one is damaged: " + error.problems().front().message;
    }
    const json& told = old_->description();
    old_store_ = told.value("store", "");
    if (told.value("options", json()) != options_json(options_)) return "its options are others";
    if (told.value("maker", "") != maker_text(store_.manifest().maker) ||
        told.value("dimension", int64_t{0}) != store_.dimension())
      return "the old one is of vectors that were made in another way";

    std::unordered_multimap<int64_t, int64_t> old_ids;  // by key; equal keys are equal items
    for (size_t i = 0; i < parts_.keys.size(); ++i) old_ids.emplace(parts_.keys[i], parts_.ids[i]);
    std::vector<int64_t> ids(keys_.size(), -1);
    for (size_t row = 0; row < keys_.size(); ++row) {
      if (const auto found = old_ids.find(keys_[row]); found != old_ids.end()) {
        ids[row] = found->second;
        old_ids.erase(found);
      } else {
        new_rows_.push_back(static_cast<int64_t>(row));
      }
    }
    for (const auto& [key, id] : old_ids) gone_.push_back(id);
    std::sort(gone_.begin(), gone_.end());
    change_.added = std::ssize(new_rows_);
    change_.removed = std::ssize(gone_);
    change_.kept = store_.rows() - change_.added;
    changed_ = told.value("changed_rows", int64_t{0}) + change_.added + change_.removed;
    if (static_cast<double>(changed_) > kMostChange * static_cast<double>(store_.rows()))
      return "more than a quarter of the rows changed since its last build";
    try {
      index_.emplace(FaissIndex::read(*old_, parts_.faiss_offset, parts_.faiss_bytes, /*mapped=*/false));
    } catch (const InputError& error) {  // of another FAISS, maybe
      return error.problems().front().message;
    }
    if (!gone_.empty() && !index_->can_remove()) return "its type cannot remove rows";
    parts_.ids = std::move(ids);
    return "";
  }

  void make() {
    const auto begin = std::chrono::steady_clock::now();
    const int64_t rows = store_.rows();
    if (rows == 0) {
      throw InputError("INDEX", printable(store_.folder().string()), "",
                       "got a store without rows, expected at least one to index");
    }
    change_.added = rows;
    change_.removed = std::ssize(parts_.keys);
    change_.kept = 0;
    changed_ = 0;
    parts_ = {};
    parts_.metric = options_.metric == "l2" ? VectorMetric::l2 : VectorMetric::inner_product;
    if (options_.metric == "cosine")
      parts_.post = PostProcess::fit(options_.post, store_.vectors(sample_rows(rows, kRowsToFit, options_.seed)));
    width_ = parts_.post.width(store_.dimension());
    factory_ = factory_of(options_, width_, rows);
    index_.emplace(width_, factory_, parts_.metric);
    index_->set_build_effort(options_.ef_construction);
    const std::string effort = index_->effort_name();
    constexpr int64_t kEfSearch = 64, kProbes = 16;
    parts_.effort = effort.empty() ? 0 : effort_asked() > 0 ? effort_asked() : effort == "probes" ? kProbes : kEfSearch;
    if (effort == "probes") parts_.effort = std::min(parts_.effort, index_->most_effort());
    if (!index_->is_trained()) {
      const int64_t clusters = effort == "probes" ? index_->most_effort() : 0;
      const int64_t most = std::max(kRowsToFit, kPointsOfCluster * clusters);
      const at::Tensor sample = parts_.post(store_.vectors(sample_rows(rows, most, options_.seed)));
      index_->train(sample.const_data_ptr<float>(), sample.size(0));
    }
    change_.train_s = seconds_since(begin);
    new_rows_ = sample_rows(rows, rows, 0);
    parts_.ids.assign(static_cast<size_t>(rows), -1);
    add_new();
  }

  /// ef_search or probes where the options say one.
  [[nodiscard]] int64_t effort_asked() const {
    const std::string name = index_ ? index_->effort_name() : "";
    const int64_t asked = name == "ef_search" ? options_.ef_search : name == "probes" ? options_.probes : 0;
    return asked > 0 ? std::min(asked, index_->most_effort()) : 0;
  }

  void update() {
    if (effort_asked() > 0) parts_.effort = effort_asked();
    factory_ = old_->description().at("factory");
    width_ = parts_.post.width(store_.dimension());
    if (!gone_.empty()) index_->remove(gone_);
    if (index_->size() != change_.kept) {  // some types say nothing and keep them
      change_.rebuilt = true;
      change_.reason = "its type cannot remove rows";
      make();
      return;
    }
    const json& told = old_->description();
    if (told.contains("tuned") && told.at("effort") == parts_.effort) tuned_ = told.at("tuned");
    add_new();
  }

  void add_new() {
    const auto begin = std::chrono::steady_clock::now();
    const int64_t total = std::ssize(new_rows_);
    // HNSW searches what is there for each new row; small pieces let a stop signal through at little cost.
    for (int64_t done = 0; done < total;) {
      throw_if_stopped();
      const int64_t count = std::min(kRowsAtOnce, total - done);
      const std::vector<int64_t> rows(new_rows_.begin() + done, new_rows_.begin() + done + count);
      std::vector<int64_t> ids;
      for (const int64_t row : rows) ids.push_back(parts_.ids[static_cast<size_t>(row)] = parts_.next_id++);
      const at::Tensor x = parts_.post(store_.vectors(rows));
      index_->add(x.const_data_ptr<float>(), count, ids);
      done += count;
      if (progress_) progress_(done, total);
    }
    change_.add_s = seconds_since(begin);
  }

  void write() {
    const auto begin = std::chrono::steady_clock::now();
    if (index_->size() != store_.rows())
      throw std::logic_error(fmt::format("index: got {} rows, expected {}", index_->size(), store_.rows()));
    parts_.keys = keys_;
    json told{{"store", store_.id()},
              {"maker", maker_text(store_.manifest().maker)},
              {"rows", store_.rows()},
              {"changed_rows", changed_},
              {"dimension", store_.dimension()},
              {"width", width_},
              {"metric", options_.metric},
              {"post", parts_.post.text()},
              {"factory", factory_},
              {"effort_name", index_->effort_name()},
              {"options", options_json(options_)}};
    if (!tuned_.is_null()) told["tuned"] = tuned_;
    write_index_file(store_.folder(), parts_, *index_, std::move(told));
    change_.write_s = seconds_since(begin);
  }

  const EmbeddingStore& store_;
  const IndexOptions& options_;
  const std::function<void(int64_t, int64_t)>& progress_;
  std::vector<int64_t> keys_;
  IndexChange change_;
  std::unique_ptr<SealedFile> old_;
  std::string old_store_, factory_;
  json tuned_;  // what `tune` found, where it still holds
  int64_t width_ = 0;
  IndexParts parts_;
  std::optional<FaissIndex> index_;
  int64_t changed_ = 0;                   // rows that came or went since all was fitted
  std::vector<int64_t> new_rows_, gone_;  // rows of the store; ids in the index
};

}  // namespace

IndexChange build_index(const EmbeddingStore& store, const IndexOptions& options, bool afresh,
                        const std::function<void(int64_t, int64_t)>& progress) {
  return Builder(store, options, progress).run(afresh);
}

IndexOptions options_of_index(const json& description) {
  const json told = description.value("options", json::object());
  IndexOptions options;
  const std::string type = told.value("type", options.type);
  if (type != "factory") options.type = type;
  options.factory = told.value("factory", "");
  options.metric = told.value("metric", options.metric);
  options.seed = told.value("seed", options.seed);
  options.links = told.value("links", options.links);
  options.ef_construction = told.value("ef_construction", options.ef_construction);
  options.lists = told.value("lists", options.lists);
  options.code_bytes = told.value("code_bytes", options.code_bytes);
  if (const auto post = told.find("post"); post != told.end()) {
    options.post = {post->value("centre", options.post.centre), post->value("pca", options.post.pca),
                    post->value("whiten", options.post.whiten), post->value("l2", options.post.l2)};
  }
  return options;
}

json describe_index(const fs::path& folder) {
  const auto file = open_index_file(folder);
  json told = file->description();
  told.erase("tensors");
  told["bytes"] = kSealedPage + file->payload_bytes();
  return told;
}

void keep_effort(const fs::path& folder, const json& measured, int64_t effort, const json& why) {
  const auto file = open_index_file(folder);
  if (file->description() != measured)
    file->refuse("got another index than the one that was measured: it was replaced meanwhile");
  file->verify();
  IndexParts parts = read_index_parts(*file);
  parts.effort = effort;
  json told = file->description();
  for (const char* key : {"tensors", "faiss", "xxh3"}) told.erase(key);
  told["tuned"] = why;
  // Read and written again by FAISS: the vectors' place on a cache line depends on what stands before them.
  const FaissIndex index = FaissIndex::read(*file, parts.faiss_offset, parts.faiss_bytes, /*mapped=*/false);
  write_index_file(folder, parts, index, std::move(told));
}

}  // namespace amae

#include "task/embed_store.h"

#include <fmt/format.h>

#include <mutex>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/hash.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"
#include "data/threads.h"
#include "index/partial_rows.h"
#include "task/data_target.h"
#include "task/session.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

constexpr const char* kWholePooling = "whole item";
constexpr const char* kMeanPooling = "mean over chunks, weighted by duration";

/// The id of one chunk: a media fragment (W3C Media Fragments URI 1.0, section 4.2.1).
std::string chunk_id(const std::string& item, double start_s, double end_s) {
  return fmt::format("{}#t={},{}", item, number_text(start_s), number_text(end_s));
}

class Update {
 public:
  Update(const EmbedRequest& request, const EmbedSource& source, const std::vector<fs::path>& plugin_path)
      : request_(request), source_(source), plugin_path_(plugin_path) {}

  EmbedReport run() {
    identity_ = bundle_identity(request_.bundle);
    refuse_other_files();
    const PartialLock lock(partial_folder());
    remove_leftovers();
    open_old();
    settle_options();
    refuse_other_rows();
    read_contents();
    find_missing();
    if (!missing_.empty()) compute();
    if (assemble()) lock.remove();
    return std::move(report_);
  }

 private:
  struct Place {
    int64_t row = 0, count = 0;  ///< within the old store
  };

  void open_old() {
    if (!is_store(request_.store)) return;
    try {
      old_maker_ = read_manifest(request_.store).maker;  // guards what is there even when the rest is damaged
      old_ = std::make_unique<EmbeddingStore>(request_.store);
    } catch (const InputError& error) {
      const Problem& problem = error.problems().front();
      // Damage is mended; a newer amae's store, or one that we may not read, is not ours to replace.
      if (problem.field == "format" || problem.message.starts_with("cannot open")) throw;
      log::warning("{}; the store is made anew", problem.line());
    }
  }

  /// The folder is replaced as a whole: nothing but a store may be in it.
  void refuse_other_files() const {
    std::error_code ignored;
    if (!fs::exists(request_.store, ignored)) return;
    const auto refuse = [&](const std::string& message) {
      throw InputError("STORE", printable(request_.store.string()), "", message);
    };
    if (!fs::is_directory(request_.store, ignored)) refuse("got a file, expected a store's folder, or nothing there");
    for (const auto& entry : fs::directory_iterator(request_.store, ignored)) {
      const std::string name = entry.path().filename().string();
      const bool is_ours =
          name == kStoreManifest || name == kStoreVectors || name == kStoreItems || name.starts_with(kStoreIndexFile);
      if (!is_ours)
        refuse(
            fmt::format("holds {}, expected nothing but a store: the folder is replaced as a whole", printable(name)));
    }
  }

  /// What is not given is taken from the store, else from the bundle.
  void settle_options() {
    options_ = request_.options;
    const EmbeddingMaker* old = old_maker_ ? &*old_maker_ : nullptr;
    const bool same_model = old != nullptr && old->weights == identity_.weights && old->pipeline == identity_.pipeline;
    if (same_model && !request_.rebuild) {
      if (options_.chunk_s == 0 && options_.hop_s == 0) options_.hop_s = old->hop_s;
      if (options_.chunk_s == 0) options_.chunk_s = old->chunk_s;
    } else if (options_.chunk_s == 0) {
      load();
      options_.chunk_s = chunk_length(*bundle_, *registry_);
    }
    if (options_.hop_s == 0) options_.hop_s = options_.chunk_s;
    maker_ = {
        identity_.weights, identity_.pipeline, options_.type,      options_.chunk_s > 0 ? kMeanPooling : kWholePooling,
        options_.chunk_s,  options_.hop_s,     options_.timestamps};
    report_.chunk_s = options_.chunk_s;
    report_.hop_s = options_.hop_s;
    if (old == nullptr) return;
    const std::string difference = maker_.difference(*old);
    if (difference.empty()) return;
    if (!request_.rebuild) {
      throw InputError("STORE", printable(request_.store.string()), "",
                       fmt::format("{} as in the vectors that are there; take another --out, or --rebuild to replace "
                                   "them",
                                   difference));
    }
    log::info("embed  all anew: {}", difference);
    old_.reset();
  }

  /// What a run cut short left is hours of work, maybe.
  void refuse_other_rows() const {
    if (request_.rebuild || !PartialRows::has_other(partial_folder(), rows_maker())) return;
    throw InputError("STORE", printable(partial_folder().string()), "",
                     "got vectors of a run cut short that another model or other options made, expected those of this "
                     "one; go on with what made them, or drop them by --rebuild");
  }

  [[nodiscard]] std::string rows_maker() const {
    return fmt::format("{}\n{}\nchunk {} hop {} timestamps {}\n", maker_.weights, maker_.pipeline, maker_.chunk_s,
                       maker_.hop_s, maker_.timestamps);
  }

  void load() {
    if (bundle_) return;
    registry_ = load_registry(plugin_path_);
    bundle_ = std::make_unique<Bundle>(load_bundle(request_.bundle, *registry_));
  }

  void read_contents() {
    const int64_t total = source_.size();
    contents_.resize(static_cast<size_t>(total));
    std::mutex mutex;
    std::map<int64_t, std::vector<Problem>> failed;
    Progress progress("hash", total);
    parallel_rows(
        total, data_threads(),
        [&](int64_t number) {
          try {
            contents_[static_cast<size_t>(number)] = source_.content(number);
          } catch (const InputError& error) {
            const std::lock_guard lock(mutex);
            failed[number] = error.problems();
          }
        },
        [&](int64_t done, int64_t /*total*/) { progress.update(done); });
    for (const auto& [number, problems] : failed)
      report_.problems.insert(report_.problems.end(), problems.begin(), problems.end());
  }

  /// Items whose vectors are neither in the store nor beside it.
  void find_missing() {
    if (old_) {
      const Items& items = old_->items();
      const size_t id = items.column("id"), content = items.column("content");
      for (int64_t row = 0; row < items.rows(); ++row) {
        const std::vector<std::string> cells = items.cells(row);
        const std::string item = item_id(cells[id], maker_.timestamps);
        Place& place = places_.try_emplace(key(item, cells[content]), Place{row, 0}).first->second;
        ++place.count;
        old_ids_.insert(xxh3_key(item));
      }
      report_.dimension = old_->dimension();
    }
    std::unordered_set<uint64_t> seen;
    for (int64_t number = 0; number < source_.size(); ++number) {
      const std::string& content = contents_[static_cast<size_t>(number)];
      if (content.empty()) continue;
      const std::string id = source_.item(number).id;
      if (!seen.insert(xxh3_key(id)).second)
        throw InputError("STORE", printable(id), "id", "got two items of this id, expected each once");
      if (!places_.contains(key(id, content))) missing_.push_back(number);
    }
  }

  void compute() {
    load();
    report_.dimension = bundle_->model->encoder().width();
    const torch::Device device = pick_device(request_.device);
    bundle_->model->to(device);
    partial_ = std::make_unique<PartialRows>(partial_folder(), rows_maker(), report_.dimension);
    std::vector<int64_t> numbers;
    for (const int64_t number : missing_) {
      if (partial_->has(source_.item(number).id, contents_[static_cast<size_t>(number)])) {
        ++report_.resumed;
      } else {
        numbers.push_back(number);
      }
    }
    if (numbers.empty()) return;
    const EmbedCount count =
        embed_items(*bundle_, *registry_, source_, numbers, options_, device, [&](const EmbeddedItem& item) {
          partial_->add(source_.item(item.number).id, contents_[static_cast<size_t>(item.number)], item.start_s,
                        item.end_s, item.vectors.contiguous().const_data_ptr<float>());
        });
    report_.computed = count.items;
    report_.chunks = count.chunks;
    report_.problems.insert(report_.problems.end(), count.problems.begin(), count.problems.end());
  }

  /// What a killed process left beside the store; the lock is held, so none is at work.
  void remove_leftovers() const {
    std::error_code ignored;
    const fs::path target = store_folder();
    for (const auto& entry : fs::directory_iterator(target.parent_path(), ignored)) {
      if (entry.path().filename().string().starts_with(target.filename().string() + ".tmp-"))
        fs::remove_all(entry.path(), ignored);
    }
  }

  [[nodiscard]] static uint64_t key(const std::string& id, const std::string& content) {
    return xxh3_key(id + '\n' + content);
  }

  /// The rows of an item: from beside the store, or from the old one.
  [[nodiscard]] std::optional<ItemRows> rows_of(const std::string& id, const std::string& content) const {
    if (partial_) {
      if (auto rows = partial_->find(id, content)) return rows;
    }
    const auto found = places_.find(key(id, content));
    if (found == places_.end()) return std::nullopt;
    const Place place = found->second;
    const Items& items = old_->items();
    const size_t start = items.column("start"), end = items.column("end");
    ItemRows rows;
    for (int64_t row = place.row; row < place.row + place.count; ++row) {
      rows.start_s.push_back(number_of(items.cell(row, start)));
      rows.end_s.push_back(number_of(items.cell(row, end)));
    }
    const at::Tensor vectors = old_->vectors(place.row, place.count).contiguous();
    rows.vectors.assign(vectors.const_data_ptr<float>(), vectors.const_data_ptr<float>() + vectors.numel());
    return rows;
  }

  /// Lines of items.csv for an item.
  [[nodiscard]] std::vector<std::vector<std::string>> lines_of(const EmbedItem& item, const std::string& content,
                                                               const std::vector<double>& start_s,
                                                               const std::vector<double>& end_s) const {
    std::vector<std::vector<std::string>> lines;
    for (size_t i = 0; i < start_s.size(); ++i) {
      std::vector<std::string>& cells = lines.emplace_back();
      cells = {maker_.timestamps ? chunk_id(item.id, start_s[i], end_s[i]) : item.id,
               item.path,
               item.label,
               item.fold,
               number_text(start_s[i]),
               number_text(end_s[i]),
               content};
      cells.insert(cells.end(), item.cells.begin(), item.cells.end());
    }
    return lines;
  }

  /// Everything that can be told, in the order of the source; into the store when that makes a difference. False when
  /// there was nothing at all.
  bool assemble() {
    int64_t rows = 0, still_there = 0;  // the latter: items of the old store, changed or not
    std::vector<int64_t> numbers;
    bool same = old_ && old_->manifest().bundle == printable(bundle_path()) &&
                old_->manifest().bundle_id == identity_.id && old_->manifest().data == source_.data();
    if (same) {
      std::vector<std::string> columns = item_columns();
      columns.insert(columns.end(), source_.columns().begin(), source_.columns().end());
      same = columns == old_->items().columns();
    }
    for (int64_t number = 0; number < source_.size(); ++number) {
      const std::string& content = contents_[static_cast<size_t>(number)];
      if (content.empty()) continue;
      const EmbedItem item = source_.item(number);
      if (const auto found = places_.find(key(item.id, content)); found != places_.end()) {
        ++report_.kept;
        const Place place = found->second;
        for (int64_t i = 0; same && i < place.count; ++i) {
          same = place.row == rows;
          if (!same) break;
          const std::vector<std::string> cells = old_->items().cells(place.row + i);
          same = lines_of(item, content, {number_of(cells[4])}, {number_of(cells[5])}).front() == cells;
        }
        rows += place.count;
      } else if (const auto found_rows = partial_ ? partial_->find(item.id, content) : std::nullopt) {
        rows += std::ssize(found_rows->start_s);
        same = false;
      } else {
        continue;  // could not be embedded
      }
      numbers.push_back(number);
      still_there += old_ids_.contains(xxh3_key(item.id)) ? 1 : 0;
    }
    report_.items = std::ssize(numbers);
    report_.rows = rows;
    report_.removed = std::ssize(old_ids_) - still_there;
    if (numbers.empty()) {
      if (report_.problems.empty()) {
        throw InputError("STORE", printable(request_.store.string()), "",
                         "got nothing to embed, expected at least one item");
      }
      return false;  // each is told
    }
    report_.changed = !(same && rows == old_->rows());
    if (report_.changed) write(numbers, rows);
    return true;
  }

  /// Absolute, without a slash at its end; of a link, where it leads.
  [[nodiscard]] fs::path store_folder() const {
    std::error_code error;
    if (fs::path target = fs::canonical(request_.store, error); !error) return target;
    fs::path folder = fs::absolute(request_.store).lexically_normal();
    return folder.has_filename() ? folder : folder.parent_path();
  }
  [[nodiscard]] fs::path partial_folder() const { return store_folder() += ".partial"; }

  [[nodiscard]] std::string bundle_path() const { return fs::absolute(request_.bundle).lexically_normal().string(); }

  void write(const std::vector<int64_t>& numbers, int64_t rows) {
    StoreManifest manifest{maker_, bundle_path(), identity_.id, source_.data(), rows, report_.dimension};
    EmbeddingWriter writer(store_folder(), std::move(manifest), source_.columns());
    for (const int64_t number : numbers) {
      const EmbedItem item = source_.item(number);
      const std::string& content = contents_[static_cast<size_t>(number)];
      const auto found = rows_of(item.id, content);
      if (!found) throw std::logic_error("embed: an item's vectors got lost");
      size_t i = 0;
      for (const auto& cells : lines_of(item, content, found->start_s, found->end_s))
        writer.add(cells, found->vectors.data() + static_cast<int64_t>(i++) * report_.dimension);
    }
    writer.commit();
  }

  const EmbedRequest& request_;
  const EmbedSource& source_;
  const std::vector<fs::path>& plugin_path_;
  BundleIdentity identity_;
  EmbedOptions options_;
  EmbeddingMaker maker_;
  std::shared_ptr<const Registry> registry_;
  std::unique_ptr<Bundle> bundle_;  // only when something must be computed
  std::optional<EmbeddingMaker> old_maker_;
  std::unique_ptr<EmbeddingStore> old_;         // whole, and of this maker
  std::unordered_map<uint64_t, Place> places_;  // items of the old store, by id and content
  std::unordered_set<uint64_t> old_ids_;        // of its items
  std::vector<std::string> contents_;           // of each item; empty: cannot be read
  std::vector<int64_t> missing_;
  std::unique_ptr<PartialRows> partial_;
  EmbedReport report_;
};

}  // namespace

EmbedReport update_store(const EmbedRequest& request, const EmbedSource& source,
                         const std::vector<fs::path>& plugin_path) {
  return Update(request, source, plugin_path).run();
}

}  // namespace amae

#include "data/cache.h"

#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "amae/version.h"
#include "base/folders.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "data/cache_store.h"
#include "data/load_row.h"
#include "data/threads.h"

namespace amae {
namespace fs = std::filesystem;

void CacheOptions::describe(Fields& f) {
  f.add("mode", mode, "where the output of the deterministic transforms is kept")
      .choices({"auto", "ram", "disk", "off"});
  f.add("ram_limit", ram_limit, "auto uses a mapped file above this size").unit("bytes").min(0);
  f.add("folder", folder, "folder of mapped files; empty: $AMAE_CACHE, else the user's cache folder").path();
}

namespace {

/// All that the numbers depend on: the front's transforms with versions and options, the library that computes, every
/// row's content. Time stamps and paths are no part of it.
std::string key_of(const Dataset& dataset, const Pipeline& pipeline, const std::vector<int64_t>& shape) {
  std::string text = fmt::format("amae feature cache 2, LibTorch {}\n{}\n{} at {} Hz\n", TORCH_VERSION,
                                 pipeline.front_key(), fmt::join(shape, ","), pipeline.front_output().rate_hz);
  for (int64_t row = 0; row < dataset.size(); ++row) text += row_hash(dataset, row) + "\n";
  return sha256_hex(text).substr(0, 32);
}

/// The entry when it is there, whole and of that size; null when it has to be computed.
std::unique_ptr<CacheEntry> find_entry(const fs::path& path, size_t payload) {
  std::string problem;
  auto entry = CacheEntry::open(path, problem);
  if (entry && entry->payload_bytes() != payload) {
    problem = fmt::format("holds {} bytes of numbers, expected {}", entry->payload_bytes(), payload);
    entry.reset();
  }
  if (!problem.empty()) log::warning("cache entry {} {}; it is computed anew", path.string(), problem);
  return entry;
}

int64_t elements(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

}  // namespace

FeatureCache::~FeatureCache() = default;

FeatureCache::FeatureCache(std::shared_ptr<const Dataset> dataset, std::shared_ptr<const Pipeline> pipeline,
                           const CacheOptions& options, int threads, const Progress& progress,
                           const std::string& data_text, Origin origin)
    : dataset_(std::move(dataset)), origin_(std::move(origin)), pipeline_(std::move(pipeline)), kind_(options.mode) {
  const Spec& spec = pipeline_->front_output();
  std::vector<int64_t> shape = {dataset_->size()};
  shape.insert(shape.end(), spec.shape.begin(), spec.shape.end());
  const bool varies = std::any_of(spec.shape.begin(), spec.shape.end(), [](int64_t size) { return size < 0; });
  if (varies && kind_ != "off") {
    throw InputError(
        "CACHE", "", "transforms",
        fmt::format(
            "got items of varying size ({}) from the deterministic transforms, expected one size; add fixed_length",
            spec.text()));
  }
  rate_hz_ = spec.rate_hz;
  if (kind_ == "off") {
    if (dataset_->skips_bad_rows()) find_bad_rows(threads, progress);
    return;
  }
  bytes_ = 4.0 * static_cast<double>(elements(shape));
  if (kind_ == "auto") kind_ = bytes_ <= options.ram_limit ? "ram" : "disk";

  bool is_found = false;
  if (kind_ == "disk") {
    const fs::path path = cache_entry_path(cache_folder(options.folder), key_of(*dataset_, *pipeline_, shape));
    try {
      entry_ = find_entry(path, static_cast<size_t>(bytes_));
      is_found = entry_ != nullptr && has_same_bad_rows(entry_->description());
      if (!is_found) entry_ = CacheEntry::create(path, static_cast<size_t>(bytes_));
    } catch (const EnvironmentError& error) {
      log::warning("no disk cache ({}); keeping {} in memory", error.what(), bytes_text(bytes_));
      entry_.reset();  // one that was found and cannot be replaced is read-only
      kind_ = "ram";
    }
  }
  all_ = entry_ ? at::from_blob(entry_->payload(), shape, at::kFloat) : at::empty(shape, at::kFloat);
  if (is_found) {
    entry_->mark_used();
    return;
  }
  fill(all_, threads, progress);
  if (!entry_) return;
  try {
    entry_->commit({{"amae", AMAE_VERSION},
                    {"data", data_text},
                    {"transforms", pipeline_->front_key()},
                    {"rows", shape[0]},
                    {"shape", spec.shape},
                    {"rate_hz", rate_hz_},
                    {"bad_rows", bad_row_numbers()}});
  } catch (const EnvironmentError& error) {
    log::warning("cache entry not kept ({}); the next run computes it again", error.what());
  }
}

bool FeatureCache::load(int64_t row, Signal& signal) {
  try {
    signal = load_row(*dataset_, row, origin_);
    return true;
  } catch (const InputError& error) {
    const bool is_plugins_fault = error.problems().front().code == "PLUGIN";  // whatever row it is about
    if (is_plugins_fault || !dataset_->skips_bad_rows()) throw;
    const std::lock_guard lock(bad_rows_mutex_);
    bad_rows_.emplace(row, error.problems().front().line());
    return false;
  }
}

void FeatureCache::find_bad_rows(int threads, const Progress& progress) {
  parallel_rows(
      dataset_->size(), threads,
      [&](int64_t row) {
        Signal signal;
        load(row, signal);
      },
      progress);
}

// An entry holds nothing for rows that were bad when it was made. They are tried again: what reads them may be better
// by now, or the config may no longer skip them, which throws.
bool FeatureCache::has_same_bad_rows(const nlohmann::json& description) {
  for (const auto& number : description.value("bad_rows", nlohmann::json::array())) {
    Signal signal;
    const int64_t row = number.is_number_integer() ? number.get<int64_t>() : -1;
    if (row < 0 || row >= dataset_->size() || load(row, signal)) {
      bad_rows_.clear();
      return false;
    }
  }
  return true;
}

std::vector<int64_t> FeatureCache::bad_row_numbers() const {
  std::vector<int64_t> rows;
  for (const auto& [row, problem] : bad_rows_) rows.push_back(row);
  return rows;
}

void FeatureCache::fill(at::Tensor& all, int threads, const Progress& progress) {
  const int64_t total = dataset_->size();
  const int64_t row_elements = total > 0 ? all.numel() / total : 0;
  auto* data = all.data_ptr<float>();
  parallel_rows(
      total, threads,
      [&](int64_t row) {
        Signal signal;
        if (!load(row, signal)) {
          std::fill_n(data + row * row_elements, row_elements, 0.0F);
          return;
        }
        const Batch batch = pipeline_->run_front(signal, row);
        const at::Tensor x = batch.x.contiguous();
        if (x.numel() != row_elements) {
          throw InputError("CACHE", dataset_->id(row), "transforms",
                           fmt::format("got {} numbers, expected {} ({})", x.numel(), row_elements,
                                       pipeline_->front_output().text()));
        }
        std::memcpy(data + row * row_elements, x.data_ptr<float>(), sizeof(float) * static_cast<size_t>(row_elements));
      },
      progress);
}

Batch FeatureCache::rows(const std::vector<int64_t>& rows) const {
  const at::NoGradGuard no_grad;
  if (all_.defined()) return {all_.index_select(0, at::tensor(rows)), {}, rows, rate_hz_};
  Batch result{{}, {}, rows, rate_hz_};
  std::vector<at::Tensor> items;
  for (const int64_t row : rows) {
    Batch item = pipeline_->run_front(load_row(*dataset_, row, origin_), row);
    if (!items.empty() && item.x.sizes() != items.front().sizes()) {
      throw InputError("CACHE", dataset_->id(row), "transforms",
                       "got items of different sizes in one batch; add fixed_length");
    }
    result.rate_hz = item.rate_hz;
    items.push_back(item.x);
  }
  result.x = at::cat(items);
  return result;
}

}  // namespace amae

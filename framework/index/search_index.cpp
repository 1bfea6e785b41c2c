#include "index/search_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "amae/error.h"
#include "base/stop.h"
#include "base/text.h"
#include "index/index_file.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

/// In one pass over the bits, many at once; at::isfinite takes several, a measurable part of a fast search.
bool all_finite(const float* numbers, int64_t count) {
  constexpr uint32_t kExponent = 0x7F800000;
  bool found = false;
  for (int64_t i = 0; i < count; ++i) found |= (std::bit_cast<uint32_t>(numbers[i]) & kExponent) == kExponent;
  return !found;
}

}  // namespace

void IndexOptions::describe(Fields& f) {
  f.add("type", type, "flat: exact; hnsw: a graph; ivf_flat: clusters; ivf_pq: clusters of compressed vectors")
      .choices({"flat", "hnsw", "ivf_flat", "ivf_pq"});
  f.add("factory", factory, "a FAISS factory string in place of type, e.g. IVF1024,SQ8");
  f.add("metric", metric, "cosine: after post; inner_product and l2: of the embeddings as they are")
      .choices({"cosine", "inner_product", "l2"});
  f.section("post", post);
  f.add("links", links, "hnsw: links of a node (M)").range(2, 512);
  f.add("ef_construction", ef_construction, "hnsw: candidates while building").range(1, 65536);
  f.add("ef_search", ef_search, "hnsw: candidates while searching; 0: 64, or as the index has it").range(0, 65536);
  f.add("lists", lists, "ivf: clusters; 0: four times the square root of the rows").range(0, 1 << 24);
  f.add("probes", probes, "ivf: clusters that a search looks into; 0: 16, or as the index has it").range(0, 1 << 24);
  f.add("code_bytes", code_bytes, "ivf_pq: bytes of a vector; 0: one for four numbers").range(0, 65536);
  f.add("seed", seed, "of the sample that the index is trained on").min(0);
}

SearchIndex::SearchIndex(std::shared_ptr<const EmbeddingStore> store)
    : store_(std::move(store)),
      file_(open_index_file(store_->folder())),
      index_(1, "Flat", VectorMetric::inner_product) {
  const nlohmann::json& told = file_->description();
  if (!told.contains("store") || told.at("store") != store_->id()) {
    file_->refuse(fmt::format(
        "got an index of another state of this store ({} rows, {} here), expected one of the present state; run amae "
        "index build {}",
        told.value("rows", int64_t{-1}), store_->rows(), printable(store_->folder().string())));
  }
  file_->verify();
  IndexParts parts = read_index_parts(*file_);
  post_ = parts.post;
  metric_ = parts.metric;
  index_ = FaissIndex::read(*file_, parts.faiss_offset, parts.faiss_bytes, /*mapped=*/true);
  if (parts.effort > 0) index_.set_effort(parts.effort);
  if (index_.size() != store_->rows() || static_cast<int64_t>(parts.ids.size()) != store_->rows())
    file_->refuse(fmt::format("got {} indexed rows, expected {}", index_.size(), store_->rows()));
  bool are_rows = true;
  for (size_t i = 0; i < parts.ids.size(); ++i) {
    const int64_t id = parts.ids[i];
    if (id < 0 || id >= parts.next_id) file_->refuse(fmt::format("got id {}, expected 0 to {}", id, parts.next_id - 1));
    are_rows = are_rows && id == static_cast<int64_t>(i);
  }
  if (are_rows) return;
  id_of_row_ = std::move(parts.ids);
  row_of_id_.assign(static_cast<size_t>(parts.next_id), -1);
  for (size_t i = 0; i < id_of_row_.size(); ++i)
    row_of_id_[static_cast<size_t>(id_of_row_[i])] = static_cast<int64_t>(i);
}

at::Tensor SearchIndex::prepared(const at::Tensor& embeddings, const std::string& where) const {
  if (embeddings.dim() != 2 || embeddings.size(1) != store_->dimension()) {
    throw InputError("QUERY", where, "",
                     fmt::format("got vectors of shape ({}), expected ({}, {}) as in this index",
                                 fmt::join(embeddings.sizes(), ", "), embeddings.dim() > 0 ? embeddings.size(0) : 1,
                                 store_->dimension()));
  }
  const at::Tensor x = embeddings.to(at::kFloat).contiguous();
  const float* numbers = x.const_data_ptr<float>();
  for (int64_t row = 0; row < x.size(0); ++row, numbers += x.size(1)) {
    if (!all_finite(numbers, x.size(1)))
      throw InputError("QUERY", where, fmt::format("row {}", row), "got numbers that are not finite");
  }
  return post_(x);
}

void SearchIndex::check_k(int64_t k, const std::vector<int64_t>* among) const {
  const int64_t most = among != nullptr ? static_cast<int64_t>(among->size()) : rows();
  if (k >= 1 && k <= most) return;
  throw InputError("QUERY", "", "-k",
                   fmt::format("got {}, expected 1 to {}, the number of rows {}", k, most,
                               among != nullptr ? "that fulfil --where" : "in the index"));
}

std::vector<Hit> SearchIndex::hits_of(const float* scores, const int64_t* ids, int64_t k, bool are_rows) const {
  std::vector<Hit> hits;
  hits.reserve(static_cast<size_t>(k));
  for (int64_t i = 0; i < k; ++i) {
    if (ids[i] < 0) break;  // an approximate index may find fewer
    const int64_t row = are_rows || row_of_id_.empty() ? ids[i] : row_of_id_[static_cast<size_t>(ids[i])];
    hits.push_back({row, metric_ == VectorMetric::l2 ? std::sqrt(std::max(0.0F, scores[i])) : scores[i]});
  }
  return hits;
}

std::vector<std::vector<Hit>> SearchIndex::found(const at::Tensor& prepared, int64_t k,
                                                 const std::vector<int64_t>* among) const {
  check_k(k, among);
  const int64_t count = prepared.size(0);
  std::vector<float> scores(static_cast<size_t>(count * k));
  std::vector<int64_t> ids(scores.size());
  if (among == nullptr) {
    index_.search(prepared.const_data_ptr<float>(), count, k, scores.data(), ids.data());
  } else {
    std::vector<uint8_t> allowed(std::max(static_cast<size_t>(rows()), row_of_id_.size()) / 8 + 1);
    for (const int64_t row : *among) {
      const auto id = static_cast<size_t>(id_of_row_.empty() ? row : id_of_row_[static_cast<size_t>(row)]);
      allowed[id / 8] = static_cast<uint8_t>(allowed[id / 8] | 1U << id % 8);
    }
    index_.search(prepared.const_data_ptr<float>(), count, k, scores.data(), ids.data(), &allowed);
  }
  std::vector<std::vector<Hit>> hits;
  hits.reserve(static_cast<size_t>(count));
  for (int64_t q = 0; q < count; ++q) hits.push_back(hits_of(&scores[q * k], &ids[q * k], k, false));
  return hits;
}

std::vector<std::vector<Hit>> SearchIndex::search(const at::Tensor& prepared, int64_t k,
                                                  const std::vector<int64_t>* among) const {
  if (among != nullptr && !is_exact()) return exact(prepared, k, among);
  std::vector<std::vector<Hit>> hits = found(prepared, k, among);
  // Few clusters or a part of a graph without a way to the rest may hold less than k.
  std::vector<int64_t> fewer;
  for (size_t q = 0; q < hits.size(); ++q) {
    if (std::ssize(hits[q]) < k) fewer.push_back(static_cast<int64_t>(q));
  }
  if (fewer.empty()) return hits;
  auto all = exact(prepared.index_select(0, at::tensor(fewer, at::kLong)), k, among);
  for (size_t i = 0; i < fewer.size(); ++i) hits[static_cast<size_t>(fewer[i])] = std::move(all[i]);
  return hits;
}

std::vector<std::vector<Hit>> SearchIndex::exact(const at::Tensor& prepared, int64_t k,
                                                 const std::vector<int64_t>* among) const {
  check_k(k, among);
  constexpr int64_t kBlock = 65536;  // rows that are held
  const int64_t count = prepared.size(0), total = among != nullptr ? std::ssize(*among) : rows();
  const bool largest = more_is_nearer();
  at::Tensor best = at::empty({count, 0}, at::kFloat), best_rows = at::empty({count, 0}, at::kLong);
  for (int64_t begin = 0; begin < total; begin += kBlock) {
    throw_if_stopped();
    const int64_t size = std::min(kBlock, total - begin), kept = std::min(k, size);
    const at::Tensor x =
        post_(among != nullptr ? store_->vectors({among->begin() + begin, among->begin() + begin + size})
                               : store_->vectors(begin, size));
    at::Tensor scores = at::empty({count, kept}, at::kFloat), ids = at::empty({count, kept}, at::kLong);
    exact_search(metric_, x.size(1), prepared.const_data_ptr<float>(), count, x.const_data_ptr<float>(), size, kept,
                 scores.mutable_data_ptr<float>(), ids.mutable_data_ptr<int64_t>());
    const at::Tensor none = ids < 0;  // scores that overflow
    ids = ids.clamp_min(0);
    ids = among != nullptr ? at::tensor(*among, at::kLong).index_select(0, ids.view({-1}) + begin).view_as(ids)
                           : ids + begin;
    ids = ids.masked_fill(none, -1);
    best = at::cat({best, scores}, 1);
    best_rows = at::cat({best_rows, ids}, 1);
    // Earlier rows stand first and the sort is stable, so equal scores stay in the order of the rows.
    const auto order = std::get<1>(best.sort(/*stable=*/true, 1, largest)).narrow(1, 0, std::min(k, best.size(1)));
    best = best.gather(1, order).contiguous();
    best_rows = best_rows.gather(1, order).contiguous();
  }
  std::vector<std::vector<Hit>> found;
  for (int64_t q = 0; q < count; ++q) {
    found.push_back(
        hits_of(best.const_data_ptr<float>() + q * k, best_rows.const_data_ptr<int64_t>() + q * k, k, true));
  }
  return found;
}

}  // namespace amae

// Throughput of searching an index, and what a large store costs; bench/faiss_pairs sets it against Python's faiss.
//
//   index_search make STORE ROWS DIMENSION CLUSTERS   a store of Gaussian clusters around random centres
//   index_search query STORE QUERIES.npy SECONDS      queries a second, one at a time and in batches of 256
//   index_search overhead STORE QUERIES.npy SECONDS   what amae adds to FAISS's own call, in turns
//   index_search compare STORE QUERIES.npy IDS.npy    whether the ten nearest of each query are these rows
//   index_search open STORE                           seconds and memory of opening, looking up and filtering
//
// Centres are standard normal, rows lie around them with deviation 0.3; queries (QUERIES.npy, made by `make` beside the
// store: 4096 rows) are drawn the same way.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string>

#include "amae/draw.h"
#include "bench/peak_memory.h"
#include "index/search_index.h"
#include "io/npy.h"

namespace {

using amae::bench::Cost;

class Clusters {
 public:
  Clusters(int64_t dimension, int64_t clusters) : dimension_(dimension), centres_(dimension * clusters) {
    amae::Draw draw(1, 0, 0, 0);
    for (float& x : centres_) x = static_cast<float>(draw.normal());
  }
  /// Row `number` of a stream.
  void fill(uint32_t stream, int64_t number, float* row) const {
    amae::Draw draw(1, 1, static_cast<uint64_t>(number), stream);
    const auto count = static_cast<int64_t>(centres_.size()) / dimension_;
    const float* centre = centres_.data() + draw.integer(0, count) * dimension_;
    for (int64_t i = 0; i < dimension_; ++i) row[i] = centre[i] + static_cast<float>(0.3 * draw.normal());
  }

 private:
  int64_t dimension_;
  std::vector<float> centres_;
};

int make(const std::filesystem::path& folder, int64_t rows, int64_t dimension, int64_t clusters) {
  const Clusters source(dimension, clusters);
  amae::StoreManifest manifest;
  manifest.maker.weights = manifest.maker.pipeline = "bench";
  manifest.maker.pooling = "none";
  manifest.rows = rows;
  manifest.dimension = dimension;
  amae::EmbeddingWriter writer(folder, manifest, {"snr"});
  std::vector<float> row(static_cast<size_t>(dimension));
  for (int64_t i = 0; i < rows; ++i) {
    source.fill(0, i, row.data());
    writer.add({fmt::format("clip-{:08}.wav", i), fmt::format("/data/clips/clip-{:08}.wav", i),
                fmt::format("class {}", i % 50), std::to_string(i % 5 + 1), "0", "5", fmt::format("{:032x}", i),
                std::to_string(i % 20)},
               row.data());
  }
  writer.commit();
  const int64_t count = 4096;
  at::Tensor queries = at::empty({count, dimension});
  for (int64_t i = 0; i < count; ++i) source.fill(1, i, queries.data_ptr<float>() + i * dimension);
  std::filesystem::path file = folder;
  amae::write_npy(file += ".queries.npy", queries);
  return 0;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Queries a second in batches of this size, for about `seconds`.
double rate(const amae::SearchIndex& index, const at::Tensor& queries, int64_t batch, double seconds) {
  const auto begin = std::chrono::steady_clock::now();
  int64_t done = 0;
  for (int64_t at = 0; seconds_since(begin) < seconds; at = (at + batch) % (queries.size(0) - batch + 1)) {
    const auto hits = index.search(index.prepared(queries.narrow(0, at, batch), ""), 10);
    done += std::ssize(hits);
  }
  return static_cast<double>(done) / seconds_since(begin);
}

int query(const std::string& folder, const std::string& file, double seconds) {
  const amae::SearchIndex index(std::make_shared<amae::EmbeddingStore>(folder));
  const at::Tensor queries = amae::read_npy(file);
  static_cast<void>(rate(index, queries, 256, 1));  // pages of the map, and threads
  const double single = rate(index, queries, 1, seconds), batch = rate(index, queries, 256, seconds);
  fmt::print("{{\"batch_1\": {:.2f}, \"batch_256\": {:.2f}}}\n", single, batch);
  return 0;
}

/// What amae adds to FAISS's own call, in turns within one process: its time as a share of FAISS's.
int overhead(const std::string& folder, const std::string& file, double seconds) {
  const amae::SearchIndex index(std::make_shared<amae::EmbeddingStore>(folder));
  const at::Tensor queries = amae::read_npy(file);
  static_cast<void>(rate(index, queries, 256, 1));
  for (const int64_t batch : {1, 256}) {
    std::vector<double> ratios;
    std::vector<float> scores(static_cast<size_t>(batch * 10));
    std::vector<int64_t> ids(scores.size());
    const auto begin = std::chrono::steady_clock::now();
    for (int64_t at = 0; seconds_since(begin) < seconds; at = (at + batch) % (queries.size(0) - batch + 1)) {
      const at::Tensor part = queries.narrow(0, at, batch);
      const auto ours = [&] {
        const auto start = std::chrono::steady_clock::now();
        static_cast<void>(index.search(index.prepared(part, ""), 10));
        return seconds_since(start);
      };
      const auto plain = [&] {
        const auto start = std::chrono::steady_clock::now();
        index.faiss().search(part.const_data_ptr<float>(), batch, 10, scores.data(), ids.data());
        return seconds_since(start);
      };
      // Who comes second finds the caches warm.
      const bool first = ratios.size() % 2 == 0;
      const double a = first ? ours() : plain(), b = first ? plain() : ours();
      ratios.push_back(first ? a / b : b / a);
    }
    std::sort(ratios.begin(), ratios.end());
    const double even = std::sqrt(ratios[ratios.size() / 4] * ratios[3 * ratios.size() / 4]);
    fmt::print("batch {:<4} {:.4f} of FAISS's own time (median {:.4f}, {} pairs)\n", batch, even,
               ratios[ratios.size() / 2], ratios.size());
  }
  return 0;
}

int compare(const std::string& folder, const std::string& file, const std::string& ids_file) {
  const amae::SearchIndex index(std::make_shared<amae::EmbeddingStore>(folder));
  const at::Tensor ids = amae::read_npy(ids_file);
  const auto hits = index.search(index.prepared(amae::read_npy(file).narrow(0, 0, ids.size(0)), ""), ids.size(1));
  int64_t same = 0;
  for (size_t q = 0; q < hits.size(); ++q) {
    for (size_t i = 0; i < hits[q].size(); ++i)
      same += hits[q][i].row == ids.const_data_ptr<int64_t>()[q * hits[q].size() + i] ? 1 : 0;
  }
  fmt::print("{} of {} ids are the same\n", same, ids.numel());
  return same == ids.numel() ? 0 : 1;
}

int open(const std::string& folder) {
  std::shared_ptr<amae::EmbeddingStore> store;
  const Cost opened = amae::bench::cost_of([&] { store = std::make_shared<amae::EmbeddingStore>(folder); });
  const auto report = [&](const std::string& what, const Cost& cost) {
    fmt::print("{:<40} {:6.2f} s  +{:.0f} MB\n", what, cost.seconds, cost.peak_mb - cost.before_mb);
  };
  report(fmt::format("open a store of {} x {}", store->rows(), store->dimension()), opened);
  std::unique_ptr<amae::SearchIndex> index;
  report("open its index", amae::bench::cost_of([&] { index = std::make_unique<amae::SearchIndex>(store); }));
  const amae::Items& items = store->items();
  const std::string last = items.cell(items.rows() - 1, 0);
  int64_t found = -1;
  report("find the last row by its id", amae::bench::cost_of([&] { found = items.find(0, last); }));
  std::vector<int64_t> rows;
  report("filter fold=1", amae::bench::cost_of([&] { rows = amae::Filter({"fold=1"}).rows(items); }));
  const at::Tensor one = index->prepared(store->vectors(found, 1), "");
  std::vector<std::vector<amae::Hit>> filtered, exact;
  report(fmt::format("search among {} of {} rows", rows.size(), items.rows()),
         amae::bench::cost_of([&] { filtered = index->search(one, 10, &rows); }));
  exact = index->exact(one, 10, &rows);
  bool same = true;
  for (size_t i = 0; i < exact[0].size(); ++i) same = same && exact[0][i].row == filtered[0][i].row;
  fmt::print("the filtered hits are those of comparing each row: {}\n", same ? "yes" : "NO");
  return same ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 5 && words[0] == "make")
    return make(words[1], std::stoll(words[2]), std::stoll(words[3]), std::stoll(words[4]));
  if (words.size() == 4 && words[0] == "query") return query(words[1], words[2], std::stod(words[3]));
  if (words.size() == 4 && words[0] == "overhead") return overhead(words[1], words[2], std::stod(words[3]));
  if (words.size() == 4 && words[0] == "compare") return compare(words[1], words[2], words[3]);
  if (words.size() == 2 && words[0] == "open") return open(words[1]);
  fmt::print(stderr,
             "usage: bench_index_search make STORE ROWS DIMENSION CLUSTERS | query STORE QUERIES.npy SECONDS | "
             "overhead STORE QUERIES.npy SECONDS | compare "
             "STORE QUERIES.npy IDS.npy | open STORE\n");
  return 2;
}

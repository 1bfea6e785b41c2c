#include "index/faiss_index.h"

#include <faiss/AutoTune.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIDMap.h>
#include <faiss/IndexIVF.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexPQ.h>
#include <faiss/IndexPreTransform.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/impl/FaissException.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/impl/io.h>
#include <faiss/impl/zerocopy_io.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>
#include <faiss/utils/distances.h>
#include <fmt/format.h>
#include <omp.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "amae/error.h"
#include "base/stop.h"

namespace amae {
namespace {

faiss::MetricType metric_of(VectorMetric metric) {
  return metric == VectorMetric::l2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT;
}

/// FAISS asks it now and then in training, adding and searching.
struct AskStopSignal final : faiss::InterruptCallback {
  AskStopSignal() { instance = std::unique_ptr<InterruptCallback>(this); }
  bool want_interrupt() override { return stop_signal() != 0; }
};

/// FAISS writes "Error in FUNCTION at FILE:LINE: Error: 'CONDITION' failed: TEXT"; the text is what a user can use.
template <class Action>
auto guarded(const std::string& doing, const Action& action) {
  [[maybe_unused]] static auto* const asked = new AskStopSignal;  // NOLINT: FAISS owns it
  try {
    return action();
  } catch (const std::logic_error& error) {  // of a factory string with a number that is none
    throw InputError("INDEX", "", "", fmt::format("FAISS cannot {}: {}", doing, error.what()));
  } catch (const faiss::FaissException& error) {
    throw_if_stopped();
    std::string text = error.what();
    for (const char* before : {"failed: ", ": could not parse ", ": "}) {
      if (const size_t at = text.rfind(before); at != std::string::npos) {
        text.erase(0, at + (before[2] == 'c' ? 2 : std::strlen(before)));
        break;
      }
    }
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    throw InputError("INDEX", "", "", fmt::format("FAISS cannot {}: {}", doing, text.substr(0, text.find('\n'))));
  }
}

/// Little work on one thread: waking others takes milliseconds on a busy machine, and FAISS gives a query by itself to
/// one thread anyway.
class FewThreads {
 public:
  explicit FewThreads(bool is_little) : before_(omp_get_max_threads()) {
    if (is_little) omp_set_num_threads(1);
  }
  ~FewThreads() { omp_set_num_threads(before_); }
  FewThreads(const FewThreads&) = delete;
  FewThreads& operator=(const FewThreads&) = delete;

 private:
  int before_;
};

constexpr int64_t kLittle = int64_t{1} << 20;  // numbers

struct CallbackWriter final : faiss::IOWriter {
  explicit CallbackWriter(const FaissIndex::Write& write_) : write(write_) {}
  size_t operator()(const void* data, size_t size, size_t count) override {
    write(data, size * count);
    return count;
  }
  const FaissIndex::Write& write;
};

struct SealedReader final : faiss::IOReader {
  SealedReader(const SealedFile& file_, uint64_t at_, uint64_t end_) : file(file_), at(at_), end(end_) {}
  size_t operator()(void* target, size_t size, size_t count) override {
    if (size == 0 || size * count > end - at) return 0;
    file.read(at, target, size * count);
    at += size * count;
    return count;
  }
  const SealedFile& file;
  uint64_t at, end;
};

}  // namespace

struct FaissIndex::State {
  std::unique_ptr<faiss::Index> index;

  /// What is inside wrappers that only number or rotate.
  [[nodiscard]] const faiss::Index* core() const {
    const faiss::Index* inner = index.get();
    for (;;) {
      if (const auto* map = dynamic_cast<const faiss::IndexIDMap*>(inner)) {
        inner = map->index;
      } else if (const auto* rotated = dynamic_cast<const faiss::IndexPreTransform*>(inner)) {
        inner = rotated->index;
      } else {
        return inner;
      }
    }
  }
  [[nodiscard]] faiss::Index* core() {
    return const_cast<faiss::Index*>(std::as_const(*this).core());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  }
};

FaissIndex::FaissIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
FaissIndex::~FaissIndex() = default;
FaissIndex::FaissIndex(FaissIndex&&) noexcept = default;
FaissIndex& FaissIndex::operator=(FaissIndex&&) noexcept = default;

FaissIndex::FaissIndex(int64_t width, const std::string& factory, VectorMetric metric)
    : state_(std::make_unique<State>()) {
  guarded(fmt::format("make an index \"{}\" of width {}", factory, width), [&] {
    state_->index.reset(faiss::index_factory(static_cast<int>(width), factory.c_str(), metric_of(metric)));
    if (dynamic_cast<faiss::IndexIVF*>(state_->core()) != nullptr) return;  // keeps row numbers by itself
    auto map = std::make_unique<faiss::IndexIDMap>(state_->index.get());
    map->own_fields = true;
    static_cast<void>(state_->index.release());
    state_->index = std::move(map);
  });
}

int64_t FaissIndex::size() const { return state_->index->ntotal; }
bool FaissIndex::is_trained() const { return state_->index->is_trained; }
bool FaissIndex::is_exact() const {  // behind a rotation it would not be, nor would FAISS pass a filter on to it
  const auto* map = dynamic_cast<const faiss::IndexIDMap*>(state_->index.get());
  return map != nullptr && dynamic_cast<const faiss::IndexFlat*>(map->index) != nullptr;
}
bool FaissIndex::can_remove() const {
  return is_exact() || dynamic_cast<const faiss::IndexIVF*>(state_->core()) != nullptr;
}

std::string FaissIndex::effort_name() const {
  if (dynamic_cast<const faiss::IndexHNSW*>(state_->core()) != nullptr) return "ef_search";
  if (dynamic_cast<const faiss::IndexIVF*>(state_->core()) != nullptr) return "probes";
  return "";
}

void FaissIndex::set_effort(int64_t value) {
  if (auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(state_->core())) hnsw->hnsw.efSearch = static_cast<int>(value);
  if (auto* ivf = dynamic_cast<faiss::IndexIVF*>(state_->core())) ivf->nprobe = static_cast<size_t>(value);
}

int64_t FaissIndex::most_effort() const {
  if (const auto* ivf = dynamic_cast<const faiss::IndexIVF*>(state_->core())) return static_cast<int64_t>(ivf->nlist);
  return 65536;
}

void FaissIndex::set_build_effort(int64_t ef_construction) {
  if (auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(state_->core()))
    hnsw->hnsw.efConstruction = static_cast<int>(ef_construction);
}

void FaissIndex::train(const float* x, int64_t count) {
  const FewThreads threads(count * state_->index->d < kLittle);
  guarded("train", [&] {
    // A smaller sample than FAISS likes is a warning on its stderr; we say it ourselves.
    if (auto* ivf = dynamic_cast<faiss::IndexIVF*>(state_->core())) ivf->cp.min_points_per_centroid = 1;
    if (auto* pq = dynamic_cast<faiss::IndexIVFPQ*>(state_->core())) pq->pq.cp.min_points_per_centroid = 1;
    if (auto* pq = dynamic_cast<faiss::IndexPQ*>(state_->core())) pq->pq.cp.min_points_per_centroid = 1;
    state_->index->train(count, x);
  });
}

void FaissIndex::add(const float* x, int64_t count, const std::vector<int64_t>& ids) {
  const FewThreads threads(count * state_->index->d < kLittle);
  guarded("add rows", [&] { state_->index->add_with_ids(count, x, ids.data()); });
}

void FaissIndex::remove(const std::vector<int64_t>& ids) {
  guarded("remove rows", [&] { state_->index->remove_ids(faiss::IDSelectorBatch(ids.size(), ids.data())); });
}

void FaissIndex::search(const float* queries, int64_t count, int64_t k, float* scores, int64_t* ids,
                        const std::vector<uint8_t>* allowed) const {
  const FewThreads threads(count == 1 || count * size() * state_->index->d < kLittle);
  guarded("search", [&] {
    if (allowed == nullptr) {
      state_->index->search(count, queries, k, scores, ids);
      return;
    }
    faiss::IDSelectorBitmap selector(allowed->size(), allowed->data());
    faiss::SearchParameters parameters;
    parameters.sel = &selector;
    state_->index->search(count, queries, k, scores, ids, &parameters);
  });
}

void FaissIndex::write(const Write& write) const {
  guarded("write", [&] {
    CallbackWriter writer(write);
    faiss::write_index(state_->index.get(), &writer);
  });
}

uint64_t FaissIndex::offset_of_vectors() const {
  // Of a graph whose links outweigh its vectors, too, it is the vectors that are read as numbers.
  const auto vectors = static_cast<size_t>(size()) * static_cast<size_t>(state_->index->d) * sizeof(float);
  uint64_t at = 0, found = 0;
  write([&](const void* /*data*/, size_t count) {
    if (count == vectors) found = at;
    at += count;
  });
  return found;
}

FaissIndex FaissIndex::read(SealedFile& file, uint64_t offset, uint64_t bytes, bool mapped) {
  auto state = std::make_unique<State>();
  guarded("read the index", [&] {
    if (!mapped) {
      SealedReader reader(file, offset, offset + bytes);
      state->index.reset(faiss::read_index(&reader));
      return;
    }
    // FAISS takes bytes that it will not change as non-const.
    auto* data = reinterpret_cast<uint8_t*>(const_cast<char*>(file.map() + offset));  // NOLINT
    faiss::ZeroCopyIOReader reader(data, bytes);
    state->index.reset(faiss::read_index(&reader, faiss::IO_FLAG_MMAP_IFC));
  });
  return FaissIndex(std::move(state));
}

void exact_search(VectorMetric metric, int64_t width, const float* queries, int64_t query_count, const float* x,
                  int64_t count, int64_t k, float* scores, int64_t* ids) {
  const FewThreads threads(query_count * count * width < kLittle);
  guarded("search", [&] {
    const auto d = static_cast<size_t>(width), m = static_cast<size_t>(query_count), n = static_cast<size_t>(count);
    if (metric == VectorMetric::l2) {
      faiss::knn_L2sqr(queries, x, d, m, n, static_cast<size_t>(k), scores, ids);
    } else {
      faiss::knn_inner_product(queries, x, d, m, n, static_cast<size_t>(k), scores, ids);
    }
  });
}

}  // namespace amae

#include "index/nearest_rows.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <stdexcept>

#include "amae/error.h"
#include "base/stop.h"
#include "index/postprocess.h"  // unit_rows

namespace amae {
namespace {

constexpr int64_t kTileValues = int64_t{1} << 21;  // doubles, 16 MiB: of rows, and of similarities
constexpr int64_t kMostQueries = 1024;             // at a time; the gallery is made ready anew for each such block
constexpr int64_t kKeptKeys = int64_t{1} << 23;    // 64 MiB
constexpr uint32_t kFloatSign = 0x80000000U, kLow32 = 0xFFFFFFFFU;

// One number that is larger for a higher similarity and, among equal ones, for a lower row: the float's bits in an
// order that integers keep, then the row counted downwards.
uint64_t rank_key(float similarity, int64_t row) {
  const auto bits = std::bit_cast<uint32_t>(similarity + 0.0F);  // -0 becomes 0, which it is equal to
  const uint32_t ordered = (bits & kFloatSign) != 0 ? ~bits : bits | kFloatSign;
  return (uint64_t{ordered} << 32U) | (kLow32 - static_cast<uint32_t>(row));
}

NearRow ranked_row(uint64_t key) {
  const auto ordered = static_cast<uint32_t>(key >> 32U);
  const uint32_t bits = (ordered & kFloatSign) != 0 ? ordered & ~kFloatSign : ~ordered;
  return {static_cast<int64_t>(kLow32 - static_cast<uint32_t>(key & kLow32)), std::bit_cast<float>(bits)};
}

// The `kept` best of all rows offered in ascending order. Twice as many are held between two clean-ups, so that most
// rows cost one comparison, whatever `kept` is.
class BestRows {
 public:
  BestRows(int64_t kept, int64_t offered) : kept_(static_cast<size_t>(kept)) {
    keys_.reserve(static_cast<size_t>(std::min(2 * kept, offered)));
  }

  void offer(float similarity, int64_t row) {
    if (similarity <= limit_) return;  // equal: the earlier rows stay
    keys_.push_back(rank_key(similarity, row));
    if (keys_.size() == 2 * kept_) clean_up();
  }

  const std::vector<uint64_t>& sorted() {
    clean_up();
    std::sort(keys_.begin(), keys_.end(), std::greater<>());
    return keys_;
  }

 private:
  void clean_up() {
    if (keys_.size() <= kept_) return;
    const auto last = keys_.begin() + static_cast<std::ptrdiff_t>(kept_) - 1;
    std::nth_element(keys_.begin(), last, keys_.end(), std::greater<>());
    limit_ = ranked_row(*last).similarity;
    keys_.resize(kept_);
  }

  size_t kept_;
  float limit_ = -std::numeric_limits<float>::infinity();
  std::vector<uint64_t> keys_;
};

}  // namespace

at::Tensor checked_rows(const std::string& name, const at::Tensor& rows) {
  if (!rows.defined() || rows.dim() != 2 || rows.size(1) == 0 || !at::isFloatingType(rows.scalar_type())) {
    throw std::invalid_argument(name + ": expected vectors [N, D] of floats with D > 0");
  }
  const at::Tensor values = rows.detach().to(at::kCPU);
  const int64_t tile = std::max<int64_t>(1, kTileValues / values.size(1));
  for (int64_t begin = 0; begin < values.size(0); begin += tile) {
    const at::Tensor finite = at::isfinite(values.narrow(0, begin, std::min(tile, values.size(0) - begin))).all(1);
    if (!finite.all().item<bool>()) {
      const int64_t row = begin + finite.logical_not().nonzero()[0][0].item<int64_t>();
      throw DivergenceError("", fmt::format("{}: row {} has a value that is not finite, expected numbers", name, row));
    }
  }
  return values;
}

void nearest_rows(const at::Tensor& queries, const at::Tensor& gallery, int64_t k, const RowItems& items,
                  const std::function<void(int64_t query, const std::vector<NearRow>& nearest)>& visit) {
  const int64_t asked = queries.size(0), known = gallery.size(0), dimension = gallery.size(1);
  if (queries.size(1) != dimension || k < 1 || known > int64_t{kLow32}) {
    throw std::invalid_argument(
        fmt::format("nearest rows: got vectors of {} and {} values, k = {}, {} rows; expected equal lengths, k > 0, "
                    "rows below 2^32",
                    queries.size(1), dimension, k, known));
  }
  const bool has_items = !items.queries.empty() || !items.gallery.empty();
  if (has_items && (std::ssize(items.queries) != asked || std::ssize(items.gallery) != known)) {
    throw std::invalid_argument(fmt::format("nearest rows: got items of {} and {} rows, expected {} and {}",
                                            items.queries.size(), items.gallery.size(), asked, known));
  }
  const int64_t kept = std::min(k, known);
  const int64_t fit = kTileValues / dimension;
  const int64_t by_keys = kKeptKeys / std::max<int64_t>(1, std::min(2 * kept, known));
  const int64_t block = std::max<int64_t>(1, std::min({fit, by_keys, kMostQueries}));
  const int64_t tile = std::max<int64_t>(1, std::min(fit, kTileValues / block));
  std::vector<NearRow> nearest;
  for (int64_t first = 0; first < asked; first += block) {
    const int64_t rows = std::min(block, asked - first);
    const at::Tensor questions = unit_rows(queries.narrow(0, first, rows).to(at::kDouble));
    std::vector<BestRows> best;
    for (int64_t q = 0; q < rows; ++q) best.emplace_back(kept, known);
    for (int64_t begin = 0; begin < known; begin += tile) {
      throw_if_stopped();
      const int64_t width = std::min(tile, known - begin);
      const at::Tensor answers = unit_rows(gallery.narrow(0, begin, width).to(at::kDouble));
      // Rounded to float32, so that equal rows tie whatever place the matrix product gave them: in a float32 product
      // the last bit depends on the place.
      const at::Tensor similarity = questions.matmul(answers.t()).to(at::kFloat).contiguous();
      const float* value = similarity.const_data_ptr<float>();
      for (int64_t q = 0; q < rows; ++q, value += width) {
        BestRows& list = best[static_cast<size_t>(q)];
        for (int64_t j = 0; j < width; ++j) {
          if (has_items &&
              items.gallery[static_cast<size_t>(begin + j)] == items.queries[static_cast<size_t>(first + q)])
            continue;
          list.offer(value[j], begin + j);
        }
      }
    }
    for (int64_t q = 0; q < rows; ++q) {
      nearest.clear();
      for (const uint64_t key : best[static_cast<size_t>(q)].sorted()) nearest.push_back(ranked_row(key));
      visit(first + q, nearest);
    }
  }
}

}  // namespace amae

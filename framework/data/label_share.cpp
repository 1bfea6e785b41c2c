#include <algorithm>
#include <iterator>

#include "amae/draw.h"
#include "data/split.h"
#include "data/stratify.h"

namespace amae {
namespace {

// Streams of this file, beside those of split.cpp.
constexpr uint32_t kLabelsStage = 0x53504C35, kLabelsTieStage = 0x53504C36, kLabelsFillStage = 0x53504C37;

/// Calls `use` with each class of a row.
class ClassesOfRows {
 public:
  explicit ClassesOfRows(const Dataset& dataset) {
    const at::Tensor labels = dataset.labels();
    if (!labels.defined()) return;
    several_ = labels.dim() == 2;
    labels_ = labels.to(several_ ? at::kFloat : at::kLong).contiguous();
  }

  template <class Use>
  void operator()(int64_t row, const Use& use) const {
    if (!labels_.defined()) return;
    if (!several_) return use(labels_.const_data_ptr<int64_t>()[row]);
    const int64_t classes = labels_.size(1);
    const float* has = labels_.const_data_ptr<float>() + row * classes;
    for (int64_t c = 0; c < classes; ++c) {
      if (has[c] > 0) use(c);
    }
  }

 private:
  at::Tensor labels_;
  bool several_ = false;
};

/// A row for each class that `chosen` lacks and `rows` has, the first in an order drawn from the seed.
std::vector<int64_t> rows_of_missing_classes(const Dataset& dataset, const std::vector<int64_t>& rows,
                                             const std::vector<int64_t>& chosen, uint64_t seed) {
  const ClassesOfRows classes_of(dataset);
  std::vector<bool> there(dataset.classes().size());
  size_t missing = there.size();
  const auto note = [&](int64_t c) {
    if (there[static_cast<size_t>(c)]) return;
    there[static_cast<size_t>(c)] = true;
    --missing;
  };
  for (const int64_t row : chosen) classes_of(row, note);
  std::vector<int64_t> found;
  if (missing == 0) return found;
  Draw draw(seed, 0, 0, kLabelsFillStage);
  for (const int64_t place : draw.permutation(static_cast<int64_t>(rows.size()))) {
    const size_t before = missing;
    const int64_t row = rows[static_cast<size_t>(place)];
    classes_of(row, note);
    if (missing < before) found.push_back(row);
    if (missing == 0) break;
  }
  return found;
}

}  // namespace

Split with_label_share(const Dataset& dataset, Split split, const SplitOptions& options, const std::string& where) {
  if (options.labels >= 1) return split;
  const Cells cells = cells_of(dataset, column_values(dataset, options.stratify, where, "stratify"));
  const auto seed = static_cast<uint64_t>(options.labels_seed);
  const auto lists = rows_by_cell(cells, split.train);
  const auto sizes = sizes_of(lists);
  const auto shares = cell_shares(cells, sizes, sizes, 0, options.labels, seed, kLabelsTieStage);
  std::vector<int64_t> kept;
  for (size_t c = 0; c < lists.size(); ++c) {
    Draw draw(seed, 0, cells.all[c].key, kLabelsStage);
    const auto order = draw.permutation(sizes[c]);
    for (int64_t i = 0; i < shares[c]; ++i)
      kept.push_back(lists[c][static_cast<size_t>(order[static_cast<size_t>(i)])]);
  }
  const auto more = rows_of_missing_classes(dataset, split.train, kept, seed);
  kept.insert(kept.end(), more.begin(), more.end());
  std::sort(kept.begin(), kept.end());
  Split out{std::move(kept), std::move(split.val), std::move(split.test), {}};
  std::set_difference(split.train.begin(), split.train.end(), out.train.begin(), out.train.end(),
                      std::back_inserter(out.unlabelled));
  return out;
}

}  // namespace amae

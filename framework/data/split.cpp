#include "data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <numeric>
#include <set>

#include "amae/draw.h"
#include "amae/error.h"
#include "base/text.h"
#include "data/stratify.h"

namespace amae {
namespace {

// Streams of this file; the transforms of a run count theirs from 0.
constexpr uint32_t kRatioStage = 0x53504C31, kGroupStage = 0x53504C32, kTestTieStage = 0x53504C33,
                   kValTieStage = 0x53504C34;

enum Part : size_t { kTrain, kVal, kTest };
constexpr std::array<const char*, 3> kPartNames = {"train", "val", "test"};
using Parts = std::vector<Part>;  // of each row

/// Rows of each class in each part, [parts][classes]; empty without labels.
std::array<std::vector<int64_t>, 3> class_counts(const Dataset& dataset, const Split& split) {
  std::array<std::vector<int64_t>, 3> counts;
  const auto labels = dataset.labels();
  if (!labels.defined()) return counts;
  const auto classes = static_cast<int64_t>(dataset.classes().size());
  const std::array<const std::vector<int64_t>*, 3> rows = {&split.train, &split.val, &split.test};
  for (size_t part = 0; part < 3; ++part) {
    const auto chosen = labels.index_select(0, at::tensor(*rows[part], at::kLong));
    const auto count = labels.dim() == 1 ? at::bincount(chosen, {}, classes)
                                         : chosen.gt(0).sum(at::IntArrayRef{0}).to(at::kLong).contiguous();
    counts[part].assign(count.data_ptr<int64_t>(), count.data_ptr<int64_t>() + count.numel());
  }
  return counts;
}

[[noreturn]] void fail(const std::string& where, const std::string& field, const std::string& message) {
  throw InputError("SPLIT", where, field, message);
}

Parts by_fold(const Dataset& dataset, const SplitOptions& options, const std::string& where) {
  const auto folds = dataset.folds();
  if (folds.empty()) fail(where, "by", "got fold, but the data set has no folds; expected by: ratio or by: group");
  std::map<int64_t, int64_t> rows_in;
  for (const auto fold : folds) ++rows_in[fold];
  std::vector<std::string> exist;
  for (const auto& [fold, rows] : rows_in) exist.push_back(fmt::format("{} ({} rows)", fold, rows));

  std::vector<Problem> problems;
  std::map<int64_t, Part> part_of;
  const auto assign = [&](const std::vector<int64_t>& wanted, Part part) {
    for (const auto fold : wanted) {
      if (!rows_in.contains(fold)) {
        problems.push_back({"SPLIT", where, kPartNames[part],
                            fmt::format("got fold {}, expected one of {}", fold, join(exist, ", "))});
      }
      part_of[fold] = part;
    }
  };
  assign(options.val, kVal);
  assign(options.test, kTest);
  if (!problems.empty()) throw InputError(std::move(problems));

  Parts parts;
  for (const auto fold : folds) parts.push_back(part_of.contains(fold) ? part_of.at(fold) : kTrain);
  return parts;
}

Parts by_ratio(const Dataset& dataset, const SplitOptions& options, const std::string& where) {
  const Cells cells = cells_of(dataset, column_values(dataset, options.stratify, where, "stratify"));
  const auto seed = static_cast<uint64_t>(options.seed);
  Parts parts(cells.of_row.size(), kTrain);
  std::vector<int64_t> all(parts.size());
  std::iota(all.begin(), all.end(), 0);
  const auto lists = rows_by_cell(cells, all);
  const auto sizes = sizes_of(lists);
  const auto test = cell_shares(cells, sizes, sizes, 1, options.test_ratio, seed, kTestTieStage);
  auto room = sizes;
  for (size_t c = 0; c < room.size(); ++c) room[c] -= test[c];
  const auto val = cell_shares(cells, sizes, room, 1, options.val_ratio, seed, kValTieStage);
  for (size_t c = 0; c < lists.size(); ++c) {
    Draw draw(seed, 0, cells.all[c].key, kRatioStage);
    const auto order = draw.permutation(sizes[c]);
    for (int64_t i = 0; i < test[c] + val[c]; ++i) {
      const int64_t row = lists[c][static_cast<size_t>(order[static_cast<size_t>(i)])];
      parts[static_cast<size_t>(row)] = i < test[c] ? kTest : kVal;
    }
  }
  return parts;
}

Parts by_group(const Dataset& dataset, const SplitOptions& options, const std::string& where) {
  const auto groups = dataset.groups();
  if (groups.empty()) fail(where, "by", "got group, but the data set has no groups; expected by: ratio or by: fold");
  const Cells cells = cells_of(dataset, column_values(dataset, options.stratify, where, "stratify"));
  std::map<int64_t, std::vector<size_t>> rows_of;
  std::vector<double> cell_size(cells.all.size());
  for (size_t row = 0; row < groups.size(); ++row) {
    rows_of[groups[row]].push_back(row);
    ++cell_size[static_cast<size_t>(cells.of_row[row])];
  }
  std::vector<const std::vector<size_t>*> ordered;
  for (const auto& [group, rows] : rows_of) ordered.push_back(&rows);
  Draw draw(static_cast<uint64_t>(options.seed), 0, 0, kGroupStage);
  std::vector<const std::vector<size_t>*> shuffled;
  for (const auto i : draw.permutation(static_cast<int64_t>(ordered.size()))) {
    shuffled.push_back(ordered[static_cast<size_t>(i)]);
  }
  std::stable_sort(shuffled.begin(), shuffled.end(), [](auto* a, auto* b) { return a->size() > b->size(); });

  const std::array<double, 3> ratio = {1 - options.val_ratio - options.test_ratio, options.val_ratio,
                                       options.test_ratio};
  std::array<std::vector<double>, 3> have;
  have.fill(std::vector<double>(cells.all.size()));
  std::array<double, 3> have_rows{};
  const auto all_rows = static_cast<double>(groups.size());
  Parts parts(groups.size(), kTrain);
  for (const auto* rows : shuffled) {
    const auto size = static_cast<double>(rows->size());
    std::map<size_t, double> content;
    for (const auto row : *rows) ++content[static_cast<size_t>(cells.of_row[row])];
    // How far the part would be filled, half of the group counted, relative to its ratio; weighed by rows.
    const auto filled = [&](Part part) {
      double cost = size * (have_rows[part] + size / 2) / all_rows;
      for (const auto& [cell, count] : content) {
        cost += count * (have[part][cell] + count / 2) / cell_size[cell];
      }
      return cost / ratio[part];
    };
    Part best = kTrain;
    for (const Part part : {kVal, kTest}) {
      if (ratio[part] > 0 && filled(part) < filled(best)) best = part;
    }
    for (const auto& [cell, count] : content) have[best][cell] += count;
    have_rows[best] += size;
    for (const auto row : *rows) parts[row] = best;
  }
  return parts;
}

}  // namespace

Split make_split(const Dataset& dataset, const SplitOptions& options, const std::string& where) {
  options.check();
  Parts parts;
  if (options.by == "fold") {
    parts = by_fold(dataset, options, where);
  } else if (options.by == "group") {
    parts = by_group(dataset, options, where);
  } else {
    parts = by_ratio(dataset, options, where);
  }
  Split split;
  for (size_t row = 0; row < parts.size(); ++row) {
    (parts[row] == kTrain ? split.train
     : parts[row] == kVal ? split.val
                          : split.test)
        .push_back(static_cast<int64_t>(row));
  }
  check_split(dataset, split, options, where);
  return split;
}

void check_split(const Dataset& dataset, const Split& split, const SplitOptions& options, const std::string& where) {
  const auto sizes = fmt::format("train {}, val {}, test {} of {} rows", split.train.size(), split.val.size(),
                                 split.test.size(), dataset.size());
  if (split.train.empty()) fail(where, "by", fmt::format("no row is left to train on ({})", sizes));
  const bool wants_val = options.val_ratio > 0 || !options.val.empty();
  const bool wants_test = options.test_ratio > 0 || !options.test.empty();
  const bool by_fold = options.by == "fold";
  if (split.val.empty() && wants_val) {
    fail(where, by_fold ? "val" : "val_ratio", fmt::format("val is empty ({})", sizes));
  }
  if (split.test.empty() && wants_test) {
    fail(where, by_fold ? "test" : "test_ratio", fmt::format("test is empty ({})", sizes));
  }
  const auto counts = class_counts(dataset, split);
  constexpr size_t kShown = 20;
  std::vector<Problem> problems;
  size_t more = 0;
  for (size_t c = 0; c < counts[kTrain].size(); ++c) {
    if (counts[kTrain][c] > 0) continue;
    if (problems.size() == kShown) {
      ++more;
      continue;
    }
    problems.push_back({"SPLIT", where, "by",
                        fmt::format("class {} has no row to train on (train 0, val {}, test {}); split otherwise",
                                    printable(dataset.classes()[c]), counts[kVal][c], counts[kTest][c])});
  }
  if (more > 0) problems.push_back({"SPLIT", where, "by", fmt::format("and {} more classes", more)});
  if (!problems.empty()) throw InputError(std::move(problems));
}

std::vector<int64_t> fold_numbers(const Dataset& dataset) {
  const auto folds = dataset.folds();
  const std::set<int64_t> unique(folds.begin(), folds.end());
  return {unique.begin(), unique.end()};
}

int64_t leaking_groups(const Dataset& dataset, const Split& split) {
  const auto groups = dataset.groups();
  if (groups.empty()) return 0;
  const auto classes = class_of_rows(dataset);
  const auto key = [&](int64_t row) {
    return std::pair{groups[static_cast<size_t>(row)], classes[static_cast<size_t>(row)]};
  };
  std::set<std::pair<int64_t, int64_t>> trained;
  for (const auto row : split.train) trained.insert(key(row));
  std::set<int64_t> leaking;
  for (const auto* rows : {&split.val, &split.test}) {
    for (const auto row : *rows) {
      if (trained.contains(key(row))) leaking.insert(groups[static_cast<size_t>(row)]);
    }
  }
  return static_cast<int64_t>(leaking.size());
}

}  // namespace amae

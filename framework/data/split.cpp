#include "data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "amae/draw.h"
#include "amae/error.h"
#include "base/text.h"

namespace amae {
namespace {

// Streams of this file; the transforms of a run count theirs from 0.
constexpr uint32_t kRatioStage = 0x53504C31, kGroupStage = 0x53504C32;

enum Part : size_t { kTrain, kVal, kTest };
constexpr std::array<const char*, 3> kPartNames = {"train", "val", "test"};
using Parts = std::vector<Part>;  // of each row

bool has_one_label(const Dataset& dataset) {
  const auto labels = dataset.labels();
  return labels.defined() && labels.dim() == 1;
}

/// Class of each row; 0 for all when rows have several labels or none.
std::vector<int64_t> class_of_rows(const Dataset& dataset) {
  if (!has_one_label(dataset)) return std::vector<int64_t>(static_cast<size_t>(dataset.size()), 0);
  const auto labels = dataset.labels().to(at::kLong).contiguous();
  return {labels.data_ptr<int64_t>(), labels.data_ptr<int64_t>() + labels.numel()};
}

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

/// How many of each class's `sizes` make up `ratio` of all: largest remainder, never more than `room` allows.
std::vector<int64_t> shares(const std::vector<int64_t>& sizes, const std::vector<int64_t>& room, double ratio) {
  std::vector<int64_t> share;
  std::vector<std::pair<double, size_t>> remainders;
  int64_t total = 0, given = 0;
  for (size_t c = 0; c < sizes.size(); ++c) {
    const double exact = static_cast<double>(sizes[c]) * ratio;
    share.push_back(std::min(room[c], static_cast<int64_t>(exact)));
    remainders.emplace_back(exact - std::floor(exact), c);
    total += sizes[c];
    given += share.back();
  }
  std::stable_sort(remainders.begin(), remainders.end(), [](auto& a, auto& b) { return a.first > b.first; });
  const int64_t wanted = std::llround(static_cast<double>(total) * ratio);
  for (const auto& [remainder, c] : remainders) {
    if (given >= wanted) break;
    if (share[c] < room[c]) ++share[c], ++given;
  }
  return share;
}

Parts by_ratio(const Dataset& dataset, const SplitOptions& options) {
  std::map<int64_t, std::vector<int64_t>> rows_of;
  const auto classes = class_of_rows(dataset);
  for (size_t row = 0; row < classes.size(); ++row) rows_of[classes[row]].push_back(static_cast<int64_t>(row));
  std::vector<int64_t> sizes, room;
  for (const auto& [label, rows] : rows_of) sizes.push_back(static_cast<int64_t>(rows.size()));
  for (const auto size : sizes) room.push_back(size - 1);
  const auto test = shares(sizes, room, options.test_ratio);
  for (size_t c = 0; c < room.size(); ++c) room[c] -= test[c];
  const auto val = shares(sizes, room, options.val_ratio);

  Parts parts(classes.size(), kTrain);
  size_t c = 0;
  for (const auto& [label, rows] : rows_of) {
    Draw draw(static_cast<uint64_t>(options.seed), 0, static_cast<uint64_t>(label), kRatioStage);
    const auto order = draw.permutation(sizes[c]);
    for (int64_t i = 0; i < test[c] + val[c]; ++i) {
      parts[static_cast<size_t>(rows[static_cast<size_t>(order[static_cast<size_t>(i)])])] = i < test[c] ? kTest : kVal;
    }
    ++c;
  }
  return parts;
}

Parts by_group(const Dataset& dataset, const SplitOptions& options, const std::string& where) {
  const auto groups = dataset.groups();
  if (groups.empty()) fail(where, "by", "got group, but the data set has no groups; expected by: ratio or by: fold");
  const auto classes = class_of_rows(dataset);
  std::map<int64_t, std::vector<size_t>> rows_of;
  std::map<int64_t, double> class_size;
  for (size_t row = 0; row < groups.size(); ++row) {
    rows_of[groups[row]].push_back(row);
    ++class_size[classes[row]];
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
  std::array<std::map<int64_t, double>, 3> have;
  std::array<double, 3> have_rows{};
  const auto all_rows = static_cast<double>(groups.size());
  Parts parts(groups.size(), kTrain);
  for (const auto* rows : shuffled) {
    const auto size = static_cast<double>(rows->size());
    std::map<int64_t, double> content;
    for (const auto row : *rows) ++content[classes[row]];
    // How far the part would be filled, half of the group counted, relative to its ratio; weighed by rows.
    const auto filled = [&](Part part) {
      double cost = size * (have_rows[part] + size / 2) / all_rows;
      for (const auto& [label, count] : content) {
        cost += count * (have[part][label] + count / 2) / class_size[label];
      }
      return cost / ratio[part];
    };
    Part best = kTrain;
    for (const Part part : {kVal, kTest}) {
      if (ratio[part] > 0 && filled(part) < filled(best)) best = part;
    }
    for (const auto& [label, count] : content) have[best][label] += count;
    have_rows[best] += size;
    for (const auto row : *rows) parts[row] = best;
  }
  return parts;
}

}  // namespace

void SplitOptions::describe(Fields& fields) {
  fields
      .add("by", by,
           "fold: published folds; ratio: random, each class in proportion; group: the same, source "
           "recordings kept whole")
      .choices({"fold", "ratio", "group"});
  fields.add("test", test, "by fold: folds that test");
  fields.add("val", val, "by fold: folds that validate");
  fields.add("test_ratio", test_ratio, "by ratio or group: share that tests").unit("fraction").range(0, 1);
  fields.add("val_ratio", val_ratio, "by ratio or group: share that validates").unit("fraction").range(0, 1);
  fields.add("seed", seed, "by ratio or group: another seed splits otherwise").min(0);
}

void SplitOptions::check() const {
  std::vector<Problem> problems;
  const auto add = [&](const char* field, const std::string& message) {
    problems.push_back({"SPLIT", "", field, message});
  };
  const auto unused = [&](const char* field, bool is_set, const char* used_by) {
    if (is_set) add(field, fmt::format("has no meaning with by: {}; expected by: {}, or leave it out", by, used_by));
  };
  if (by == "fold") {
    unused("test_ratio", test_ratio != 0, "ratio or group");
    unused("val_ratio", val_ratio != 0, "ratio or group");
    for (const auto fold : std::set<int64_t>(val.begin(), val.end())) {
      if (std::find(test.begin(), test.end(), fold) != test.end()) {
        add("val", fmt::format("got fold {}, which is in test too; expected other folds", fold));
      }
    }
  } else {
    unused("test", !test.empty(), "fold");
    unused("val", !val.empty(), "fold");
    if (test_ratio + val_ratio >= 1) {
      add("test_ratio",
          fmt::format("got {} + {} with val_ratio, expected less than 1 so that rows are left to train on",
                      number_text(test_ratio), number_text(val_ratio)));
    }
  }
  if (!problems.empty()) throw InputError(std::move(problems));
}

Split make_split(const Dataset& dataset, const SplitOptions& options, const std::string& where) {
  options.check();
  Parts parts;
  if (options.by == "fold") {
    parts = by_fold(dataset, options, where);
  } else if (options.by == "group") {
    parts = by_group(dataset, options, where);
  } else {
    parts = by_ratio(dataset, options);
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

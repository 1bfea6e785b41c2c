#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "amae/error.h"
#include "base/text.h"
#include "data/split.h"

namespace amae {

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
  fields.add(
      "stratify", stratify,
      "columns of few values that are spread over the parts, and over the labels kept, as evenly as the classes");
  fields
      .add("labels", labels,
           "share of the training split that keeps its label, the rest is left out; pretraining needs no labels and "
           "takes all of it")
      .unit("fraction")
      .range(0, 1);
  fields.add("labels_seed", labels_seed, "another seed keeps other labels").min(0);
}

void SplitOptions::check() const {
  std::vector<Problem> problems;
  const auto add = [&](const char* field, const std::string& message) {
    problems.push_back({"SPLIT", "", field, message});
  };
  const auto unused = [&](const char* field, bool is_set, const char* used_by) {
    if (is_set) add(field, fmt::format("has no meaning with by: {}; expected by: {}, or leave it out", by, used_by));
  };
  if (labels <= 0) add("labels", "got 0, expected a share above 0; every class keeps at least one label");
  if (labels == 1 && labels_seed != 0)
    add("labels_seed", "has no meaning with all labels; expected labels below 1, or leave it out");
  if (by == "fold") {
    if (!stratify.empty() && labels == 1)
      add("stratify", "has no meaning with by: fold and all labels; expected by: ratio or group, or labels below 1");
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

}  // namespace amae

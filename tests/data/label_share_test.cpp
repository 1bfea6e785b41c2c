// split.labels: a share of the training rows keeps its labels.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <set>

#include "data/split.h"
#include "tests/data/columns.h"

namespace amae {
namespace {

Split shared(const Dataset& data, SplitOptions options) {
  const Split whole = make_split(data, options, "");
  const Split split = with_label_share(data, whole, options, "");
  CHECK(split.val == whole.val);
  CHECK(split.test == whole.test);
  std::vector<int64_t> all = split.train;
  all.insert(all.end(), split.unlabelled.begin(), split.unlabelled.end());
  std::sort(all.begin(), all.end());
  CHECK(all == whole.train);
  CHECK(std::is_sorted(split.train.begin(), split.train.end()));
  CHECK(std::is_sorted(split.unlabelled.begin(), split.unlabelled.end()));
  return split;
}

const SplitOptions kRadio{.by = "ratio", .test_ratio = 0.2, .val_ratio = 0.2, .seed = 3, .stratify = {"snr"}};

SplitOptions with_labels(double labels, int64_t seed = 0) {
  SplitOptions options = kRadio;
  options.labels = labels;
  options.labels_seed = seed;
  return options;
}

TEST_CASE("every class and SNR keeps the same share of its labels") {
  const Columns data = radio_rows(5, 10, 100);
  const Split split = shared(data, with_labels(0.1));
  CHECK(split.train.size() == 300);
  for (int64_t c = 0; c < 5; ++c) {
    for (double snr = -20; snr < 0; snr += 2) CHECK(cell_count(data, split.train, c, snr) == 6);
  }
}

TEST_CASE("a share of less than a row in each cell is spread over them, class by class") {
  const Columns data = radio_rows(5, 10, 100);
  const Split split = shared(data, with_labels(0.01));  // 0.6 rows of a cell's 60: 6 cells of a class have one
  CHECK(split.train.size() == 30);
  for (int64_t c = 0; c < 5; ++c) {
    int64_t of_class = 0;
    for (double snr = -20; snr < 0; snr += 2) {
      const int64_t rows = cell_count(data, split.train, c, snr);
      CHECK(rows <= 1);
      of_class += rows;
    }
    CHECK(of_class == 6);
  }
}

TEST_CASE("every class keeps a label, however small the share") {
  const Columns data = radio_rows(5, 10, 5);
  const Split split = shared(data, with_labels(1e-6));
  CHECK(split.train.size() == 5);
  std::set<int64_t> classes;
  for (const int64_t row : split.train) classes.insert(data.label[static_cast<size_t>(row)]);
  CHECK(classes.size() == 5);

  Columns several;  // the last class is in one row only, the fourth in none
  several.names = {"a", "b", "c", "d", "e"};
  several.several = at::zeros({40, 5});
  several.several.select(1, 0).fill_(1);
  several.several.narrow(0, 0, 20).select(1, 1).fill_(1);
  several.several.narrow(0, 20, 20).select(1, 2).fill_(1);
  several.several[7][4] = 1;
  several.fold.assign(40, 1);
  SplitOptions options;
  options.labels = 0.05;
  const Split few =
      with_label_share(several, Split{make_split(radio_rows(1, 1, 40), {}, "").train, {}, {}}, options, "");
  CHECK(std::binary_search(few.train.begin(), few.train.end(), 7));
  const at::Tensor kept = several.several.index_select(0, at::tensor(few.train)).sum(0);
  for (const int64_t c : {0, 1, 2, 4}) CHECK(kept[c].item<double>() >= 1);
  CHECK(few.train.size() <= 5);
}

TEST_CASE("a larger share holds the rows of a smaller one, another seed keeps others, the test rows stay") {
  const Columns data = radio_rows(5, 10, 200);
  std::vector<int64_t> before;
  for (const double labels : {0.05, 0.1, 0.5}) {
    const Split split = shared(data, with_labels(labels));
    CHECK(std::includes(split.train.begin(), split.train.end(), before.begin(), before.end()));
    before = split.train;
  }
  const Split one = shared(data, with_labels(0.05, 1)), two = shared(data, with_labels(0.05, 2));
  CHECK(one.train != two.train);
  CHECK(one.test == two.test);
  CHECK(one.train == shared(data, with_labels(0.05, 1)).train);
}

TEST_CASE("all labels are kept by default, and each fold keeps its own share") {
  const Columns data = radio_rows(3, 4, 10);
  CHECK(shared(data, kRadio).unlabelled.empty());
  for (const int64_t fold : {1, 2}) {
    const Split split = shared(data, {.test = {fold}, .stratify = {"snr"}, .labels = 0.25});
    CHECK(split.train.size() == 24);  // of 96
    for (int64_t c = 0; c < 3; ++c) CHECK(cell_count(data, split.train, c, -20) == 2);
  }
}

}  // namespace
}  // namespace amae

#include "task/neighbours.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <filesystem>
#include <iterator>

#include "base/file.h"
#include "io/csv.h"
#include "tests/index/stores.h"
#include "tests/problems.h"

using namespace amae;
using amae::index_test::maker_of;
using amae::index_test::numbers;
using amae::index_test::StoreRows;
using amae::index_test::TestStore;

namespace {

/// Three classes far apart, 12 rows each, in folds 2, 10 and 1; nothing is at zero. `noise` as large as 3 mixes them.
StoreRows planted(double noise, uint64_t seed) {
  at::manual_seed(seed);
  const at::Tensor centres = 4 * at::eye(8).narrow(0, 0, 3) + 5;
  StoreRows rows;
  std::vector<at::Tensor> x;
  for (int i = 0; i < 36; ++i) {
    x.push_back(centres[i % 3] + noise * at::randn({8}));
    rows.labels.push_back(std::vector<std::string>{"dog", "cat", "cow"}[static_cast<size_t>(i % 3)]);
    rows.folds.push_back(std::vector<std::string>{"2", "10", "1"}[static_cast<size_t>(i / 3 % 3)]);
  }
  rows.vectors = at::stack(x);
  return rows;
}

/// Every figure, in the order of the tables.
std::vector<double> figures(const RetrievalMetrics& m) {
  std::vector<double> all = {static_cast<double>(m.queries),
                             static_cast<double>(m.skipped),
                             static_cast<double>(m.gallery),
                             m.silhouette,
                             m.alignment,
                             m.uniformity};
  for (const auto& [name, interval] : named(m)) all.insert(all.end(), {interval.value, interval.low, interval.high});
  return all;
}

/// Figures by hand: the rows of `fold` against all others, post-processed as `fitted_on` says.
RetrievalMetrics by_hand(const StoreRows& rows, const std::string& fold, const PostOptions& post, bool on_gallery) {
  std::vector<int64_t> at[2], classes[2];
  for (size_t i = 0; i < rows.labels.size(); ++i) {
    const size_t side = rows.folds[i] == fold ? 0 : 1;
    at[side].push_back(static_cast<int64_t>(i));
    const std::string& label = rows.labels[i];
    classes[side].push_back(label.empty() ? -1 : label == "dog" ? 0 : label == "cat" ? 1 : 2);
  }
  const auto vectors = [&](size_t side) { return rows.vectors.index_select(0, at::tensor(at[side], at::kLong)); };
  const PostProcess process = PostProcess::fit(post, on_gallery ? vectors(1) : rows.vectors);
  return retrieval_metrics(process(vectors(0)), classes[0], process(vectors(1)), classes[1], {});
}

}  // namespace

TEST_CASE("each fold in turn asks the others, and planted classes find their own") {
  const TestStore store(planted(0.1, 1));
  const auto folds = evaluate_folds(*store.open(), {}, {});
  REQUIRE(folds.size() == 3);
  CHECK(folds[0].first == "1");
  CHECK(folds[1].first == "2");
  CHECK(folds[2].first == "10");  // after 2, as a number
  for (const auto& [fold, metrics] : folds) {
    CHECK(metrics.queries == 12);
    CHECK(metrics.gallery == 24);
    CHECK(metrics.hit1.value == 1);
    CHECK(metrics.map_r.value == 1);
    CHECK(metrics.silhouette > 0.9);
  }
  const auto means = retrieval_means(folds);
  CHECK(means.at("hit@1").at("mean") == 1);
  CHECK(means.at("hit@1").at("sd") == 0);
  CHECK(retrieval_json(folds[0].second).at("map@r").at("value") == 1);
  CHECK(retrieval_json(folds[0].second).at("gallery") == 24);
}

TEST_CASE("queries by a filter are the same as that fold, with every figure as by hand") {
  const StoreRows rows = planted(3, 2);
  const TestStore store(rows);
  for (const PostOptions& post : {PostOptions{}, PostOptions{.pca = 3, .whiten = true}}) {
    const auto folds = evaluate_folds(*store.open(), post, {});
    const RetrievalMetrics metrics = evaluate_queries(*store.open(), {"fold=10"}, post, {});
    CHECK(metrics.hit1.value < 1);
    CHECK(figures(metrics) == figures(folds[2].second));
    CHECK(figures(metrics) == figures(by_hand(rows, "10", post, true)));
  }
  CHECK(evaluate_queries(*store.open(), {"fold=1", "fold=2", "label!=cow"}, {}, {}).gallery == 20);
}

TEST_CASE("the post-processing is fitted on the gallery alone: a far-off query moves nothing") {
  StoreRows rows = planted(3, 3);
  rows.vectors[3] = 1000;  // the first of fold 10
  rows.labels[3] = "";
  REQUIRE(rows.folds[3] == "10");
  const auto metrics = evaluate_queries(*TestStore(rows).open(), {"fold=10"}, {}, {});
  CHECK(metrics.skipped == 1);
  CHECK(figures(metrics) == figures(by_hand(rows, "10", {}, true)));
  CHECK(figures(metrics) != figures(by_hand(rows, "10", {}, false)));
  StoreRows harmless = rows;
  harmless.vectors = rows.vectors.clone();
  harmless.vectors[3] = 1;
  CHECK(figures(metrics) == figures(evaluate_queries(*TestStore(harmless).open(), {"fold=10"}, {}, {})));
}

TEST_CASE("folds have one order, whichever comes first in the table") {
  const std::vector<std::vector<std::string>> orders = {{"10", "9", "1a"}, {"9", "10", "1a"}, {"1a", "9", "10"},
                                                        {"10", "1a", "9"}, {"9", "1a", "10"}, {"1a", "10", "9"}};
  for (const auto& order : orders) {
    INFO(order[0] << " " << order[1] << " " << order[2]);
    StoreRows rows = planted(1, 6);
    for (size_t i = 0; i < rows.folds.size(); ++i) rows.folds[i] = order[i / 3 % 3];
    std::vector<std::string> told;
    for (const auto& [fold, metrics] : evaluate_folds(*TestStore(rows).open(), {}, {})) told.push_back(fold);
    CHECK(told == std::vector<std::string>{"10", "1a", "9"});  // as text: they are not all numbers
  }
}

TEST_CASE("an evaluation without queries, gallery, folds or labels is refused with what it lacks") {
  const StoreRows rows = planted(1, 4);
  StoreRows no_labels = rows, no_folds = rows;
  no_labels.labels.clear();
  no_folds.folds.clear();
  const TestStore whole(rows), unlabelled(no_labels), unfolded(no_folds);
  const auto refused = [](const TestStore& store, const std::vector<std::string>& queries) {
    return only_problem([&] { evaluate_queries(*store.open(), queries, {}, {}); });
  };
  CHECK(refused(whole, {"fold=7"}).field == "--query");
  CHECK(contains(refused(whole, {"fold=7"}).message, "0 rows as queries and 36 as the gallery"));
  CHECK(contains(refused(whole, {"fold>0"}).message, "36 rows as queries and 0 as the gallery"));
  CHECK(refused(unlabelled, {"fold=1"}).field == "label");
  CHECK(refused(unlabelled, {"fold=1"}).where == unlabelled.path());
  const Problem problem = only_problem([&] { evaluate_folds(*unfolded.open(), {}, {}); });
  CHECK(problem.field == "fold");
  CHECK(contains(problem.message, "got 0 folds"));
}

TEST_CASE("chunks of one file are no answers to each other") {
  // Four chunks each of six files, every file at a place of its own: alone, chunks of the same file are near.
  at::manual_seed(8);
  StoreRows rows{at::zeros({24, 8})};
  for (int i = 0; i < 24; ++i) {
    const int file = i / 4, part = i % 4;
    rows.vectors[i][file] = 5;
    rows.vectors[i][6 + part % 2] = 0.1 * part;
    rows.ids.push_back("f" + std::to_string(file) + ".wav#t=" + std::to_string(part) + "," + std::to_string(part + 1));
    rows.labels.push_back(file < 3 ? "dog" : "cat");
    rows.folds.push_back(std::to_string(part));  // an unwise split, of every file's chunks
  }
  EmbeddingMaker chunks = maker_of();
  chunks.timestamps = true;
  const RetrievalMetrics apart = evaluate_queries(*TestStore(rows, chunks).open(), {"fold=0"}, {}, {});
  const RetrievalMetrics mixed = evaluate_queries(*TestStore(rows).open(), {"fold=0"}, {}, {});
  CHECK(mixed.hit1.value == 1);
  CHECK(apart.queries == 6);
  CHECK(apart.map_r.value < mixed.map_r.value);
  const Audit audit = audit_store(*TestStore(rows, chunks).open(), {}, {.duplicate_similarity = 0.99}, {});
  CHECK(audit.near_duplicates.empty());
  CHECK_FALSE(audit_store(*TestStore(rows).open(), {}, {.duplicate_similarity = 0.99}, {}).near_duplicates.empty());

  for (int i = 0; i < 24; ++i) rows.labels[static_cast<size_t>(i)] = std::to_string(i / 4);  // a class of its own each
  const Problem problem = only_problem([&] { evaluate_queries(*TestStore(rows, chunks).open(), {"fold=0"}, {}, {}); });
  CHECK(problem.field == "--query");
  CHECK(
      contains(problem.message, "got 6 rows as queries of which none can be judged (0 have no label, 6 no other item"));
  CHECK(only_problem([&] { evaluate_folds(*TestStore(rows, chunks).open(), {}, {}); }).field == "fold 0");
}

TEST_CASE("a row's item is its id, of a chunk without the section") {
  CHECK(item_id("day.flac#t=2,4", true) == "day.flac");
  CHECK(item_id("odd#t=1.wav#t=0,1", true) == "odd#t=1.wav");
  CHECK(item_id("day.flac", true) == "day.flac");
  CHECK(item_id("odd#t=1.wav", false) == "odd#t=1.wav");
}

TEST_CASE("labels are numbered as they appear, and an empty one is none") {
  const TestStore store({at::zeros({5, 2}), {}, {"b", "", "a", "b", "c"}});
  const StoreLabels labels = labels_of(store.open()->items());
  CHECK(labels.classes == std::vector<std::string>{"b", "a", "c"});
  CHECK(labels.of_row == std::vector<int64_t>{0, -1, 1, 0, 2});
  CHECK(labels_of(store.open()->items(), "fold").classes.empty());
}

TEST_CASE("an audit finds a planted duplicate, a copy and a wrong label") {
  StoreRows rows = planted(0.5, 5).of(numbers(0, 36));
  rows.vectors[20] = rows.vectors[4] * 1.0001;  // nearly the same sound under another id, in another fold
  rows.contents[30] = rows.contents[9];         // and the same file
  rows.vectors[30] = rows.vectors[9];
  rows.labels[8] = "dog";  // of the class "cow"
  const Audit audit = audit_store(*TestStore(rows).open(), {}, {}, {});
  REQUIRE(audit.identical_content.size() == 1);
  CHECK(audit.identical_content[0].first == 9);
  CHECK(audit.identical_content[0].second == 30);
  REQUIRE_FALSE(audit.near_duplicates.empty());
  CHECK(audit.near_duplicates[0].first == 4);
  CHECK(audit.near_duplicates[0].second == 20);
  CHECK(audit.near_duplicates[0].in_two_folds == (rows.folds[4] != rows.folds[20]));
  const auto doubt = std::find_if(audit.label_doubts.begin(), audit.label_doubts.end(),
                                  [](const LabelDoubt& d) { return d.row == 8; });
  REQUIRE(doubt != audit.label_doubts.end());
  CHECK(doubt->suggested == 2);
  // Chunks of one file share its content, and are no copies of each other for that.
  EmbeddingMaker chunks = maker_of();
  chunks.timestamps = true;
  const Audit of_chunks = audit_store(*TestStore(rows, chunks).open(), {}, {}, {});
  CHECK(of_chunks.identical_content.empty());
  CHECK(of_chunks.near_duplicates.size() == audit.near_duplicates.size() + 1);
}

#include "index/retrieval.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <stdexcept>

#include "amae/error.h"
#include "io/safetensors.h"
#include "rows.h"

using namespace amae;
using namespace amae::index_test;
using Catch::Matchers::WithinAbs;

namespace {

// The figures of one query at 0 degrees; the labels stand in the order of the ranking.
RetrievalMetrics of_ranking(int64_t label, const Labels& ranking, int64_t knn = 20) {
  std::vector<double> degrees;
  for (size_t i = 1; i <= ranking.size(); ++i) degrees.push_back(10.0 * static_cast<double>(i));
  return retrieval_metrics(directions({0}), {label}, directions(degrees), ranking, {.knn = knn});
}

// Every figure with loops over all rows: the definitions of the header, word by word.
std::map<std::string, double> plain_figures(const at::Tensor& queries, const Labels& query_labels,
                                            const at::Tensor& gallery, const Labels& gallery_labels, int64_t knn) {
  const auto asked = plain_units(queries), known = plain_units(gallery);
  std::map<std::string, double> sums;
  double counted = 0;
  for (size_t q = 0; q < asked.size(); ++q) {
    const int64_t label = query_labels[q];
    const auto relevant = std::count(gallery_labels.begin(), gallery_labels.end(), label);
    if (label < 0 || relevant == 0) continue;
    ++counted;
    std::vector<float> similarity;
    for (const auto& row : known) similarity.push_back(static_cast<float>(plain_cosine(asked[q], row)));
    std::vector<size_t> order(known.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return similarity[a] > similarity[b]; });
    std::map<int64_t, double> votes;
    double found = 0, ap10 = 0, ap_r = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      const int64_t theirs = gallery_labels[order[i]];
      if (static_cast<int64_t>(i) < knn && theirs >= 0) votes[theirs] += std::max(0.0F, similarity[order[i]]);
      if (theirs != label) continue;
      found += 1;
      if (found == 1) {
        sums["hit@1"] += i < 1;
        sums["hit@5"] += i < 5;
        sums["hit@10"] += i < 10;
        sums["mrr@10"] += i < 10 ? 1.0 / static_cast<double>(i + 1) : 0;
      }
      if (i < 10) sums["precision@10"] += 1.0 / static_cast<double>(std::min<size_t>(10, known.size()));
      if (i < 10) ap10 += found / static_cast<double>(i + 1);
      if (static_cast<int64_t>(i) < relevant) ap_r += found / static_cast<double>(i + 1);
    }
    sums["map@10"] += ap10 / static_cast<double>(std::min<int64_t>(10, relevant));
    sums["map@r"] += ap_r / static_cast<double>(relevant);
    int64_t winner = -1;
    for (const auto& [theirs, vote] : votes) winner = winner < 0 || vote > votes[winner] ? theirs : winner;
    sums["knn_accuracy"] += winner == label;
  }
  for (auto& [name, sum] : sums) sum /= counted;
  sums["queries"] = counted;
  return sums;
}

}  // namespace

TEST_CASE("figures of a ranking equal a computation by hand") {
  // Ranking 1 0 1 0 0 1 for a query of class 0: relevant at ranks 2, 4, 5 of 6, R = 3.
  const RetrievalMetrics m = of_ranking(0, {1, 0, 1, 0, 0, 1});
  CHECK(m.queries == 1);
  CHECK(m.gallery == 6);
  CHECK(m.dimension == 2);
  CHECK(m.hit1.value == 0);
  CHECK(m.hit5.value == 1);
  CHECK(m.hit10.value == 1);
  CHECK(m.precision10.value == 0.5);  // 3 of min(10, 6)
  CHECK_THAT(m.map10.value, WithinAbs((1.0 / 2 + 2.0 / 4 + 3.0 / 5) / 3, kSumError));
  CHECK_THAT(m.map_r.value, WithinAbs((1.0 / 2) / 3, kSumError));  // only rank 2 is within R
  CHECK(m.mrr10.value == 0.5);
  // Votes are cosines of 10 to 60 degrees. All six: 0.985 + 0.866 + 0.5 = 2.351 for class 1 against 0.940 + 0.766 +
  // 0.643 = 2.349 for class 0, though as many rows vote; five: 1.851 against 2.349.
  CHECK(m.knn_accuracy.value == 0);
  CHECK(of_ranking(0, {1, 0, 1, 0, 0, 1}, 5).knn_accuracy.value == 1);
}

TEST_CASE("with more than ten relevant rows the lists end where their names say") {
  // 14 rows, relevant at ranks 2 to 11, 13 and 14: R = 12.
  const RetrievalMetrics m = of_ranking(0, {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0});
  double ten = 0, twelve = 0;
  for (int i = 2; i <= 10; ++i) ten += (i - 1.0) / i;     // precision at rank i
  for (int i = 2; i <= 11; ++i) twelve += (i - 1.0) / i;  // rank 12 is not relevant, 13 and 14 are beyond R
  CHECK(m.precision10.value == 0.9);
  CHECK_THAT(m.map10.value, WithinAbs(ten / 10, kSumError));
  CHECK_THAT(m.map_r.value, WithinAbs(twelve / 12, kSumError));
}

TEST_CASE("a first relevant row at rank 11 counts for nothing within ten") {
  const RetrievalMetrics m = of_ranking(0, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0});
  CHECK(m.queries == 1);
  for (const auto& [name, figure] : named(m)) {
    INFO(name);
    CHECK(figure.value == 0);
  }
}

TEST_CASE("a gallery of relevant rows only, fewer than five, is found whole") {
  for (const auto& [name, figure] : named(of_ranking(4, {4, 4, 4}))) {
    INFO(name);
    CHECK_THAT(figure.value, WithinAbs(1, kSumError));
    CHECK(figure.low == figure.high);
  }
}

TEST_CASE("queries without a label or a relevant row are skipped, gallery rows without one are never relevant") {
  const at::Tensor gallery = directions({1, 30, 60}), queries = directions({0, 0, 0, 50});
  const RetrievalMetrics m = retrieval_metrics(queries, {-1, 5, 2, 3}, gallery, {-1, 2, 3}, {});
  CHECK(m.queries == 2);
  CHECK(m.skipped == 2);
  CHECK(m.gallery == 3);
  CHECK(m.hit1.value == 0.5);        // the query at 0 finds the row without a label first, the one at 50 its own
  CHECK(m.mrr10.value == 0.75);      // (1/2 + 1) / 2
  CHECK(m.knn_accuracy.value == 1);  // the row without a label has no vote
  const RetrievalMetrics none = retrieval_metrics(queries, {-1, -1, -1, -1}, gallery, {-1, -1, -1}, {});
  CHECK(none.queries == 0);
  CHECK(none.skipped == 4);
  CHECK(none.hit1.value == 0);
  CHECK(none.uniformity == 0);
  CHECK(retrieval_metrics(queries, {1, 2, 3, 4}, at::empty({0, 2}), {}, {}).skipped == 4);
  CHECK(retrieval_metrics(at::empty({0, 2}), {}, gallery, {1, 2, 3}, {}).queries == 0);
}

TEST_CASE("equally similar rows rank by their position, whatever their length and however many") {
  const int64_t items = 5003;  // more than the search takes at once, and not a multiple of it
  const at::Tensor lengths = at::pow(2, at::arange(items).remainder(5)).unsqueeze(1);
  const at::Tensor gallery = at::tensor({0.1F, -0.7F, 0.3F}).repeat({items, 1}) * lengths;
  Labels labels(static_cast<size_t>(items), 1);
  labels[2] = labels[5002] = 0;
  const RetrievalMetrics m =
      retrieval_metrics(at::tensor({0.2F, -0.6F, 0.1F}).unsqueeze(0), {0}, gallery, labels, {.knn = 3});
  CHECK_THAT(m.mrr10.value, WithinAbs(1.0 / 3, kSumError));
  CHECK(m.map_r.value == 0);  // ranks 3 and 5003, R = 2
  CHECK_THAT(m.map10.value, WithinAbs(1.0 / 6, kSumError));
  CHECK(m.knn_accuracy.value == 0);
}

TEST_CASE("equal votes go to the lower class") {
  const at::Tensor twins = directions({20, 20});
  CHECK(retrieval_metrics(directions({0}), {1}, twins, {3, 1}, {}).knn_accuracy.value == 1);
  CHECK(retrieval_metrics(directions({0}), {3}, twins, {3, 1}, {}).knn_accuracy.value == 0);
}

TEST_CASE("a row of zeros is like nothing: behind what is near, before what is opposite") {
  const at::Tensor gallery = at::cat({directions({180}), at::zeros({1, 2}), directions({80})});
  const auto rank_of_zero = [&](const at::Tensor& query) {
    return retrieval_metrics(query, {1}, gallery, {0, 1, 0}, {}).mrr10.value;
  };
  CHECK(rank_of_zero(directions({0})) == 0.5);
  CHECK(rank_of_zero(at::zeros({1, 2})) == 0.5);  // all are as unlike: by position
}

TEST_CASE("figures of random vectors equal plain loops over all rows, in blocks and ties alike") {
  at::manual_seed(11);
  const at::Tensor queries = at::randn({1300, 5}), gallery = at::randn({2100, 5});
  const Labels query_labels = random_labels(1300, 9);
  Labels gallery_labels = random_labels(2100, 9);
  for (size_t i = 0; i < 700; ++i) gallery_labels[i] = 3;  // one class with far more rows than any list is long
  const RetrievalMetrics m = retrieval_metrics(queries, query_labels, gallery, gallery_labels, {.knn = 7});
  auto expected = plain_figures(queries, query_labels, gallery, gallery_labels, 7);
  CHECK(static_cast<double>(m.queries) == expected["queries"]);
  CHECK(m.queries + m.skipped == 1300);
  for (const auto& [name, figure] : named(m)) {
    INFO(name);
    CHECK_THAT(figure.value, WithinAbs(expected.at(name), kSumError));
  }
}

TEST_CASE("a sample of the pairs is seeded and tells about the same as all of them") {
  at::manual_seed(13);
  const at::Tensor queries = at::randn({300, 6}), gallery = at::randn({900, 6});
  const Labels a = random_labels(300, 2), b = random_labels(900, 2);
  const auto with = [&](int64_t rows, uint64_t seed) {
    return retrieval_metrics(queries, a, gallery, b, {.seed = seed, .most_pairs_rows = rows});
  };
  const RetrievalMetrics all = with(20'000, 0), some = with(400, 0);
  CHECK(some.uniformity == with(400, 0).uniformity);
  CHECK(some.uniformity != with(400, 1).uniformity);
  CHECK(all.uniformity == with(20'000, 1).uniformity);
  CHECK(some.hit1.value == all.hit1.value);
  // Means over 80,000 pairs of 400 rows: a few of their standard errors, 1 / sqrt(400) of a deviation below 1.
  CHECK_THAT(some.alignment, WithinAbs(all.alignment, 0.15));
  CHECK_THAT(some.uniformity, WithinAbs(all.uniformity, 0.15));
}

TEST_CASE("the interval over queries holds the value, is near the binomial one and repeats with its seed") {
  const int64_t n = 1000;
  std::vector<double> degrees;
  for (int64_t i = 0; i < n; ++i) degrees.push_back(i % 5 == 0 ? 80 : 10);  // 80 % are nearest to their own class
  const auto with = [&](uint64_t seed) {
    return retrieval_metrics(directions(degrees), Labels(static_cast<size_t>(n), 0), directions({0, 90}), {0, 1},
                             {.knn = 1, .seed = seed});
  };
  const RetrievalMetrics m = with(0);
  CHECK_THAT(m.hit1.value, WithinAbs(0.8, kSumError));
  // As in tests/report/metrics_test.cpp: the normal approximation, and four times what 2,000 draws leave open.
  CHECK_THAT(m.hit1.low, WithinAbs(0.8 - 0.0248, 0.004));
  CHECK_THAT(m.hit1.high, WithinAbs(0.8 + 0.0248, 0.004));
  CHECK(m.knn_accuracy.low == m.hit1.low);  // the same queries are drawn for every figure
  const auto figures = named(m), again = named(with(0));
  for (size_t i = 0; i < figures.size(); ++i) {
    const auto& [name, figure] = figures[i];
    INFO(name);
    CHECK(figure.low <= figure.value);
    CHECK(figure.value <= figure.high);
    CHECK(figure.low == again[i].second.low);
    CHECK(figure.high == again[i].second.high);
  }
  const RetrievalMetrics other = with(1);
  CHECK(other.mrr10.value == m.mrr10.value);
  CHECK((other.mrr10.low != m.mrr10.low || other.mrr10.high != m.mrr10.high));
}

TEST_CASE("figures agree with NumPy and scikit-learn to 1e-6") {
  const TensorDict vectors = read_safetensors(AMAE_TEST_DATA "/retrieval.safetensors");
  const auto labels_of = [&](const std::string& name) {
    const at::Tensor& t = vectors.at(name);
    return Labels(t.const_data_ptr<int64_t>(), t.const_data_ptr<int64_t>() + t.numel());
  };
  const auto expected = [&](const std::string& name) { return vectors.at(name).item<double>(); };
  const RetrievalMetrics m = retrieval_metrics(vectors.at("queries"), labels_of("query_labels"), vectors.at("gallery"),
                                               labels_of("gallery_labels"), {});
  CHECK(static_cast<double>(m.queries) == expected("counted"));
  CHECK(m.dimension == 8);
  for (const auto& [name, figure] : named(m)) {
    INFO(name);
    CHECK_THAT(figure.value, WithinAbs(expected(name), 1e-6));
  }
  CHECK_THAT(m.silhouette, WithinAbs(expected("silhouette"), 1e-6));
  CHECK_THAT(m.alignment, WithinAbs(expected("alignment"), 1e-6));
  CHECK_THAT(m.uniformity, WithinAbs(expected("uniformity"), 1e-6));
}

TEST_CASE("rows of the query's own item have no rank and are nothing to be found") {
  // At 0 degrees, of item 7: its own rows stand nearest, and both are of its class.
  const at::Tensor gallery = directions({1, 2, 30, 60, 90});
  const Labels labels = {0, 0, 1, 0, 1};
  const RetrievalMetrics with =
      retrieval_metrics(directions({0}), {0}, gallery, labels, {.knn = 1}, {{7}, {7, 7, 1, 2, 3}});
  const RetrievalMetrics without =
      retrieval_metrics(directions({0}), {0}, directions({30, 60, 90}), {1, 0, 1}, {.knn = 1});
  CHECK(with.queries == 1);
  CHECK(with.hit1.value == 0);
  for (size_t i = 0; i < named(with).size(); ++i) {
    INFO(named(with)[i].first);
    CHECK(named(with)[i].second.value == named(without)[i].second.value);
  }
  // Without another item of its class it is skipped, and only it.
  const RetrievalMetrics lone =
      retrieval_metrics(directions({0, 60}), {0, 0}, gallery, labels, {.knn = 1}, {{7, 9}, {7, 7, 1, 7, 3}});
  CHECK(lone.queries == 1);
  CHECK(lone.skipped == 1);
  CHECK(lone.hit1.value == 1);
}

TEST_CASE("figures over many items equal those of a gallery without the query's own rows") {
  at::manual_seed(17);
  const at::Tensor rows = at::randn({240, 4});
  const Labels labels = random_labels(240, 3);
  Labels items;
  for (int64_t i = 0; i < 240; ++i) items.push_back(i / 5 % 13);
  double hits = 0, counted = 0;
  for (int64_t q = 0; q < 40; ++q) {
    std::vector<int64_t> others;
    Labels their_labels;
    for (int64_t i = 40; i < 240; ++i) {
      if (items[static_cast<size_t>(i)] == items[static_cast<size_t>(q)]) continue;
      others.push_back(i);
      their_labels.push_back(labels[static_cast<size_t>(i)]);
    }
    const RetrievalMetrics one =
        retrieval_metrics(rows.narrow(0, q, 1), {labels[static_cast<size_t>(q)]},
                          rows.index_select(0, at::tensor(others, at::kLong)), their_labels, {});
    hits += one.map_r.value * static_cast<double>(one.queries);
    counted += static_cast<double>(one.queries);
  }
  const RetrievalMetrics all =
      retrieval_metrics(rows.narrow(0, 0, 40), {labels.begin(), labels.begin() + 40}, rows.narrow(0, 40, 200),
                        {labels.begin() + 40, labels.end()}, {},
                        {{items.begin(), items.begin() + 40}, {items.begin() + 40, items.end()}});
  CHECK(static_cast<double>(all.queries) == counted);
  CHECK_THAT(all.map_r.value, WithinAbs(hits / counted, kSumError));
}

TEST_CASE("what cannot be searched is refused") {
  const at::Tensor two = directions({0, 10});
  const auto refused = [](const at::Tensor& q, const Labels& a, const at::Tensor& g, const Labels& b,
                          const RetrievalOptions& options = {}) {
    CHECK_THROWS_AS(retrieval_metrics(q, a, g, b, options), std::invalid_argument);
  };
  refused(two, {0}, two, {0, 1});
  refused(two, {0, 1}, two, {0, 1, 2});
  refused(two, {0, 1}, at::zeros({2, 3}), {0, 1});
  refused(two[0], {0}, two, {0, 1});
  refused(two.to(at::kLong), {0, 1}, two, {0, 1});
  refused(two, {0, 1}, two, {0, 1}, {.knn = 0});
  refused(two, {0, 1}, two, {0, 1}, {.most_pairs_rows = 1});
  CHECK_THROWS_AS(retrieval_metrics(two, {0, 1}, two, {0, 1}, {}, {{0, 1}, {0}}), std::invalid_argument);
  CHECK_THROWS_AS(retrieval_metrics(two, {0, 1}, two, {0, 1}, {}, {{}, {0, 1}}), std::invalid_argument);
  at::Tensor diverged = two.clone();
  diverged[1][0] = std::numeric_limits<float>::infinity();
  try {
    retrieval_metrics(two, {0, 1}, diverged, {0, 1}, {});
    FAIL("nothing was refused");
  } catch (const DivergenceError& error) {
    CHECK(std::string(error.what()).find("gallery: row 1") != std::string::npos);
  }
}

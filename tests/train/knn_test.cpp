#include "train/knn.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <catch2/catch_test_macros.hpp>
#include <cmath>

using namespace amae;

namespace {

torch::Tensor matrix(const std::vector<std::vector<float>>& values) {
  std::vector<torch::Tensor> list;
  for (const auto& row : values) list.push_back(torch::tensor(row));
  return torch::stack(list);
}

KnnOptions as_they_are(int64_t k) { return {.k = k, .standardize = false}; }

bool same_scores(const torch::Tensor& got, const torch::Tensor& expected) {
  return got.sizes() == expected.sizes() && torch::allclose(got, expected, 0, 1e-6);  // float32 scores
}

}  // namespace

TEST_CASE("the nearest vote with their similarity, whatever the length of a vector") {
  const torch::Tensor gallery = matrix({{2, 0}, {0, 3}, {1, 1}, {-1, 0}});
  const torch::Tensor targets = matrix({{1, 0}, {0, 1}, {0, 1}, {0, 1}});
  const float diagonal = std::sqrt(0.5F);  // cosine of 45 degrees
  CHECK(same_scores(knn_scores(as_they_are(2), gallery, targets, matrix({{5, 0}})),
                    matrix({{1 / (1 + diagonal), diagonal / (1 + diagonal)}})));
  CHECK(same_scores(knn_scores(as_they_are(1), gallery, targets, matrix({{5, 0}, {0, 1}})), matrix({{1, 0}, {0, 1}})));
}

TEST_CASE("more neighbours than there are items are all of them") {
  const torch::Tensor gallery = matrix({{1, 0}, {1, 1}}), targets = matrix({{1, 0}, {0, 1}}),
                      query = matrix({{1, 0.2F}});
  CHECK(torch::equal(knn_scores(as_they_are(2), gallery, targets, query),
                     knn_scores(as_they_are(1000), gallery, targets, query)));
}

TEST_CASE("ties go to the lower gallery number, among many") {
  const int64_t items = 301;  // not a multiple of any block of a matrix product
  const torch::Tensor same = torch::tensor({0.1F, -0.7F, 0.3F}).repeat({items, 1});
  const torch::Tensor targets = torch::eye(items);
  const torch::Tensor scores = knn_scores(as_they_are(3), same, targets, matrix({{0.2F, -0.6F, 0.1F}}));
  torch::Tensor expected = torch::zeros({1, items});
  expected.slice(1, 0, 3).fill_(1.0F / 3);
  CHECK(same_scores(scores, expected));
}

TEST_CASE("what lies on the other side has no vote, unless all do") {
  const torch::Tensor targets = matrix({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}});
  CHECK(same_scores(knn_scores(as_they_are(3), matrix({{1, 0}, {-1, 0}, {-1, 1}}), targets, matrix({{1, 0}})),
                    matrix({{1, 0, 0}})));
  CHECK(same_scores(knn_scores(as_they_are(2), matrix({{-1, 0}, {-1, 1}, {-1, 0}}), targets, matrix({{1, 0}})),
                    matrix({{0.5F, 0.5F, 0}})));  // -0.7 is nearest, then the first of two at -1
}

TEST_CASE("several labels a row share one vote each") {
  const torch::Tensor scores = knn_scores(as_they_are(2), matrix({{1, 0}, {1, 0}, {0, 1}}),
                                          matrix({{1, 1, 0}, {0, 1, 0}, {0, 0, 1}}), matrix({{1, 0}}));
  CHECK(same_scores(scores, matrix({{0.5F, 1, 0}})));
}

TEST_CASE("a feature's scale and offset do not matter, and a constant feature tells nothing") {
  torch::manual_seed(3);
  const torch::Tensor gallery = torch::randn({40, 6}), queries = torch::randn({15, 6});
  const torch::Tensor targets = torch::eye(4).repeat({10, 1});
  const torch::Tensor expected = knn_scores({}, gallery, targets, queries);
  const torch::Tensor scale = torch::tensor({1.F, 100.F, 0.01F, 3.F, 7.F, 1.F}), offset = torch::arange(6) * 2.F;
  // 1e-4: an offset of 1000 deviations costs three of float32's seven digits.
  CHECK(
      torch::allclose(knn_scores({}, gallery * scale + offset, targets, queries * scale + offset), expected, 0, 1e-4));
  CHECK_FALSE(
      torch::allclose(knn_scores(as_they_are(5), gallery * scale, targets, queries * scale), expected, 0, 0.01));
  const auto with_constant = [](const torch::Tensor& x) {
    return torch::cat({x, torch::full({x.size(0), 1}, 0.1F)}, 1);
  };
  CHECK(same_scores(knn_scores({}, with_constant(gallery), targets, with_constant(queries)), expected));
}

TEST_CASE("a gallery of one value throughout lets its first items vote alike") {
  const torch::Tensor scores =
      knn_scores({.k = 2}, torch::full({5, 3}, 0.3F), torch::eye(5), torch::full({2, 3}, 0.3F));
  CHECK(same_scores(scores, matrix({{0.5F, 0.5F, 0, 0, 0}, {0.5F, 0.5F, 0, 0, 0}})));
}

TEST_CASE("no queries, no scores; scores are shares") {
  torch::manual_seed(4);
  const torch::Tensor gallery = torch::randn({30, 5}), targets = torch::eye(3).repeat({10, 1});
  CHECK(knn_scores({}, gallery, targets, torch::empty({0, 5})).sizes() == torch::IntArrayRef({0, 3}));
  const torch::Tensor scores = knn_scores({}, gallery, targets, torch::randn({50, 5}));
  CHECK(same_scores(scores.sum(1), torch::ones(50)));
  CHECK(scores.min().item<float>() >= 0);
}

#include "index/umap.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <csignal>
#include <numbers>

#include "base/stop.h"

using namespace amae;

namespace {

/// Exact neighbours, by all distances.
KnnGraph neighbours_of(const torch::Tensor& x, int64_t k) {
  torch::Tensor distance = torch::cdist(x, x, 2.0, /*compute_mode=*/2);
  distance.fill_diagonal_(-1);  // oneself is first and goes
  const auto [near, who] = distance.sort(/*stable=*/true, 1, /*descending=*/false);
  const torch::Tensor d = near.narrow(1, 1, k).to(torch::kFloat).contiguous(),
                      to = who.narrow(1, 1, k).to(torch::kInt).contiguous();
  return {x.size(0),
          k,
          {to.data_ptr<int32_t>(), to.data_ptr<int32_t>() + to.numel()},
          {d.data_ptr<float>(), d.data_ptr<float>() + d.numel()}};
}

torch::Tensor map_of(const torch::Tensor& x, int64_t k, const UmapOptions& options = {}) {
  return umap_layout(neighbours_of(x, k), pca_2d(x), options);
}

/// Rows in turn from each of three clouds, deviation 1 about corners 20 apart.
torch::Tensor three_blobs(int64_t each, int64_t dimensions) {
  torch::manual_seed(1);
  const torch::Tensor corners = 20 / std::numbers::sqrt2 * torch::eye(3, dimensions);
  return torch::randn({3 * each, dimensions}) + corners.repeat({each, 1});
}

torch::Tensor swiss_roll(int64_t n) {
  torch::manual_seed(2);
  const torch::Tensor t = std::numbers::pi * (1.5 + 3 * torch::rand({n}));
  return torch::stack({t * t.cos(), 21 * torch::rand({n}), t * t.sin()}, 1);
}

bool finite(const torch::Tensor& map, int64_t n) {
  return map.sizes() == torch::IntArrayRef({n, 2}) && map.dtype() == torch::kFloat && map.isfinite().all().item<bool>();
}

}  // namespace

TEST_CASE("the curve has the a and b that umap-learn publishes for its defaults") {
  const auto [a, b] = umap_curve(0.1, 1);
  CHECK(std::abs(a - 1.577) < 5e-4);  // as many digits as published
  CHECK(std::abs(b - 0.8951) < 5e-5);
  const auto [narrow_a, narrow_b] = umap_curve(0.001, 0.01);  // the same curve in other units
  CHECK(std::abs(narrow_b - b) < 1e-9);
  CHECK(std::abs(narrow_a / (a * std::pow(100, 2 * b)) - 1) < 1e-6);
  for (const double min_dist : {0.0, 0.5, 1.0}) {
    const auto [some_a, some_b] = umap_curve(min_dist, 1);
    INFO(min_dist << ": " << some_a << ", " << some_b);
    CHECK(some_a > 0);
    CHECK(some_b > 0);
    const double at_2 = 1 / (1 + some_a * std::pow(2, 2 * some_b)), wish = std::exp(-(2 - min_dist));
    CHECK(std::abs(at_2 - wish) < 0.1);  // the family of curves cannot follow the wish any better
  }
  CHECK_THROWS_AS(umap_curve(1.5, 1), c10::Error);
  CHECK_THROWS_AS(umap_curve(-0.1, 1), c10::Error);
  CHECK_THROWS_AS(umap_curve(0, 0), c10::Error);
}

TEST_CASE("three clouds stay three clouds, and the map can be trusted") {
  const int64_t each = 100;
  const torch::Tensor x = three_blobs(each, 3), map = map_of(x, 15);
  CHECK(finite(map, 3 * each));
  CHECK(trustworthiness(x, map, 10) >= 0.95);
  const KnnGraph near = neighbours_of(map, 10);
  CHECK(std::all_of(near.neighbours.begin(), near.neighbours.end(), [&, e = int64_t{0}](int32_t to) mutable {
    return (e++ / near.k - to) % 3 == 0;  // rows of one cloud are a multiple of 3 apart
  }));
}

TEST_CASE("a rolled-up sheet is unrolled, which no projection does") {
  const torch::Tensor x = swiss_roll(600);
  const double unrolled = trustworthiness(x, map_of(x, 12), 12), projected = trustworthiness(x, pca_2d(x), 12);
  INFO(unrolled << " and " << projected);
  CHECK(unrolled >= 0.95);
  CHECK(unrolled > projected + 0.02);
}

TEST_CASE("one seed is one map, to the bit") {
  const torch::Tensor x = three_blobs(30, 8);
  const torch::Tensor map = map_of(x, 10, {.epochs = 50, .seed = 7});
  CHECK(torch::equal(map, map_of(x, 10, {.epochs = 50, .seed = 7})));
  CHECK_FALSE(torch::equal(map, map_of(x, 10, {.epochs = 50, .seed = 8})));
}

TEST_CASE("a greater min_dist spreads the points of a cloud") {
  const torch::Tensor x = three_blobs(40, 4);
  const auto nearest = [&](double min_dist) {
    const KnnGraph near = neighbours_of(map_of(x, 10, {.min_dist = min_dist}), 1);
    std::vector<float> distances = near.distances;
    std::sort(distances.begin(), distances.end());
    return distances[distances.size() / 2];
  };
  CHECK(nearest(0.8) > 2 * nearest(0.01));
}

TEST_CASE("few, equal, lonely and separate points all get a finite place") {
  CHECK(finite(umap_layout({1, 0, {}, {}}, torch::zeros({1, 2}), {}), 1));
  CHECK(finite(umap_layout({1, 3, {-1, -1, -1}, {0, 0, 0}}, torch::zeros({1, 2}), {}), 1));
  CHECK(finite(umap_layout({2, 1, {1, 0}, {3, 3}}, torch::eye(2), {}), 2));
  CHECK(finite(umap_layout({2, 1, {1, 0}, {0, 0}}, torch::zeros({2, 2}), {}), 2));

  const torch::Tensor same = torch::full({50, 4}, 0.3F);
  CHECK(finite(map_of(same, 10), 50));
  const torch::Tensor pairs = torch::cat({three_blobs(20, 4), three_blobs(20, 4)});
  CHECK(finite(map_of(pairs, 5), 120));
  CHECK(finite(map_of(1e-20F * three_blobs(20, 4), 5), 60));
  CHECK(finite(map_of(1e15F * three_blobs(20, 4), 5), 60));

  KnnGraph apart = neighbours_of(three_blobs(20, 4), 5);                  // three parts without an edge between them
  std::fill(apart.neighbours.begin(), apart.neighbours.begin() + 5, -1);  // and a point without neighbours
  CHECK(finite(umap_layout(apart, torch::randn({60, 2}), {}), 60));
}

TEST_CASE("progress hears of every epoch, and a stop ends the work") {
  const torch::Tensor x = three_blobs(5, 3);
  const KnnGraph graph = neighbours_of(x, 4);
  std::vector<int64_t> heard;
  umap_layout(graph, pca_2d(x), {.epochs = 3}, [&](int64_t done, int64_t total) {
    CHECK(total == 3);
    heard.push_back(done);
  });
  CHECK(heard == std::vector<int64_t>{1, 2, 3});
  request_stop(SIGTERM);
  CHECK_THROWS_AS(umap_layout(graph, pca_2d(x), {}), Stopped);
  request_stop(0);
}

TEST_CASE("graphs, starts and options without sense are refused") {
  const torch::Tensor start = torch::eye(2);
  const KnnGraph good{2, 1, {1, 0}, {1, 1}};
  CHECK_NOTHROW(umap_layout(good, start, {.epochs = 1}));
  for (const KnnGraph& bad :
       {KnnGraph{}, KnnGraph{2, 1, {1}, {1, 1}}, KnnGraph{2, 1, {1, 0}, {1}}, KnnGraph{2, 1, {1, 2}, {1, 1}},
        KnnGraph{2, 1, {0, 0}, {1, 1}}, KnnGraph{2, 1, {1, -2}, {1, 1}}, KnnGraph{2, 1, {1, 0}, {1, -1}},
        KnnGraph{2, 1, {1, 0}, {1, NAN}}, KnnGraph{2, 2, {1, 1, 0, 0}, {1, 1, 1, 1}}}) {
    CHECK_THROWS_AS(umap_layout(bad, start, {.epochs = 1}), c10::Error);
  }
  CHECK_THROWS_AS(umap_layout(good, torch::zeros({3, 2}), {}), c10::Error);
  CHECK_THROWS_AS(umap_layout(good, torch::full({2, 2}, NAN), {}), c10::Error);
  CHECK_THROWS_AS(umap_layout(good, start, {.min_dist = 2}), c10::Error);
  CHECK_THROWS_AS(umap_layout(good, start, {.epochs = -1}), c10::Error);
  CHECK_THROWS_AS(umap_layout(good, start, {.negatives = -1}), c10::Error);
  CHECK_THROWS_AS(umap_layout(good, start, {.learning_rate = 0}), c10::Error);
}

TEST_CASE("pca_2d is the projection on the first two right singular vectors") {
  torch::manual_seed(3);
  const torch::Tensor x = torch::randn({200, 6}) * torch::tensor({5.F, 1.F, 3.F, 0.5F, 2.F, 0.1F}) + 4;
  const torch::Tensor centred = x.to(torch::kDouble) - x.to(torch::kDouble).mean(0);
  torch::Tensor axes = std::get<2>(torch::linalg_svd(centred, false)).narrow(0, 0, 2);
  for (int64_t i = 0; i < 2; ++i) {
    if (axes[i][axes[i].abs().argmax()].item<double>() < 0) axes[i].neg_();
  }
  // 1e-5: float32 of numbers up to about 15.
  CHECK(torch::allclose(pca_2d(x), centred.matmul(axes.t()).to(torch::kFloat), 0, 1e-5));
  // Two blocks of rows give what one gives; a block has 2^22 numbers.
  CHECK(torch::allclose(pca_2d(x.repeat({4000, 1})).narrow(0, 0, 200), pca_2d(x), 0, 1e-5));
}

TEST_CASE("pca_2d of one feature or one point is defined") {
  const torch::Tensor line = torch::tensor({{1.F}, {2.F}, {6.F}});
  CHECK(torch::equal(pca_2d(line), torch::tensor({{-2.F, 0.F}, {-1.F, 0.F}, {3.F, 0.F}})));
  CHECK(torch::equal(pca_2d(torch::ones({1, 5})), torch::zeros({1, 2})));
  CHECK_THROWS_AS(pca_2d(torch::empty({0, 5})), c10::Error);
  CHECK_THROWS_AS(pca_2d(torch::full({3, 5}, NAN)), c10::Error);
}

TEST_CASE("trustworthiness is 1 for the data themselves and falls by the ranks of false neighbours") {
  const torch::Tensor x = three_blobs(20, 4);
  CHECK(trustworthiness(x, x, 10) == 1);
  CHECK(trustworthiness(x, 3 * x + 1, 10) > 1 - 1e-9);
  torch::manual_seed(4);
  CHECK(std::abs(trustworthiness(x, torch::randn({60, 2}), 10) - 0.5) < 0.1);
  // By hand, k = 1: the nearest in the map are points 3, 2, 1, 0, which on the line have the ranks 3, 2, 1, 3.
  const torch::Tensor line = torch::tensor({{0.F}, {1.F}, {3.F}, {7.F}}),
                      mixed = torch::tensor({{0.F}, {2.1F}, {3.F}, {1.F}});
  CHECK(std::abs(trustworthiness(line, mixed, 1) - (1 - 2.0 / (4 * 1 * (8 - 3 - 1)) * (2 + 1 + 0 + 2))) < 1e-12);
  CHECK_THROWS_AS(trustworthiness(x, x, 30), c10::Error);
  CHECK_THROWS_AS(trustworthiness(x, x.narrow(0, 0, 10), 3), c10::Error);
}

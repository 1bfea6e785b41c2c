#include "index/postprocess.h"

#include <catch2/catch_test_macros.hpp>
#include <stdexcept>

#include "tests/problems.h"

using namespace amae;

namespace {

/// Rows whose directions have very different spreads, far from zero. [count, width] float32.
at::Tensor stretched(int64_t count, int64_t width, uint64_t seed) {
  at::manual_seed(seed);
  const at::Tensor turn = std::get<0>(at::linalg_qr(at::randn({width, width}, at::kDouble)));
  const at::Tensor scales = at::pow(1.5, at::arange(width, at::kDouble));
  return ((at::randn({count, width}, at::kDouble) * scales).matmul(turn) + 3 * at::randn({width}, at::kDouble))
      .to(at::kFloat);
}

at::Tensor processed(const PostOptions& options, const at::Tensor& x) { return PostProcess::fit(options, x)(x); }

/// Principal coordinates by the singular value decomposition, in float64.
at::Tensor by_svd(const at::Tensor& x, int64_t kept) {
  const at::Tensor centred = x.to(at::kDouble) - x.to(at::kDouble).mean(0);
  const auto [u, s, vh] = at::linalg_svd(centred, /*full_matrices=*/false);
  return (u * s).narrow(1, 0, kept);
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

at::Tensor ranking(const at::Tensor& x) { return x.matmul(x.t()).argsort(/*stable=*/true, 1, /*descending=*/true); }

constexpr PostOptions kNothing{.centre = false, .pca = 0, .whiten = false, .l2 = false};

}  // namespace

TEST_CASE("nothing leaves rows as they are") {
  const at::Tensor x = stretched(9, 4, 1);
  CHECK(PostProcess()(x).equal(x));
  CHECK(processed(kNothing, x).equal(x));
  CHECK(PostProcess::fit(kNothing, x).text() == "none");
  CHECK(PostProcess().width(7) == 7);
}

TEST_CASE("centred rows have the mean of the fitted ones taken away, and rows of length 1 point as before") {
  const at::Tensor x = stretched(50, 6, 2), mean = x.to(at::kDouble).mean(0);
  PostOptions options = kNothing;
  options.centre = true;
  const PostProcess centre = PostProcess::fit(options, x);
  CHECK(largest_difference(centre(x), x.to(at::kDouble) - mean) < 1e-5);  // numbers up to 30 in float32
  CHECK(largest_difference(centre(at::zeros({1, 6})), -mean.unsqueeze(0)) < 1e-6);
  options.l2 = true;
  const at::Tensor y = processed(options, x), plain = x.to(at::kDouble) - mean;
  CHECK(largest_difference(y, plain / plain.norm(2, {1}, true)) < 1e-6);
  CHECK(PostProcess::fit(options, x).text() == "centre, L2");
}

TEST_CASE("a row of zeros stays so, and none becomes infinite") {
  at::Tensor x = stretched(5, 3, 3);
  x[2] = 0;
  PostOptions options = kNothing;
  options.l2 = true;
  const at::Tensor y = processed(options, x);
  CHECK(y[2].equal(at::zeros({3})));
  CHECK(largest_difference(y.norm(2, {1}), at::tensor({1.0, 1.0, 0.0, 1.0, 1.0}, at::kDouble)) < 1e-6);
  CHECK(unit_rows(at::full({1, 3}, 1e-30)).isfinite().all().item<bool>());
}

TEST_CASE("PCA gives the coordinates of a singular value decomposition, up to sign") {
  const at::Tensor x = stretched(400, 12, 4);
  for (const int64_t kept : {1, 5, 11}) {
    INFO(kept);
    const PostProcess post = PostProcess::fit({.pca = kept, .l2 = false}, x);
    CHECK(post.width(12) == kept);
    const at::Tensor y = post(x), expected = by_svd(x, kept);
    CHECK(largest_difference(y.abs(), expected.abs()) < 1e-3);  // of values up to 300: float32
    const at::Tensor axes = post.state().at("axes");
    CHECK((axes.gather(0, axes.abs().argmax(0, true)) > 0).all().item<bool>());
    CHECK(largest_difference(axes.t().matmul(axes), at::eye(kept)) < 1e-5);
  }
  const at::Tensor variance = by_svd(x, 12).square().sum(0);
  const auto share = (variance.narrow(0, 0, 5).sum() / variance.sum()).item<double>();
  const std::string text = PostProcess::fit({.pca = 5}, x).text();
  CHECK(contains(text, "centre, PCA to 5 (" + std::to_string(share).substr(0, 4)));
}

TEST_CASE("whitened directions have deviation 1 and no correlation on the rows that were fitted") {
  const at::Tensor x = stretched(300, 8, 5);
  for (const int64_t pca : {0, 3, 8}) {
    INFO(pca);
    const at::Tensor y = processed({.pca = pca, .whiten = true, .l2 = false}, x).to(at::kDouble);
    const int64_t width = pca == 0 ? 8 : pca;
    REQUIRE(y.sizes() == at::IntArrayRef({300, width}));
    CHECK(largest_difference(y.mean(0), at::zeros({width})) < 1e-4);
    CHECK(largest_difference(y.t().matmul(y) / 300, at::eye(width)) < 1e-4);
  }
}

TEST_CASE("fewer rows than dimensions keep no more directions than they span") {
  const at::Tensor x = stretched(5, 20, 6);
  for (const bool whiten : {false, true}) {
    INFO(whiten);
    const at::Tensor y = processed({.pca = 10, .whiten = whiten, .l2 = false}, x);
    CHECK(y.sizes() == at::IntArrayRef({5, 4}));
    CHECK(y.isfinite().all().item<bool>());
  }
  const at::Tensor y = processed({.pca = 10, .l2 = false}, x), centred = x - x.mean(0);
  CHECK(largest_difference(y.matmul(y.t()), centred.matmul(centred.t())) <
        1e-3 * centred.square().sum(1).max().item<double>());  // nothing of them is lost
  CHECK(processed({.pca = 3}, x.narrow(0, 0, 1)).isfinite().all().item<bool>());
}

TEST_CASE("columns without spread add nothing, and rows that are all the same become zero") {
  at::Tensor x = stretched(100, 6, 7);
  x.select(1, 2).fill_(5);
  x.select(1, 4).fill_(-1);
  const at::Tensor y = processed({.pca = 0, .whiten = true, .l2 = false}, x).to(at::kDouble);
  REQUIRE(y.sizes() == at::IntArrayRef({100, 4}));
  CHECK(largest_difference(y.square().mean(0), at::ones({4})) < 1e-4);
  for (const bool whiten : {false, true}) {
    const at::Tensor same = processed({.pca = 2, .whiten = whiten}, at::full({7, 5}, 0.3));
    CHECK(same.abs().max().item<double>() == 0);
  }
}

TEST_CASE("without a cut the similarities are those of centred rows, whatever PCA may keep") {
  const at::Tensor x = stretched(60, 6, 8);
  const PostProcess at_most_six = PostProcess::fit({.pca = 6}, x), none = PostProcess::fit({.pca = 0}, x);
  CHECK(at_most_six(x).equal(none(x)));
  CHECK(at_most_six.text() == "centre, L2");
  // One direction more than the five that are kept carries nothing here: a rotation that changes no ranking.
  const at::Tensor flat = at::cat({x, x.sum(1, true)}, 1), rotated = processed({.pca = 6}, flat);
  CHECK(rotated.size(1) == 6);
  CHECK(ranking(rotated.to(at::kDouble)).equal(ranking(processed({.pca = 0}, flat).to(at::kDouble))));
}

TEST_CASE("what was fitted is applied to other rows, and comes back from its state bit by bit") {
  const at::Tensor x = stretched(80, 10, 9), other = stretched(30, 10, 10);
  for (const PostOptions& options : {PostOptions{.pca = 4}, PostOptions{.pca = 4, .whiten = true, .l2 = false},
                                     PostOptions{.centre = false, .pca = 3}, PostOptions{.pca = 0}, kNothing}) {
    const PostProcess post = PostProcess::fit(options, x), again = PostProcess::from_state(post.state());
    CHECK(again(other).equal(post(other)));
    CHECK(again.text() == post.text());
    CHECK(again.width(10) == post.width(10));
    CHECK(post(other.narrow(0, 3, 1)).sub(post(other).narrow(0, 3, 1)).abs().max().item<double>() < 1e-4);
  }
}

TEST_CASE("rows of another width are refused by what was fitted") {
  const PostProcess post = PostProcess::fit({.pca = 4}, stretched(20, 10, 11));
  CHECK_THROWS_AS(post(at::zeros({2, 4})), std::invalid_argument);
  CHECK_THROWS_AS(post(at::zeros({2, 11})), std::invalid_argument);
  CHECK_THROWS_AS(PostProcess::fit({}, stretched(20, 10, 11))(at::zeros({2, 9})), std::invalid_argument);
  CHECK_THROWS_AS(post(at::zeros({10})), std::invalid_argument);
}

TEST_CASE("a state whose tensors are missing or do not fit each other is refused") {
  const TensorDict whole = PostProcess::fit({.pca = 4}, stretched(20, 10, 12)).state();
  const auto refused_with = [&](const std::string& name, const at::Tensor& tensor) {
    TensorDict state = whole;
    state[name] = tensor;
    return only_problem([&] { PostProcess::from_state(state); }).code == "INDEX";
  };
  CHECK(only_problem([&] { PostProcess::from_state({}); }).code == "INDEX");
  CHECK(refused_with("settings", at::zeros({2}, at::kDouble)));
  CHECK(refused_with("settings", at::zeros({3})));
  CHECK(refused_with("mean", at::zeros({9})));
  CHECK(refused_with("mean", at::zeros({10, 1})));
  CHECK(refused_with("axes", at::zeros({10})));
}

// mixup and between_class.
#include <cmath>

#include "testing.h"
#include "transforms/augment/between_class.h"
#include "transforms/augment/mixup.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;

/// Item i is 1 in bin i of a spectrogram [items, 1, items, 2] and 0 elsewhere: a mix shows who is in it and how much.
Batch labelled(int64_t items, int64_t classes) {
  return batch_of(at::eye(items).view({items, 1, items, 1}).expand({items, 1, items, 2}).contiguous(), 100, classes);
}

TEST_CASE("mixup mixes examples and labels in the same share") {
  const Batch in = labelled(8, 8), out = applied(Mixup({.alpha = 1}), in);
  const at::Tensor shares = out.x.select(3, 0).view({8, 8});
  CHECK(at::allclose(shares, out.y, 1e-6, 1e-6));  // one class each, so labels are the shares
  CHECK(at::allclose(shares.sum(1), at::ones({8}), 1e-6));
  CHECK((shares > 0).sum(1).max().item<int64_t>() == 2);
  CHECK((shares > 0).sum(1).min().item<int64_t>() == 2);
}

TEST_CASE("the share of mixup follows Beta(alpha, alpha)") {
  const auto moments = [](double alpha) {
    const at::Tensor own = applied(Mixup({.alpha = alpha}), labelled(300, 300)).y.diagonal();
    return std::pair{own.mean().item<double>(), own.var(0).item<double>()};
  };
  for (const double alpha : {0.2, 1.0, 4.0}) {
    const auto [mean, variance] = moments(alpha);
    const double expected = 1 / (4 * (2 * alpha + 1));
    CHECK(std::abs(mean - 0.5) < 5 * std::sqrt(expected / 300));
    CHECK(std::abs(variance / expected - 1) < 0.4);  // five deviations: 5 * sqrt(2/300)
  }
}

TEST_CASE("mixing leaves a batch of one, and p = 0, as they are") {
  const Batch alone = labelled(1, 3), many = labelled(5, 3);
  CHECK(at::equal(applied(Mixup({}), alone).x, alone.x));
  CHECK(at::equal(applied(BetweenClass({.p = 1, .label_smoothing = 0}), alone).x, alone.x));
  CHECK(at::equal(applied(Mixup({.p = 0}), many).x, many.x));
  CHECK(at::equal(applied(BetweenClass({.p = 0, .label_smoothing = 0}), many).y, many.y));
}

TEST_CASE("between_class pairs different classes and its labels sum to 1") {
  const BetweenClass transform({.p = 0.8});
  int64_t mixed = 0;
  for (int64_t epoch = 0; epoch < 9; ++epoch) {
    const Batch out = applied(transform, batch_of(testing::power({40, 1, 8, 10}), 100, 4), testing::stage(1, epoch));
    CHECK(at::allclose(out.y.sum(1), at::ones({40}), 1e-6));
    const at::Tensor parts = (out.y > 0).sum(1);
    // Two classes when mixed; all four, one of them at 1 - 0.05 * 3/4, when not.
    for (int64_t i = 0; i < 40; ++i) {
      if (parts[i].item<int64_t>() == 2) {
        ++mixed;
      } else {
        CHECK(parts[i].item<int64_t>() == 4);
        CHECK(std::abs(out.y[i][i % 4].item<double>() - 0.9625) < 1e-6);
      }
    }
  }
  CHECK(std::abs(mixed - 288) < 38);  // 0.8 of 360, five deviations
}

TEST_CASE("between_class mixes power by the law of the paper, with levels taken into account") {
  const int64_t items = 12;
  Batch in = labelled(items, items);
  std::vector<double> power(items);
  for (int64_t i = 0; i < items; ++i) {
    power[i] = std::pow(10.0, static_cast<double>(i - 6) / 2);  // 5 dB steps
    in.x[i].mul_(power[i]);
  }
  const Batch out = applied(BetweenClass({.p = 1}), in);
  for (int64_t i = 0; i < items; ++i) {
    const double r = out.y[i][i].item<double>();
    const int64_t j = (out.y[i] * (at::arange(items) != i)).argmax().item<int64_t>();
    INFO("item " << i << " with " << j << ", r " << r);
    const double t = 1 / (1 + std::sqrt(power[i] / power[j]) * (1 - r) / r);
    const double whole = t * t + (1 - t) * (1 - t);
    const at::Tensor expected = at::zeros({items});
    expected[i] = power[i] * t * t / whole;
    expected[j] = power[j] * (1 - t) * (1 - t) / whole;
    // r is read back from a float32 label: 1e-7 of it, more where r or 1 - r is small.
    CHECK(at::allclose(out.x[i][0].select(1, 0), expected, 1e-4, 1e-9));
    CHECK(std::abs(out.y[i][j].item<double>() - (1 - r)) < 1e-6);
  }
}

TEST_CASE("between_class keeps the power of two equally loud waveforms") {
  const Batch in = batch_of(testing::noise({40, 1, 20000}), 16000, 4);
  const at::Tensor power = applied(BetweenClass({.p = 1}), in).x.square().mean({1, 2});
  // Unrelated noises: the cross term is 1/sqrt(20000) = 0.7 % of the power, and so is each noise's own deviation.
  CHECK((power - 1).abs().max().item<double>() < 0.06);
}

TEST_CASE("the level of an example is its loudest frame") {
  at::Tensor audio = at::zeros({2, 1, 20000});
  audio[0].slice(1, 4096, 8192).fill_(0.1);
  const auto levels = BetweenClass::peak_levels_db(audio);
  CHECK(std::abs(levels[0] + 20) < 1e-3);  // one frame of 4096 samples stands on it
  CHECK(levels[1] == -80);
  CHECK(std::abs(BetweenClass::peak_levels_db(at::full({1, 1, 10, 3}, 10.0))[0] - 20) < 1e-6);
}

TEST_CASE("between_class mixes nothing in the last share of the epochs") {
  const BetweenClass transform({.p = 1, .off_last = 0.2, .label_smoothing = 0});
  const Batch in = batch_of(testing::power({6, 1, 4, 5}));
  CHECK_FALSE(at::equal(applied(transform, in, {1, 7, 10, 0}).x, in.x));
  CHECK(at::equal(applied(transform, in, {1, 8, 10, 0}).x, in.x));
  CHECK(at::equal(applied(transform, in, {1, 9, 10, 0}).y, in.y));
}

TEST_CASE("mixing works without labels, and within one class when there is no other") {
  Batch in = labelled(6, 1);
  const Batch same = applied(BetweenClass({.p = 1}), in);
  CHECK(at::allclose(same.y, in.y));
  CHECK_FALSE(at::equal(same.x, in.x));
  in.y = at::Tensor();
  CHECK_FALSE(at::equal(applied(BetweenClass({.p = 1}), in).x, in.x));
  CHECK_FALSE(applied(Mixup({}), in).y.defined());
}

}  // namespace
}  // namespace amae

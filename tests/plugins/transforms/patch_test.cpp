// random_erasing and cutmix: what happens inside of one rectangle.
#include <cmath>
#include <set>

#include "testing.h"
#include "transforms/augment/cutmix.h"
#include "transforms/augment/random_erasing.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;
using testing::refused_field;

struct Extent {
  int64_t bins, frames;
};

/// Size of the rectangle that `mask` [F, T] marks; {0, 0} when it marks nothing, {-1, -1} when that is no rectangle.
Extent extent(const at::Tensor& mask) {
  const at::Tensor rows = mask.any(1), columns = mask.any(0);
  const int64_t bins = rows.sum().item<int64_t>(), frames = columns.sum().item<int64_t>();
  const auto together = [](const at::Tensor& line, int64_t count) {
    const at::Tensor places = line.nonzero().flatten();
    return count == 0 || (places[-1] - places[0]).item<int64_t>() == count - 1;
  };
  const bool filled = mask.sum().item<int64_t>() == bins * frames;
  return filled && together(rows, bins) && together(columns, frames) ? Extent{bins, frames} : Extent{-1, -1};
}

TEST_CASE("random_erasing blanks one rectangle of an area in its range, the same in all channels") {
  const at::Tensor x = testing::power({200, 2, 40, 60});
  const at::Tensor y =
      applied(RandomErasing({.area = {0.05, 0.3}, .aspect = {0.5, 2}, .fill = "zero", .p = 1}), batch_of(x)).x;
  const at::Tensor hole = y == 0;
  CHECK(at::equal(hole.select(1, 0), hole.select(1, 1)));
  CHECK(at::equal(y.masked_select(~hole), x.masked_select(~hole)));
  double smallest = 1, largest = 0;
  for (int64_t i = 0; i < 200; ++i) {
    const auto [bins, frames] = extent(hole[i][0]);
    REQUIRE(bins > 0);
    const double height = static_cast<double>(bins) / 40, width = static_cast<double>(frames) / 60;
    // Half a bin and half a frame of rounding: 2.5 % of the area for each share of a side in 0.16..0.77.
    CHECK(height * width > 0.05 - 0.5 / 40 * width - 0.5 / 60 * height - 1e-3);
    CHECK(height * width < 0.3 + 0.5 / 40 * width + 0.5 / 60 * height + 1e-3);
    CHECK(height / width > 0.5 * 0.85);
    CHECK(height / width < 2 * 1.18);
    smallest = std::min(smallest, height * width);
    largest = std::max(largest, height * width);
  }
  CHECK(smallest < 0.08);  // 200 draws leave an outer tenth empty with probability 1e-9
  CHECK(largest > 0.27);
}

TEST_CASE("random_erasing meets its area at any aspect") {
  const at::Tensor x = testing::power({100, 1, 40, 60});
  for (const double aspect : {0.01, 100.0}) {
    const RandomErasing transform({.area = {0.2, 0.2}, .aspect = {aspect, aspect}, .fill = "zero", .p = 1});
    const auto [bins, frames] = extent((applied(transform, batch_of(x)).x == 0)[0][0]);
    CHECK(bins == (aspect < 1 ? 8 : 40));
    CHECK(frames == (aspect < 1 ? 60 : 12));
  }
}

TEST_CASE("random_erasing reaches every place of the picture") {
  const at::Tensor x = testing::power({600, 1, 8, 10});
  const RandomErasing transform({.area = {0.05, 0.1}, .fill = "zero", .p = 1});
  const at::Tensor hits = (applied(transform, batch_of(x)).x == 0).to(at::kLong).sum(at::IntArrayRef({0, 1}));
  CHECK(hits.min().item<int64_t>() > 0);  // a corner is hit in about 2 % of the draws: none of 600 is 2e-5
}

TEST_CASE("random_erasing fills with the channel's mean, with zero, or with the channel's own values") {
  const at::Tensor x = testing::power({20, 2, 12, 15});
  const auto erased = [&](const char* fill) {
    return applied(RandomErasing({.area = {0.2, 0.4}, .fill = fill, .p = 1}), batch_of(x)).x;
  };
  const at::Tensor mean = erased("mean"), noise = erased("noise"), hole = erased("zero") == 0;
  const at::Tensor means = x.mean({2, 3}, true).expand_as(x);
  CHECK(at::allclose(mean.masked_select(hole), means.masked_select(hole), 1e-5));  // summed in another order
  // Noise takes further numbers from the stream, but only after the first rectangle is placed.
  CHECK(at::equal(noise.masked_select(~hole), x.masked_select(~hole)));
  CHECK_FALSE(at::equal(noise, x));
  for (int64_t i = 0; i < 20; ++i) {
    for (int64_t c = 0; c < 2; ++c) {
      const at::Tensor own = x[i][c].flatten(), got = noise[i][c].flatten();
      CHECK((got.unsqueeze(1) == own.unsqueeze(0)).any(1).all().item<bool>());
    }
  }
}

TEST_CASE("random_erasing blanks count rectangles, in the share p of the examples") {
  const at::Tensor x = testing::power({400, 1, 20, 20});
  const auto holes = [&](int64_t count, double p) {
    const RandomErasing transform({.count = count, .area = {0.01, 0.01}, .fill = "zero", .p = p});
    return (applied(transform, batch_of(x)).x == 0).flatten(1).sum(1);
  };
  CHECK(std::abs((holes(1, 0.25) > 0).sum().item<int64_t>() - 100) < 45);  // five deviations of B(400, 1/4)
  CHECK(holes(4, 1).max().item<int64_t>() > holes(1, 1).max().item<int64_t>());
}

TEST_CASE("random_erasing and cutmix refuse what is no interval and no spectrogram") {
  CHECK(refused_field([] { RandomErasingOptions{.area = {0.3, 0.1}}.check(); }) == "area");
  CHECK(refused_field([] { RandomErasingOptions{.aspect = {1}}.check(); }) == "aspect");
  const Spec audio{Domain::audio, {1, 9}, 1};
  CHECK(refused_field([&] { (void)RandomErasing({}).output(audio, Mode::train); }) == "input");
  CHECK(refused_field([&] { (void)Cutmix({}).output(audio, Mode::train); }) == "input");
}

/// Item i is i + 1 everywhere and of class i, so that a mix shows who is in it.
Batch constants(int64_t items, int64_t channels = 2) {
  const at::Tensor values = at::arange(1, items + 1, at::kFloat).view({items, 1, 1, 1});
  return batch_of(values.expand({items, channels, 20, 30}).contiguous(), 100, items);
}

TEST_CASE("cutmix puts one patch of another example in and mixes the labels by its area") {
  for (const char* patch : {"rectangle", "time"}) {
    const Batch out = applied(Cutmix({.alpha = 1, .patch = patch, .p = 1}), constants(100));
    double smallest = 1, largest = 0;
    for (int64_t i = 0; i < 100; ++i) {
      INFO(patch << ", item " << i);
      const at::Tensor x = out.x[i], foreign = x != static_cast<double>(i + 1);
      CHECK(at::equal(foreign[0], foreign[1]));
      const auto [bins, frames] = extent(foreign[0]);
      REQUIRE(bins >= 0);
      const double area = static_cast<double>(bins * frames) / 600;
      CHECK(std::abs(out.y[i][i].item<double>() - (1 - area)) < 1e-6);  // float32
      CHECK(std::abs(out.y[i].sum().item<double>() - 1) < 1e-6);
      smallest = std::min(smallest, area);
      largest = std::max(largest, area);
      if (area == 0) continue;
      const at::Tensor values = x.masked_select(foreign);
      CHECK(values.min().item<float>() == values.max().item<float>());  // one partner, as it was before
      CHECK(std::abs(out.y[i][values[0].item<int64_t>() - 1].item<double>() - area) < 1e-6);
      // A square in shares of the sides, but for half a bin or frame; or all bins.
      if (std::string(patch) == "time") {
        CHECK(bins == 20);
      } else {
        CHECK(std::abs(static_cast<double>(bins) / 20 - static_cast<double>(frames) / 30) <=
              0.5 / 20 + 0.5 / 30 + 1e-9);
      }
    }
    CHECK(smallest < 0.1);  // areas are uniform: 100 draws leave an outer tenth empty with probability 3e-5
    CHECK(largest > 0.9);
  }
}

TEST_CASE("the area of cutmix follows Beta(alpha, alpha)") {
  for (const double alpha : {0.3, 1.0, 4.0}) {
    const at::Tensor own =
        applied(
            Cutmix({.alpha = alpha, .patch = "time", .p = 1}),
            batch_of(at::arange(300, at::kFloat).view({300, 1, 1, 1}).expand({300, 1, 1, 400}).contiguous(), 100, 300))
            .y.diagonal();
    const double expected = 1 / (4 * (2 * alpha + 1));
    CHECK(std::abs(own.mean().item<double>() - 0.5) < 5 * std::sqrt(expected / 300));
    CHECK(std::abs(own.var(0).item<double>() / expected - 1) < 0.4);  // five deviations: 5 * sqrt(2/300)
  }
}

TEST_CASE("cutmix leaves a batch of one, p = 0 and the last epochs as they are, and works without labels") {
  const Batch alone = constants(1), many = constants(6);
  CHECK(at::equal(applied(Cutmix({.p = 1}), alone).x, alone.x));
  CHECK(at::equal(applied(Cutmix({.p = 0}), many).x, many.x));
  CHECK(at::equal(applied(Cutmix({.p = 0}), many).y, many.y));
  const Cutmix off({.p = 1, .off_last = 0.2});
  CHECK_FALSE(at::equal(applied(off, many, {1, 7, 10, 0}).x, many.x));
  CHECK(at::equal(applied(off, many, {1, 8, 10, 0}).x, many.x));
  CHECK(at::equal(applied(off, many, {1, 9, 10, 0}).y, many.y));
  Batch unlabelled = many;
  unlabelled.y = at::Tensor();
  const Batch out = applied(Cutmix({.p = 1}), unlabelled);
  CHECK_FALSE(at::equal(out.x, many.x));
  CHECK_FALSE(out.y.defined());
}

}  // namespace
}  // namespace amae

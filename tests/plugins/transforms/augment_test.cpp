// energy_crop, spec_augment, band_eq.
#include <cmath>

#include "testing.h"
#include "transforms/augment/band_eq.h"
#include "transforms/augment/energy_crop.h"
#include "transforms/augment/spec_augment.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;
using testing::refused_field;

TEST_CASE("energy_crop always holds its share of the energy when some crop can") {
  // 200 frames, a burst of 20 frames at a place of its own for each item, faint hiss elsewhere at -50 dB.
  const int64_t items = 64;
  at::Tensor x = at::full({items, 1, 4, 200}, 1e-5);
  for (int64_t i = 0; i < items; ++i) x[i].slice(2, i * 2, i * 2 + 20).fill_(1);
  const EnergyCrop transform({.frames = 30, .min_energy = 0.3});
  bool partial = false;
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    const at::Tensor y = applied(transform, batch_of(x), testing::stage(3, epoch)).x;
    REQUIRE(y.sizes() == at::IntArrayRef({items, 1, 4, 30}));
    const at::Tensor loud = (y.select(2, 0) == 1).sum(2).flatten();
    CHECK(loud.min().item<int64_t>() >= 6);  // 30 % of 20 equal frames
    partial |= loud.min().item<int64_t>() < 20;
  }
  CHECK(partial);  // it is a random crop, not the best one
}

TEST_CASE("energy_crop counts nothing that lies below the floor") {
  // The hiss is 190 frames at -20 dB: 19 % of the energy. Below a floor of -10 dB it does not help a crop.
  at::Tensor x = at::full({1, 1, 1, 200}, 0.01);
  x.slice(3, 100, 110).fill_(1);
  const auto smallest = [&](double floor_db, double share) {
    int64_t least = 10;
    for (int64_t epoch = 0; epoch < 200; ++epoch) {
      const EnergyCrop transform({.frames = 100, .min_energy = share, .floor_db = floor_db});
      const at::Tensor y = applied(transform, batch_of(x), testing::stage(3, epoch)).x;
      least = std::min(least, (y == 1).sum().item<int64_t>());
    }
    return least;
  };
  CHECK(smallest(-10, 0.05) >= 1);
  CHECK(smallest(-40, 0.05) == 0);  // 60 frames of hiss already hold 5 %
}

TEST_CASE("energy_crop takes the best crop when none holds enough") {
  at::Tensor x = at::zeros({1, 1, 1, 100});
  x[0][0][0][10] = 1;
  x[0][0][0][80] = 1.5;
  const at::Tensor y = applied(EnergyCrop({.frames = 5, .min_energy = 0.9}), batch_of(x)).x;
  CHECK(y.max().item<float>() == 1.5F);
}

TEST_CASE("energy_crop takes any place of a silent clip and repeats a short one") {
  CHECK(applied(EnergyCrop({.frames = 5}), batch_of(at::zeros({3, 1, 2, 9}))).x.sizes() ==
        at::IntArrayRef({3, 1, 2, 5}));
  const at::Tensor x = testing::power({2, 1, 3, 4});
  CHECK(at::equal(applied(EnergyCrop({.frames = 10}), batch_of(x)).x, at::cat({x, x, x.slice(3, 0, 2)}, 3)));
}

TEST_CASE("energy_crop leaves evaluation alone and takes no waveform") {
  const EnergyCrop transform({.frames = 5});
  Batch batch = batch_of(testing::power({1, 1, 3, 9}));
  const at::Tensor x = batch.x;
  transform.apply_eval(batch, 0, 1);
  CHECK(batch.x.is_same(x));
  CHECK(transform.output({Domain::spectrogram, {1, 3, 9}, 1}, Mode::eval).shape.back() == 9);
  CHECK(transform.output({Domain::spectrogram, {1, 3, -1}, 1}, Mode::train).shape.back() == 5);
  CHECK(refused_field([&] { (void)transform.output({Domain::audio, {1, 9}, 1}, Mode::train); }) == "input");
}

TEST_CASE("spec_augment blanks whole rows and columns within its widths, the same in all channels") {
  const at::Tensor x = testing::power({50, 2, 30, 40});
  const SpecAugment transform({.freq_masks = 1, .freq_width = 4, .time_masks = 1, .time_width = 7, .fill = -2});
  const at::Tensor y = applied(transform, batch_of(x)).x, hole = y == -2;
  const at::Tensor rows = hole.all(3).sum(2), columns = hole.all(2).sum(2);
  CHECK(rows.max().item<int64_t>() == 4);  // 50 draws from 0..4 miss the largest with probability 1e-5
  CHECK(columns.max().item<int64_t>() == 7);
  CHECK(rows.min().item<int64_t>() == 0);
  CHECK(at::equal(hole.select(1, 0), hole.select(1, 1)));
  CHECK(at::equal(hole, hole.all(3, true).logical_or(hole.all(2, true))));  // nothing but rows and columns
  CHECK(at::equal(y.masked_select(~hole), x.masked_select(~hole)));
}

TEST_CASE("spec_augment refuses masks wider than the picture, in training") {
  const SpecAugment transform({.freq_width = 8, .time_width = 20});
  const Spec small{Domain::spectrogram, {1, 7, 30}, 1}, brief{Domain::spectrogram, {1, 8, 19}, 1};
  CHECK(refused_field([&] { (void)transform.output(small, Mode::train); }) == "freq_width");
  CHECK(refused_field([&] { (void)transform.output(brief, Mode::train); }) == "time_width");
  CHECK(refused_field([&] { (void)transform.output(brief, Mode::eval); }).empty());
}

TEST_CASE("band_eq draws a piecewise linear curve in decibels, the same in every frame and channel") {
  const at::Tensor x = at::ones({100, 2, 64, 3});
  const at::Tensor y = applied(BandEq({.max_db = 6, .bands = {2, 5}, .min_bins = 6}), batch_of(x)).x;
  CHECK(at::equal(y, y.select(1, 0).select(2, 0).view({100, 1, 64, 1}).expand_as(y)));
  const at::Tensor db = y.select(1, 0).select(2, 0).log10() * 10;
  CHECK(db.abs().max().item<double>() <= 6.0001);
  CHECK(db.abs().max().item<double>() > 5);  // 300 borders or more: some lie in the outer sixth
  // Where the slope changes there is a border: n - 1 of them inside, at least 6 bins apart. 1e-4 dB is float32
  // rounding.
  const at::Tensor bends = (db.diff(2, 1).abs() > 1e-4);
  const at::Tensor borders = bends.sum(1);
  CHECK(borders.max().item<int64_t>() <= 4);
  CHECK(borders.max().item<int64_t>() >= 3);
  CHECK(borders.min().item<int64_t>() == 1);
  for (int64_t i = 0; i < 100; ++i) {
    const at::Tensor at = bends[i].nonzero().flatten();
    if (at.numel() > 1) CHECK(at.diff().min().item<int64_t>() >= 6);
  }
}

TEST_CASE("band_eq refuses bands that do not fit") {
  CHECK(refused_field([] { BandEqOptions{.bands = {5, 2}}.check(); }) == "bands");
  CHECK(refused_field([] { (void)BandEq({}).output({Domain::spectrogram, {1, 35, 9}, 1}, Mode::train); }) == "bands");
  CHECK(refused_field([] { (void)BandEq({}).output({Domain::spectrogram, {1, 36, 9}, 1}, Mode::train); }).empty());
  // Where the number of bins was not known beforehand, it is judged as they come.
  CHECK(refused_field([] {
          (void)testing::applied(BandEq({}), testing::batch_of(testing::power({1, 1, 35, 9}), 1));
        }) == "bands");
}

}  // namespace
}  // namespace amae

#include "transforms/spectral/standardize.h"

#include "testing.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;
using testing::refused_field;

/// Bins at very different places, like log-mel bins.
at::Tensor spectrograms() {
  const at::Tensor place = at::arange(5, at::kFloat).view({1, 1, 5, 1});
  return testing::noise({12, 2, 5, 40}) * (place + 0.5) + place * 100 - 300;
}

void fit_in_batches(Standardize& transform, const at::Tensor& x, int64_t size) {
  int64_t at = 0;
  transform.fit([&](Batch& batch) {
    if (at >= x.size(0)) return false;
    batch = batch_of(x.narrow(0, at, std::min(size, x.size(0) - at)));
    at += size;
    return true;
  });
}

TEST_CASE("standardize gives each bin of the fitted set mean 0 and deviation 1") {
  const at::Tensor x = spectrograms();
  Standardize transform({});
  fit_in_batches(transform, x, 5);
  const at::Tensor y = applied(transform, batch_of(x)).x.to(at::kDouble);
  // mean is kept in float32 near -300: 300 * 2^-24 = 2e-5 of a deviation >= 0.5.
  CHECK(y.mean({0, 1, 3}).abs().max().item<double>() < 1e-4);
  CHECK((y.var({0, 1, 3}, false).sqrt() - 1).abs().max().item<double>() < 1e-5);
  CHECK(y.sizes() == x.sizes());
}

TEST_CASE("standardize per: all uses one mean and deviation and takes waveforms too") {
  const at::Tensor x = testing::noise({6, 1, 500}) * 3 + 2;
  Standardize transform({.per = "all"});
  fit_in_batches(transform, x, 4);
  const at::Tensor y = applied(transform, batch_of(x)).x;
  CHECK(std::abs(y.mean().item<double>()) < 1e-5);
  CHECK(std::abs(y.var(at::OptionalIntArrayRef{}, 0).item<double>() - 1) < 1e-5);
  CHECK(transform.state().at("mean").sizes() == at::IntArrayRef({1}));
}

TEST_CASE("the statistics do not depend on how the training split is cut into batches") {
  Standardize one({}), many({});
  fit_in_batches(one, spectrograms(), 12);
  fit_in_batches(many, spectrograms(), 1);
  CHECK(at::allclose(one.state().at("mean"), many.state().at("mean"), 1e-6, 0));
  CHECK(at::allclose(one.state().at("std"), many.state().at("std"), 1e-6, 0));
}

TEST_CASE("a bin that never changes is not divided by zero") {
  at::Tensor x = spectrograms();
  x.select(2, 1).fill_(-7);
  Standardize transform({});
  fit_in_batches(transform, x, 12);
  const at::Tensor y = applied(transform, batch_of(x)).x;
  CHECK(at::isfinite(y).all().item<bool>());
  CHECK(y.select(2, 1).abs().max().item<double>() == 0);
}

TEST_CASE("what standardize learned travels through its state") {
  const at::Tensor x = spectrograms();
  Standardize fitted({}), loaded({});
  fit_in_batches(fitted, x, 12);
  loaded.load_state(fitted.state());
  CHECK(at::equal(applied(fitted, batch_of(x)).x, applied(loaded, batch_of(x)).x));
}

TEST_CASE("standardize refuses to run unfitted, and states that are not its own") {
  Standardize transform({});
  CHECK(refused_field([&] { applied(transform, batch_of(spectrograms())); }) == "standardize");
  CHECK(transform.state().empty());
  CHECK(refused_field([&] { transform.load_state({{"mean", at::zeros({5})}}); }) == "std");
  CHECK(refused_field([&] { transform.load_state({{"mean", at::zeros({5})}, {"std", at::ones({4})}}); }) == "std");
  CHECK(refused_field([&] { transform.load_state({{"mean", at::zeros({5, 1})}, {"std", at::ones({5})}}); }) == "mean");
  CHECK(refused_field([&] { transform.load_state({{"mean", at::zeros({1}) / 0}, {"std", at::ones({1})}}); }) == "mean");
  CHECK(refused_field([&] { transform.fit([](Batch&) { return false; }); }) == "input");
  transform.load_state({{"mean", at::zeros({5})}, {"std", at::ones({5})}});
  CHECK(refused_field([&] { (void)transform.output({Domain::spectrogram, {1, 6, 10}, 0}, Mode::eval); }) == "input");
  CHECK(refused_field([&] { applied(transform, batch_of(testing::noise({1, 1, 6, 9}))); }) == "input");
}

}  // namespace
}  // namespace amae

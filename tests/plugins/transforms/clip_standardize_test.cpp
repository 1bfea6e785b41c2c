#include "transforms/spectral/clip_standardize.h"

#include <cmath>

#include "testing.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;

TEST_CASE("clip_standardize gives each clip mean 0 and deviation 1 over all its values") {
  const at::Tensor place = at::tensor({-300.F, 0.F, 5.F}).view({3, 1, 1, 1});
  const at::Tensor x = testing::noise({3, 2, 5, 40}) * 7 + place;
  const at::Tensor y = applied(ClipStandardize({}), batch_of(x)).x.to(at::kDouble);
  CHECK(y.mean({1, 2, 3}).abs().max().item<double>() < 1e-6);  // 400 values in float32
  CHECK((y.flatten(1).var(1, false).sqrt() - 1).abs().max().item<double>() < 1e-6);
  CHECK(y.mean({2, 3}).abs().max().item<double>() > 0.01);  // not of each channel by itself
}

TEST_CASE("clip_standardize is AudioMAE++'s formula, with either deviation") {
  const at::Tensor x = testing::noise({1, 1, 4, 6}), wide = x.to(at::kDouble);
  for (const bool unbiased : {false, true}) {
    const at::Tensor expected = (wide - wide.mean()) / (wide.std(unbiased) + 0.5);
    const ClipStandardize transform({.deviation = unbiased ? "unbiased" : "population", .eps = 0.5});
    CHECK(at::allclose(applied(transform, batch_of(x)).x.to(at::kDouble), expected, 0, 1e-6));
  }
}

TEST_CASE("clip_standardize makes silence and single values 0") {
  CHECK(applied(ClipStandardize({}), batch_of(at::full({2, 1, 64, 500}, 0.1F))).x.abs().max().item<float>() == 0);
  CHECK(applied(ClipStandardize({.deviation = "unbiased"}), batch_of(at::full({1, 1, 1}, 3.F))).x.item<float>() == 0);
}

TEST_CASE("clip_standardize takes any domain, and what it gives is no level") {
  const Spec picture{Domain::spectrogram, {1, 80, -1}, 100, Level::logarithm};
  CHECK(ClipStandardize({}).output(picture, Mode::train).level == Level::other);
  CHECK(ClipStandardize({}).output(picture, Mode::train).shape == picture.shape);
  CHECK(ClipStandardize({}).output({Domain::iq, {2, 128}, 0}, Mode::eval).shape == std::vector<int64_t>{2, 128});
}

}  // namespace
}  // namespace amae

#include "plugins/models/mel_stats/mel_stats.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "amae/error.h"

using namespace amae;
using Catch::Matchers::ContainsSubstring;

namespace {

const Spec kPicture{Domain::spectrogram, {2, 3, -1}, 62.5, Level::logarithm};

std::string refused(const Spec& spec) {
  try {
    const MelStats encoder(spec);
  } catch (const InputError& error) {
    CHECK(error.problems().front().field == "input");
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("pooled statistics are all means, then all deviations, in the order of channels and bins") {
  MelStats encoder(kPicture);
  torch::manual_seed(1);
  const torch::Tensor x = torch::randn({4, 2, 3, 50}) * 3 - 60;
  const torch::Tensor y = encoder.forward(x);
  REQUIRE(y.sizes() == torch::IntArrayRef({4, 12}));
  CHECK(encoder.width() == 12);
  CHECK(y.scalar_type() == torch::kFloat);
  CHECK(torch::allclose(y.slice(1, 0, 6), x.mean(3).flatten(1), 1e-6));
  CHECK(torch::allclose(y.slice(1, 6), x.to(torch::kDouble).var(3, false).sqrt().flatten(1).to(torch::kFloat), 1e-6));
}

TEST_CASE("pooled statistics do not see the batch, the length or the order of frames") {
  MelStats encoder(kPicture);
  torch::manual_seed(2);
  const torch::Tensor x = torch::randn({3, 2, 3, 20}), y = encoder.forward(x);
  CHECK(torch::equal(encoder.forward(x.narrow(0, 1, 1)), y.narrow(0, 1, 1)));
  CHECK(torch::allclose(encoder.forward(torch::cat({x, x.flip(3)}, 3)), y, 0, 1e-6));
  const torch::Tensor one = encoder.forward(x.narrow(3, 0, 1));
  CHECK(torch::equal(one.slice(1, 0, 6), x.select(3, 0).flatten(1)));
  CHECK(one.slice(1, 6).abs().max().item<float>() == 0);
}

TEST_CASE("pooled statistics have nothing to train, and take signals too") {
  MelStats encoder({Domain::iq, {2, 128}, 0});
  CHECK(encoder.parameters().empty());
  CHECK(encoder.forward(torch::randn({5, 2, 128})).sizes() == torch::IntArrayRef({5, 4}));
}

TEST_CASE("pooled statistics refuse inputs whose rows they cannot count") {
  CHECK_THAT(refused({Domain::spectrogram, {1, -1, 50}, 62.5}), ContainsSubstring("expected"));
  CHECK_THAT(refused({Domain::audio, {-1, 50}, 62.5}), ContainsSubstring("expected"));
  CHECK(refused({Domain::audio, {1, -1}, 16000}).empty());
  MelStats encoder(kPicture);
  CHECK_THROWS_AS(encoder.forward(torch::zeros({4, 2, 4, 9})), InputError);
  CHECK_THROWS_AS(encoder.forward(torch::zeros({4, 6, 9})), InputError);
  CHECK_THROWS_AS(encoder.forward(torch::zeros({4, 2, 3, 0})), InputError);
}

#include "transforms/spectral/log.h"

#include "testing.h"

namespace amae {
namespace {

using testing::applied;
using testing::batch_of;

TEST_CASE("log is ln(x + eps) or log10(x + eps)") {
  const at::Tensor x = at::tensor({0.0F, 1.0F, 100.0F}).view({1, 1, 3, 1});
  const at::Tensor e = applied(Log({.eps = 1e-3}), batch_of(x)).x,
                   ten = applied(Log({.eps = 1e-3, .base = "10"}), batch_of(x)).x;
  CHECK(at::allclose(e.flatten(), at::tensor({-6.9077553F, 9.995e-4F, 4.6051802F}), 1e-5, 1e-6));
  CHECK(at::allclose(ten.flatten(), at::tensor({-3.0F, 4.3407747e-4F, 2.0000043F}), 1e-5, 1e-6));
}

TEST_CASE("db equals torchaudio's AmplitudeToDB, top_db taken over each item") {
  const auto& vectors = testing::reference("torchaudio_mel");
  for (const char* multiplier : {"power", "magnitude"}) {
    for (const auto& [top_db, name] : {std::pair{80.0, "80"}, {30.0, "30"}, {0.0, "all"}}) {
      INFO(multiplier << " " << name);
      const Decibel transform({.top_db = top_db, .multiplier = multiplier});
      const at::Tensor expected = vectors.at(std::string("db.") + multiplier + "." + name);
      // One rounding of log10 in float32 on values up to 200.
      CHECK((applied(transform, batch_of(vectors.at("db.x"))).x - expected).abs().max().item<double>() < 1e-4);
    }
  }
}

TEST_CASE("log and db take spectrograms only") {
  const Spec audio{Domain::audio, {1, 100}, 100};
  CHECK(testing::refused_field([&] { (void)Log({}).output(audio, Mode::eval); }) == "input");
  CHECK(testing::refused_field([&] { (void)Decibel({}).output(audio, Mode::eval); }) == "input");
}

}  // namespace
}  // namespace amae

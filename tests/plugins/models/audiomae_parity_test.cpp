// Against tests/vectors/audiomae_*.safetensors: the same equations in PyTorch (tools/testgen/audiomae_vectors.py).
#include <catch2/generators/catch_generators.hpp>

#include "audiomae_support.h"
#include "io/safetensors.h"

namespace amae::audiomae_test {
namespace {

struct Reference {
  TensorDict tensors;
  std::string rope;  // "plain" | "rope"
  std::shared_ptr<AudioMae> net;

  [[nodiscard]] const torch::Tensor& of(const std::string& name) const { return tensors.at(rope + "." + name); }
};

Reference load(const std::string& file, bool rope, bool normalized_target = false) {
  Reference r{read_safetensors(std::string(AMAE_TEST_DATA) + "/audiomae_" + file + ".safetensors"),
              rope ? "rope" : "plain",
              {}};
  AudioMaeOptions options = tiny();
  options.form = file == "compat" ? "official_compat" : "corrected";
  options.blocks = file == "vit" ? "vit" : "macaron";
  options.rope = rope;
  options.normalized_target = normalized_target;
  r.net = build(options, picture(2));
  const torch::NoGradGuard no_grad;
  size_t stored = 0;
  for (const auto& [name, tensor] : r.tensors) stored += name.starts_with("weight.") ? 1 : 0;
  auto parameters = r.net->named_parameters();
  REQUIRE(parameters.size() == stored);
  for (auto& p : parameters) {
    INFO(p.key());
    p.value().copy_(r.tensors.at("weight." + p.key()));
  }
  return r;
}

double distance(const torch::Tensor& ours, const torch::Tensor& theirs) {
  return (ours - theirs).norm().item<double>() / (theirs.norm().item<double>() + 1e-30);
}

}  // namespace

TEST_CASE("losses agree with PyTorch to 1e-5 and every parameter's gradient to 1e-4 of its norm") {
  const std::string file = GENERATE("corrected", "compat", "vit");
  const bool rope = GENERATE(false, true);
  CAPTURE(file, rope);
  Reference r = load(file, rope);
  const auto y = r.net->reconstruct(r.tensors.at("x"), r.tensors.at("kept"));
  CHECK(distance(y.losses, r.of("losses")) < 1e-5);
  CHECK(distance(y.features, r.of("features")) < 1e-5);
  CHECK(distance(y.prediction, r.of("prediction")) < 1e-5);
  CHECK(distance(r.net->forward(r.tensors.at("x")), r.of("pooled")) < 1e-5);
  y.losses.mean().backward();
  for (const auto& p : r.net->named_parameters()) {
    INFO(p.key());
    const auto& expected = r.of("grad." + p.key());
    if (expected.norm().item<double>() == 0) {  // the third norm of the compatible form
      CHECK_FALSE(p.value().grad().defined());
      continue;
    }
    REQUIRE(p.value().grad().defined());
    CHECK(distance(p.value().grad(), expected) < 1e-4);
  }
}

TEST_CASE(
    "losses of a target scaled patch by patch agree with PyTorch; the prediction comes back in the input's units") {
  const bool rope = GENERATE(false, true);
  Reference r = load("corrected", rope, /*normalized_target=*/true);
  const auto& x = r.tensors.at("x");
  const auto y = r.net->reconstruct(x, r.tensors.at("kept"));
  CHECK(distance(y.losses, r.of("normalized_losses")) < 1e-5);
  // The stored prediction is in scaled units here: scale it by the first true patch.
  const auto truth = x[0].slice(1, 0, 4).slice(2, 0, 2);
  const auto scaled = r.of("prediction")[0].slice(1, 0, 4).slice(2, 0, 2);
  const auto expected = scaled * (truth.var(/*unbiased=*/true) + 1e-6).sqrt() + truth.mean();
  CHECK(distance(y.prediction[0].slice(1, 0, 4).slice(2, 0, 2), expected) < 1e-5);
}

}  // namespace amae::audiomae_test

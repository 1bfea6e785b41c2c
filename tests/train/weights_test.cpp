#include "train/weights.h"

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "base/file.h"
#include "io/safetensors.h"
#include "tests/problems.h"
#include "train/bundle.h"
#include "train/classifier.h"

using namespace amae;

namespace {

using State = TransferRow::State;

/// Positions that can be drawn out or cut short, and a norm with integer state.
class Positioned : public Encoder {
 public:
  Positioned() {
    layer = register_module("layer", torch::nn::Linear(4, 3));
    norm = register_module("norm", torch::nn::BatchNorm1d(3));
    positions = register_parameter("positions", torch::zeros({1, 6}));
  }
  torch::Tensor forward(const torch::Tensor& x) override { return norm(layer(x)); }
  [[nodiscard]] int64_t width() const override { return 3; }
  [[nodiscard]] torch::Tensor resized(const std::string& parameter, const torch::Tensor& foreign) const override {
    if (parameter != "positions" || foreign.dim() != 2) return {};
    return foreign.mean().expand({1, 6});
  }
  torch::nn::Linear layer{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
  torch::Tensor positions;
};

struct Target {
  std::shared_ptr<Positioned> encoder = std::make_shared<Positioned>();
  Classifier model{encoder, 2, {}};
  Transfer take(const TensorDict& source, const WeightRules& rules = {}) {
    return transfer_weights(model, *encoder, source, rules, "file.pt");
  }
};

State state_of(const Transfer& transfer, const std::string& name) {
  for (const TransferRow& row : transfer.rows) {
    if (row.name == name || (row.name.empty() && row.foreign == name)) return row.state;
  }
  FAIL("no row " + name);
  return State::missing;
}

class RuleFile {
 public:
  WeightRules read(const std::string& yaml) const {
    write_file(folder_.path() / "rules.yaml", yaml);
    return read_weight_rules(folder_.path() / "rules.yaml");
  }
  std::string refusal(const std::string& yaml) const {
    const auto problems = problems_of([&] { read(yaml); });
    return problems.empty() ? "" : problems[0].line();
  }
  [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

/// `text` under the rules; "-" when it is dropped.
std::string renamed_as(const WeightRules& rules, const std::string& text) {
  const TensorDict result = renamed({{text, torch::zeros(1)}}, rules, "test");
  return result.empty() ? "-" : result.begin()->first;
}

}  // namespace

TEST_CASE("every tensor is loaded, resized, missing, unused or a misfit, and the module holds what was loaded") {
  Target target;
  const torch::Tensor weight = torch::randn({3, 4}), bias_before = target.encoder->layer->bias.detach().clone();
  const TensorDict source = {{"encoder.layer.weight", weight.to(torch::kDouble)},
                             {"encoder.layer.bias", torch::ones(7)},
                             {"encoder.positions", torch::full({1, 9}, 2.0)},
                             {"encoder.norm.num_batches_tracked", torch::tensor(5, torch::kInt64)},
                             {"encoder.norm.running_mean", torch::ones({3}, torch::kInt64)},
                             {"head.weight", torch::full({2, 3}, 0.5, torch::kBFloat16)},
                             {"decoder.bias", torch::ones(3)}};
  const Transfer transfer = target.take(source);
  CHECK(state_of(transfer, "encoder.layer.weight") == State::loaded);
  CHECK(state_of(transfer, "encoder.layer.bias") == State::misfit);
  CHECK(state_of(transfer, "encoder.positions") == State::resized);
  CHECK(state_of(transfer, "encoder.norm.num_batches_tracked") == State::loaded);
  CHECK(state_of(transfer, "encoder.norm.running_mean") == State::misfit);
  CHECK(state_of(transfer, "encoder.norm.weight") == State::missing);
  CHECK(state_of(transfer, "head.weight") == State::loaded);
  CHECK(state_of(transfer, "decoder.bias") == State::unused);
  CHECK(torch::equal(target.encoder->layer->weight, weight));
  CHECK(torch::equal(target.encoder->layer->bias, bias_before));
  CHECK(torch::equal(target.encoder->positions, torch::full({1, 6}, 2.0)));
  CHECK(target.encoder->norm->num_batches_tracked.item<int64_t>() == 5);
  CHECK(transfer.rows.front().name == "encoder.positions");  // the module's order: own parameters before its modules'
  CHECK(transfer.rows.back().foreign == "decoder.bias");
  CHECK(transfer.count(State::loaded) == 3);
  CHECK(transfer.summary() ==
        "3 loaded, 1 resized (encoder.positions), 2 of another shape (encoder.layer.bias, encoder.norm.running_mean), "
        "4 missing (encoder.norm.weight, encoder.norm.bias, head.bias, encoder.norm.running_var), 1 unused");
}

TEST_CASE("when nothing fits, or a value is not finite, the module stays as it was") {
  Target target;
  const torch::Tensor before = target.encoder->layer->weight.detach().clone();
  auto problems = problems_of([&] { target.take({{"layer1.weight", torch::ones(2)}}); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].code == "CKPT");
  CHECK(problems[0].where == "file.pt");
  CHECK(contains(problems[0].message, "no tensor that fits this model"));
  CHECK(contains(problems[0].message, "theirs are layer1.weight"));
  torch::Tensor bad = torch::ones({3, 4});
  bad[2][3] = std::numeric_limits<float>::quiet_NaN();
  problems = problems_of([&] { target.take({{"encoder.layer.weight", bad}, {"encoder.layer.bias", torch::ones(3)}}); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].field == "encoder.layer.weight");
  problems = problems_of([&] { target.take({{"encoder.layer.bias", torch::full({3}, 1e300, torch::kDouble)}}); });
  CHECK(problems.size() == 1);
  CHECK(torch::equal(target.encoder->layer->weight, before));
}

TEST_CASE_METHOD(RuleFile, "the first rule that matches the whole name decides") {
  const WeightRules rules = read(R"(
- {from: 'blocks\.(\d+)\.mlp\.fc([12])\.(.*)', to: 'encoder.blocks.$1.ffn1.fc$2.$3'}
- {from: 'pos_embed', drop: true}
- {from: 'blocks\..*', to: 'other'}
)");
  REQUIRE(rules.size() == 3);
  CHECK(renamed_as(rules, "blocks.11.mlp.fc2.weight") == "encoder.blocks.11.ffn1.fc2.weight");
  CHECK(renamed_as(rules, "blocks.1.norm") == "other");
  CHECK(renamed_as(rules, "pos_embed") == "-");
  CHECK(renamed_as(rules, "decoder_pos_embed") == "decoder_pos_embed");
  CHECK(renamed_as(rules, "xblocks.1.norm") == "xblocks.1.norm");
  CHECK(renamed_as(rules, "blocks." + std::string(5000, 'x')) == "blocks." + std::string(5000, 'x'));
  CHECK(read_weight_rules("").empty());
}

TEST_CASE_METHOD(RuleFile, "axes are permuted, and what cannot be is refused") {
  const WeightRules rules = read("- {from: 'w', to: 'encoder.layer.weight', permute: [1, 0]}");
  Target target;
  const torch::Tensor weight = torch::randn({4, 3});
  CHECK(target.take({{"w", weight}}, rules).count(State::loaded) == 1);
  CHECK(torch::equal(target.encoder->layer->weight, weight.t()));
  auto problems = problems_of([&] { target.take({{"w", torch::ones({4, 3, 1})}}, rules); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].field == "w");
  CHECK(contains(problems[0].message, "got shape 4x3x1, expected 2 axes"));
  problems = problems_of([&] { target.take({{"w", weight}, {"encoder.layer.weight", weight}}, rules); });
  REQUIRE(problems.size() == 1);
  CHECK(contains(problems[0].message, "one tensor for each name"));
}

TEST_CASE_METHOD(RuleFile, "mistakes in rules are told with line and column") {
  CHECK(contains(refusal("{from: a}"), "expected a list of rules"));
  CHECK(contains(refusal("- {form: a, to: b}"), "rules.yaml:1:4: 0.form: got unknown key"));
  CHECK(contains(refusal("- {to: b}"), "0.from"));
  CHECK(
      contains(refusal("- {from: 'a(', to: b}"), "rules.yaml:1:10: 0.from: got 'a(', which is no regular expression"));
  CHECK(contains(refusal("- {from: a}"), "either a name here or drop: true"));
  CHECK(contains(refusal("- {from: a, to: b, drop: true}"), "either a name here or drop: true"));
  CHECK(contains(refusal("- {from: a, to: b, permute: [0, 2]}"), "expected each axis from 0 to 1 once"));
  CHECK(contains(refusal("- {from: a, to: b}\n- text"), "rules.yaml:2:3"));
}

TEST_CASE_METHOD(RuleFile, "content decides the format of a file of weights") {
  const TensorDict tensors = {{"a", torch::randn({2, 3})}};
  write_safetensors(path() / "weights.pt", tensors);  // the wrong ending on purpose
  CHECK(torch::equal(read_weights(path() / "weights.pt").at("a"), tensors.at("a")));
  std::filesystem::copy(AMAE_TEST_DATA "/torch/ordered.pt", path() / "weights.safetensors");
  CHECK(read_weights(path() / "weights.safetensors").size() == 3);
  write_file(path() / "text", "what is this");
  const auto problems = problems_of([&] { read_weights(path() / "text"); });
  REQUIRE(problems.size() == 1);
  CHECK(contains(problems[0].message, "neither a safetensors file nor one of torch.save"));
  CHECK(problems_of([&] { read_weights(path() / "nowhere"); }).size() == 1);
}

TEST_CASE("the names of AudioMAE++ become ours and ours become its again") {
  const std::string rules_folder = AMAE_SOURCE_DIR "/configs/weights/";
  const WeightRules rules = read_weight_rules(rules_folder + "audiomae_plus_plus.yaml");
  const WeightRules back = read_weight_rules(rules_folder + "to_audiomae_plus_plus.yaml");
  for (const auto& [theirs, ours] : std::vector<std::pair<std::string, std::string>>{
           {"cls_token", "encoder.cls_token"},
           {"patch_embed.proj.weight", "encoder.patch_embed.proj.weight"},
           {"encoder.encoder_norm.bias", "encoder.norm.bias"},
           {"encoder.blocks.0.norm3.weight", "encoder.blocks.0.norm3.weight"},
           {"encoder.blocks.11.attn.qkv_layer.bias", "encoder.blocks.11.attn.qkv.bias"},
           {"encoder.blocks.11.attn.proj_layer.weight", "encoder.blocks.11.attn.proj.weight"},
           {"encoder.blocks.2.ffn1.layer1.weight", "encoder.blocks.2.ffn1.fc1.weight"},
           {"encoder.blocks.2.ffn1.layer2.bias", "encoder.blocks.2.ffn1.fc2.bias"},
           {"encoder.blocks.2.mlp.layer2.bias", "encoder.blocks.2.mlp.fc2.bias"},
           {"encoder.blocks.2.ffn2.linear1.weight", "encoder.blocks.2.ffn2.value.weight"},
           {"encoder.blocks.2.ffn2.linear2.weight", "encoder.blocks.2.ffn2.gate.weight"},
           {"encoder.blocks.2.ffn2.ln.bias", "encoder.blocks.2.ffn2.norm.bias"},
           {"encoder.blocks.2.ffn2.project.weight", "encoder.blocks.2.ffn2.proj.weight"},
           {"decoder.mask_token", "encoder.decoder.mask_token"},
           {"decoder.decoder_embed.weight", "encoder.decoder.decoder_embed.weight"},
           {"decoder.decoder_norm.weight", "encoder.decoder.decoder_norm.weight"},
           {"decoder.decoder_pred.bias", "encoder.decoder.decoder_pred.bias"},
           {"decoder.decoder_blocks.3.norm1.weight", "encoder.decoder.decoder_blocks.3.norm1.weight"},
           {"decoder.decoder_blocks.3.attn.qkv_layer.weight", "encoder.decoder.decoder_blocks.3.attn.qkv.weight"},
           {"decoder.decoder_blocks.3.ffn1.layer2.weight", "encoder.decoder.decoder_blocks.3.ffn1.fc2.weight"},
           {"decoder.decoder_blocks.3.ffn2.linear1.bias", "encoder.decoder.decoder_blocks.3.ffn2.value.bias"},
           {"decoder.decoder_blocks.3.ffn2.ln.weight", "encoder.decoder.decoder_blocks.3.ffn2.norm.weight"},
           {"decoder.decoder_blocks.3.ffn2.project.bias", "encoder.decoder.decoder_blocks.3.ffn2.proj.bias"}}) {
    INFO(theirs);
    CHECK(renamed_as(rules, theirs) == ours);
    CHECK(renamed_as(back, ours) == theirs);
  }
  CHECK(renamed_as(rules, "encoder.pos_embed") == "encoder.pos_embed");
  CHECK(renamed_as(rules, "decoder.decoder_pos_embed") == "-");
  CHECK(renamed_as(back, "head.weight") == "-");
}

TEST_CASE("the names of facebookresearch's AudioMAE become ours, but not those of its decoder") {
  const WeightRules rules = read_weight_rules(AMAE_SOURCE_DIR "/configs/weights/audiomae.yaml");
  for (const char* name : {"cls_token", "pos_embed", "patch_embed.proj.bias", "norm.weight", "blocks.0.norm1.bias",
                           "blocks.11.attn.qkv.weight", "blocks.11.attn.proj.bias", "blocks.3.mlp.fc1.weight"}) {
    INFO(name);
    CHECK(renamed_as(rules, name) == std::string("encoder.") + name);
  }
  for (const char* name :
       {"mask_token", "decoder_embed.weight", "decoder_pos_embed", "decoder_norm.bias",
        "decoder_blocks.1.attn.meta_mlp.fc1.weight", "decoder_pred.weight", "head.weight", "fc_norm.bias"}) {
    INFO(name);
    CHECK(renamed_as(rules, name) == "-");
  }
}

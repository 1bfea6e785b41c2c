#include "train/classifier.h"

#include <functional>
#include <limits>
#include <stdexcept>

#include "train/eval_mode.h"
#include "training.h"

using namespace amae;

namespace {

/// Says that it gives five features.
class Liar : public Encoder {
 public:
  using Give = std::function<torch::Tensor(const torch::Tensor&)>;
  explicit Liar(Give give) : give_(std::move(give)) {}
  torch::Tensor forward(const torch::Tensor& x) override { return give_(x); }
  [[nodiscard]] int64_t width() const override { return 5; }

 private:
  Give give_;
};

const Origin kOrigin{"model", "liar", "/plugins/liar.so", "model"};

}  // namespace

TEST_CASE("a classifier is its encoder and a linear head, by these names") {
  torch::manual_seed(1);
  Classifier model(std::make_shared<Net>(false), 3, {});
  std::vector<std::string> names;
  for (const auto& p : model.named_parameters()) names.push_back(p.key());
  CHECK(names == std::vector<std::string>{"encoder.layer.weight", "encoder.layer.bias", "head.weight", "head.bias"});
  const auto x = torch::randn({4, 1, 16});
  const auto p = model.named_parameters();
  const auto by_hand = torch::nn::functional::linear(model.encoder().forward(x), p["head.weight"], p["head.bias"]);
  CHECK(torch::equal(model.forward(x), by_hand));
}

TEST_CASE("dropout acts on the features, in training only") {
  torch::manual_seed(1);
  Classifier model(std::make_shared<Net>(false), 3, {.dropout = 0.5});
  const auto x = torch::randn({4, 1, 16});
  model.eval();
  CHECK(torch::equal(model.forward(x), model.forward(x)));
  model.train();
  CHECK_FALSE(torch::equal(model.forward(x), model.forward(x)));
}

TEST_CASE("an encoder that does not keep its word is found out, with its library and both shapes") {
  const auto told = [](const Liar::Give& give) {
    Classifier model(std::make_shared<Liar>(give), 3, {}, kOrigin);
    const Problem problem = only_problem([&] { model.forward(torch::zeros({2, 1, 16})); });
    CHECK(problem.code == "PLUGIN");
    CHECK(problem.where == "/plugins/liar.so");
    CHECK(problem.field == "model");
    return problem.message;
  };
  const std::string expected = " for float [2, 1, 16], expected float [2, 5]";
  CHECK(told([](const auto& x) { return x.flatten(1).slice(1, 0, 4); }) ==
        "model 'liar' gave features float [2, 4]" + expected);
  CHECK(contains(told([](const auto& x) { return x; }), "float [2, 1, 16] for"));
  CHECK(contains(told([](const auto& x) { return x.flatten(1).slice(1, 0, 5)[0].unsqueeze(0); }), "float [1, 5] for"));
  CHECK(contains(told([](const auto& x) { return x.flatten(1).slice(1, 0, 5).to(torch::kInt); }), "int [2, 5] for"));
  CHECK(contains(told([](const auto&) { return torch::Tensor(); }), "gave features nothing"));
  CHECK(contains(told([](const auto&) -> torch::Tensor { throw std::runtime_error("out of luck"); }),
                 "failed in forward: out of luck"));
}

TEST_CASE("what is not finite is traced to the input, to a weight or to the encoder") {
  Classifier model(std::make_shared<Net>(true), 3, {}, {"model", "net", "/plugins/net.so", "model"});
  const auto x = torch::ones({2, 1, 16}), nan = torch::full({2, 8}, std::numeric_limits<float>::quiet_NaN());
  CHECK(model.not_finite_because(x, torch::zeros({2, 8})).empty());
  CHECK(model.not_finite_because(x / 0, nan) == "the model's input is not finite");
  CHECK(model.not_finite_because(x, nan) == "model 'net' of /plugins/net.so makes them of finite input and weights");
  const torch::NoGradGuard no_grad;
  model.named_buffers()["encoder.norm.running_var"].fill_(std::numeric_limits<float>::infinity());
  CHECK(model.not_finite_because(x, nan) == "encoder.norm.running_var is not finite");
}

TEST_CASE("without classes a classifier is its encoder alone and gives no logits") {
  Classifier model(std::make_shared<Net>(false), 0, {});
  CHECK_FALSE(model.has_head());
  CHECK(Classifier(std::make_shared<Net>(false), 2, {}).has_head());
  std::vector<std::string> names;
  for (const auto& p : model.named_parameters()) names.push_back(p.key());
  CHECK(names == std::vector<std::string>{"encoder.layer.weight", "encoder.layer.bias"});
  CHECK_THROWS_AS(model.forward(torch::zeros({2, 1, 16})), std::logic_error);
}

TEST_CASE("an encoder of which nothing is trained stays in evaluation mode, one that is trained in part does not") {
  Classifier model(std::make_shared<Net>(true), 3, {});
  model.named_parameters()["encoder.layer.weight"].set_requires_grad(false);
  model.train();
  CHECK(model.encoder().is_training());
  for (auto& p : model.encoder().parameters()) p.set_requires_grad(false);
  model.train();
  CHECK(model.is_training());
  CHECK_FALSE(model.encoder().is_training());
  CHECK_FALSE(model.encoder().named_children()["norm"]->is_training());
}

TEST_CASE("a frozen batch norm keeps its statistics while the rest of the encoder trains") {
  torch::manual_seed(1);
  Classifier model(std::make_shared<Net>(true), 3, {});
  const auto p = model.named_parameters();
  for (const char* name : {"encoder.norm.weight", "encoder.norm.bias"}) torch::Tensor(p[name]).set_requires_grad(false);
  const auto mean = [&] { return model.named_buffers()["encoder.norm.running_mean"].clone(); };
  const torch::Tensor before = mean();
  model.train();
  CHECK(model.encoder().is_training());
  CHECK(model.encoder().named_children()["layer"]->is_training());
  model.forward(torch::randn({8, 1, 16}));
  CHECK(torch::equal(mean(), before));
  { const EvalMode eval_mode(model.encoder()); }
  model.forward(torch::randn({8, 1, 16}));
  CHECK(torch::equal(mean(), before));
  for (auto& parameter : model.parameters()) parameter.set_requires_grad(true);
  model.train();
  model.forward(torch::randn({8, 1, 16}));
  CHECK_FALSE(torch::equal(mean(), before));
}

#include "train/features.h"

#include "training.h"

using namespace amae;

namespace {

/// Points, a pipeline and an encoder with batch norm.
class Frozen {
 public:
  explicit Frozen(const std::vector<std::string>& transforms = {}) : points(std::make_shared<Points>(23)) {
    std::vector<Component> list;
    for (const std::string& yaml : transforms) list.push_back(component("transform", yaml));
    pipeline = std::make_shared<Pipeline>(built_plugins(), list, points->spec());
    CacheOptions options;
    options.mode = "ram";
    cache = std::make_shared<FeatureCache>(points, pipeline, options, 1, FeatureCache::Progress());
    torch::manual_seed(2);
    net = std::make_shared<Net>(true);
    for (int i = 0; i < 5; ++i) net->forward(torch::randn({8, 1, 16}));  // running statistics with some content
  }
  torch::Tensor features(const std::vector<int64_t>& rows, int64_t batch_size = 5, int workers = 1) {
    Classifier model(net, 0, {});
    return features_of(model, *cache, *pipeline, rows, batch_size, workers, torch::kCPU);
  }

  std::shared_ptr<Points> points;
  std::shared_ptr<Pipeline> pipeline;
  std::shared_ptr<FeatureCache> cache;
  std::shared_ptr<Net> net;
};

}  // namespace

TEST_CASE("features are those of the rows asked for, in their order, and do not depend on the batch") {
  Frozen frozen;
  const std::vector<int64_t> rows = {20, 3, 3, 7, 0, 22, 11};
  const torch::Tensor features = frozen.features(rows);
  REQUIRE(features.sizes() == torch::IntArrayRef({7, 8}));
  for (size_t i = 0; i < rows.size(); ++i) {
    // 1e-6: the matrix product of another batch size may sum in another order.
    CHECK(torch::allclose(features[static_cast<int64_t>(i)], frozen.features({rows[i]})[0], 0, 1e-6));
  }
  CHECK(torch::equal(features, frozen.features(rows, 5, 3)));
  CHECK(torch::equal(features, frozen.features(rows)));
}

TEST_CASE("features have no gradient, and the encoder's mode and statistics stay") {
  Frozen frozen;
  const torch::Tensor before = frozen.net->buffers().front().clone();
  frozen.net->train();
  CHECK_FALSE(frozen.features({0, 1, 2}).requires_grad());
  CHECK(frozen.net->is_training());
  frozen.net->eval();
  frozen.features({0});
  CHECK_FALSE(frozen.net->is_training());
  CHECK(torch::equal(frozen.net->buffers().front(), before));
}

TEST_CASE("random transforms do not act on features") {
  Frozen plain, noisy({"{name: noise, p: 1}", "{name: roll}"});
  CHECK(torch::equal(plain.features({4, 5}), noisy.features({4, 5})));
}

TEST_CASE("no rows have no features, of the encoder's width") {
  Frozen frozen;
  CHECK(frozen.features({}).sizes() == torch::IntArrayRef({0, 8}));
}

TEST_CASE("features that are not finite are refused, and the encoder's mode stays") {
  Frozen frozen;
  frozen.net->train();
  {
    const torch::NoGradGuard no_grad;
    frozen.net->parameters().front().fill_(std::numeric_limits<float>::quiet_NaN());
  }
  CHECK_THROWS_AS(frozen.features({1}), DivergenceError);
  CHECK(frozen.net->is_training());
}

TEST_CASE("the scale of a gallery gives it mean 0 and deviation 1, but leaves constants alone") {
  torch::manual_seed(1);
  torch::Tensor gallery = torch::randn({50, 4}) * torch::tensor({1.F, 1000.F, 0.01F, 1.F}) + 7;
  gallery.select(1, 3).fill_(0.3F);
  const FeatureScale scale(gallery);
  const torch::Tensor z = scale(gallery);
  CHECK(z.mean(0).abs().max().item<double>() < 1e-10);
  CHECK(torch::allclose(z.var(0, false).slice(0, 0, 3), torch::ones(3, torch::kDouble)));
  CHECK(z.select(1, 3).abs().max().item<double>() == 0);
  CHECK(scale.deviation[3].item<double>() == 1);
  // 1e-7 of the largest deviation counts as constant, 1e-5 does not.
  const torch::Tensor signs = torch::tensor({-1.F, 1.F}).unsqueeze(1);
  CHECK(FeatureScale(signs * torch::tensor({1.F, 1e-7F})).deviation[1].item<double>() == 1);
  CHECK(FeatureScale(signs * torch::tensor({1.F, 1e-5F})).deviation[1].item<double>() < 1.1e-5);
}

#include "train/reconstruction.h"

#include <torch/nn/modules/linear.h>

#include <cmath>
#include <csignal>
#include <stdexcept>

#include "base/stop.h"
#include "train/contrastive.h"
#include "training.h"

using namespace amae;

namespace {

/// Tokens of two samples, a linear map from their mean to the whole item; notes every mask that it gets.
class SmallAutoencoder : public MaskedAutoencoder {
 public:
  explicit SmallAutoencoder(int64_t samples)
      : grid_{1, samples / 2},
        encode_(register_module("encode", torch::nn::Linear(2, 6))),
        place_(register_parameter("place", 0.1 * torch::randn({samples / 2, 6}))),
        decode_(register_module("decode", torch::nn::Linear(6, samples))) {}

  torch::Tensor forward(const torch::Tensor& x) override { return tokens(x).mean(1); }
  [[nodiscard]] int64_t width() const override { return 6; }
  [[nodiscard]] TokenGrid token_grid() const override { return grid_; }

  Reconstruction reconstruct(const torch::Tensor& x, const torch::Tensor& kept) override {
    if (is_training()) seen.push_back(kept);
    if (is_training() && on_training) on_training();
    const torch::Tensor latents = tokens(x).gather(1, kept.unsqueeze(2).expand({-1, -1, 6}));
    const torch::Tensor features = latents.mean(1);
    const torch::Tensor prediction = decode_(torch::dropout(features, 0.1, is_training()));
    const torch::Tensor hidden = torch::ones({x.size(0), grid_.size()}).scatter_(1, kept, 0).repeat_interleave(2, 1);
    const torch::Tensor losses = ((prediction - x.flatten(1)).square() * hidden).sum(1) / hidden.sum(1);
    Reconstruction made{losses, features, prediction.detach().view_as(x)};
    if (change) change(made);
    return made;
  }

  std::vector<torch::Tensor> seen;
  std::function<void()> on_training;
  std::function<void(Reconstruction&)> change;  ///< before it is given away

 private:
  torch::Tensor tokens(const torch::Tensor& x) {
    return torch::tanh(encode_(x.view({x.size(0), -1, 2})) + place_.slice(0, 0, x.size(-1) / 2));
  }

  TokenGrid grid_;
  torch::nn::Linear encode_;
  torch::Tensor place_;
  torch::nn::Linear decode_;
};

class Unlabelled : public Points {
 public:
  using Points::Points;
  [[nodiscard]] at::Tensor labels() const override { return {}; }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return none_; }

 private:
  std::vector<std::string> none_;
};

/// 43 points to train on and 12 to validate, as a task would set it up.
class Pretrain {
 public:
  explicit Pretrain(bool labels = true, const std::vector<std::string>& transforms = {}) {
    std::shared_ptr<Points> points = labels ? std::make_shared<Points>(55) : std::make_shared<Unlabelled>(55);
    std::vector<Component> list;
    for (const std::string& yaml : transforms) list.push_back(component("transform", yaml));
    const auto pipeline = std::make_shared<Pipeline>(built_plugins(), list, points->spec());
    CacheOptions options;
    options.mode = "ram";
    setup.cache = std::make_shared<FeatureCache>(points, pipeline, options, 1, FeatureCache::Progress());
    setup.pipeline = pipeline;
    setup.options.mask.ratio = 0.5;
    setup.seed = 5;
    for (int64_t row = 0; row < 55; ++row) (row < 43 ? setup.train_rows : setup.val_rows).push_back(row);
    setup.draw = [this](const std::vector<ReconstructionView>& views, int64_t epochs) {
      drawn = views;
      drawn_after.push_back(epochs);
      return torch::zeros({4, 6, 3}, torch::kByte);
    };
    renew();
  }

  /// A fresh network from the seed: what a new process would start with.
  void renew() {
    torch::manual_seed(5);
    net = std::make_shared<SmallAutoencoder>(setup.pipeline->output(Mode::train).shape.back());
    setup.model = std::make_shared<Classifier>(net, 0, HeadOptions());
  }

  [[nodiscard]] ReconstructionObjective objective() const { return ReconstructionObjective(setup); }

  [[nodiscard]] Batch batch(const std::vector<int64_t>& rows) const {
    Batch batch = setup.cache->rows(rows);
    batch.y = targets_of(setup.cache->dataset(), rows);
    return batch;
  }

  [[nodiscard]] TrainSetup training(int64_t epochs) const {
    TrainSetup result;
    result.options.epochs = epochs;
    result.options.batch_size = 8;
    result.options.save_interval = 1e9;
    result.optim = {.name = "adamw", .lr = 0.02};
    result.schedule = {.name = "constant", .warmup = 0};
    result.seed = 5;
    result.objective = std::make_shared<ReconstructionObjective>(setup);
    result.pipeline = setup.pipeline;
    result.cache = setup.cache;
    result.train_rows = setup.train_rows;
    result.validates = true;
    result.run = folder.path();
    result.tensorboard = false;
    result.write_bundle = [](const std::filesystem::path& /*folder*/, const std::string& /*weights*/) {};
    return result;
  }

  TemporaryFolder folder;
  ReconstructionSetup setup;
  std::shared_ptr<SmallAutoencoder> net;
  std::vector<ReconstructionView> drawn;
  std::vector<int64_t> drawn_after;
};

const Stage kFirstEpoch{5, 0, 10, 0}, kSecondEpoch{5, 1, 10, 0};

double value_of(const Figures& figures, const std::string& name) {
  for (const auto& [key, value] : figures) {
    if (key == name) return value;
  }
  return std::nan("");
}

}  // namespace

TEST_CASE("the mask of an item depends on seed, epoch and row, not on its batch") {
  const Pretrain pretrain;
  const ReconstructionObjective objective = pretrain.objective();
  const torch::Tensor three = objective.training_masks({4, 9, 30}, kFirstEpoch);
  CHECK(three.sizes() == torch::IntArrayRef({3, 4}));
  CHECK(torch::equal(objective.training_masks({30}, kFirstEpoch)[0], three[2]));
  CHECK_FALSE(torch::equal(objective.training_masks({4, 9, 30}, kSecondEpoch), three));
  Stage other_seed = kFirstEpoch;
  other_seed.seed = 6;
  CHECK_FALSE(torch::equal(objective.training_masks({4, 9, 30}, other_seed), three));
  CHECK_FALSE(torch::equal(objective.fixed_masks({4, 9, 30}), three));
}

TEST_CASE("the loss of a batch is the sum of the items' reconstruction errors under their masks") {
  Pretrain pretrain;
  ReconstructionObjective objective = pretrain.objective();
  const std::vector<int64_t> rows = {3, 8, 20, 41};
  pretrain.setup.model->train();
  torch::manual_seed(9);
  const BatchResult result = objective.forward(pretrain.batch(rows), kSecondEpoch);
  REQUIRE(pretrain.net->seen.size() == 1);
  const torch::Tensor masks = objective.training_masks(rows, kSecondEpoch);
  CHECK(torch::equal(pretrain.net->seen[0], masks));
  torch::manual_seed(9);  // of its dropout
  const Reconstruction made = pretrain.net->reconstruct(pretrain.batch(rows).x, masks);
  CHECK(torch::equal(result.loss, made.losses.sum()));
  CHECK(result.loss.requires_grad());
  CHECK(result.sums.empty());  // the loss says it
  CHECK(objective.training_figures().empty());
}

TEST_CASE("uniformity and contrast of the features are added by weight, once for each item") {
  Pretrain pretrain;
  pretrain.setup.options.uniformity = 0.5;
  pretrain.setup.options.contrastive = 2;
  pretrain.setup.options.temperature = 0.2;
  ReconstructionObjective objective = pretrain.objective();
  CHECK(objective.training_figures() == std::vector<std::string>{"reconstruction", "uniformity", "contrastive"});
  const Batch batch = pretrain.batch({0, 1, 2, 3, 4, 5});
  torch::manual_seed(9);
  const BatchResult result = objective.forward(batch, kFirstEpoch);
  torch::manual_seed(9);
  const Reconstruction made = pretrain.net->reconstruct(batch.x, objective.training_masks(batch.ids, kFirstEpoch));
  const double uniformity = 6 * uniformity_loss(made.features).item<double>();
  const double contrastive = 6 * contrastive_loss(made.features, batch.y, 0.2).item<double>();
  // 1e-5: six items in float32.
  CHECK(std::abs(value_of(result.sums, "reconstruction") - made.losses.sum().item<double>()) < 1e-5);
  CHECK(std::abs(value_of(result.sums, "uniformity") - uniformity) < 1e-5);
  CHECK(std::abs(value_of(result.sums, "contrastive") - contrastive) < 1e-5);
  const double expected = made.losses.sum().item<double>() + 0.5 * uniformity + 2 * contrastive;
  CHECK(std::abs(result.loss.item<double>() - expected) < 1e-5);
}

TEST_CASE("validation gives the same loss at any time and in batches of any size, and leaves training mode on") {
  Pretrain pretrain;
  ReconstructionObjective objective = pretrain.objective();
  pretrain.setup.model->train();
  const double loss = value_of(objective.validate(), "loss");
  CHECK(pretrain.setup.model->is_training());
  CHECK(value_of(objective.validate(), "loss") == loss);
  CHECK(objective.validation_figures() == std::vector<std::string>{"loss"});

  pretrain.setup.model->eval();
  const Batch all = pretrain.batch(pretrain.setup.val_rows);
  const torch::Tensor losses = pretrain.net->reconstruct(all.x, objective.fixed_masks(all.ids)).losses;
  CHECK(std::abs(losses.mean().item<double>() - loss) < 1e-6);
  pretrain.setup.eval_batch_size = 5;
  CHECK(std::abs(value_of(pretrain.objective().validate(), "loss") - loss) < 1e-6);
}

TEST_CASE("where training crops, validation takes the beginning of each clip") {
  Pretrain pretrain(true, {"{name: crop, frames: 6}"});
  REQUIRE(pretrain.setup.pipeline->output(Mode::eval).shape.back() == 16);
  ReconstructionObjective objective = pretrain.objective();
  const double loss = value_of(objective.validate(), "loss");
  pretrain.setup.model->eval();
  const Batch all = pretrain.batch(pretrain.setup.val_rows);
  const torch::Tensor start = all.x.slice(2, 0, 6).contiguous();
  CHECK(std::abs(pretrain.net->reconstruct(start, objective.fixed_masks(all.ids)).losses.mean().item<double>() - loss) <
        1e-6);
}

TEST_CASE("all is hidden but the patches of the kept tokens") {
  // Two bands of three bins, four steps of five frames; one bin and two frames are left over.
  const torch::Tensor input = torch::zeros({1, 7, 22});
  torch::Tensor prediction = input.clone();
  prediction.slice(1, 0, 6).slice(2, 0, 20).fill_(1);
  const torch::Tensor hidden = hidden_part({2, 4}, {0, 2, 3, 4, 7}, input, prediction);  // 1, 5 and 6 are not kept
  torch::Tensor expected = torch::ones({7, 22}, torch::kBool);
  expected.slice(0, 0, 6).slice(1, 0, 20).fill_(false);
  expected.slice(0, 3, 6).slice(1, 0, 5).fill_(true);    // band 1 of step 0
  expected.slice(0, 3, 6).slice(1, 10, 15).fill_(true);  // band 1 of step 2
  expected.slice(0, 0, 3).slice(1, 15, 20).fill_(true);  // band 0 of step 3
  CHECK(torch::equal(hidden, expected));

  const torch::Tensor wave = torch::zeros({2, 11});
  torch::Tensor guess = wave.clone();
  guess.slice(1, 0, 9).fill_(1);  // three steps of three samples
  CHECK(torch::equal(hidden_part({1, 3}, {1}, wave, guess),
                     torch::tensor({1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1}).to(torch::kBool)));
}

TEST_CASE("pictures are drawn every so many epochs and after the last, of the same rows under the same masks") {
  Pretrain pretrain;
  pretrain.setup.options.pictures = 3;
  pretrain.setup.options.pictures_every = 2;
  pretrain.setup.options.knn_every = 0;
  ReconstructionObjective objective = pretrain.objective();
  RunLog log(pretrain.folder.path(), false, 0);
  for (int64_t epoch = 0; epoch < 5; ++epoch) CHECK(objective.look(epoch, 6 * epoch, epoch == 4, log).empty());
  CHECK(pretrain.drawn_after == std::vector<int64_t>{2, 4, 5});
  CHECK(std::filesystem::exists(pretrain.folder.path() / "pictures/reconstruction-0004.png"));
  REQUIRE(pretrain.drawn.size() == 3);
  const Batch batch = pretrain.batch({43, 44, 45});  // the first of the validation split
  pretrain.setup.model->eval();
  const Reconstruction made = pretrain.net->reconstruct(batch.x, objective.fixed_masks(batch.ids));
  for (int64_t i = 0; i < 3; ++i) {
    const ReconstructionView& view = pretrain.drawn[static_cast<size_t>(i)];
    CHECK(view.id == "point-" + std::to_string(43 + i));
    CHECK(torch::equal(view.input, batch.x[i]));
    CHECK(torch::equal(view.prediction, made.prediction[i]));
    CHECK(view.loss == made.losses[i].item<double>());
    CHECK(view.hidden.sum().item<int64_t>() == 8);
  }
}

TEST_CASE("neighbours are asked for every so many epochs, in the validation split where there is one") {
  Pretrain pretrain;
  pretrain.setup.options.pictures_every = 0;
  pretrain.setup.options.knn_every = 3;
  RunLog log(pretrain.folder.path(), false, 0);
  ReconstructionObjective objective = pretrain.objective();
  pretrain.setup.model->train();
  CHECK(objective.look(0, 1, false, log).empty());
  const Figures figures = objective.look(2, 3, false, log);
  CHECK(value_of(figures, "val/knn_accuracy") > 0.5);  // 1/3 by chance; nothing has been learned yet
  CHECK(pretrain.setup.model->is_training());
  CHECK(objective.look(3, 4, true, log).size() == 1);

  pretrain.setup.val_rows.clear();
  ReconstructionObjective without = pretrain.objective();
  CHECK(value_of(without.look(2, 3, false, log), "train/knn_accuracy") > 0.4);
  CHECK(pretrain.drawn.empty());
}

TEST_CASE("neighbours are not asked for labels that the loss used") {
  Pretrain pretrain;
  pretrain.setup.options.pictures_every = 0;
  pretrain.setup.options.knn_every = 1;
  pretrain.setup.options.contrastive = 1;
  RunLog log(pretrain.folder.path(), false, 0);
  ReconstructionObjective objective = pretrain.objective();
  CHECK(objective.look(0, 1, true, log).size() == 1);  // in the validation split
  pretrain.setup.val_rows.clear();
  ReconstructionObjective without = pretrain.objective();
  CHECK(without.look(0, 1, true, log).empty());
}

TEST_CASE("data without labels trains, is drawn and has no neighbours to ask") {
  Pretrain pretrain(false);
  pretrain.setup.options.pictures_every = 1;
  pretrain.setup.options.knn_every = 1;
  TrainSetup setup = pretrain.training(2);
  Trainer trainer(setup);
  REQUIRE(trainer.run());
  for (const Metric& metric : trainer.log().all()) CHECK(metric.name != "knn_accuracy");
  CHECK(pretrain.drawn_after == std::vector<int64_t>{1, 2});
  pretrain.setup.options.contrastive = 1;
  CHECK_THROWS_AS(pretrain.objective(), std::invalid_argument);
}

TEST_CASE("an encoder that cannot reconstruct is refused") {
  Pretrain pretrain;
  pretrain.setup.model = std::make_shared<Classifier>(std::make_shared<Net>(false), 0, HeadOptions());
  CHECK_THROWS_AS(pretrain.objective(), std::invalid_argument);
}

TEST_CASE("an autoencoder that does not keep its word is found out, with its library and the shapes") {
  Pretrain pretrain;
  pretrain.setup.model = std::make_shared<Classifier>(pretrain.net, 0, HeadOptions(),
                                                      Origin{"model", "small", "/plugins/small.so", "model"});
  ReconstructionObjective objective = pretrain.objective();
  const auto told = [&](const std::function<void(Reconstruction&)>& change) {
    pretrain.net->change = change;
    const Problem problem = only_problem([&] { objective.forward(pretrain.batch({0, 1}), kFirstEpoch); });
    CHECK(problem.where == "/plugins/small.so");
    CHECK(problem.field == "model");
    return problem.message;
  };
  CHECK(told([](Reconstruction& made) { made.losses = made.losses.sum(); }) ==
        "model 'small' gave losses float [], features float [2, 6] and prediction float [2, 1, 16] for float [2, 1, "
        "16], expected floats [2], [2, D] and the input's shape");
  CHECK(contains(told([](Reconstruction& made) { made.features = torch::Tensor(); }), "features nothing"));
  CHECK(contains(told([](Reconstruction& made) { made.prediction = made.prediction.flatten(1); }), "[2, 16] for"));
  CHECK(contains(told([](Reconstruction&) { throw std::runtime_error("out of luck"); }),
                 "failed in reconstruct: out of luck"));
}

TEST_CASE("pretraining lowers the loss on clips that it never saw") {
  Pretrain pretrain;
  TrainSetup setup = pretrain.training(15);
  Trainer trainer(setup);
  REQUIRE(trainer.run());
  std::vector<double> losses;
  for (const Metric& metric : trainer.log().all()) {
    if (metric.split == "val" && metric.name == "loss") losses.push_back(metric.value);
  }
  REQUIRE(losses.size() == 15);
  CHECK(losses.back() < 0.9 * losses.front());
}

TEST_CASE("a run stopped and resumed sees the masks and makes the weights of the run never stopped, bit for bit") {
  Pretrain straight;
  {
    TrainSetup setup = straight.training(3);
    REQUIRE(Trainer(setup).run());
  }
  for (const size_t stop_at : {1U, 6U, 10U}) {
    INFO("stopped in step " << stop_at);
    Pretrain pretrain;
    pretrain.net->on_training = [&, net = pretrain.net.get()] {
      if (net->seen.size() == stop_at) request_stop(SIGTERM);
    };
    {
      TrainSetup setup = pretrain.training(3);
      CHECK_FALSE(Trainer(setup).run());
    }
    request_stop(0);
    std::vector<torch::Tensor> seen = pretrain.net->seen;
    pretrain.renew();
    {
      TrainSetup setup = pretrain.training(3);
      Trainer trainer(setup);
      REQUIRE(trainer.restore());
      REQUIRE(trainer.run());
    }
    seen.insert(seen.end(), pretrain.net->seen.begin(), pretrain.net->seen.end());
    REQUIRE(seen.size() == straight.net->seen.size());
    for (size_t i = 0; i < seen.size(); ++i) REQUIRE(torch::equal(seen[i], straight.net->seen[i]));
    for (const char* file : {"model.safetensors", "optim.safetensors", "state.json"}) {
      INFO(file);
      CHECK(read_file(pretrain.folder.path() / "checkpoints/last" / file) ==
            read_file(straight.folder.path() / "checkpoints/last" / file));
    }
  }
}

TEST_CASE("labels change no weight, not even through a transform that mixes examples of different classes") {
  std::vector<std::string> weights;
  for (const bool labels : {true, false}) {
    Pretrain pretrain(labels, {"{name: between_class, p: 1}"});
    TrainSetup setup = pretrain.training(2);
    REQUIRE(Trainer(setup).run());
    weights.push_back(read_file(pretrain.folder.path() / "checkpoints/last/model.safetensors"));
  }
  CHECK(weights[0] == weights[1]);
}

// Stop anywhere, go on, and nothing shows it.
#include <csignal>

#include "base/stop.h"
#include "io/safetensors.h"
#include "training.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kTransforms = {"{name: roll}", "{name: gain, max_db: 6}", "{name: mixup}"};
constexpr const char* kTensors[] = {"model.safetensors", "ema.safetensors", "optim.safetensors", "state.json"};

/// Random transforms, dropout, batch norm, a moving average: all that could make a difference.
class Eventful : public Training {
 public:
  explicit Eventful(int64_t workers) : Training(kTransforms) {
    setup.options.workers = workers;
    setup.options.ema_decay = 0.9;
    setup.options.accumulate = 1;
    setup.optim = {.name = "adamw", .lr = 0.01};
  }
};

struct Killed : Error {  // of ours: anything else out of a forward pass is the model's fault
  Killed() : Error(ExitCode::internal, {{"", "", "", "killed"}}) {}
};

/// Trains until `action` at training step `step` (0-based, counted over this call) ends it; true when it finished.
bool train(Training& training, int64_t step, const std::function<void()>& action) {
  int64_t forwards = 0;
  training.net->on_training_forward = [&] {
    if (forwards++ == step) action();
  };
  bool finished = false;
  try {
    Trainer trainer = training.trainer();
    trainer.restore();
    finished = trainer.run();
  } catch (const Killed&) {  // nothing was saved for this: what kill -9 leaves
  }
  request_stop(0);
  training.renew();
  return finished;
}

bool train(Training& training) {
  return train(training, -1, [] {});
}

void check_same(const Training& training, const Training& straight) {
  for (const char* file : kTensors) {
    INFO(file);
    CHECK(training.bytes(file) == straight.bytes(file));
  }
  CHECK(training.figures() == straight.figures());
}

}  // namespace

TEST_CASE("two runs of one seed write the same bytes, another seed does not") {
  Eventful one(1), two(2), other(1);
  other.setup.seed = 6;
  other.renew();
  for (Eventful* training : {&one, &two, &other}) REQUIRE(train(*training));
  check_same(two, one);
  CHECK(other.bytes("model.safetensors") != one.bytes("model.safetensors"));
}

TEST_CASE("a run stopped by a signal and resumed equals the run never stopped, byte for byte") {
  Eventful straight(1);
  REQUIRE(train(straight));
  for (const int64_t step : {0, 3, 5, 6, 11, 12, 17}) {  // first, middle and last of an epoch, and of the run
    INFO("stopped in step " << step);
    Eventful training(1 + step % 2);
    CHECK_FALSE(train(training, step, [] { request_stop(SIGTERM); }));
    REQUIRE(train(training));
    check_same(training, straight);
  }
}

TEST_CASE("a run killed and resumed from its last checkpoint equals the run never killed") {
  Eventful straight(1);
  REQUIRE(train(straight));
  for (const int64_t every : {4, 6}) {  // 6: the last step of an epoch, before its figures are logged
    for (const int64_t step : {0, 1, 4, 5, 6, 7, 11, 12, 17}) {
      INFO("killed in step " << step << ", saved every " << every);
      Eventful training(1 + step % 2);
      training.setup.options.save_every_steps = every;
      CHECK_FALSE(train(training, step, [] { throw Killed(); }));
      REQUIRE(train(training));
      check_same(training, straight);
    }
  }
}

TEST_CASE("a run killed twice, with checkpoints at the end of epochs, equals the run never killed") {
  Eventful straight(1), training(1);
  REQUIRE(train(straight));
  training.setup.options.save_interval = 0;
  CHECK_FALSE(train(training, 8, [] { throw Killed(); }));
  CHECK_FALSE(train(training, 7, [] { throw Killed(); }));
  REQUIRE(train(training));
  check_same(training, straight);
}

TEST_CASE("a run stopped during a validation saves, gives the weights back and resumes to the same bytes") {
  Eventful straight(1);
  straight.setup.options.eval_batch_size = 6;
  REQUIRE(train(straight));
  for (const int stop_at : {0, 2, 4}) {  // two batches a pass: of the raw weights, of the averages, of epoch 1
    INFO("validation pass " << stop_at);
    Eventful training(1);
    int passes = 0;
    training.net->on_eval_forward = [&] {
      if (passes++ == stop_at) request_stop(SIGTERM);
    };
    training.setup.options.eval_batch_size = 6;
    CHECK_FALSE(train(training));
    REQUIRE(fs::exists(training.last()));
    REQUIRE(train(training));
    check_same(training, straight);
  }
}

TEST_CASE("a run stopped while an epoch is looked at saves, looks again, and resumes to the same bytes") {
  const auto look = [](int64_t epoch, int64_t /*step*/, bool /*last*/) {
    return Figures{{"val/squares", static_cast<double>(epoch * epoch)}};
  };
  Eventful straight(1);
  straight.on_look = look;
  REQUIRE(train(straight));
  for (const int64_t stop_at : {0, 1, 2}) {
    INFO("stopped after epoch " << stop_at);
    Eventful training(1);
    training.on_look = [&](int64_t epoch, int64_t step, bool last) {
      if (epoch == stop_at) {
        request_stop(SIGTERM);
        throw_if_stopped();
      }
      return look(epoch, step, last);
    };
    CHECK_FALSE(train(training));
    training.on_look = look;
    REQUIRE(train(training));
    check_same(training, straight);
  }
}

TEST_CASE("accumulation is interrupted only between steps") {
  Eventful straight(1);
  straight.setup.options.accumulate = 4;
  REQUIRE(train(straight));
  for (int64_t batch = 0; batch < 8; ++batch) {
    INFO("stopped in batch " << batch);
    Eventful training(2);
    training.setup.options.accumulate = 4;
    CHECK_FALSE(train(training, batch, [] { request_stop(SIGINT); }));
    REQUIRE(train(training));
    check_same(training, straight);
  }
}

TEST_CASE("resuming a finished run changes nothing") {
  Eventful training(1);
  REQUIRE(train(training));
  const std::string model = training.bytes("model.safetensors");
  const auto figures = training.figures();
  REQUIRE(train(training));
  CHECK(training.bytes("model.safetensors") == model);
  CHECK(training.figures() == figures);
}

TEST_CASE("early stopping survives a stop in between") {
  Eventful straight(1), training(1);
  for (Eventful* each : {&straight, &training}) {
    each->setup.options.epochs = 6;
    each->setup.optim.lr = 0;  // no epoch is better than the first
    each->setup.optim.weight_decay = 0;
    each->setup.options.early_stopping = {.metric = "val/loss", .mode = "max", .patience = 3};
  }
  REQUIRE(train(straight));
  CHECK_FALSE(train(training, Training::kSteps + 2, [] { request_stop(SIGTERM); }));
  REQUIRE(train(training));
  check_same(training, straight);
}

TEST_CASE("without a checkpoint there is nothing to restore") {
  Training training;
  CHECK_FALSE(training.trainer().restore());
}

TEST_CASE("a damaged, cut or missing file of a checkpoint is refused by its name, and the weights stay as they were") {
  Eventful training(1);
  REQUIRE(train(training));
  const TensorDict fresh = tensors_of(*training.model);
  const std::string before = fresh.at("encoder.layer.weight").sum().toString();
  for (const std::string file : {"model.safetensors", "ema.safetensors", "optim.safetensors", "state.json"}) {
    const std::string whole = training.bytes(file);
    const auto refused = [&] { return refusal([&] { training.trainer().restore(); }); };
    std::string flipped = whole;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 4);
    write_file(training.last() / file, flipped);
    CHECK(contains(refused(), file));
    write_file(training.last() / file, whole.substr(0, whole.size() / 2));
    CHECK(contains(refused(), file));
    fs::remove(training.last() / file);
    CHECK(contains(refused(), file + ": is missing"));
    write_file(training.last() / file, whole);
    CHECK(refused().empty());
    training.renew();
  }
}

TEST_CASE("a checkpoint of another network or optimizer is refused, naming what does not fit") {
  Eventful training(1);
  REQUIRE(train(training));
  training.renew(false);  // without batch norm
  CHECK(contains(refusal([&] { training.trainer().restore(); }), "encoder.norm.weight is unknown here"));
  training.renew();
  training.setup.optim = {.name = "sgd"};
  CHECK(contains(refusal([&] { training.trainer().restore(); }), "momentum"));
}

TEST_CASE("a state.json without a field or of another format is refused by name, and the weights stay as they were") {
  Eventful training(1);
  REQUIRE(train(training));
  const torch::Tensor before = tensors_of(*training.model).at("head.weight").clone();
  const auto with = [&](const std::string& text) {
    write_file(training.last() / "state.json", text);
    write_checksums(training.last());
    return refusal([&] { training.trainer().restore(); });
  };
  CHECK(contains(with("{\"format\": 2, \"epoch\": 1}"), "state.json: cannot be read"));
  CHECK(contains(with("{\"format\": 1, \"epoch\": 1, \"loss_sum\": \"0x0p+0\"}"),
                 "state.json: format: got 1, expected 2"));
  CHECK(contains(with("[]"), "state.json"));
  CHECK(torch::equal(tensors_of(*training.model).at("head.weight"), before));
}

TEST_CASE("a save that fails leaves the checkpoint before it whole and no rest") {
  Training training;
  training.setup.options.save_every_steps = 2;
  int saves = 0;
  training.setup.write_bundle = [&](const fs::path& /*folder*/, const std::string& /*weights*/) {
    if (++saves == 2) throw EnvironmentError("FILE", "bundle.json", "cannot write: No space left on device");
  };
  CHECK_THROWS_AS(training.trainer().run(), EnvironmentError);
  training.renew();
  Trainer again = training.trainer();
  REQUIRE(again.restore());
  CHECK(again.state().step == 2);
  size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(training.last().parent_path())) ++entries;
  CHECK(entries == 1);
}

TEST_CASE("best holds the bundle alone, last also what resuming needs") {
  Eventful training(1);
  REQUIRE(train(training));
  CHECK(fs::exists(training.best() / "ema.safetensors"));
  CHECK_FALSE(fs::exists(training.best() / "optim.safetensors"));
  CHECK_FALSE(fs::exists(training.best() / "state.json"));
  CHECK(fs::exists(training.last() / "optim.safetensors"));
  CHECK(refusal([&] { verify_checksums(training.best()); }).empty());
}

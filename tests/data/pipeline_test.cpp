#include "data/pipeline.h"

#include "tests/data/support.h"

namespace amae {
namespace {

using Floats = std::vector<float>;
using Shape = std::vector<int64_t>;

Batch train(const Pipeline& pipeline, const std::vector<int64_t>& rows, const Stage& stage = {}) {
  Batch batch = front_batch(pipeline, rows);
  pipeline.run_train(batch, stage);
  return batch;
}

Batch eval(const Pipeline& pipeline, const std::vector<int64_t>& rows, int64_t view = 0, int64_t views = 1) {
  Batch batch = front_batch(pipeline, rows);
  pipeline.run_eval(batch, view, views);
  return batch;
}

/// Fits on rows 0 and 1 of Ramps.
void fit(Pipeline& pipeline) {
  pipeline.fit(2, [&](size_t n) { return front_batch(pipeline, {static_cast<int64_t>(n)}); });
}

TEST_CASE("the front ends before the first transform that is random or fitted") {
  CHECK(
      numbers(front_batch(
                  pipeline_of("[{name: add, value: 2}, {name: add, id: b, value: 3}, jitter, {name: add, id: c}]"), {0})
                  .x) == Floats{5, 6, 7, 8});
  CHECK(numbers(front_batch(pipeline_of("[{name: add, value: 2}, center, {name: add, id: b, value: 3}]"), {0}).x) ==
        Floats{2, 3, 4, 5});
  CHECK(numbers(front_batch(pipeline_of("[jitter, add]"), {0}).x) == Floats{0, 1, 2, 3});
  CHECK(numbers(front_batch(pipeline_of("[]"), {1}).x) == Floats{10, 11, 12, 13});
}

TEST_CASE("front and rest together apply every transform once and in order") {
  const auto pipeline = pipeline_of("[{name: add, value: 2}, jitter, {name: add, id: b, value: 3}]");
  CHECK(numbers(eval(pipeline, {0}).x) == Floats{5, 6, 7, 8});
  const auto trained = numbers(train(pipeline, {0}).x);
  CHECK((trained[0] >= 5 && trained[0] < 6));
}

TEST_CASE("the front's key changes with what the front computes and with nothing else") {
  const auto key = [](const std::string& yaml) { return pipeline_of(yaml).front_key(); };
  const std::string base = key("[{name: add, value: 2}, jitter, {name: add, id: b, value: 3}]");
  CHECK(base == key("[{name: add, value: 2}, jitter, {name: add, id: b, value: 4}]"));
  CHECK(base == key("[{name: add, id: other, value: 2}, center]"));
  CHECK(base != key("[{name: add, value: 2.5}, jitter]"));
  CHECK(base != key("[{name: add, value: 2}, {name: add, id: b, value: 3}, jitter]"));
  CHECK(base != key("[jitter]"));
}

TEST_CASE("random transforms act in training only, and depend on nothing but seed, epoch, row and place") {
  const auto pipeline = pipeline_of("[jitter]");
  CHECK(numbers(eval(pipeline, {3}).x) == Floats{30, 31, 32, 33});
  const Stage stage{.seed = 1, .epoch = 2};
  const auto both = train(pipeline, {3, 4}, stage).x;
  CHECK(both[0].equal(train(pipeline, {3}, stage).x[0]));  // whatever else is in the batch
  CHECK(both[1].equal(train(pipeline, {4, 3}, stage).x[0]));
  CHECK_FALSE(both[0].equal(train(pipeline, {3}, {.seed = 2, .epoch = 2}).x[0]));
  CHECK_FALSE(both[0].equal(train(pipeline, {3}, {.seed = 1, .epoch = 3}).x[0]));
  CHECK_FALSE(both[0].sub(30).equal(both[1].sub(40)));
  const auto jitters = train(pipeline_of("[jitter, {name: jitter, id: again}]"), {3}, stage).x[0];
  const auto still = at::arange(4).add(30);
  CHECK_FALSE(at::allclose(jitters - still, (both[0] - still) * 2, 0, 1e-4));  // the second is no copy of the first
}

TEST_CASE("evaluation views reach the random transforms, and view 0 is the plain one") {
  const auto pipeline = pipeline_of("[add, jitter]");
  CHECK(numbers(eval(pipeline, {0}, 0, 3).x) == Floats{1, 2, 3, 4});
  CHECK(numbers(eval(pipeline, {0}, 2, 3).x) == Floats{2001, 2002, 2003, 2004});
}

TEST_CASE("each fitted transform sees what the ones before it give in evaluation mode") {
  auto pipeline = pipeline_of("[add, center, jitter, {name: add, id: b, value: 5}, {name: center, id: c}]");
  CHECK(pipeline.needs_fit());
  CHECK_FALSE(pipeline_of("[add, jitter]").needs_fit());
  fit(pipeline);
  const auto state = pipeline.state();
  REQUIRE(state.size() == 2);
  CHECK(state.at("1.mean").item<float>() == 7.5F);  // of 1..4 and 11..14
  CHECK(state.at("4.mean").item<float>() == 5.0F);  // centred, then 5 added; the jitter did nothing
  CHECK(numbers(eval(pipeline, {0}).x) == Floats{-6.5, -5.5, -4.5, -3.5});
}

TEST_CASE("what was fitted survives a round trip through its state") {
  const std::string yaml = "[add, center, {name: center, id: c}]";
  auto fitted = pipeline_of(yaml), loaded = pipeline_of(yaml);
  fit(fitted);
  CHECK_FALSE(eval(fitted, {5}).x.equal(eval(loaded, {5}).x));
  loaded.load_state(fitted.state());
  CHECK(eval(fitted, {5}).x.equal(eval(loaded, {5}).x));
  CHECK(train(fitted, {5}).x.equal(train(loaded, {5}).x));
}

TEST_CASE("a state keeps transform 1 apart from transform 11") {
  std::string yaml = "[";
  for (int i = 0; i < 12; ++i)
    yaml += "{name: " + std::string(i == 1 || i == 11 ? "center" : "add") + ", id: t" + std::to_string(i) + "},";
  auto pipeline = pipeline_of(yaml + "]");
  pipeline.load_state({{"1.mean", at::tensor(1.0F)}, {"11.mean", at::tensor(2.0F)}});
  CHECK(pipeline.state().at("1.mean").item<float>() == 1);
  CHECK(pipeline.state().at("11.mean").item<float>() == 2);
}

TEST_CASE("a state without what a transform needs is refused") {
  auto pipeline = pipeline_of("[add, center]");
  CHECK_THROWS_AS(pipeline.load_state({{"0.mean", at::tensor(1.0F)}}), InputError);
}

TEST_CASE("training and evaluation have specs of their own after every transform") {
  const auto pipeline = pipeline_of("[add, {name: crop, length: 3}, jitter]");
  CHECK(pipeline.input().shape == Shape{1, 4});
  CHECK(pipeline.front_output().shape == Shape{1, 4});
  CHECK(pipeline.after(0, Mode::train).shape == Shape{1, 4});
  CHECK(pipeline.after(1, Mode::train).shape == Shape{1, 3});
  CHECK(pipeline.after(1, Mode::eval).shape == Shape{1, 4});
  CHECK(pipeline.output(Mode::train).shape == Shape{1, 3});
  CHECK(pipeline.output(Mode::eval).shape == Shape{1, 4});
  CHECK(train(pipeline, {0, 1}).x.sizes() == at::IntArrayRef({2, 1, 3}));
  CHECK(eval(pipeline, {0, 1}).x.sizes() == at::IntArrayRef({2, 1, 4}));
}

TEST_CASE("a transform that does not take what comes is refused at its option's place") {
  const Problem problem = refusal([] { pipeline_of("\n  - add\n  - name: crop\n    id: cut\n    length: 9\n"); });
  CHECK(problem.where == "run.yaml:5:13");
  CHECK(problem.field == "transforms.cut.length");
  CHECK(contains(problem.message, "got audio [1, 4] at 8000 Hz"));
}

TEST_CASE("two crops that fit in evaluation but not in training are refused") {
  CHECK_THROWS_AS(pipeline_of("[{name: crop, length: 2}, {name: crop, id: second, length: 3}]"), InputError);
}

TEST_CASE("a failure inside a transform names the library, the transform and its first line") {
  const auto pipeline = pipeline_of("[{name: unlucky, id: u}]");
  const Problem problem = refusal([&] { front_batch(pipeline, {13}); });
  CHECK(problem.code == "PLUGIN");
  CHECK(problem.where == "in_test.so");
  CHECK(problem.field == "transforms.u");
  CHECK(problem.message == "transform 'unlucky' failed: thirteen");
}

TEST_CASE("a transform that gives something else than it announces is named with its library and both shapes") {
  const auto told = [](const std::string& fault) {
    const auto pipeline = pipeline_of("[add, {name: liar, fault: " + fault + "}, {name: add, id: last}]");
    const Problem problem = refusal([&] { front_batch(pipeline, {1}); });
    CHECK(problem.code == "PLUGIN");
    CHECK(problem.where == "in_test.so");
    CHECK(problem.field == "transforms.liar");
    return problem.message;
  };
  const std::string announced = " for 1 items, announced as audio [1, 4] at 8000 Hz of float";
  CHECK(told("size") == "transform 'liar' gave float [1, 1, 8]" + announced);
  CHECK(told("items") == "transform 'liar' gave float [2, 1, 4]" + announced);
  CHECK(told("type") == "transform 'liar' gave double [1, 1, 4]" + announced);
  CHECK(told("nothing") == "transform 'liar' gave nothing" + announced);
  CHECK(told("number") == "transform 'liar' failed: it threw what is no std::exception");
}

TEST_CASE("a transform that was given something else than was announced to it is not blamed for what it gives") {
  const auto pipeline = pipeline_of("[{name: liar, fault: size}]");
  Batch batch{at::zeros({1, 1, 3}), {}, {0}, 8000};
  pipeline.run(batch, 0, 1, nullptr);
  CHECK(batch.x.size(2) == 6);
}

TEST_CASE("a transform that throws while it tells its output or learns is named, and want of memory is not its fault") {
  for (const std::string fault : {"output", "fit"}) {
    const Problem problem = refusal([&] {
      auto pipeline = pipeline_of("[{name: liar, id: l, fault: " + fault + "}]");
      fit(pipeline);
    });
    CHECK(problem.where == "in_test.so");
    CHECK(problem.field == "transforms.l");
    CHECK(contains(problem.message, "out of luck"));
  }
  const auto pipeline = pipeline_of("[{name: liar, fault: memory}]");
  CHECK_THROWS_AS(front_batch(pipeline, {0}), std::bad_alloc);
}

TEST_CASE("the samples that a data set gave are left as they were") {
  const auto pipeline = pipeline_of("[add, jitter]");
  const Signal signal = Ramps(1).load(0);
  Batch batch = pipeline.run_front(signal, 0);
  pipeline.run_train(batch, {});
  CHECK(numbers(signal.samples) == Floats{0, 1, 2, 3});
  CHECK(batch.rate_hz == 8000);
  CHECK(batch.ids == std::vector<int64_t>{0});
}

}  // namespace
}  // namespace amae

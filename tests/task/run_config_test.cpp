#include "task/run_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "task/session.h"
#include "testing.h"

using namespace amae;

TEST_CASE("a good config is planned with every default in place") {
  const Configs configs;
  const Plan plan = configs.plan(kSmall);
  CHECK(plan.config.task == "finetune");
  CHECK(plan.config.optim.name == "adamw");
  CHECK(plan.config.train.epochs == 2);
  CHECK(plan.config.transforms.size() == 3);
  CHECK(plan.config.model.options != nullptr);
}

TEST_CASE("eight mistakes in one config are eight problems, each with file, line and column") {
  const Configs configs;
  const auto problems = problems_of([&] {
    configs.plan(
        "tusk: finetune\n"                                         // 1 unknown key
        "seed: -1\n"                                               // 2 out of range
        "data: {name: synthetic_sounds, clips_per_class: many}\n"  // 3 wrong type
        "transforms:\n"
        "  - {name: mel_spectogram}\n"           // 4 unknown component
        "  - {name: log, epps: 1e-6}\n"          // 5 unknown option
        "model: {name: resnet, pooling: max}\n"  // 6 not one of the choices
        "optim: {lr: 010}\n"                     // 7 not a number
        "train: {epochs: 2.5}\n");               // 8 no whole number
  });
  INFO(text_of(problems));
  REQUIRE(problems.size() == 8);
  const std::string file = (configs.path() / "config.yaml").string();
  std::vector<int> lines;
  for (const Problem& problem : problems) {
    INFO(problem.line());
    REQUIRE(problem.where.rfind(file + ":", 0) == 0);
    const std::string place = problem.where.substr(file.size() + 1);
    REQUIRE(std::count(place.begin(), place.end(), ':') == 1);
    lines.push_back(std::stoi(place));
  }
  std::sort(lines.begin(), lines.end());
  CHECK(lines == std::vector<int>{1, 2, 3, 5, 6, 7, 8, 9});
}

TEST_CASE("an unknown name is answered with the nearest one") {
  const Configs configs;
  CHECK(contains(configs.refused(kSmall, {"train.epoch=3"}), "did you mean epochs"));
  CHECK(contains(configs.refused(kSmall, {"model={name: resnit}"}), "resnet"));
  CHECK(contains(configs.refused(kSmall, {"model.width=0"}), "model.width"));
}

TEST_CASE("an empty config, a list and a missing part are refused with their place") {
  const Configs configs;
  CHECK(contains(configs.refused(""), "config.yaml:1:1: data"));
  CHECK(contains(configs.refused("- a\n- b\n"), "config.yaml:1:1: got a list"));
  const std::string missing = configs.refused("task: finetune\n");
  CHECK(contains(missing, "data"));
  CHECK(contains(missing, "model"));
  CHECK(contains(missing, "config.yaml:1:1"));
}

TEST_CASE("a mistake of an override names the argument") {
  CHECK(contains(Configs().refused(kSmall, {"seed=2", "train.epochs=none"}), "<argument 2>"));
}

TEST_CASE("rules between options are judged, with the option's place") {
  const Configs configs;
  CHECK(contains(configs.refused(kSmall, {"split.val=5"}), "split"));
  for (const char* metric : {"test/accuracy", "accuracy"}) {
    CHECK(contains(configs.refused(kSmall, {std::string("train.early_stopping.metric=") + metric}),
                   "train.early_stopping.metric"));
  }
  const std::string folds = configs.refused(kSmall, {"split={by: ratio, test_ratio: 0.2}", "folds=all"});
  CHECK(contains(folds, "folds"));
  CHECK(contains(folds, "split.by"));
  CHECK(contains(configs.refused(kSmall, {"split={by: fold}", "folds=[1, 1]"}), "got a fold twice"));
  CHECK(contains(configs.refused(kSmall, {"split={by: fold}", "folds=all", "eval.splits=val"}), "eval.splits"));
}

TEST_CASE("the resolved config reads back as itself") {
  const Configs configs;
  Plan plan = configs.plan(kSmall, {"optim.lr=0.0123", "transforms.log.eps=1e-5"});
  const std::string yaml = plan.resolved_yaml();
  Plan again = configs.plan(yaml);
  CHECK(again.resolved_yaml() == yaml);
  CHECK(again.config.optim.lr == 0.0123);
}

TEST_CASE("with origins each value tells where it came from") {
  Plan plan = Configs().plan(kSmall, {"optim.lr=0.0123"});
  const std::string yaml = plan.resolved_yaml(true);
  INFO(yaml);
  CHECK(contains(yaml, "# <argument 1>"));
  CHECK(contains(yaml, "config.yaml:8:"));  // train.epochs
  CHECK(contains(yaml, "# default"));
}

TEST_CASE("the schema knows the core's options and each plugin's") {
  const auto schema = run_schema(*load_registry({AMAE_BUILD_DIR "/plugins"}));
  CHECK(schema["properties"]["train"]["properties"]["epochs"]["minimum"] == 1);
  CHECK(schema["additionalProperties"] == false);
  bool found = false;
  for (const auto& model : schema["$defs"]["model"]["oneOf"]) {
    found = found || (model["properties"]["name"]["const"] == "resnet" && model["properties"].contains("depths"));
  }
  CHECK(found);
}

TEST_CASE("a plugin file that is asked for and missing is refused, with its path") {
  CHECK(contains(Configs().refused(kSmall, {"plugins=[/nowhere/plugin.so]"}), "/nowhere/plugin.so"));
}

TEST_CASE("every config of this tree is a good one") {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(AMAE_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".yaml") continue;
    INFO(entry.path().string());
    CHECK(text_of(problems_of([&] { load_plan(entry.path(), {}, {AMAE_BUILD_DIR "/plugins"}); })).empty());
    ++count;
  }
  CHECK(count >= 3);
}

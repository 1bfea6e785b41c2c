#include "plugin/registry.h"

#include "config/tree.h"
#include "tests/base/support.h"

namespace amae {
namespace {

struct WindowOptions {
  int64_t length = 4, hop = 2;
  std::string shape = "hann";
  void describe(Fields& f) {
    f.add("length", length, "samples").range(1, 100);
    f.add("hop", hop, "samples").range(1, 100);
    f.add("shape", shape, "of the window").choices({"hann", "hamming"});
  }
  void check() const {
    if (hop > length) throw InputError("CFG-VALUE", "", "hop", "got a hop above the length");
  }
};

class Nothing final : public Transform {
 public:
  [[nodiscard]] Spec output(const Spec& input, Mode /*mode*/) const override { return input; }
  void apply(Batch& /*batch*/, const Stage& /*stage*/) const override {}
};

ComponentInfo info_of(const std::string& kind, const std::string& key, const std::string& library) {
  ComponentInfo info;
  info.kind = kind;
  info.key = key;
  info.plugin = std::make_shared<PluginFile>(PluginFile{library, "name", "1", "", ""});
  info.make_options = [] { return std::make_unique<OptionsHolder<WindowOptions>>(); };
  return info;
}

Registry registry_of() {
  Registry registry;
  for (const char* key : {"window", "gain", "roll", "mel_spectrogram"})
    registry.add(info_of("transform", key, "/lib/a.so"));
  registry.add(info_of("model", "resnet", "/lib/resnet.so"));
  registry.sort();
  return registry;
}

Component component_of(const std::string& yaml) {
  Component component;
  component.node = config::parse_yaml(yaml, "run.yaml");
  const auto* name = component.node->find("name");
  component.name = name != nullptr ? name->value->scalar : component.node->scalar;
  return component;
}

std::vector<Problem> resolve(const std::string& yaml) {
  Component component = component_of(yaml);
  std::vector<Problem> problems;
  registry_of().resolve(component, "transform", "transforms." + component.name, problems);
  return problems;
}

TEST_CASE("components are sorted by kind and key, whatever the order of registration") {
  std::vector<std::string> keys;
  const Registry registry = registry_of();
  for (const auto& info : registry.components()) keys.push_back(info.key);
  CHECK(keys == std::vector<std::string>{"resnet", "gain", "mel_spectrogram", "roll", "window"});
}

TEST_CASE("an unknown name is told with its place, all that exist of the kind, and the nearest") {
  const Registry registry = registry_of();
  const Problem problem =
      refusal([&] { static_cast<void>(registry.find("transform", "mel_spectogram", "run.yaml:3:5", "transforms.0")); });
  CHECK(problem.code == "PLUGIN-KEY");
  CHECK(problem.where == "run.yaml:3:5");
  CHECK(problem.field == "transforms.0");
  CHECK(problem.message ==
        "got unknown transform 'mel_spectogram', expected one of gain, mel_spectrogram, roll, window; "
        "did you mean mel_spectrogram?");
}

TEST_CASE("a name that resembles none gets no guess, and a kind without plugins says so") {
  const Registry registry = registry_of();
  CHECK_FALSE(
      contains(refusal([&] { static_cast<void>(registry.find("transform", "zzzzzz")); }).message, "did you mean"));
  CHECK(
      contains(refusal([&] { static_cast<void>(registry.find("dataset", "esc50")); }).message, "no plugin offers one"));
}

TEST_CASE("a name of another kind is unknown, and control characters in it do not reach the terminal") {
  const Registry registry = registry_of();
  CHECK_THROWS_AS(registry.find("transform", "resnet"), InputError);
  CHECK(contains(refusal([&] { static_cast<void>(registry.find("model", "res\x1Bnet")); }).message, "'res\\x1Bnet'"));
}

TEST_CASE("a key of two libraries is an error that names both files, and the other keys still work") {
  Registry registry = registry_of();
  registry.add(info_of("transform", "gain", "/lib/b.so"));
  registry.sort();
  const Problem problem = refusal([&] { static_cast<void>(registry.find("transform", "gain")); });
  CHECK(problem.code == "PLUGIN-KEY");
  CHECK(problem.message == "transform 'gain' is offered by two libraries: /lib/a.so and /lib/b.so; remove one of them");
  CHECK(registry.find("transform", "roll").plugin->path == "/lib/a.so");
}

TEST_CASE("the same key for two kinds is no conflict") {
  Registry registry = registry_of();
  registry.add(info_of("dataset", "gain", "/lib/b.so"));
  registry.sort();
  CHECK(registry.find("dataset", "gain").plugin->path == "/lib/b.so");
  CHECK(registry.find("transform", "gain").plugin->path == "/lib/a.so");
}

TEST_CASE("options are read from the node, the rest keep their defaults") {
  Component component = component_of("{name: window, length: 8}");
  std::vector<Problem> problems;
  registry_of().resolve(component, "transform", "transforms.window", problems);
  CHECK(problems.empty());
  const auto& options = static_cast<const OptionsHolder<WindowOptions>&>(*component.options).value;
  CHECK(options.length == 8);
  CHECK(options.hop == 2);
  CHECK(resolve("window").empty());  // the name alone
}

TEST_CASE("all mistakes in a component's options are collected, each at its line and column") {
  const auto problems = resolve("name: window\nlenght: 8\nhop: 1000\nshape: han\nlength: long\n");
  REQUIRE(problems.size() == 4);
  std::vector<std::string> places;
  for (const Problem& p : problems) places.push_back(p.where + " " + p.field);
  std::sort(places.begin(), places.end());
  CHECK(places == std::vector<std::string>{"run.yaml:2:1 transforms.window.lenght",
                                           "run.yaml:3:6 transforms.window.hop", "run.yaml:4:8 transforms.window.shape",
                                           "run.yaml:5:9 transforms.window.length"});
}

TEST_CASE("a rule over several options is told at the option that it names, once the options themselves are right") {
  const auto problems = resolve("name: window\nlength: 8\nhop: 9\n");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].line() == "error[CFG-VALUE]: run.yaml:3:6: transforms.window.hop: got a hop above the length");
  CHECK(resolve("name: window\nlength: 8\nhop: 900\n").at(0).code == "CFG-RANGE");
}

TEST_CASE("an unknown component is a problem among the others, not the end") {
  std::vector<Problem> problems{{"CFG-KEY", "run.yaml:1:1", "", "found before"}};
  Component component = component_of("\n  name: windwo");
  registry_of().resolve(component, "transform", "transforms.windwo", problems);
  REQUIRE(problems.size() == 2);
  CHECK(problems[1].where == "run.yaml:2:3");
  CHECK(problems[1].field == "transforms.windwo");
}

TEST_CASE("a factory's failure names the library when it is the plugin's, and the line when it is the user's") {
  const auto make = [](const std::function<std::unique_ptr<Transform>(const OptionsBase&)>& factory) {
    Registry registry;
    registry.add(info_of("transform", "window", "/lib/a.so"));
    ComponentInfo info = registry.components().front();
    info.make_transform = factory;
    Registry result;
    result.add(std::move(info));
    Component component = component_of("name: window\nhop: 2\n");
    std::vector<Problem> problems;
    result.resolve(component, "transform", "transforms.window", problems);
    return result.make_transform(component, "transforms.window");
  };
  CHECK(make([](const OptionsBase&) { return std::make_unique<Nothing>(); }) != nullptr);

  const Problem null = refusal([&] { make([](const OptionsBase&) { return nullptr; }); });
  CHECK(null.where == "/lib/a.so");
  CHECK(contains(null.message, "gave null"));

  const Problem failed = refusal(
      [&] { make([](const OptionsBase&) -> std::unique_ptr<Transform> { throw std::runtime_error("out of luck"); }); });
  CHECK(failed.where == "/lib/a.so");
  CHECK(failed.message == "transform 'window' failed: out of luck");

  const Problem wrong = refusal([&] {
    make([](const OptionsBase&) -> std::unique_ptr<Transform> { throw InputError("CFG-VALUE", "", "hop", "is odd"); });
  });
  CHECK(wrong.where == "run.yaml:2:6");
  CHECK(wrong.field == "transforms.window.hop");
}

}  // namespace
}  // namespace amae

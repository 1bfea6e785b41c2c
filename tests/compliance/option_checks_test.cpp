#include "compliance/option_checks.h"

#include "base/file.h"
#include "compliance/allocation_limit.h"
#include "compliance/examples.h"
#include "tests/base/support.h"

namespace amae::compliance {
namespace {

struct AllKinds {
  bool flag = false;
  int64_t count = 3;
  double ratio = 0.5, open = 1;
  std::string color = "red", free = "any";
  std::vector<int64_t> sizes = {4, 4};
  std::vector<std::string> kinds = {"a"};
  std::string root;
  void describe(Fields& f) {
    f.add("flag", flag, "a truth value");
    f.add("count", count, "an integer").range(1, 8);
    f.add("ratio", ratio, "a number").range(0, 1);
    f.add("open", open, "a number without bounds");
    f.add("color", color, "a choice").choices({"red", "dark blue"});
    f.add("free", free, "any text");
    f.add("sizes", sizes, "integers").min(2);
    f.add("kinds", kinds, "choices").choices({"a", "b"});
    f.add("root", root, "a folder").path();
  }
};

std::vector<std::string> text_of(const std::vector<OptionValue>& values) {
  std::vector<std::string> result;
  for (const OptionValue& v : values) result.push_back(v.option + "=" + v.value + (v.is_allowed ? "" : " (refused)"));
  return result;
}

TEST_CASE("bounds, choices and truth values are tried, and what lies one step outside") {
  AllKinds options;
  Fields fields;
  options.describe(fields);
  CHECK(text_of(option_values(fields)) ==
        std::vector<std::string>{"flag=false", "flag=true", "count=1", "count=0 (refused)", "count=8",
                                 "count=9 (refused)", "ratio=0", "ratio=-5e-324 (refused)", "ratio=1",
                                 "ratio=1.0000000000000002 (refused)", "color=red", "color=\"dark blue\"",
                                 "color=no_such_choice (refused)", "sizes=[..., 2]", "sizes=[..., 1] (refused)",
                                 "kinds=[..., a]", "kinds=[..., b]", "kinds=[..., no_such_choice] (refused)"});
  ComponentInfo info;
  info.make_options = [] { return std::make_unique<OptionsHolder<AllKinds>>(); };
  CHECK(overrides_of(info, "count", "8") == std::vector<std::string>{"count=8"});
  CHECK(overrides_of(info, "sizes", "[..., 2]") ==
        std::vector<std::string>{"sizes=[4, 2]", "sizes=[2, 4]", "sizes=[2, 2]", "sizes=[2]", "sizes=[2, 2]"});
}

class Same final : public Transform {
 public:
  [[nodiscard]] Spec output(const Spec& input, Mode /*mode*/) const override { return input; }
  void apply(Batch& /*batch*/, const Stage& /*stage*/) const override {}
};

/// A transform whose options are declared and judged as told.
struct Window {
  bool has_range = true, makes_all = true;
};
Window behaviour;

struct WindowOptions {
  int64_t length = 4, hop = 2;
  void describe(Fields& f) {
    auto& field = f.add("length", length, "samples").unit("samples");
    if (behaviour.has_range) field.range(2, 10);
    f.add("hop", hop, "samples").range(1, 10);
  }
  void check() const {
    if (hop > length) throw InputError("CFG-VALUE", "", "hop", "got a hop above the length");
  }
};

struct Fixture {
  Registry registry;
  ComponentInfo info;
  Subject subject;
  Fixture() {
    behaviour = {};
    info.kind = "transform";
    info.key = "window";
    info.plugin = std::make_shared<PluginFile>(PluginFile{"/lib/window.so", "window", "1", "a window", ""});
    info.make_options = [] { return std::make_unique<OptionsHolder<WindowOptions>>(); };
    info.make_transform = [](const OptionsBase& o) -> std::unique_ptr<Transform> {
      if (!behaviour.makes_all && static_cast<const OptionsHolder<WindowOptions>&>(o).value.length == 10)
        throw std::runtime_error("too long");
      return std::make_unique<Same>();
    };
    subject.registry = &registry;
    subject.info = &info;
  }
  /// What a check says; empty when it passes.
  std::string verdict(const std::string& id) {
    try {
      run_check(subject, id);
    } catch (const CheckFailed& failure) {
      return failure.problems().front().message;
    }
    return "";
  }
};

TEST_CASE_METHOD(Fixture, "a rule between options may make another one give way") {
  CHECK(verdict("option hop = 10 constructs").empty());  // with length = 10
  CHECK(verdict("option length = 2 constructs").empty());
  CHECK(verdict("option length = 1 is refused").empty());
}

TEST_CASE_METHOD(Fixture, "a range that was taken away is found by the values beyond it, and by those alone") {
  behaviour.has_range = false;
  std::vector<std::string> failed;
  for (const char* id :
       {"option length = 2 constructs", "option length = 1 is refused", "option length = 10 constructs",
        "option length = 11 is refused", "option hop = 0 is refused"}) {
    if (!verdict(id).empty()) failed.emplace_back(id);
  }
  CHECK(failed == std::vector<std::string>{"option length = 1 is refused", "option length = 11 is refused"});
  CHECK(contains(verdict("option length = 1 is refused"), "was refused without a word on length"));  // but on the hop
  CHECK(contains(verdict("option length = 11 is refused"), "length = 11 was accepted"));
}

TEST_CASE_METHOD(Fixture, "an end of a range that cannot be made is a fault") {
  behaviour.makes_all = false;
  CHECK(contains(verdict("option length = 10 constructs"), "the factory threw: too long"));
  CHECK(verdict("option length = 2 constructs").empty());
}

TEST_CASE_METHOD(Fixture, "a name that is no check is a mistake of the caller") {
  CHECK_THROWS_AS(run_check(subject, "no_such_check"), std::invalid_argument);
  CHECK_THROWS_AS(run_check(subject, "option  constructs"), std::invalid_argument);
}

TEST_CASE("tensors beyond the limit are refused while it lives") {
  {
    const AllocationLimit limit(1 << 20);
    CHECK_THROWS_AS(at::empty({1 << 20}, at::kFloat), std::bad_alloc);
    const at::Tensor half = at::empty({1 << 17}, at::kFloat);
    CHECK_THROWS_AS(at::empty({1 << 18}, at::kFloat), std::bad_alloc);
  }
  CHECK(at::zeros({1 << 20}, at::kFloat).sum().item<float>() == 0);
  const AllocationLimit again(1 << 20);  // what was freed counts no more
  CHECK(at::zeros({1 << 17}, at::kFloat).sum().item<float>() == 0);
}

TEST_CASE("examples stand beside the library, one or several a component") {
  const TemporaryFolder folder;
  const auto library = folder.path() / "my.so";
  CHECK(examples_beside(library).empty());
  write_file(folder.path() / "my.examples.yaml", "one: {root: data}\ntwo: [{width: 1}, {width: 2}]\n");
  const Examples examples = examples_beside(library);
  CHECK(examples.at("one").size() == 1);
  CHECK(examples.at("two").size() == 2);
  CHECK(examples.at("one")[0]->find("root")->value->mark.source == (folder.path() / "my.examples.yaml").string());
  write_file(folder.path() / "my.examples.yaml", "one: 3\n");
  CHECK(contains(refusal([&] { static_cast<void>(examples_beside(library)); }).line(), "my.examples.yaml:1:6"));
}

}  // namespace
}  // namespace amae::compliance

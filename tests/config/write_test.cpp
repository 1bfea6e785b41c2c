#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "config/load.h"
#include "config/read.h"
#include "support.h"

namespace amae::config {
namespace {

struct GainOptions {
  double max_db = 6.0;
  std::string shape = "linear";
  void describe(Fields& f) {
    f.add("max_db", max_db, "largest change").unit("dB").range(0, 60);
    f.add("shape", shape, "curve").choices({"linear", "cosine"});
  }
};

struct Options {
  bool flag = false;
  int64_t count = 3;
  double rate = 0.1;
  double limit = std::numeric_limits<double>::infinity();
  std::string text = "hello";
  std::string dir;
  std::vector<int64_t> ints{1, 2};
  std::vector<double> doubles{0.5};
  std::vector<std::string> texts{"a"};
  Component model{"resnet", "", nullptr, nullptr};
  Component none;
  std::vector<Component> chain;
  struct Inner {
    int64_t depth = 2;
    double share = 0.25;
    void describe(Fields& f) {
      f.add("depth", depth, "levels").range(1, 100000).required();
      f.add("share", share, "part").unit("fraction").range(0, 1);
    }
  } inner;
  void describe(Fields& f) {
    f.add("flag", flag, "a flag");
    f.add("count", count, "a count").min(-1);
    f.add("rate", rate, "a rate");
    f.add("limit", limit, "no limit by default");
    f.add("text", text, "some text");
    f.section("inner", inner);
    f.add("dir", dir, "a folder").path();
    f.add("ints", ints, "numbers");
    f.add("doubles", doubles, "numbers");
    f.add("texts", texts, "words");
    f.add("model", model, "encoder").kind("model");
    f.add("none", none, "optional").kind("model");
    f.add("chain", chain, "steps").kind("transform");
  }
};

Fields fields_of(Options& options) {
  Fields fields;
  options.describe(fields);
  return fields;
}

std::string random_text(std::mt19937_64& random) {
  static const std::vector<std::string> kParts{
      "a",    "Z",      "0",      "9",   " ",   "  ", "\n", "\t",   "\"",   "'", "\\", "#", " #", ":",
      ": ",   "- ",     "{",      "}",   "[",   "]",  ",",  "&",    "*",    "!", "|",  ">", "%",  "@",
      "`",    "$",      "${",     "$${", "}",   "~",  "?",  "=",    "<<",   "é", "日", "😀", "\r", "\x01",
      "\x7f", "\u0085", "\u2028", "010", "1e5", ".5", "/",  "null", "true", "-", "."};
  std::string text;
  for (uint64_t n = random() % 6; n > 0; --n) text += kParts[random() % kParts.size()];
  return text;
}

double random_double(std::mt19937_64& random) {
  for (;;) {
    const uint64_t bits = random();
    double value = 0;
    static_assert(sizeof(value) == sizeof(bits));
    std::memcpy(&value, &bits, sizeof(value));
    if (std::isfinite(value)) return random() % 3 == 0 ? std::round(std::fmod(value, 1e6)) : value;
  }
}

Component random_component(std::mt19937_64& random) {
  Component component;
  component.name = "n" + std::to_string(random() % 5);
  if (random() % 2 == 0) component.id = component.name + "_" + std::to_string(random());
  auto holder = std::make_shared<OptionsHolder<GainOptions>>();
  holder->value.max_db = static_cast<double>(random() % 6000) / 100.0;
  if (random() % 2 == 0) holder->value.shape = "cosine";
  if (random() % 4 != 0) component.options = holder;
  return component;
}

void check_same(const Component& a, const Component& b) {
  CHECK(a.name == b.name);
  CHECK((a.id.empty() ? a.name : a.id) == (b.id.empty() ? b.name : b.id));
  if (a.options == nullptr) return;
  const auto& expected = dynamic_cast<const OptionsHolder<GainOptions>&>(*a.options).value;
  GainOptions read;
  Fields fields;
  read.describe(fields);
  std::vector<Problem> problems;
  read_fields(b.node.get(), fields, "", {}, {"name", "id"}, problems);
  CHECK(text_of(problems).empty());
  CHECK(read.max_db == expected.max_db);
  CHECK(read.shape == expected.shape);
}

}  // namespace

TEST_CASE("what to_yaml writes reads back to the same values and the same text") {
  constexpr uint64_t kSeed = 20240607;
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 300; ++round) {
    Options out;
    out.flag = random() % 2 == 0;
    out.count = static_cast<int64_t>(random() >> 1) - 1;
    out.rate = random_double(random);
    if (random() % 2 == 0) out.limit = random_double(random);
    out.text = random_text(random);
    out.dir = random() % 4 == 0 ? "" : "/d/" + std::to_string(random()) + " #x: ${y}";
    out.ints.assign(random() % 3, static_cast<int64_t>(random()));
    out.doubles.assign(random() % 3, random_double(random));
    out.texts.clear();
    for (uint64_t n = random() % 4; n > 0; --n) out.texts.push_back(random_text(random));
    out.inner.depth = static_cast<int64_t>(random() % 100000) + 1;
    out.model = random() % 5 == 0 ? Component{} : random_component(random);
    for (uint64_t n = random() % 4; n > 0; --n) out.chain.push_back(random_component(random));

    const std::string text = to_yaml(fields_of(out));
    INFO("seed " << kSeed << " round " << round << "\n" << text);
    const NodePtr root = load_text(text, "<round trip>", {});
    Options in;
    in.none.name = "set before";  // the text must take it back
    std::vector<Problem> problems;
    read_fields(root.get(), fields_of(in), "", root->mark, {}, problems);
    REQUIRE(text_of(problems).empty());
    CHECK(in.flag == out.flag);
    CHECK(in.count == out.count);
    CHECK(in.rate == out.rate);
    CHECK(in.limit == out.limit);
    CHECK(in.text == out.text);
    CHECK(in.dir == out.dir);
    CHECK(in.ints == out.ints);
    CHECK(in.doubles == out.doubles);
    CHECK(in.texts == out.texts);
    CHECK(in.inner.depth == out.inner.depth);
    CHECK(in.none.name.empty());
    check_same(out.model, in.model);
    REQUIRE(in.chain.size() == out.chain.size());
    for (size_t i = 0; i < in.chain.size(); ++i) check_same(out.chain[i], in.chain[i]);

    // A component without options is written from its node, so a second writing says the same.
    CHECK(to_yaml(fields_of(in)) == text);
  }
}

TEST_CASE("to_yaml nests sections and components and quotes what reads as something else") {
  Options o;
  o.text = "yes";
  o.texts = {"plain", "5", "a b"};
  o.limit = 1e5;
  auto gain = std::make_shared<OptionsHolder<GainOptions>>();
  o.chain = {{"gain", "loud", nullptr, gain}, {"crop", "crop", nullptr, nullptr}};
  CHECK(to_yaml(fields_of(o)) ==
        "flag: false\n"
        "count: 3\n"
        "rate: 0.1\n"
        "limit: 100000\n"
        "text: \"yes\"\n"
        "inner:\n"
        "  depth: 2\n"
        "  share: 0.25\n"
        "dir: \"\"\n"
        "ints: [1, 2]\n"
        "doubles: [0.5]\n"
        "texts: [plain, \"5\", \"a b\"]\n"
        "model:\n"
        "  name: resnet\n"
        "none: ~\n"
        "chain:\n"
        "  - name: gain\n"
        "    id: loud\n"
        "    max_db: 6\n"
        "    shape: linear\n"
        "  - name: crop\n");
  CHECK(to_yaml(Fields{}) == "{}\n");
}

TEST_CASE("options that nobody has read yet are written as they stood") {
  const std::string text =
      "model:\n"
      "  name: net\n"
      "  rate: 16 kHz\n"
      "  quoted: \"5\"\n"
      "  on: true\n"
      "  nothing: ~\n"
      "  layers:\n"
      "    - width: 3\n"
      "      kind: conv\n"
      "    - [1, -2.5, a]\n"
      "  deep:\n"
      "    empty: {}\n"
      "    cost: \"$${x} #1\"\n";
  const NodePtr root = load_text(text, "f.yaml", {});
  Component model;
  Fields fields;
  fields.add("model", model, "encoder");
  std::vector<Problem> problems;
  read_fields(root.get(), fields, "", root->mark, {}, problems);
  REQUIRE(problems.empty());
  std::string expected = text;
  expected.replace(expected.find("on: true"), 2, "\"on\"");
  CHECK(to_yaml(fields) == expected);
}

TEST_CASE("origins say where each value came from") {
  Options o;
  const NodePtr root = load_text("count: 5\ninner:\n  depth: 7\nmodel: vit\nchain:\n  - name: gain\n    max_db: 3\n",
                                 "f.yaml", {"rate=2"});
  std::vector<Problem> problems;
  read_fields(root.get(), fields_of(o), "", root->mark, {}, problems);
  REQUIRE(problems.empty());
  o.chain[0].options = std::make_shared<OptionsHolder<GainOptions>>();
  const std::string text = to_yaml(fields_of(o), root.get());
  for (const char* line : {"flag: false  # default\n", "count: 5  # f.yaml:1:8\n", "rate: 2  # <argument 1>\n",
                           "  depth: 7  # f.yaml:3:10\n", "  share: 0.25  # default\n", "  name: vit  # f.yaml:4:8\n",
                           "  - name: gain  # f.yaml:6:11\n", "    max_db: 6  # f.yaml:7:13\n",
                           "    shape: linear  # default\n", "none: ~  # default\n"}) {
    INFO(line << "\nin\n" << text);
    CHECK(contains(text, line));
  }
  CHECK(problems_of([&] { load_text(text, "<again>", {}); }).empty());
}

TEST_CASE("the schema says what the reader takes") {
  Options o;
  o.model.name = "resnet";
  const auto schema = json_schema(fields_of(o));
  CHECK(schema["type"] == "object");
  CHECK(schema["additionalProperties"] == false);
  const auto& p = schema["properties"];
  CHECK(p["flag"].dump() == R"({"type":"boolean","description":"a flag","default":false})");
  CHECK(p["count"]["type"] == "integer");
  CHECK(p["count"]["minimum"].dump() == "-1");
  CHECK_FALSE(p["count"].contains("maximum"));
  CHECK(p["rate"]["default"].dump() == "0.1");
  CHECK_FALSE(p["limit"].contains("default"));
  CHECK(p["inner"]["additionalProperties"] == false);
  CHECK(p["inner"]["required"].dump() == R"(["depth"])");
  CHECK(p["inner"]["properties"]["depth"]["maximum"].dump() == "100000");
  const auto& share = p["inner"]["properties"]["share"];
  CHECK(share["anyOf"][0]["type"] == "number");
  CHECK(share["anyOf"][1]["pattern"].get<std::string>().ends_with(" ?(%)$"));
  CHECK(share["description"] == "part [fraction]");
  CHECK(p["texts"]["anyOf"][0].dump() == R"({"type":"array","items":{"type":"string"}})");
  CHECK(p["texts"]["default"].dump() == R"(["a"])");
  CHECK(p["model"].dump() == R"({"$ref":"#/$defs/model","description":"encoder","default":"resnet"})");
  CHECK(p["chain"]["anyOf"][0]["items"]["$ref"] == "#/$defs/transform");
  CHECK(schema["required"].dump() == R"(["inner"])");

  GainOptions gain;
  Fields fields;
  gain.describe(fields);
  CHECK(json_schema(fields)["properties"]["shape"]["enum"].dump() == R"(["linear","cosine"])");
}

TEST_CASE("present values as JSON: components by name, nothing for what JSON cannot say") {
  Options o;
  o.chain = {{"gain", "", nullptr, nullptr}};
  const Fields fields = fields_of(o);
  std::string text;
  for (const Field& field : fields.all()) text += value_json(field).dump() + " ";
  CHECK(text == "false 3 0.1 null \"hello\" 2 0.25 \"\" [1,2] [0.5] [\"a\"] \"resnet\" null [\"gain\"] ");
}

}  // namespace amae::config

#include "config/load.h"

#include <cstdlib>

#include "config/read.h"
#include "support.h"

namespace amae::config {
namespace {

NodePtr tree(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return load_text(text, "<text>", overrides);
}

std::vector<Problem> refusal(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return problems_of([&] { tree(text, overrides); });
}

Problem only(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const std::vector<Problem> problems = refusal(text, overrides);
  INFO(text_of(problems));
  REQUIRE(problems.size() == 1);
  return problems.front();
}

const char* const kChain = R"(
transforms:
  - name: mel
    n_fft: 1024
  - {name: specaug, id: masks, p: 0.5}
  - gain
  - gain
)";

}  // namespace

TEST_CASE("a missing config file is named") {
  const auto p = problems_of([] { load("/nowhere/x.yaml", {}); });
  REQUIRE(p.size() == 1);
  CHECK(p[0].code == "CFG-FILE");
  CHECK(p[0].where == "/nowhere/x.yaml");
  CHECK(contains(p[0].message, "/nowhere/x.yaml"));
  const auto folder = problems_of([] { load("/tmp", {}); });
  REQUIRE(folder.size() == 1);
  CHECK(folder[0].code == "CFG-FILE");
}

TEST_CASE("Y05: an empty file is an empty map, a list at the top is refused with its line") {
  CHECK(tree("")->kind == Node::Kind::map);
  CHECK(tree("")->mark.text() == "<text>:1:1");
  CHECK(only("\n- a\n").code == "CFG-TYPE");
  CHECK(only("\n- a\n").where == "<text>:2:1");
  CHECK(only("text").code == "CFG-TYPE");
}

TEST_CASE("what a file extends lies below it, later files win, and marks tell who did") {
  const ConfigFolder folder;
  folder.write("a.yaml", "train: {epochs: 1, lr: 1}\nlist: [1, 2]\nonly_a: 1\n");
  folder.write("b.yaml", "train:\n  lr: 2\n  seed: 2\n");
  const std::string top = folder.write("c.yaml", "extends: [a.yaml, b.yaml]\ntrain:\n  seed: 3\nlist: [3]\n");
  const NodePtr root = load(top, {});
  CHECK(root->find("extends") == nullptr);
  CHECK(scalar_at(*root, {"train", "epochs"}) == "1");
  CHECK(scalar_at(*root, {"train", "lr"}) == "2");
  CHECK(scalar_at(*root, {"train", "seed"}) == "3");
  CHECK(scalar_at(*root, {"only_a"}) == "1");
  CHECK(root->find("list")->value->list.size() == 1);
  CHECK(mark_of(*root, "train.lr").text() == folder.at("b.yaml") + ":2:7");
  CHECK(mark_of(*root, "train.epochs").text() == folder.at("a.yaml") + ":1:17");
  CHECK(mark_of(*root, "train.unknown.key").text() == top + ":2:1");
}

TEST_CASE("tags say how lists and maps merge") {
  const ConfigFolder folder;
  folder.write("base.yaml", std::string(kChain) + "tags: [a]\nmodel: {name: resnet, depth: 50}\none: x\n");
  const std::string top = folder.write("top.yaml",
                                       "extends: base.yaml\n"
                                       "tags: !append [b, c]\n"
                                       "one: !prepend [w]\n"
                                       "model: !replace {name: vit}\n"
                                       "transforms: !patch\n"
                                       "  - {id: masks, p: 0.1}\n"
                                       "  - {name: mel, hop: 320}\n"
                                       "fresh: !append [1]\n");
  const NodePtr root = load(top, {});
  CHECK(scalar_at(*root, {"tags", "0"}) == "a");
  CHECK(scalar_at(*root, {"tags", "2"}) == "c");
  CHECK(scalar_at(*root, {"one", "0"}) == "w");
  CHECK(scalar_at(*root, {"one", "1"}) == "x");
  CHECK(scalar_at(*root, {"model", "name"}) == "vit");
  CHECK(scalar_at(*root, {"model", "depth"}) == "?");
  CHECK(root->find("transforms")->value->list.size() == 4);
  CHECK(scalar_at(*root, {"transforms", "1", "p"}) == "0.1");
  CHECK(scalar_at(*root, {"transforms", "1", "name"}) == "specaug");
  CHECK(scalar_at(*root, {"transforms", "0", "n_fft"}) == "1024");
  CHECK(scalar_at(*root, {"transforms", "0", "hop"}) == "320");
  CHECK(scalar_at(*root, {"fresh", "0"}) == "1");
  for (const Entry& entry : root->map) CHECK(entry.value->tag.empty());
}

TEST_CASE("a patch that matches nothing, or several, is refused") {
  const ConfigFolder folder;
  folder.write("base.yaml", kChain);
  const std::string top = folder.write(
      "top.yaml", "extends: base.yaml\ntransforms: !patch\n  - {id: mask, p: 0}\n  - {name: gain}\n  - 5\n");
  const auto p = problems_of([&] { load(top, {}); });
  INFO(text_of(p));
  REQUIRE(p.size() == 3);
  CHECK(p[0].where == top + ":3:10");
  CHECK(contains(p[0].message, "did you mean masks?"));
  CHECK(contains(p[1].message, "several items"));
  CHECK(p[2].code == "CFG-TYPE");
}

TEST_CASE("an empty section keeps what lies below it and ~ clears it") {
  const ConfigFolder folder;
  folder.write("base.yaml", "train: {lr: 1}\nema: {name: x}\n");
  const NodePtr root = load(folder.write("top.yaml", "extends: base.yaml\ntrain:\n# lr: 2\nema: ~\n"), {});
  CHECK(scalar_at(*root, {"train", "lr"}) == "1");
  CHECK(root->find("ema")->value->kind == Node::Kind::null);
}

TEST_CASE("extends that lead back, or nowhere, or too far are refused") {
  const ConfigFolder folder;
  const std::string a = folder.write("a.yaml", "extends: b.yaml\n");
  folder.write("b.yaml", "x: 1\nextends: ./a.yaml\n");
  const auto cycle = problems_of([&] { load(a, {}); });
  REQUIRE(cycle.size() == 1);
  CHECK(cycle[0].code == "CFG-CYCLE");
  CHECK(cycle[0].where == folder.at("b.yaml") + ":2:10");
  CHECK(contains(cycle[0].message, "a.yaml -> b.yaml -> a.yaml"));

  const std::string lost = folder.write("lost.yaml", "extends: [gone.yaml, 1.yaml, [x]]\n");
  const auto missing = problems_of([&] { load(lost, {}); });
  REQUIRE(missing.size() == 3);
  CHECK(missing[0].code == "CFG-FILE");
  CHECK(missing[0].where == lost + ":1:11");
  CHECK(contains(missing[0].message, folder.at("gone.yaml")));
  CHECK(missing[2].code == "CFG-TYPE");

  for (int i = 0; i < 12; ++i) {  // each level names the next one twice: 2^12 files
    const std::string next = std::to_string(i + 1) + ".yaml";
    folder.write(std::to_string(i) + ".yaml", i < 11 ? "extends: [" + next + ", " + next + "]\n" : "x: 1\n");
  }
  const auto many = problems_of([&] { load(folder.at("0.yaml"), {}); });
  REQUIRE(many.size() == 1);
  CHECK(many[0].code == "CFG-LIMIT");
}

TEST_CASE("mistakes in several files are told together") {
  const ConfigFolder folder;
  folder.write("a.yaml", "x: 1\nx: 2\n");
  folder.write("b.yaml", "y: [\n");
  const auto p = problems_of([&] { load(folder.write("c.yaml", "extends: [a.yaml, b.yaml]\n"), {"noequals"}); });
  INFO(text_of(p));
  REQUIRE(p.size() == 3);
  CHECK(p[0].code == "CFG-DUPLICATE");
  CHECK(p[1].code == "CFG-SYNTAX");
  CHECK(p[2].where == "<argument 1>");
}

TEST_CASE("overrides reach into maps and lists, left to right") {
  const NodePtr root = tree(std::string(kChain) + "optim: {lr: 0.1}\nmodel: resnet\n",
                            {"optim.lr=3e-4", "optim.lr=3e-5", "new.deep.key=1", "transforms.masks.p=0",
                             "transforms.mel.n_fft=512", "transforms.3.db=6", "model.depth=50", "text="});
  CHECK(scalar_at(*root, {"optim", "lr"}) == "3e-5");
  CHECK(scalar_at(*root, {"new", "deep", "key"}) == "1");
  CHECK(scalar_at(*root, {"transforms", "1", "p"}) == "0");
  CHECK(scalar_at(*root, {"transforms", "0", "n_fft"}) == "512");
  CHECK(scalar_at(*root, {"transforms", "3", "name"}) == "gain");
  CHECK(scalar_at(*root, {"transforms", "3", "db"}) == "6");
  CHECK(scalar_at(*root, {"transforms", "2"}) == "gain");
  CHECK(scalar_at(*root, {"model", "name"}) == "resnet");
  CHECK(scalar_at(*root, {"model", "depth"}) == "50");
  CHECK(scalar_at(*root, {"text"}).empty());
  CHECK(mark_of(*root, "optim.lr").text() == "<argument 2>");
  CHECK(mark_of(*root, "new.deep.key").text() == "<argument 3>");
}

TEST_CASE("an override replaces, += appends, tags merge") {
  const NodePtr root = tree(std::string(kChain) + "model: {name: resnet, depth: 50}\nt: a\n",
                            {"transforms+={name: crop}", "transforms+=[flip, mix]", "model={name: vit}", "t+=b",
                             "fresh+=1", "t=!prepend [z]"});
  CHECK(root->find("transforms")->value->list.size() == 7);
  CHECK(scalar_at(*root, {"transforms", "4", "name"}) == "crop");
  CHECK(scalar_at(*root, {"transforms", "6"}) == "mix");
  CHECK(scalar_at(*root, {"model", "depth"}) == "?");
  CHECK(scalar_at(*root, {"t", "0"}) == "z");
  CHECK(scalar_at(*root, {"t", "2"}) == "b");
  CHECK(scalar_at(*root, {"fresh", "0"}) == "1");
}

TEST_CASE("the value of an override can be a file, with what that extends") {
  const ConfigFolder folder;
  folder.write("base.yaml", "name: folder\nrate: 16 kHz\n");
  const std::string other = folder.write("other.yaml", "extends: base.yaml\nname: csv\n");
  const NodePtr root = tree("data: {name: esc50, fold: 1}\n", {"data=@" + other});
  CHECK(scalar_at(*root, {"data", "name"}) == "csv");
  CHECK(scalar_at(*root, {"data", "rate"}) == "16 kHz");
  CHECK(scalar_at(*root, {"data", "fold"}) == "?");
  CHECK(root->find("data")->value->find("extends") == nullptr);
  const Problem missing = only("a: 1\n", {"data=@/nowhere/o.yaml"});
  CHECK(missing.code == "CFG-FILE");
  CHECK(missing.where == "<argument 1>");
}

TEST_CASE("malformed overrides and places that are not there are all told") {
  const auto p = refusal(kChain, {"foo", "=1", "+=1", "a..b=1", ".a=1", "transforms.mask.p=0", "transforms.gain.db=1",
                                  "transforms.9.p=1", "a=[1", "extends=x.yaml", "transforms+={", "b c=1", "a\xC7=1"});
  INFO(text_of(p));
  REQUIRE(p.size() == 13);
  for (size_t i = 0; i < p.size(); ++i) CHECK(p[i].where == "<argument " + std::to_string(i + 1) + ">");
  CHECK(p[0].code == "CFG-OVERRIDE");
  CHECK(contains(p[0].message, "got `foo`, expected KEY=VALUE"));
  CHECK(p[1].code == "CFG-OVERRIDE");
  CHECK(contains(p[5].message, "did you mean masks?"));
  CHECK(p[5].field == "transforms.mask");
  CHECK(contains(p[6].message, "2 items are called"));
  CHECK(p[8].code == "CFG-SYNTAX");
  CHECK(p[8].field == "a");

  std::string deep = "a";
  for (int i = 0; i < 1000; ++i) deep += ".a";
  CHECK(only("", {deep + "=1"}).code == "CFG-LIMIT");
}

TEST_CASE("references take the value, its kind and its place in longer text") {
  ::setenv("AMAE_TEST_RATE", "8000", 1);
  ::unsetenv("AMAE_TEST_UNSET");
  const NodePtr root = tree(std::string(kChain) + R"(
base: {lr: 0.1, word: "5", nothing: ~}
a: ${base.lr}
b: "${base.lr}"
c: run-${base.word}-${a}
d: "${base.word}"
e: ${transforms.masks.p}
f: ${env:AMAE_TEST_RATE}
g: "${env:AMAE_TEST_UNSET,a, b}"
h: $${base.lr} costs $5
i: ${base.nothing}
l: ["${base.lr}", x]
)",
                            {"late=${a}"});
  CHECK(scalar_at(*root, {"a"}) == "0.1");
  CHECK(scalar_at(*root, {"b"}) == "0.1");
  CHECK_FALSE(root->find("b")->value->quoted);
  CHECK(scalar_at(*root, {"c"}) == "run-5-0.1");
  CHECK(root->find("d")->value->quoted);
  CHECK(scalar_at(*root, {"e"}) == "0.5");
  CHECK(scalar_at(*root, {"f"}) == "8000");
  CHECK(scalar_at(*root, {"g"}) == "a, b");
  CHECK(scalar_at(*root, {"h"}) == "${base.lr} costs $5");
  CHECK(root->find("i")->value->kind == Node::Kind::null);
  CHECK(scalar_at(*root, {"l", "0"}) == "0.1");
  CHECK(scalar_at(*root, {"late"}) == "0.1");
}

TEST_CASE("Y08: references that lead nowhere or back are all told with their lines") {
  ::unsetenv("AMAE_TEST_UNSET");
  const auto p = refusal(
      "a: ${env:AMAE_TEST_UNSET}\nb: ${train.epoch}\ntrain: {epochs: 1}\nc: ${train}\nd: ${e}\ne: x${d}\nf: ${\ng: "
      "${}\nh: ${h}\ni: x${j}\nj: ~\n");
  INFO(text_of(p));
  REQUIRE(p.size() == 8);
  CHECK(p[0].code == "CFG-REF");
  CHECK(p[0].where == "<text>:1:4");
  CHECK(contains(p[0].message, "AMAE_TEST_UNSET"));
  CHECK(contains(p[1].message, "did you mean epochs"));
  CHECK(contains(p[2].message, "is a map"));
  CHECK(p[3].code == "CFG-CYCLE");
  CHECK(p[4].where == "<text>:7:4");
  CHECK(p[6].code == "CFG-CYCLE");
  CHECK(p[7].where == "<text>:10:4");
}

TEST_CASE("references cannot grow without bound or nest without end") {
  std::string doubling = "a0: " + std::string(100, 'x') + "\n";
  std::string chain = "b200: 1\n";
  for (int i = 1; i < 60; ++i) {
    const std::string before = "${a" + std::to_string(i - 1) + "}";
    doubling += "a" + std::to_string(i) + ": " + before + before + "\n";
  }
  for (int i = 0; i < 200; ++i) {
    chain.insert(0, "b" + std::to_string(199 - i) + ": ${b" + std::to_string(200 - i) + "}\n");
  }
  CHECK(refusal(doubling).at(0).code == "CFG-LIMIT");
  CHECK(refusal(chain).at(0).code == "CFG-LIMIT");
}

}  // namespace amae::config

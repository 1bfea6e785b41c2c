#include "support.h"

namespace amae::config {
namespace {

std::vector<Problem> refusal(const std::string& text) {
  return problems_of([&] { parse_yaml(text, "f.yaml"); });
}

/// The only problem of a document.
Problem only(const std::string& text) {
  const std::vector<Problem> problems = refusal(text);
  INFO(text_of(problems));
  REQUIRE(problems.size() == 1);
  return problems.front();
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("keys and values know line and column") {
  const NodePtr root = parse_yaml("a: 1\nb:\n  c: [x, 'y']\n  ü: é  ü\n", "f.yaml");
  CHECK(root->find("a")->mark.text() == "f.yaml:1:1");
  CHECK(root->find("a")->value->mark.text() == "f.yaml:1:4");
  const Node& b = *root->find("b")->value;
  CHECK(b.find("c")->mark.text() == "f.yaml:3:3");
  CHECK(b.find("c")->value->list[1]->mark.text() == "f.yaml:3:10");
  CHECK(b.find("c")->value->list[1]->quoted);
  CHECK_FALSE(b.find("c")->value->list[0]->quoted);
  CHECK(b.find("ü")->value->mark.text() == "f.yaml:4:6");  // columns count characters, not bytes
}

TEST_CASE("an empty document is a null node and an empty value points at its key") {
  CHECK(parse_yaml("", "f.yaml")->kind == Node::Kind::null);
  CHECK(parse_yaml("# only a comment\n", "f.yaml")->kind == Node::Kind::null);
  const NodePtr root = parse_yaml("a:\nb: ~\n", "f.yaml");
  CHECK(root->find("a")->value->kind == Node::Kind::null);
  CHECK(root->find("a")->value->scalar.empty());
  CHECK(root->find("a")->value->mark.line == 1);
  CHECK(root->find("b")->value->scalar == "~");
}

TEST_CASE("Windows line ends and a byte order mark change nothing") {
  const NodePtr root = parse_yaml(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: 2\r\n",
      "f.yaml");
  CHECK(scalar_at(*root, {"a"}) == "1");
  CHECK(root->find("b")->value->mark.text() == "f.yaml:2:4");
}

TEST_CASE("Y01: broken text is refused with line and column") {
  SECTION("syntax") {
    const Problem p = only("a: 1\nb: [1, 2\nc: 3\n");
    CHECK(p.code == "CFG-SYNTAX");
    CHECK(contains(p.where, "f.yaml:3:"));
  }
  SECTION("tab as indentation, each line of it") {
    const std::vector<Problem> p = refusal("a:\n\tb: 1\n  \tc: 2\n");
    REQUIRE(p.size() == 2);
    CHECK(p[0].where == "f.yaml:2:1");
    CHECK(p[1].where == "f.yaml:3:3");
    CHECK(contains(p[0].message, "got a tab as indentation, expected spaces"));
    CHECK(refusal("a: 1\t# a tab before a comment is fine\n\t# so is one before a whole one\n").empty());
  }
  SECTION("NUL and control bytes") {
    CHECK(only(std::string("a: 1\nb: \0x\n", 11)).where == "f.yaml:2:4");
    CHECK(contains(only(std::string("a: \0", 4)).message, "NUL byte at byte 3"));
    CHECK(contains(only("a: 1\n\x04"
                        "b: 2\n")
                       .message,
                   "control byte 0x04 at byte 5"));  // yaml-cpp's end of file
    CHECK(contains(only("a: \"x\\0y\"\n").message, "escaped NUL"));
    CHECK(only("a: 1\rb: 2\n").where == "f.yaml:1:5");
  }
  SECTION("not UTF-8") {
    for (const char* bytes : {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xE4"}) {
      const Problem p = only("a: 1\nb: é" + std::string(bytes) + "\n");
      CHECK(p.code == "CFG-SYNTAX");
      CHECK(p.where == "f.yaml:2:5");
      CHECK(contains(p.message, "at byte 10, expected UTF-8"));
    }
  }
}

TEST_CASE("Y03: duplicate keys are all found, with both lines") {
  const std::vector<Problem> p = refusal("a: 1\nb: {c: 1, c: 2}\na: 2\n");
  REQUIRE(p.size() == 2);
  CHECK(p[0].code == "CFG-DUPLICATE");
  CHECK(p[0].where == "f.yaml:2:11");
  CHECK(p[0].field == "b.c");
  CHECK(p[1].where == "f.yaml:3:1");
  CHECK(contains(p[1].message, "twice, in line 1 and in line 3"));
}

TEST_CASE("aliases are expanded by copy") {
  const NodePtr root = parse_yaml("a: &x {b: [1]}\nc: *x\n", "f.yaml");
  CHECK(scalar_at(*root, {"c", "b", "0"}) == "1");
  CHECK(root->find("a")->value != root->find("c")->value);
  CHECK(root->find("c")->value->find("b")->value->list[0]->mark.line == 1);
}

TEST_CASE("Y06: alias cycles and alias bombs are refused, many plain aliases are not") {
  const Problem cycle = only("x: 1\na: &loop\n  b: [*loop]\n");
  CHECK(contains(cycle.message, "cycle at anchor loop, line 2"));
  CHECK(cycle.where == "f.yaml:3:7");
  CHECK(only("a: *nothing\n").code == "CFG-SYNTAX");

  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + ", " + before + "]\n";
  }
  const Problem p = only(bomb);
  CHECK(p.code == "CFG-LIMIT");
  CHECK(contains(p.message, "expected at most 10000 values"));

  CHECK(refusal("a: &a 1\nb: [" + repeated("*a, ", 1000) + "]\n").empty());
}

TEST_CASE("Y07: depth, number and size have limits that name the value") {
  CHECK(refusal(repeated("[", 64) + repeated("]", 64)).empty());
  CHECK(contains(only(repeated("[", 65) + repeated("]", 65)).message, "got 65, expected at most 64 nested"));
  CHECK(contains(only("\n" + repeated("[", 100'000)).message, "got 100000, expected at most 64 nested"));
  CHECK(only("\n" + repeated("[", 100'000)).where == "f.yaml:2:65");
  CHECK(refusal("a: \"" + repeated("[", 100) + "\"\n").empty());
  CHECK(only(repeated("{a: ", 100'000)).code == "CFG-LIMIT");
  CHECK(only(repeated("- ", 100'000) + "x").code == "CFG-LIMIT");
  CHECK(only(repeated("? ", 100'000)).code == "CFG-SYNTAX");
  std::string stairs;
  for (int i = 0; i < 1000; ++i) stairs += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  CHECK(only(stairs).code == "CFG-LIMIT");

  const std::string deep_anchor = "a: &a " + repeated("[", 40) + repeated("]", 40) + "\n";
  CHECK(only(deep_anchor + "b: " + repeated("[", 40) + "*a" + repeated("]", 40)).code == "CFG-LIMIT");

  std::string keys;
  for (int i = 0; i < 100'000; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  CHECK(contains(only(keys.substr(0, 1 << 20)).message, "expected at most 10000 values"));
  const Problem size = only(std::string(10 << 20, '#'));
  CHECK(size.code == "CFG-LIMIT");
  CHECK(contains(size.message, "got 10485760, expected at most 1048576 bytes"));
}

TEST_CASE("Y08: constructs that YAML has and a config does not") {
  const Problem second = only("a: 1\n---\nb: 2\n");
  CHECK(second.where == "f.yaml:2:1");
  CHECK(contains(second.message, "second document"));
  CHECK(refusal("---\na: 1\n...\n").empty());

  for (const char* text : {",", "a: 1\n,", ", a: 1", "[1] ,", "]", "{a: 1} }", "\"a\" \"b\""}) {
    INFO(text);
    CHECK(only(text).code == "CFG-SYNTAX");
  }

  const std::vector<Problem> tags = refusal("a: !custom 1\nb: !!str 2\nc: !append 3\nd: !patch {}\ne: !replace {}\n");
  REQUIRE(tags.size() == 4);
  CHECK(contains(tags[0].message, "got the tag !custom, expected !append"));
  CHECK(tags[0].where == "f.yaml:1:4");
  CHECK(tags[1].code == "CFG-SYNTAX");
  CHECK(tags[2].code == "CFG-TYPE");
  CHECK(tags[3].code == "CFG-TYPE");

  const Problem merge_key = only("a: &a {b: 1}\nc:\n  <<: *a\n");
  CHECK(merge_key.where == "f.yaml:3:3");
  CHECK(contains(merge_key.message, "<<"));

  for (const char* text :
       {"[a]: 1", "{a: 1}: 2", "~: 1", ": 1", "? [a]\n: 1\n", "{1: 2,, 3: 4}", "a: &a b\n*a : 1\n"}) {
    INFO(text);
    CHECK(only(text).code == "CFG-SYNTAX");
  }
}

TEST_CASE("one value of an argument is read whole or refused") {
  CHECK(parse_value("3e-4", "<argument 1>")->scalar == "3e-4");
  CHECK(parse_value("[1, 2]", "<argument 1>")->list.size() == 2);
  CHECK(parse_value("{name: gain}", "<argument 1>")->find("name")->value->scalar == "gain");
  CHECK(parse_value("{name: gain}", "<argument 1>")->mark.text() == "<argument 1>");
  CHECK(parse_value("", "<argument 1>")->quoted);
  CHECK(parse_value("~", "<argument 1>")->kind == Node::Kind::null);
  CHECK(parse_value("!append [1]", "<argument 1>")->tag == "!append");
  for (const char* text : {"take #3", "a: b", "- a", "[1", "a\nb", "# nothing", "{a: 1, a: 2}", "x\n---\ny", "*a"}) {
    INFO(text);
    const auto p = problems_of([&] { parse_value(text, "<argument 1>"); });
    REQUIRE(p.size() == 1);
    CHECK(p[0].where == "<argument 1>");
  }
}

}  // namespace amae::config

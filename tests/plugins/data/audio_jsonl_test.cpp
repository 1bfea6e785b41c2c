#include "plugins/data/audio_files/audio_jsonl.h"

#include <catch2/catch_test_macros.hpp>

#include "recordings.h"

namespace amae {
namespace {

class Jsonl : public Recordings {
 public:
  Jsonl() {
    for (const char* name : {"a.wav", "b.wav"}) sound(name);
    sound("long.wav", 32'000);
  }
  AudioJsonlOptions options;

  [[nodiscard]] AudioRows open(const std::string& table) {
    options.file = text("t.jsonl", table);
    return AudioRows(read_audio_jsonl(options));
  }
  /// The first problem, as "LINE: FIELD: MESSAGE".
  [[nodiscard]] std::string problem(const std::string& table) {
    const auto found = problems_of([&] { (void)open(table); });
    REQUIRE_FALSE(found.empty());
    INFO(found[0].line());
    REQUIRE(found[0].where.starts_with(path("t.jsonl").string() + ":"));
    return found[0].where.substr(path("t.jsonl").string().size() + 1) + ": " + found[0].field + ": " + found[0].message;
  }
};

TEST_CASE_METHOD(Jsonl, "an object a line is a row; other keys, blank lines and null are ignored") {
  const auto data = open(
      "\xEF\xBB\xBF{\"path\": \"long.wav\", \"label\": \"dog\", \"fold\": 2, \"group\": \"x\", \"start\": 1, \"end\": "
      "1.5}\r\n"
      "\n  \n"
      "{\"label\": \"cat\", \"path\": \"a.wav\", \"fold\": 1, \"group\": 7, \"end\": null, \"note\": {\"by\": "
      "[\"me\"]}}");
  CHECK(data.size() == 2);
  CHECK(data.classes() == std::vector<std::string>{"cat", "dog"});
  CHECK(data.labels().equal(at::tensor({1, 0}, at::kLong)));
  CHECK(data.folds() == std::vector<int64_t>{2, 1});
  CHECK(data.groups()[0] != data.groups()[1]);
  CHECK(data.load(0).samples.size(1) == 4'000);
  CHECK(first_sample(data.load(0).samples) == 8'000);
  CHECK(data.load(1).samples.size(1) == 800);
  CHECK(data.columns().empty());
}

TEST_CASE_METHOD(Jsonl, "lists of labels become a multi-hot matrix") {
  const auto data = open("{\"path\": \"a.wav\", \"label\": [\"b\", \"a\"]}\n{\"path\": \"b.wav\", \"label\": []}\n");
  CHECK(data.labels().equal(at::tensor({1.0F, 1.0F, 0.0F, 0.0F}).view({2, 2})));
  CHECK_SAYS(problem("{\"path\": \"a.wav\", \"label\": [\"b\"]}\n{\"path\": \"b.wav\", \"label\": \"a\"}\n"),
             "2: label: got \"a\", expected a list as in the first line");
  CHECK_SAYS(problem("{\"path\": \"a.wav\", \"label\": \"b\"}\n{\"path\": \"b.wav\", \"label\": [\"a\"]}\n"),
             "2: label: got [\"a\"], expected a text");
}

TEST_CASE_METHOD(Jsonl, "labels may be numbers within the classes") {
  options.labels = "numbers";
  options.classes = {"dog", "cat"};
  CHECK(open("{\"path\": \"a.wav\", \"label\": 1}\n{\"path\": \"b.wav\", \"label\": 0}\n")
            .labels()
            .equal(at::tensor({1, 0}, at::kLong)));
  for (const char* bad : {"-1", "2", "1e3", "99999999999", "0.5"}) {
    CHECK_SAYS(
        problem("{\"path\": \"a.wav\", \"label\": 1}\n{\"path\": \"b.wav\", \"label\": " + std::string(bad) + "}\n"),
        "expected a whole number from 0 to 1");
  }
  CHECK_SAYS(problem("{\"path\": \"a.wav\", \"label\": \"1\"}\n"), "1: label: got \"1\", expected a number");
}

TEST_CASE_METHOD(Jsonl, "numeric keys are kept where they are asked for, and must be there then") {
  options.columns = {"snr"};
  CHECK(open("{\"path\": \"a.wav\", \"label\": \"x\", \"snr\": -2.5}\n").columns().at("snr") ==
        std::vector<double>{-2.5});
  CHECK_SAYS(problem("{\"path\": \"a.wav\", \"label\": \"x\"}\n"), "1: snr: got nothing, expected a number");
  CHECK_SAYS(problem("{\"path\": \"a.wav\", \"label\": \"x\", \"snr\": \"1\"}\n"),
             "1: snr: got \"1\", expected a number");
}

TEST_CASE_METHOD(Jsonl, "every malformed line is refused at its place") {
  const std::string good = "{\"path\": \"a.wav\", \"label\": \"x\"}\n";
  CHECK_SAYS(problem(""), "1: : got no line, expected a JSON object");
  CHECK_SAYS(problem(good + "{\"path\": \"b.wav\""), "2: : got no JSON from column 17 on");
  CHECK_SAYS(problem(good + "[1, 2]"), "2: : got [1,2], expected an object");
  CHECK_SAYS(problem(good + "{\"path\": \"b.wav\", \"path\": \"a.wav\"}"), "2: : got the key \"path\" twice");
  CHECK_SAYS(problem(good + "{\"label\": \"x\"}"), "2: path: got nothing, expected a text");
  CHECK_SAYS(problem(good + "{\"path\": 3, \"label\": \"x\"}"), "2: path: got 3, expected a text");
  CHECK_SAYS(problem(good + "{\"path\": \"b.wav\"}"), "2: label: got nothing, expected a text");
  CHECK_SAYS(problem(good + "{\"path\": \"b.wav\", \"label\": \"x\", \"fold\": \"1\"}"), "2: fold: got \"1\"");
  CHECK_SAYS(problem(good + "{\"path\": \"b.wav\", \"label\": \"x\", \"fold\": 1}"),
             "2: fold: got a fold where rows before");
  CHECK_SAYS(problem(good + "{\"path\": \"b.wav\", \"label\": \"x\", \"start\": \"1\"}"), "2: start: got \"1\"");
  CHECK_SAYS(problem(good + "{\"path\": \"b.wav\", \"label\": \"x\", \"group\": [1]}"), "2: group: got [1]");
  CHECK_SAYS(problem(good + "{\"path\": \"b\\u0000.wav\", \"label\": \"x\"}"), "which has a NUL byte in it");
  CHECK_SAYS(problem(good + "{\"path\": \"caf\xE9.wav\", \"label\": \"x\"}"), "2: : got a byte that is not UTF-8");
  CHECK_SAYS(problem(good + std::string(1'048'577, ' ') + "{}"), "2: : got a line over 1 MiB");
  // Printing or destroying such a tree would need as deep a stack.
  CHECK_SAYS(problem(good + std::string(500'000, '[')), "2: : got no");
  CHECK_SAYS(problem(good + std::string(400'000, '[') + std::string(400'000, ']')), "2: : got nesting deeper than 16");
  options.fold = "part";
  CHECK_SAYS(problem(good), "1: part: got no line with this key");
}

TEST_CASE_METHOD(Jsonl, "a number out of range is told by its line") {
  CHECK_SAYS(
      problem("{\"path\": \"a.wav\", \"label\": \"b\"}\n{\"path\": \"b.wav\", \"label\": \"a\", \"start\": 1e999}\n"),
      "2: : got a number that is out of range");
}

}  // namespace
}  // namespace amae

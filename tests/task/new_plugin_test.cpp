#include "task/new_plugin.h"

#include <catch2/catch_test_macros.hpp>

#include "base/file.h"
#include "tests/problems.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

std::string refusal_of_new(const std::string& kind, const std::string& name, const fs::path& folder) {
  const auto problems = problems_of([&] { write_new_plugin(kind, name, folder); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].code == "PLUGIN-NEW");
  return problems[0].field + ": " + problems[0].message;
}

}  // namespace

TEST_CASE("a new plugin of each kind is a whole folder in which every word stands at its place") {
  const TemporaryFolder scratch;
  for (const char* kind : {"model", "dataset", "transform"}) {
    CAPTURE(kind);
    const fs::path folder = scratch.path() / "deep" / kind;
    const auto files = write_new_plugin(kind, "my_new_2nd_net", folder);
    for (const char* expected : {"CMakeLists.txt", "README.md", "my_new_2nd_net.cpp", "my_new_2nd_net.yaml"})
      CHECK(std::count(files.begin(), files.end(), expected) == 1);
    size_t present = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) present += entry.is_regular_file() ? 1 : 0;
    CHECK(present == files.size());
    for (const std::string& file : files) {
      CAPTURE(file);
      CHECK(file.find('@') == std::string::npos);
      const std::string text = read_file(folder / file);
      for (const char* placeholder : {"@NAME@", "@CLASS@", "@KIND@", "@FOLDER@"})
        CHECK(text.find(placeholder) == std::string::npos);
    }
    CHECK(read_file(folder / "my_new_2nd_net.cpp").find("class MyNew2ndNet final") != std::string::npos);
    CHECK(read_file(folder / "CMakeLists.txt").find(std::string("(my_new_2nd_net KIND ") + kind) != std::string::npos);
  }
}

TEST_CASE("sample data come out of the program as they went in") {
  const TemporaryFolder scratch;
  const fs::path templates = AMAE_SOURCE_DIR "/framework/task/new_plugin/dataset/examples";
  write_new_plugin("dataset", "radio", scratch.path() / "radio");
  size_t compared = 0;
  for (const auto& entry : fs::recursive_directory_iterator(templates)) {
    if (!entry.is_regular_file()) continue;
    const fs::path copy = scratch.path() / "radio/examples" / entry.path().lexically_relative(templates);
    CHECK(read_file(copy) == read_file(entry.path()));
    ++compared;
  }
  CHECK(compared >= 4);
}

TEST_CASE("a name that is no key is refused, and nothing is written") {
  const TemporaryFolder scratch;
  const fs::path folder = scratch.path() / "new";
  for (const std::string& name :
       {std::string(), std::string("My_net"), std::string("1net"), std::string("_net"), std::string("my-net"),
        std::string("../net"), std::string("my net"), std::string("n\n"), std::string(65, 'n')}) {
    CAPTURE(name);
    CHECK(refusal_of_new("model", name, folder).starts_with("NAME: got '"));
  }
  CHECK(refusal_of_new("head", "net", folder) == "KIND: got head, expected model, dataset or transform");
  CHECK(fs::is_empty(scratch.path()));
  CHECK(!write_new_plugin("model", std::string(64, 'n'), folder).empty());
}

TEST_CASE("what is in a folder already stays as it is") {
  const TemporaryFolder scratch;
  const fs::path folder = scratch.path() / "mine";
  fs::create_directory(folder);
  write_file(folder / "mine.cpp", "work of weeks");
  CHECK(refusal_of_new("model", "mine", folder).starts_with("--out: "));
  CHECK(refusal_of_new("model", "mine", folder / "mine.cpp").starts_with("--out: "));
  fs::create_symlink("nowhere", scratch.path() / "link");
  CHECK(refusal_of_new("model", "mine", scratch.path() / "link").starts_with("--out: "));
  CHECK(read_file(folder / "mine.cpp") == "work of weeks");
  CHECK(std::distance(fs::directory_iterator(scratch.path()), {}) == 2);

  fs::create_directory(scratch.path() / "empty");
  write_new_plugin("model", "mine", scratch.path() / "empty");
  CHECK(fs::exists(scratch.path() / "empty/mine.cpp"));
}

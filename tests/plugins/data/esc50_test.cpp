#include "plugins/data/esc50/esc50.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <set>
#include <thread>

#include "amae/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/split.h"
#include "io/audio.h"

namespace amae {
namespace {

namespace fs = std::filesystem;

/// A tiny data set in ESC-50's layout: two classes (targets 7 and 3), two folds, one clip of fold 2 outside ESC-10.
class TinyEsc50 {
 public:
  TinyEsc50() {
    fs::create_directories(root() / "audio");
    fs::create_directories(root() / "meta");
    add("1-100-A-7.wav", "1", "7", "rain", "True", "100");
    add("1-101-A-3.wav", "1", "3", "dog", "True", "101");
    add("2-102-A-7.wav", "2", "7", "rain", "True", "102");
    add("2-100-B-9.wav", "2", "9", "fire", "False", "100");
  }

  [[nodiscard]] fs::path root() const { return folder_.path() / "esc"; }
  [[nodiscard]] fs::path audio(const std::string& name) const { return root() / "audio" / name; }
  [[nodiscard]] std::string csv() const { return (root() / "meta" / "esc50.csv").string(); }

  void add_row(const std::string& row) { rows_ += row + "\n"; }
  void add(const std::string& name, const std::string& fold, const std::string& target, const std::string& category,
           const std::string& esc10, const std::string& source) {
    add_row(name + "," + fold + "," + target + "," + category + "," + esc10 + "," + source + ",A");
    write(audio(name));
  }
  void write(const fs::path& path, int64_t samples = 800, double rate_hz = 8000) {
    write_wav(path, at::full({1, samples}, 0.1 * static_cast<double>(++written_)), rate_hz);
  }

  void write_table() const { std::ofstream(csv()) << header << rows_; }
  [[nodiscard]] Esc50 open(const std::string& subset = "all") {
    write_table();
    return Esc50({root().string(), subset});
  }
  /// The problems that opening finds.
  std::vector<Problem> problems(const std::string& subset = "all") {
    try {
      (void)open(subset);
    } catch (const InputError& error) {
      return error.problems();
    }
    FAIL("nothing was thrown");
    return {};
  }

  std::string header = "filename,fold,target,category,esc10,src_file,take\n";

 private:
  TemporaryFolder folder_;
  std::string rows_;
  int written_ = 0;
};

bool problem_says(const Problem& problem, const std::string& text) {
  return problem.line().find(text) != std::string::npos;
}

TEST_CASE_METHOD(TinyEsc50, "classes come in order of their targets and labels count from 0") {
  const auto data = open();
  CHECK(data.size() == 4);
  CHECK(data.classes() == std::vector<std::string>{"dog", "rain", "fire"});
  CHECK(data.labels().equal(at::tensor({1, 0, 1, 2}, at::kLong)));
  CHECK(data.columns().at("target") == std::vector<double>{7, 3, 7, 9});
  CHECK(data.folds() == std::vector<int64_t>{1, 1, 2, 2});
  CHECK(data.id(1) == "1-101-A-3.wav");
  const auto groups = data.groups();
  CHECK(groups[0] == groups[3]);
  CHECK(std::set<int64_t>(groups.begin(), groups.end()).size() == 3);
}

TEST_CASE_METHOD(TinyEsc50, "subset esc10 keeps the marked rows alone") {
  fs::remove(audio("2-100-B-9.wav"));  // not needed then
  const auto data = open("esc10");
  CHECK(data.size() == 3);
  CHECK(data.classes() == std::vector<std::string>{"dog", "rain"});
}

TEST_CASE_METHOD(TinyEsc50, "load gives the row's own samples") {
  const auto data = open();
  const auto signal = data.load(2);
  CHECK(signal.samples.sizes() == at::IntArrayRef({1, 800}));
  CHECK(signal.rate_hz == 8000);
  // 16-bit PCM: half a step is 1.5e-5.
  CHECK(signal.samples.sub(0.3).abs().max().item<double>() < 1e-4);
}

TEST_CASE_METHOD(TinyEsc50, "the spec gives what is common to all files and leaves open what varies") {
  CHECK(open().spec().shape == std::vector<int64_t>{1, 800});
  CHECK(open().spec().rate_hz == 8000);
  write(audio("1-101-A-3.wav"), 900, 8000);
  CHECK(open().spec().shape == std::vector<int64_t>{1, -1});
  CHECK(open().spec().rate_hz == 8000);
  write(audio("1-101-A-3.wav"), 800, 16000);
  CHECK(open().spec().rate_hz == 0);
  write_wav(audio("1-101-A-3.wav"), at::zeros({2, 800}), 8000);
  CHECK(open().spec().shape == std::vector<int64_t>{-1, 800});
}

TEST_CASE_METHOD(TinyEsc50, "the content hash is the file's, from every thread, and is kept") {
  const auto data = open();
  std::vector<std::string> hashes(8);
  std::vector<std::thread> threads;
  for (auto& hash : hashes) threads.emplace_back([&] { hash = data.content_hash(1); });
  for (auto& thread : threads) thread.join();
  for (const auto& hash : hashes) CHECK(hash == xxh3_file(audio("1-101-A-3.wav")));
  CHECK(data.content_hash(0) != hashes[0]);
  fs::remove(audio("1-101-A-3.wav"));
  CHECK(data.content_hash(1) == hashes[0]);
}

TEST_CASE_METHOD(TinyEsc50, "a file of the same stem in another format is taken for one that is absent") {
  // The bytes decide what a file is, so a WAV named .flac serves here.
  fs::rename(audio("1-100-A-7.wav"), audio("1-100-A-7.flac"));
  const auto data = open();
  CHECK(data.id(0) == "1-100-A-7.wav");
  CHECK(data.load(0).samples.size(1) == 800);
}

TEST_CASE("a missing data set names the tool that fetches it") {
  try {
    Esc50({"/nowhere/esc50", "all"});
    FAIL("nothing was thrown");
  } catch (const InputError& error) {
    CHECK(error.problems()[0].field == "root");
    CHECK(problem_says(error.problems()[0], "/nowhere/esc50"));
    CHECK(problem_says(error.problems()[0], "tools/get_esc50"));
  }
}

TEST_CASE("an empty folder is told both that it has no audio and no table") {
  const TemporaryFolder folder;
  try {
    Esc50({folder.path().string(), "all"});
    FAIL("nothing was thrown");
  } catch (const InputError& error) {
    REQUIRE(error.problems().size() == 2);
    CHECK(problem_says(error.problems()[0], "audio"));
    CHECK(problem_says(error.problems()[1], "meta/esc50.csv"));
  }
}

TEST_CASE_METHOD(TinyEsc50, "missing columns are all named") {
  header = "filename,kfold,target,category,esc10,source,take\n";
  const auto found = problems();
  REQUIRE(found.size() == 2);
  CHECK(found[0].field == "fold");
  CHECK(found[1].field == "src_file");
  CHECK(found[0].where == csv() + ":1");
}

TEST_CASE_METHOD(TinyEsc50, "a target, fold or mark that is none is refused with its line") {
  const std::vector<std::pair<std::string, std::string>> cells = {
      {"target", "-1"}, {"target", "1e3"}, {"target", "99999999999"}, {"target", "10000"}, {"target", "x"},
      {"target", ""},   {"fold", "0"},     {"fold", "two"},           {"fold", "2.0"},     {"esc10", "yes"},
      {"category", ""}, {"src_file", ""},  {"filename", ""}};
  int line = 5;
  for (const auto& [column, text] : cells) {
    const auto cell = [&, c = column, t = text](const char* name, const std::string& good) {
      return name == c ? t : good;
    };
    const auto clip = "x" + std::to_string(++line) + ".wav";
    write(audio(clip));
    add_row(cell("filename", clip) + "," + cell("fold", "1") + "," + cell("target", "3") + "," +
            cell("category", "dog") + "," + cell("esc10", "True") + "," + cell("src_file", "9") + ",A");
  }
  const auto found = problems("esc10");
  REQUIRE(found.size() == cells.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    INFO(cells[i].first << " " << cells[i].second << " -> " << found[i].line());
    CHECK(found[i].where == csv() + ":" + std::to_string(6 + i));
    CHECK(found[i].field == cells[i].first);
    CHECK((cells[i].second.empty() || problem_says(found[i], "\"" + cells[i].second + "\"")));
  }
}

TEST_CASE_METHOD(TinyEsc50, "a target with two names and a name with two targets are refused with both lines") {
  add("a.wav", "1", "7", "storm", "True", "1");
  add("b.wav", "1", "8", "dog", "True", "1");
  const auto found = problems();
  REQUIRE(found.size() == 2);
  CHECK(problem_says(found[0], "target 7 is \"storm\" here and \"rain\" on line 2"));
  CHECK(found[0].where == csv() + ":6");
  CHECK(problem_says(found[1], "\"dog\" has target 8 here and 3 on line 3"));
}

TEST_CASE_METHOD(TinyEsc50, "a file that stands twice in the table is refused with both lines") {
  add_row("1-100-A-7.wav,2,7,rain,True,100,A");
  add_row("./1-101-A-3.wav,2,3,dog,True,101,A");
  const auto found = problems();
  REQUIRE(found.size() == 2);
  CHECK(found[0].where == csv() + ":6");
  CHECK(problem_says(found[0], "stands on line 2"));
  CHECK(problem_says(found[1], "stands on line 3"));
}

TEST_CASE_METHOD(TinyEsc50, "two names that lead to one file are refused") {
  add_row("1-100-A-7.ogg,2,7,rain,True,100,A");
  const auto found = problems();
  REQUIRE(found.size() == 1);
  CHECK(problem_says(
      found[0], "1-100-A-7.ogg stands on line 2 already under another name of the same file (fold 1 there, 2 here)"));
}

TEST_CASE_METHOD(TinyEsc50, "a name that escapes the data set is refused before it is opened") {
  write(root() / "secret.wav");
  add_row("../secret.wav,1,7,rain,True,1,A");
  add_row("a/../../secret.wav,1,7,rain,True,1,A");
  add_row("/etc/passwd,1,7,rain,True,1,A");
  const auto found = problems();
  REQUIRE(found.size() >= 3);
  CHECK(problem_says(found[0], "escapes"));
  CHECK(found[0].where == csv() + ":6");
  CHECK(found.back().where == csv() + ":8");
  CHECK(problem_says(found.back(), "/etc/passwd"));
}

TEST_CASE_METHOD(TinyEsc50, "a link out of the data set is refused, one within it is not") {
  write(root() / "secret.wav");
  write(audio("unlisted.wav"));
  fs::create_symlink("unlisted.wav", audio("inside.wav"));
  add_row("inside.wav,1,3,dog,True,1,A");
  CHECK(open().size() == 5);
  fs::create_symlink(root() / "secret.wav", audio("outside.wav"));
  add_row("outside.wav,1,3,dog,True,1,A");
  const auto found = problems();
  REQUIRE(found.size() == 1);
  CHECK(problem_says(found[0], "outside.wav is a link that escapes"));
}

TEST_CASE_METHOD(TinyEsc50, "a link to another row's file is refused as the same file") {
  fs::create_symlink("1-101-A-3.wav", audio("again.wav"));
  add_row("again.wav,2,3,dog,True,101,A");
  const auto found = problems();
  REQUIRE(found.size() == 1);
  CHECK(found[0].where == csv() + ":6");
  CHECK(problem_says(found[0],
                     "again.wav stands on line 3 already under another name of the same file (fold 1 there, 2 here)"));
}

TEST_CASE_METHOD(TinyEsc50, "missing files are counted and named in one problem") {
  for (int i = 10; i < 40; ++i) add_row("gone" + std::to_string(i) + ".wav,1,7,rain,True,1,A");
  fs::remove(audio("1-101-A-3.wav"));
  const auto found = problems();
  REQUIRE(found.size() == 1);
  CHECK(problem_says(found[0], "31 of 34 files are missing: 1-101-A-3.wav, gone10.wav,"));
  CHECK(problem_says(found[0], "gone28.wav, … (first 20)"));
  CHECK_FALSE(problem_says(found[0], "gone29"));
}

TEST_CASE_METHOD(TinyEsc50, "a truncated or foreign audio file is found before training, with the missing ones") {
  fs::resize_file(audio("1-100-A-7.wav"), 300);
  std::ofstream(audio("1-101-A-3.wav")) << "this is no sound";
  fs::remove(audio("2-102-A-7.wav"));
  const auto found = problems();
  REQUIRE(found.size() == 3);
  CHECK(problem_says(found[0], "1 of 4 files is missing: 2-102-A-7.wav"));
  CHECK(problem_says(found[1], "1-100-A-7.wav"));
  CHECK(problem_says(found[2], "1-101-A-3.wav"));
}

TEST_CASE_METHOD(TinyEsc50, "with on_bad_sample: skip a bad file is left for load() to refuse, a bad row is not") {
  fs::remove(audio("2-102-A-7.wav"));
  write_table();
  const Esc50 data({root().string(), "all", "skip"});
  CHECK(data.size() == 4);
  CHECK(data.skips_bad_rows());
  CHECK_THROWS_AS(data.load(2), InputError);
  CHECK(data.load(3).samples.size(1) == 800);
  add_row("1-100-A-7.wav,1,-1,rain,True,1,A");
  write_table();
  CHECK_THROWS_AS(Esc50({root().string(), "all", "skip"}), InputError);
}

TEST_CASE_METHOD(TinyEsc50, "more than twenty problems are cut off with a count") {
  for (int i = 0; i < 25; ++i) add_row("a" + std::to_string(i) + ".wav,1,-1,rain,True,1,A");
  const auto found = problems();
  REQUIRE(found.size() == 21);
  CHECK(problem_says(found.back(), "and 5 more problems"));
}

TEST_CASE("a table without rows, or without rows of the subset, is refused") {
  TinyEsc50 tiny;
  tiny.header = "filename,fold,target,category,esc10,src_file,take\n";
  const auto write_csv = [&](const std::string& rows) { std::ofstream(tiny.csv()) << tiny.header << rows; };
  write_csv("");
  CHECK_THROWS_AS(Esc50({tiny.root().string(), "all"}), InputError);
  write_csv("2-100-B-9.wav,2,9,fire,False,100,B\n");
  CHECK(Esc50({tiny.root().string(), "all"}).size() == 1);
  CHECK_THROWS_AS(Esc50({tiny.root().string(), "esc10"}), InputError);
}

/// The real recordings, or empty.
std::string esc10_folder() {
  if (const char* folder = std::getenv("AMAE_ESC10")) return folder;
#ifdef AMAE_ESC10_DIR
  if (fs::exists(AMAE_ESC10_DIR)) return AMAE_ESC10_DIR;
#endif
  return {};
}

TEST_CASE("the real ESC-10 has ten classes, five folds of 80, and no recording on both sides of a fold") {
  const auto root = esc10_folder();
  if (root.empty()) SKIP("no ESC-10 on this machine; set AMAE_ESC10 to its folder");
  const Esc50 data({root, "esc10"});
  CHECK(data.size() == 400);
  CHECK(data.classes() == std::vector<std::string>{"dog", "rooster", "rain", "sea_waves", "crackling_fire",
                                                   "crying_baby", "sneezing", "clock_tick", "helicopter", "chainsaw"});
  const auto targets = data.columns().at("target");
  CHECK(std::set<double>(targets.begin(), targets.end()) == std::set<double>{0, 1, 10, 11, 12, 20, 21, 38, 40, 41});
  CHECK(at::bincount(data.labels()).equal(at::full({10}, 40, at::kLong)));
  CHECK(data.spec().rate_hz == 44100);
  CHECK(data.spec().shape[0] == 1);
  for (const int64_t fold : fold_numbers(data)) {
    const auto split = make_split(data, {.test = {fold}}, "");
    CHECK(split.test.size() == 80);
    CHECK(leaking_groups(data, split) == 0);
  }
  const auto by_group = make_split(data, {.by = "group", .test_ratio = 0.2, .val_ratio = 0.2}, "");
  CHECK(leaking_groups(data, by_group) == 0);
  CHECK(by_group.test.size() > 70);
  CHECK(by_group.test.size() < 90);
  const auto clip = data.load(0);
  CHECK(clip.samples.size(0) == 1);
  CHECK(clip.samples.abs().max().item<double>() > 0.01);
}

}  // namespace
}  // namespace amae

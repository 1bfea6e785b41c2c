// Rows C01..C10 of the reliability plan: hostile and odd tables through the real program. A refusal is exit 2 and names
// file, line and field before anything is trained; nothing hangs, and no small table costs much more memory than a good
// one. What the times were is printed, not judged.
#include <fmt/format.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "tests/cli/program.h"
#include "tests/io/sound_bytes.h"
#include "tests/problems.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

using Words = std::vector<std::string>;

constexpr const char* kConfig = R"(
data: {name: audio_csv, file: data/t.csv}
split: {by: fold, test: 2}
transforms:
  - {name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16, f_min: 50 Hz, f_max: 8 kHz}
  - {name: log}
model: {name: resnet, depths: [1], width: 8}
train: {epochs: 1, batch_size: 4}
log: {tensorboard: false}
)";

/// Eight recordings of a tenth of a second, two classes, two folds, and a table of them.
class Data {
 public:
  Data() {
    for (const char* name : {"x1", "x2", "x3", "x4", "y1", "y2", "y3", "y4"}) sound(name + std::string(".wav"));
    put("../config.yaml", kConfig);
  }
  static std::string good() {
    return "path,label,fold\nx1.wav,x,1\nx2.wav,x,1\nx3.wav,x,2\nx4.wav,x,2\n"
           "y1.wav,y,1\ny2.wav,y,1\ny3.wav,y,2\ny4.wav,y,2\n";
  }
  [[nodiscard]] fs::path folder() const { return folder_.path(); }
  [[nodiscard]] fs::path path(const std::string& name) const { return folder_.path() / "data" / name; }
  void put(const std::string& name, const std::string& bytes) const {
    fs::create_directories(path(name).parent_path());
    std::ofstream(path(name), std::ios::binary) << bytes;
  }
  void sound(const std::string& name, int frames = 1'600) const {
    put(name, sounds::wav(1, 1, 16'000, 16, sounds::saw16(1, frames)));
  }

  /// `amae run` over t.csv with this content.
  [[nodiscard]] Outcome run(const std::string& table, const Words& overrides = {}) const {
    put("t.csv", table);
    return run_with(overrides);
  }
  [[nodiscard]] Outcome run_with(const Words& overrides) const {
    fs::remove_all(folder() / "run");
    Words arguments = {"run", folder() / "config.yaml", "--out", folder() / "run", "--quiet"};
    arguments.insert(arguments.end(), overrides.begin(), overrides.end());
    const Outcome outcome = run_amae(arguments, folder());
    UNSCOPED_INFO("exit " << outcome.exit << ", " << outcome.seconds << " s, " << outcome.peak_mib << " MiB\n"
                          << outcome.err);
    return outcome;
  }
  [[nodiscard]] nlohmann::json run_json() const { return nlohmann::json::parse(content_of(folder() / "run/run.json")); }

  void accepts(const std::string& table, const Words& overrides = {}) const {
    const Outcome outcome = run(table, overrides);
    CHECK(outcome.exit == 0);
    CHECK(outcome.err.empty());
    CHECK(outcome.peak_mib <= usual_mib() + 64);
  }
  /// Exit 2, one line or more on stderr with all these words, no model begun.
  void refused(const Outcome& outcome, const Words& words, double extra_mib = 64) const {
    CHECK(outcome.exit == 2);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.starts_with("amae: error["));
    CHECK_FALSE(fs::exists(folder() / "run/checkpoints"));
    CHECK(outcome.peak_mib <= usual_mib() + extra_mib);
    for (const auto& word : words) {
      INFO("expected: " << word);
      CHECK(contains(outcome.err, word));
    }
  }
  void refuses(const std::string& table, const Words& words, const Words& overrides = {}) const {
    INFO(table.substr(0, 300));
    refused(run(table, overrides), words);
  }

  /// What a good run needs.
  static double usual_mib() {
    static const double usual = [] {
      const Data data;
      const Outcome outcome = data.run(good());
      REQUIRE(outcome.exit == 0);
      fmt::print("a good run: {:.1f} s, {:.0f} MiB\n", outcome.seconds, outcome.peak_mib);
      return outcome.peak_mib;
    }();
    return usual;
  }

 private:
  TemporaryFolder folder_;
};

TEST_CASE_METHOD(Data, "C01: BOM, CRLF, lone CR, no final newline and trailing blanks are the same data") {
  accepts(good());
  const auto clean = run_json().at("dataset");
  CHECK(clean.at("items") == 8);
  const auto replaced = [](std::string text, const std::string& what, const std::string& by) {
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
      text.replace(at, what.size(), by);
    return text;
  };
  for (const auto& table : {"\xEF\xBB\xBF" + good(), replaced(good(), "\n", "\r\n"), replaced(good(), "\n", "\r"),
                            good().substr(0, good().size() - 1), replaced(good(), "\n", " \t\n") + "\n \n"}) {
    accepts(table);
    CHECK(run_json().at("dataset") == clean);
  }
}

TEST_CASE_METHOD(Data, "the same rows as JSON lines are the same data, and its mistakes are told by line too") {
  accepts(good());
  const auto csv = run_json().at("dataset");
  std::string lines;
  for (const char* label : {"x", "y"}) {
    for (int i = 1; i <= 4; ++i) {
      lines += fmt::format("{{\"path\": \"{0}{1}.wav\", \"label\": \"{0}\", \"fold\": {2}}}\n", label, i, (i + 1) / 2);
    }
  }
  const Words jsonl = {"data={name: audio_jsonl, file: " + path("t.jsonl").string() + "}"};
  put("t.jsonl", lines);
  CHECK(run_with(jsonl).exit == 0);
  CHECK(run_json().at("dataset").at("sha256") == csv.at("sha256"));
  put("t.jsonl", lines + "{\"path\": \"x1.wav\", \"label\": \"x\", \"fold\": 2}\n");
  refused(run_with(jsonl), {"t.jsonl:9: data.path: ", "x1.wav stands on line 1 already (fold 1 there, 2 here)"});
  put("t.jsonl", lines + "{\"path\": \"../../x\", \"label\": \"x\", \"fold\": 2}\n");
  refused(run_with(jsonl), {"t.jsonl:9: data.path: ", "escapes the data set's root"});
  put("t.jsonl", lines + "{\"path\"");
  refused(run_with(jsonl), {"t.jsonl:9: ", "no JSON from column 8 on"});
}

TEST_CASE_METHOD(Data, "C02: quoted commas, quotes and newlines are read as RFC 4180 says; an open quote is told") {
  sound("comma, here.wav");
  sound("say \"hi\".wav");
  sound("two\nlines.wav");
  accepts(good() + "\"comma, here.wav\",x,1\n\"say \"\"hi\"\".wav\",\"x\",1\n\"two\nlines.wav\",y,1\n");
  CHECK(run_json().at("dataset").at("items") == 11);
  refuses(good() + "\"x1.wav,x,1\nnever,closed,1\n", {"error[CSV]", "t.csv:10: ", "a quote that is never closed"});
  refuses(good() + "5\".wav,x,1\n", {"t.csv:10: ", "a quote inside an unquoted field"});
  refuses(good() + "\"x\"5.wav,x,1\n", {"t.csv:10: ", "text after a closing quote"});
}

TEST_CASE_METHOD(Data,
                 "C03: an empty table, and missing, extra and doubled columns and cells are told by line and name") {
  refuses("", {"t.csv:1: ", "no header"});
  refuses("\n \n", {"t.csv:1: ", "no header"});
  refuses("path,label,fold\n", {"t.csv", "no row"});
  refuses("path,lable,fold\nx1.wav,x,1\n",
          {"t.csv:1: ", "label", "no such column", "path, lable, fold", "did you mean lable?"});
  refuses("label,fold\nx,1\n", {"t.csv:1: ", "path", "no such column", "label, fold"});
  refuses(good(), {"t.csv:1: ", "data.take", "no such column", "path, label, fold"}, {"data.group=take"});
  refuses("path,label,fold,label\nx1.wav,x,1,y\n", {"t.csv:1: ", "data.label", "columns 2 and 4"});
  refuses(good() + "x1.wav,x\n", {"t.csv:10: ", "got 2 cells, expected 3 (path, label, fold)"});
  refuses(good() + "x1.wav,x,1,more\n", {"t.csv:10: ", "got 4 cells, expected 3"});
  refused(run_with({"data.file=" + path("nowhere.csv").string()}), {"nowhere.csv", "no such file"});
}

TEST_CASE_METHOD(Data, "C04: a row that stands twice is told with both lines and folds, also through ./ and links") {
  const auto told = [](int fold) {
    return fmt::format("x1.wav stands on line 2 already (fold 1 there, {} here)", fold);
  };
  refuses(good() + "x1.wav,x,1\n", {"t.csv:10: data.path: ", told(1)});
  refuses(good() + "x1.wav,x,2\n", {"t.csv:10: data.path: ", told(2)});
  refuses(good() + "./x1.wav,x,2\n", {"t.csv:10: data.path: ", told(2)});
  fs::create_symlink("x1.wav", path("link.wav"));
  refuses(good() + "link.wav,x,2\n",
          {"t.csv:10: data.path: ", "link.wav stands on line 2 already under another name", "(fold 1 there, 2 here)"});
  sound("long.wav", 16'000);
  refuses("path,label,fold,start,end\nlong.wav,x,1,0,0.5\nlong.wav,x,2,0.4,0.9\n",
          {"t.csv:3: data.path: ", "long.wav#t=0.4,0.9 overlaps with what stands on line 2", "(fold 1 there, 2 here)"});
}

TEST_CASE_METHOD(Data, "C05: a label outside the classes is told with line, value, and range or nearest name") {
  const Words numbers = {"data.labels=numbers", "data.classes=[x, y]"};
  std::string table = "path,label,fold\nx1.wav,0,1\ny1.wav,1,1\nx2.wav,0,2\n";
  accepts(table + "y2.wav,1,2\n", numbers);
  for (const char* bad : {"-1", "2", "1e3", "99999999999"}) {
    refuses(table + "y2.wav," + bad + ",2\n",
            {"t.csv:5: data.label: ", fmt::format("got \"{}\", expected a whole number from 0 to 1", bad)}, numbers);
  }
  refuses(good() + "a.wav,doq,1\n", {"t.csv:10: data.label: ", "got \"doq\"", "did you mean dog?"},
          {"data.classes=[x, y, dog]"});
  refuses(good() + "a.wav,,1\n", {"t.csv:10: data.label: ", "empty label"});
}

TEST_CASE_METHOD(Data, "C06: a path that leaves the root is told with its line and never opened") {
  sound("../outside.wav");
  const Words words = {"t.csv:10: data.path: ", "escapes the data set's root"};
  refuses(good() + "../outside.wav,x,1\n", words);
  refuses(good() + "../../etc/passwd,x,1\n", words);
  refuses(good() + "sub/../../outside.wav,x,1\n", words);
  refuses(good() + "/etc/passwd,x,1\n", words);
  fs::create_symlink("../outside.wav", path("link.wav"));
  refuses(good() + "link.wav,x,1\n", words);
  fs::create_directory_symlink("..", path("up"));
  refuses(good() + "up/outside.wav,x,1\n", words);
  refuses(good() + std::string("x\0.wav,x,1\n", 11), {"t.csv:10: data.path: ", "got \"x\\x00.wav\"", "NUL byte"});
}

TEST_CASE_METHOD(Data, "C07: text that is not UTF-8 is told with its offset; such file names open and are escaped") {
  refuses(good() + "caf\xE9.wav,x,1\n",
          {"t.csv:10: ", fmt::format("byte offset {}", good().size() + 3), "save the file as UTF-8"});
  std::string utf16 = "\xFF\xFE";
  for (const char c : good()) utf16 += {c, '\0'};
  refuses(utf16, {"t.csv:1: ", "byte offset 0", "UTF-16"});

  for (const char* name : {"by_class/caf\xE9/1\xFF.wav", "by_class/caf\xE9/2.wav", "by_class/caf\xE9/3.wav",
                           "by_class/tea/1.wav", "by_class/tea/2.wav", "by_class/tea/3.wav"}) {
    sound(name);
  }
  const Words by_class = {"data={name: audio_folder, root: " + path("by_class").string() + "}",
                          "split={by: ratio, test_ratio: 0.4}", "eval.splits=[train, test]"};
  const Outcome outcome = run_with(by_class);
  CHECK(outcome.exit == 0);
  CHECK(run_json().at("state") == "finished");
  const auto predictions =
      content_of(folder() / "run/eval/train/predictions.csv") + content_of(folder() / "run/eval/test/predictions.csv");
  CHECK(contains(predictions, "caf\\xE9/1\\xFF.wav"));
  put("by_class/tea/\xE9.wav", "no sound");
  refused(run_with(by_class), {"by_class/tea/\\xE9.wav"});
}

TEST_CASE_METHOD(Data, "C09: missing files are counted and the first 20 named in one message") {
  std::string table = good();
  for (int i = 10; i < 35; ++i) table += fmt::format("gone{}.wav,x,1\n", i);
  fs::create_symlink("loop.wav", path("loop.wav"));
  refuses(table + "loop.wav,x,1\n", {"26 of 34 files are missing: gone10.wav, ", "gone29.wav, … (first 20)"});
  refuses(good() + "loop.wav,x,1\n", {"1 of 9 files is missing: loop.wav (Too many levels of symbolic links)"});
  CHECK_FALSE(fs::exists(folder() / "run"));
}

TEST_CASE_METHOD(Data, "C10: a fold or class without samples, or one class alone, is told with the counts") {
  refused(run(good(), {"split.test=7"}), {"config.yaml", "test", "got fold 7, expected one of 1 (4 rows), 2 (4 rows)"});
  refuses(good(), {"class z has no row to train on (train 0, val 0, test 0)"}, {"data.classes=[x, y, z]"});
  refuses("path,label,fold\nx1.wav,x,1\ny1.wav,y,2\n", {"class y has no row to train on (train 0, val 0, test 1)"});
  refuses("path,label,fold\nx1.wav,x,1\nx2.wav,x,2\n", {"got 1 class (x, 2 rows), expected at least 2"});
  sound("by_class/x/1.wav");
  fs::create_directories(path("by_class/empty"));
  refused(run_with({"data={name: audio_folder, root: " + path("by_class").string() + "}", "split={by: ratio}"}),
          {"by_class/empty", "got class empty without a sound file (empty 0, x 1)"});
}

}  // namespace

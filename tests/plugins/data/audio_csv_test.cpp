#include "plugins/data/audio_files/audio_csv.h"

#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>

#include "base/hash.h"
#include "recordings.h"

namespace amae {
namespace {

namespace fs = std::filesystem;

class Csv : public Recordings {
 public:
  Csv() {
    for (const char* name : {"a.wav", "b.wav", "c.wav", "sub/d.wav"}) sound(name);
  }
  AudioCsvOptions options;

  [[nodiscard]] AudioRows open(const std::string& table) {
    options.file = text("t.csv", table);
    return AudioRows(read_audio_csv(options));
  }
  [[nodiscard]] std::vector<Problem> problems(const std::string& table) {
    return problems_of([&] { (void)open(table); });
  }
  /// The one problem, as "LINE: FIELD: MESSAGE".
  [[nodiscard]] std::string problem(const std::string& table) {
    const auto found = problems(table);
    REQUIRE(found.size() == 1);
    INFO(found[0].line());
    REQUIRE(found[0].where.starts_with(path("t.csv").string() + ":"));
    return found[0].where.substr(path("t.csv").string().size() + 1) + ": " + found[0].field + ": " + found[0].message;
  }
};

TEST_CASE_METHOD(Csv, "rows come in the table's order with sorted classes, folds and groups") {
  const auto data = open("path,label,fold,group\nb.wav,dog,2,x\na.wav,cat,1,y\nsub/d.wav,dog,1,x\n");
  CHECK(data.size() == 3);
  CHECK(data.classes() == std::vector<std::string>{"cat", "dog"});
  CHECK(data.labels().equal(at::tensor({1, 0, 1}, at::kLong)));
  CHECK(data.folds() == std::vector<int64_t>{2, 1, 1});
  const auto groups = data.groups();
  CHECK(groups[0] == groups[2]);
  CHECK(groups[0] != groups[1]);
  CHECK(data.id(2) == "sub/d.wav");
  CHECK(data.spec().shape == std::vector<int64_t>{1, 800});
  CHECK(data.spec().rate_hz == 8000);
  CHECK(data.load(0).samples.size(1) == 800);
  CHECK(data.content_hash(1) == xxh3_file(path("a.wav")));
  CHECK_FALSE(data.skips_bad_rows());
}

TEST_CASE_METHOD(Csv, "without fold, group and sections there are none") {
  const auto data = open("label,path\ndog,a.wav\ncat,b.wav\n");
  CHECK(data.folds().empty());
  CHECK(data.groups().empty());
  CHECK(data.columns().empty());
}

TEST_CASE_METHOD(Csv, "sections are cut to the frame, by rounding, and several may share a file") {
  sound("long.wav", 32'000);
  const auto data = open("path,label,start,end\nlong.wav,a,1,1.5\nlong.wav,b,2.00007,\nlong.wav,a,,0.25\na.wav,b,,\n");
  CHECK(data.load(0).samples.size(1) == 4'000);
  CHECK(first_sample(data.load(0).samples) == 8'000);
  CHECK(first_sample(data.load(1).samples) == 16'001);  // 16000.56
  CHECK(data.load(1).samples.size(1) == 15'999);
  CHECK(data.load(2).samples.size(1) == 2'000);
  CHECK(first_sample(data.load(2).samples) == 0);
  CHECK(data.load(3).samples.size(1) == 800);
  CHECK(data.spec().shape == std::vector<int64_t>{1, -1});
  CHECK(data.row_spec(0).shape == std::vector<int64_t>{1, 4'000});
  CHECK(data.row_spec(3).shape == std::vector<int64_t>{1, 800});
  CHECK(data.id(0) == "long.wav#t=1,1.5");
  CHECK(data.id(1) == "long.wav#t=2.00007");
  CHECK(data.id(3) == "a.wav");
  CHECK(data.content_hash(0) != data.content_hash(1));
  // No group in the table: a recording is its own, so that its sections do not part unseen.
  const auto groups = data.groups();
  CHECK(groups[0] == groups[1]);
  CHECK(groups[0] != groups[3]);
}

TEST_CASE_METHOD(Csv, "a section may end 10 ms behind the file, where tables round, and no later") {
  const auto data = open("path,label,start,end\na.wav,a,0.05,0.11\nb.wav,b,,\n");  // the file has 0.1 s
  CHECK(data.load(0).samples.size(1) == 400);
  CHECK(problem("path,label,start,end\na.wav,a,0.05,0.12\nb.wav,b,,\n") == "2: end: got 0.12 s, but a.wav has 0.1 s");
  CHECK_SAYS(problem("path,label,start,end\nb.wav,b,,\na.wav,a,0.1,\n"),
             "3: start: got 0.1 s, where no frame of a.wav");
  CHECK_SAYS(problem("path,label,start,end\nb.wav,b,,\na.wav,a,-1,\n"), "3: start: got -1 to inf s");
  CHECK_SAYS(problem("path,label,start,end\nb.wav,b,,\na.wav,a,0.05,0.05\n"), "3: end: got 0.05 to 0.05 s");
  CHECK_SAYS(problem("path,label,start,end\nb.wav,b,,\na.wav,a,x,\n"), "3: start: got \"x\", expected seconds");
  CHECK_SAYS(problem("path,label,start,end\nb.wav,b,,\na.wav,a,nan,\n"), "3: start: got \"nan\", expected seconds");
}

TEST_CASE_METHOD(Csv, "several labels a row become a multi-hot matrix; a row may have none") {
  options.label_separator = ";";
  const auto data = open("path,label\na.wav,dog; cat\nb.wav,\nc.wav,cat\n");
  CHECK(data.classes() == std::vector<std::string>{"cat", "dog"});
  CHECK(data.labels().equal(at::tensor({1.0F, 1.0F, 0.0F, 0.0F, 1.0F, 0.0F}).view({3, 2})));
  CHECK_SAYS(problem("path,label\na.wav,dog;;cat\n"), "2: label: got an empty label");
}

TEST_CASE_METHOD(Csv, "columns may have other names; one that is named must be there") {
  options.path = "file", options.label = "species", options.fold = "part";
  const auto data = open("species,file,part\ndog,a.wav,3\ncat,b.wav,4\n");
  CHECK(data.folds() == std::vector<int64_t>{3, 4});
  CHECK_SAYS(problem("species,file\ndog,a.wav\n"), "1: part: got no such column, expected one of species, file");
  CHECK_SAYS(problem("spezies,file,part\ndog,a.wav,1\n"), "1: species: got no such column");
  CHECK_SAYS(problem("spezies,file,part\ndog,a.wav,1\n"), "did you mean spezies?");
  options.label = "", options.fold = "";
  const auto bare = open("species,file,fold\ndog,a.wav,x\n");
  CHECK_FALSE(bare.labels().defined());
  CHECK(bare.classes().empty());
  CHECK(bare.folds().empty());
}

TEST_CASE_METHOD(Csv, "numeric columns are kept where they are asked for") {
  options.columns = {"snr", "gain"};
  const auto data = open("path,label,gain,snr\na.wav,x,0.5,-10\nb.wav,y,1e1,20\n");
  CHECK(data.columns().at("snr") == std::vector<double>{-10, 20});
  CHECK(data.columns().at("gain") == std::vector<double>{0.5, 10});
  CHECK(problem("path,label,gain,snr\na.wav,x,0.5,loud\n") == "2: snr: got \"loud\", expected a number");
  CHECK_SAYS(problem("path,label,gain\na.wav,x,0.5\n"), "1: snr: got no such column");
}

TEST_CASE_METHOD(Csv, "classes may be fixed; a label that is none is told with the nearest") {
  options.classes = {"dog", "cat", "bird"};
  const auto data = open("path,label\na.wav,cat\nb.wav,dog\n");
  CHECK(data.classes() == options.classes);
  CHECK(data.labels().equal(at::tensor({1, 0}, at::kLong)));
  CHECK(problem("path,label\na.wav,cat\nb.wav,dogg\n") ==
        "3: label: got \"dogg\", expected one of the 3 classes; did you mean dog?");
  CHECK(problem("path,label\na.wav,cat\nb.wav,\n") == "3: label: got an empty label, expected the name of a class");
  options.classes = {"dog", "dog"};
  CHECK(problems("path,label\na.wav,dog\n").at(0).field == "classes");
}

TEST_CASE_METHOD(Csv, "labels may be numbers, which stay within the classes") {
  options.labels = "numbers";
  CHECK(open("path,label\na.wav,2\nb.wav,0\n").classes() == std::vector<std::string>{"0", "1", "2"});
  options.classes = {"dog", "cat"};
  const auto data = open("path,label\na.wav,1\nb.wav,0\n");
  CHECK(data.classes() == options.classes);
  CHECK(data.labels().equal(at::tensor({1, 0}, at::kLong)));
  for (const char* bad : {"-1", "2", "1e3", "99999999999", "99999999999999999999", "dog", "1.0"}) {
    CHECK(problem("path,label\na.wav,1\nb.wav," + std::string(bad) + "\n") ==
          "3: label: got \"" + std::string(bad) + "\", expected a whole number from 0 to 1");
  }
}

TEST_CASE_METHOD(Csv, "a fold that is no whole number is refused with its line") {
  CHECK(problem("path,label,fold\na.wav,x,1\nb.wav,y,train\n") == "3: fold: got \"train\", expected a whole number");
  CHECK(problem("path,label,fold\na.wav,x,1\nb.wav,y,\n") == "3: fold: got \"\", expected a whole number");
}

TEST_CASE_METHOD(Csv, "rows that stand twice are told with both lines and folds, also through ./ and links") {
  const std::string start = "path,label,fold\na.wav,x,1\n";
  CHECK_SAYS(problem(start + "a.wav,x,1\n"), "3: path: a.wav stands on line 2 already (fold 1 there, 1 here)");
  CHECK_SAYS(problem(start + "./a.wav,x,2\n"), "3: path: a.wav stands on line 2 already (fold 1 there, 2 here)");
  CHECK_SAYS(problem(start + "sub/..//a.wav,x,2\n"), "3: path: a.wav stands on line 2 already");
  fs::create_symlink("../a.wav", path("sub/link.wav"));
  CHECK_SAYS(
      problem(start + "sub/link.wav,x,2\n"),
      "3: path: sub/link.wav stands on line 2 already under another name of the same file (fold 1 there, 2 here)");
  fs::create_symlink("sub", path("also"));
  CHECK_SAYS(problem(start + "sub/d.wav,x,1\nalso/d.wav,x,1\n"), "4: path: also/d.wav stands on line 3 already");
}

TEST_CASE_METHOD(Csv, "folds that share sound are told; sections that lie apart, or overlap within a fold, are not") {
  sound("long.wav", 32'000);
  const std::string start = "path,label,fold,start,end\na.wav,x,9,,\n";
  CHECK(open(start + "long.wav,x,1,0,1\nlong.wav,x,1,0.5,1.5\nlong.wav,x,2,1.5,2\n").size() == 4);
  CHECK_SAYS(problem(start + "long.wav,x,1,0,1.6\nlong.wav,x,2,1.5,2\n"),
             "4: path: long.wav#t=1.5,2 overlaps with what stands on line 3 already (fold 1 there, 2 here)");
  // The rival is not the row before, and not the one that reaches furthest.
  CHECK_SAYS(problem(start + "long.wav,x,1,0,3\nlong.wav,x,1,0.2,0.3\nlong.wav,x,2,2,2.5\n"),
             "5: path: long.wav#t=2,2.5 overlaps with what stands on line 3");
  const auto found = problems(start + "long.wav,x,1,0,2\nlong.wav,x,2,1,4\nlong.wav,x,2,1.5,3\n");
  REQUIRE(found.size() == 2);
  CHECK(says(found[1], "on line 3 already (fold 1 there, 2 here)"));
  CHECK_SAYS(problem(start + "long.wav,x,1,0,1\nlong.wav,x,1,0,1\n"),
             "4: path: long.wav#t=0,1 stands on line 3 already");
  // A whole file against its section.
  CHECK_SAYS(problem(start + "a.wav,x,1,0.05,\n"), "3: path: a.wav#t=0.05 overlaps with what stands on line 2");
}

TEST_CASE_METHOD(Csv, "a name that leads out of the root is refused before anything is opened") {
  sound("../outside.wav");
  const std::string start = "path,label\na.wav,x\n";
  CHECK_SAYS(problem(start + "../outside.wav,x\n"), "3: path: got ../outside.wav, which escapes the data set's root");
  CHECK_SAYS(problem(start + "sub/../../outside.wav,x\n"), "which escapes");
  CHECK_SAYS(problem(start + path("a.wav").string() + ",x\n"), "which escapes");
  CHECK_SAYS(problem(start + std::string("b\0.wav,x\n", 9)), "got \"b\\x00.wav\", which has a NUL byte in it");
  CHECK_SAYS(problem(start + ",x\n"), "3: path: got \"\", expected a file name");
  CHECK_SAYS(problem(start + std::string(5'000, 'a') + ",x\n"), "got a name of 5000 bytes");
  fs::create_symlink("../outside.wav", path("link.wav"));
  CHECK_SAYS(problem(start + "link.wav,x\n"), "3: path: link.wav is a link that escapes the data set's root");
  fs::create_symlink("..", path("up"));
  CHECK_SAYS(problem(start + "up/outside.wav,x\n"), "3: path: up/outside.wav is a link that escapes");
  // Not even skipping makes it good.
  options.on_bad_sample = "skip";
  CHECK_SAYS(problem(start + "up/outside.wav,x\n"), "escapes");
}

TEST_CASE_METHOD(Csv, "the root may be another folder than the table's") {
  options.root = path("sub").string();
  CHECK(open("path,label\nd.wav,x\n").id(0) == "d.wav");
  CHECK_SAYS(problem("path,label\n../a.wav,x\n"), "escapes");
  options.root = path("nowhere").string();
  CHECK(problems("path,label\nd.wav,x\n").at(0).field == "root");
}

TEST_CASE_METHOD(Csv, "missing files are counted, the first 20 named, in one problem before all others") {
  std::string table = "path,label\na.wav,x\n";
  for (int i = 10; i < 40; ++i) table += "gone" + std::to_string(i) + ".wav,x\n";
  text("b.wav", "no sound");
  const auto found = problems(table + "b.wav,x\nloop.wav,x\n");
  REQUIRE(found.size() == 2);
  CHECK(says(found[0], "31 of 33 files are missing: gone10.wav,"));
  CHECK(says(found[0], "gone29.wav, … (first 20)"));
  CHECK_FALSE(says(found[0], "gone30"));
  CHECK(says(found[1], "b.wav"));
  fs::create_symlink("loop.wav", path("loop.wav"));
  const auto loop = problems("path,label\na.wav,x\nloop.wav,x\n");
  REQUIRE(loop.size() == 1);
  CHECK(says(loop[0], "1 of 2 files is missing: loop.wav (Too many levels of symbolic links)"));
}

TEST_CASE_METHOD(Csv, "only regular files are sound") {
  REQUIRE(::mkfifo(path("pipe.wav").c_str(), 0666) == 0);
  const auto found = problems("path,label\na.wav,x\npipe.wav,x\nsub,x\n");
  REQUIRE(found.size() == 2);
  CHECK(says(found[0], "got a pipe, expected a regular file"));
  CHECK(says(found[1], "got a folder, expected a regular file"));
}

TEST_CASE_METHOD(Csv, "skip leaves missing files, files that are no sound and sections outside to load()") {
  options.on_bad_sample = "skip";
  text("bad.wav", "this is no sound");
  const auto data =
      open("path,label,start,end\na.wav,x,,\ngone.wav,x,,\nbad.wav,y,,\nb.wav,y,1,2\nb.wav,y,0.01,0.02\n");
  CHECK(data.size() == 5);
  CHECK(data.skips_bad_rows());
  CHECK(data.load(0).samples.size(1) == 800);
  CHECK_THROWS_AS(data.load(1), InputError);
  CHECK_THROWS_AS(data.row_spec(2), InputError);
  CHECK(contains(problems_of([&] { (void)data.load(2); }).at(0).line(), "bad.wav"));
  CHECK(contains(problems_of([&] { (void)data.load(3); }).at(0).line(), "t.csv:5: end: got 2 s, but b.wav has 0.1 s"));
  CHECK_THROWS_AS(data.content_hash(1), InputError);
  CHECK(data.spec().rate_hz == 8000);  // of those that can be read
  const auto all_bad = problems("path,label\ngone.wav,x\n");
  REQUIRE(all_bad.size() == 1);
  CHECK(says(all_bad[0], "1 of 1 files is missing"));
  CHECK(says(problems("path,label\nbad.wav,x\n").at(0), "so with all files"));
}

TEST_CASE_METHOD(Csv, "blanks, quotes, BOM and line ends change no row") {
  const auto hash_of = [&](const std::string& table) {
    const auto data = open(table);
    std::string all;
    for (int64_t row = 0; row < data.size(); ++row) {
      all +=
          data.id(row) + " " + data.content_hash(row) + " " + data.classes()[data.labels()[row].item<int64_t>()] + "\n";
    }
    return all;
  };
  const std::string clean = hash_of("path,label\na.wav,x\nb.wav,y\n");
  for (const char* same : {"\xEF\xBB\xBFpath,label\r\na.wav,x\r\nb.wav,y\r\n", "path,label\ra.wav,x\rb.wav,y\r",
                           "path,label\na.wav,x\nb.wav,y", " path,label \n a.wav,x \nb.wav , y\n\n  \n",
                           "\"path\",\"label\"\n\"a.wav\",\"x\"\nb.wav,\"y\"\n"}) {
    INFO(same);
    CHECK(hash_of(same) == clean);
  }
}

TEST_CASE_METHOD(Csv, "an empty table, more than twenty problems") {
  CHECK(problems("path,label\n").at(0).message == "got no row, expected at least one");
  std::string table = "path,label\n";
  for (int i = 0; i < 25; ++i) table += "/abs" + std::to_string(i) + ",x\n";
  const auto found = problems(table);
  REQUIRE(found.size() == 21);
  CHECK(says(found.back(), "and 5 more problems"));
}

}  // namespace
}  // namespace amae

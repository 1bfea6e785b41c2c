#include "plugins/data/audio_files/audio_folder.h"

#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>

#include "recordings.h"

namespace amae {
namespace {

namespace fs = std::filesystem;

class Folder : public Recordings {
 public:
  Folder() {
    sound("dog/b.wav");
    sound("dog/deep/er/a.WAV");
    sound("cat/z.flac");  // a WAV: the content decides
  }
  AudioFolderOptions options;

  [[nodiscard]] AudioRows open() {
    options.root = root().string();
    return AudioRows(read_audio_folder(options));
  }
  [[nodiscard]] std::vector<Problem> problems() {
    return problems_of([&] { (void)open(); });
  }
};

TEST_CASE_METHOD(Folder, "every class folder is walked; rows come sorted, hidden and other files are ignored") {
  sound(".hidden/x.wav");
  sound("dog/.trash/x.wav");
  sound("cat/.x.wav");
  text("dog/notes.txt", "no sound");
  text("README.md", "no class");
  const auto data = open();
  REQUIRE(data.size() == 3);
  CHECK(data.id(0) == "cat/z.flac");
  CHECK(data.id(1) == "dog/b.wav");
  CHECK(data.id(2) == "dog/deep/er/a.WAV");
  CHECK(data.classes() == std::vector<std::string>{"cat", "dog"});
  CHECK(data.labels().equal(at::tensor({0, 1, 1}, at::kLong)));
  CHECK(data.folds().empty());
  CHECK(data.load(0).samples.size(1) == 800);
}

TEST_CASE_METHOD(Folder, "classes may be chosen and ordered, endings too") {
  fs::create_directories(path("empty"));
  sound("dog/c.sound");
  options.classes = {"dog", "cat"};
  options.extensions = {"Sound", "FLAC"};
  const auto data = open();
  CHECK(data.size() == 2);
  CHECK(data.classes() == options.classes);
  CHECK(data.labels().equal(at::tensor({1, 0}, at::kLong)));
  options.classes = {"dog", "cow"};
  CHECK(says(problems().at(0), "classes: got cow, which is no folder there"));
}

TEST_CASE_METHOD(Folder, "a class without a sound is told with the counts of all") {
  fs::create_directories(path("cow"));
  text("cow/notes.txt", "no sound");
  const auto found = problems();
  REQUIRE(found.size() == 1);
  CHECK(found[0].where == path("cow").string());
  CHECK(says(found[0], "got class cow without a sound file (cat 1, cow 0, dog 2)"));
}

TEST_CASE_METHOD(Folder, "a root that is none or empty, and sounds beside the class folders, are refused") {
  sound("lost.wav");
  CHECK(says(problems().at(0), "got 1 sound file beside the class folders (lost.wav)"));
  fs::remove_all(root());
  CHECK(says(problems().at(0), "root: got "));
  fs::create_directories(root());
  CHECK(says(problems().at(0), "got no folder in it"));
}

TEST_CASE_METHOD(Folder, "names that are no UTF-8 open, and are escaped where they are shown") {
  sound("dog/caf\xE9.wav");
  sound(
      "m\xFC"
      "cke/x.wav");
  const auto data = open();
  CHECK(data.id(2) == "dog/caf\\xE9.wav");
  CHECK(data.load(2).samples.size(1) == 800);
  CHECK(data.classes().back() == "m\\xFCcke");
  text("dog/bad\xE9.wav", "no sound");
  CHECK(says(problems().at(0), "bad\\xE9.wav"));
}

TEST_CASE_METHOD(Folder, "links to folders, links out of the root, loops and pipes are refused, none hangs") {
  sound("../outside.wav");
  fs::create_symlink("dog", path("hound"));
  fs::create_symlink("..", path("dog/up"));
  CHECK(problems().size() == 2);
  CHECK(says(problems().at(0), "got a link to a folder"));
  fs::remove(path("hound"));
  fs::remove(path("dog/up"));
  fs::create_symlink("../../outside.wav", path("dog/out.wav"));
  fs::create_symlink("loop.wav", path("dog/loop.wav"));
  fs::create_symlink("b.wav", path("dog/same.wav"));
  REQUIRE(::mkfifo(path("cat/pipe.wav").c_str(), 0666) == 0);
  const auto found = problems();
  REQUIRE(found.size() == 4);
  CHECK(says(found[0], "1 of 7 files is missing: dog/loop.wav (Too many levels of symbolic links)"));
  CHECK(says(found[1], "dog/out.wav is a link that escapes"));
  CHECK(says(found[2], "got a pipe"));
  CHECK(says(found[3], "dog/same.wav stands as dog/b.wav already under another name of the same file"));
}

TEST_CASE_METHOD(Folder, "skip leaves a file that is no sound to load()") {
  text("dog/bad.wav", "no sound");
  CHECK(says(problems().at(0), "dog/bad.wav"));
  options.on_bad_sample = "skip";
  const auto data = open();
  CHECK(data.size() == 4);
  CHECK(data.id(2) == "dog/bad.wav");
  CHECK_THROWS_AS(data.load(2), InputError);
}

}  // namespace
}  // namespace amae

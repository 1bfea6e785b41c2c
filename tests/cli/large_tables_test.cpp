// Row C08 of the reliability plan, and what a million rows cost: large tables through the real program. Times are
// printed; memory is judged.
#include <fmt/format.h>

#include <utility>

#include "base/file.h"
#include "tests/cli/program.h"
#include "tests/io/sound_bytes.h"
#include "tests/problems.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

/// A table of sections of a few recordings, and a run that opens it and then stops: no row is in the fold asked for.
class LargeTable {
 public:
  LargeTable() {
    std::ofstream(folder_.path() / "config.yaml") << "data: {name: audio_csv, file: t.csv}\n"
                                                     "split: {by: fold, test: 99}\n"
                                                     "model: {name: resnet}\n";
  }
  [[nodiscard]] fs::path path(const std::string& name) const { return folder_.path() / name; }

  void write_rows(int64_t rows, int64_t files) const {
    for (int64_t i = 0; i < files; ++i) {
      std::ofstream(path(fmt::format("recording_{:04}.wav", i)), std::ios::binary)
          << sounds::wav(1, 1, 1'000, 16, std::string(40'000, '\1'));
    }
    std::ofstream table(path("t.csv"));
    table << "path,label,fold,start,end\n";
    std::string block;
    for (int64_t row = 0; row < rows; ++row) {
      const double start = 0.001 * static_cast<double>(row / files % 10'000) + 1e-7 * static_cast<double>(row / 10'000);
      fmt::format_to(std::back_inserter(block), "recording_{:04}.wav,class {},{},{:.7f},{:.7f}\n", row % files,
                     row % 10, row % files % 5, start, start + 1);
      if (block.size() > 1'000'000) table << std::exchange(block, "");
    }
    table << block;
  }

  [[nodiscard]] Outcome open(const std::string& what) const {
    fs::remove_all(path("run"));
    const Outcome outcome =
        run_amae({"run", path("config.yaml"), "--quiet", "--out", path("run")}, folder_.path(), 120);
    fmt::print("{}: {:.2f} s, {:.0f} MiB at most\n", what, outcome.seconds, outcome.peak_mib);
    UNSCOPED_INFO(outcome.err);
    CHECK(outcome.exit == 2);
    return outcome;
  }

  /// What the program needs for a table of ten rows.
  [[nodiscard]] double usual_mib() const {
    write_rows(10, 10);
    return open("ten rows").peak_mib;
  }

 private:
  TemporaryFolder folder_;
};

// 32 bytes a row stay, 8 more are needed while it is checked. All in all the program then holds some 200 MiB, of which
// LibTorch and the plugins are 160.
TEST_CASE_METHOD(LargeTable, "a million rows open in less than 64 MiB beside what the program needs anyway") {
  const double usual = usual_mib();
  write_rows(1'000'000, 1'000);
  const Outcome outcome = open("a million rows over 1,000 files");
  CHECK(contains(outcome.err, "got fold 99, expected one of 0 (200000 rows), 1 (200000 rows)"));
  fmt::print("a million rows: {:.0f} MiB more than ten\n", outcome.peak_mib - usual);
  CHECK(outcome.peak_mib - usual < 64);
}

TEST_CASE_METHOD(LargeTable, "C08: ten million rows open, with memory for their columns alone") {
  const double usual = usual_mib();
  write_rows(10'000'000, 100);
  const Outcome outcome = open("ten million rows");
  CHECK(contains(outcome.err, "got fold 99, expected one of 0 (2000000 rows)"));
  // 40 bytes a row stay (file, line, start, end, fold, label); 30 more are needed while it is checked and split.
  CHECK(outcome.peak_mib - usual < 10e6 * 100 / (1 << 20));
}

TEST_CASE_METHOD(LargeTable,
                 "C08: a field of 1 GB, and 2 GB without a newline, are refused in the memory of a few MiB") {
  const double usual = usual_mib();
  const auto refused = [&](const std::string& what, const std::string& start, uint64_t size, const std::string& where) {
    std::ofstream(path("t.csv")) << start;
    fs::resize_file(path("t.csv"), size);  // NULs, which are text; no disk is needed for them
    const Outcome outcome = open(what);
    CHECK(contains(outcome.err, where + ": data: got a field over 1 MiB"));
    CHECK(outcome.peak_mib - usual < 16);
  };
  refused("one field of 1 GB", "path,label\nrecording_0000.wav,x\n\"", uint64_t{1} << 30U, "t.csv:3");
  refused("no newline in 2 GB", "path", uint64_t{1} << 31U, "t.csv:1");
}

}  // namespace

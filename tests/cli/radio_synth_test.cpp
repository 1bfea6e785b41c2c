// `amae data synth` as its users meet it.
#include "base/file.h"
#include "tests/cli/program.h"
#include "tests/problems.h"

using namespace amae;
namespace fs = std::filesystem;

TEST_CASE("amae data synth radioml writes a pickle that amae reads") {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "synth.pkl";
  const Outcome made =
      run_amae({"data", "synth", "radioml", "--out", file, "frames_per_cell=2", "snr=[0, 10]"}, folder.path());
  INFO(made.err);
  CHECK(made.exit == 0);
  CHECK(contains(made.out, "synth.pkl: 44 frames in 22 pairs of modulation and SNR"));
  const Outcome read = run_amae({"data", "info", "radioml", "file=" + file}, folder.path());
  INFO(read.err);
  CHECK(read.exit == 0);
  CHECK(contains(read.out, "QAM64"));
}

TEST_CASE("amae data synth says what is wrong") {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "no.pkl";
  const auto run = [&](std::vector<std::string> words) {
    std::vector<std::string> all = {"data", "synth"};
    all.insert(all.end(), words.begin(), words.end());
    return run_amae(all, folder.path());
  };
  CHECK(run({"radioml", "--out", file, "--from", "synthetic_sounds", "clips_per_class=1"}).exit == 2);
  CHECK(contains(run({"radioml", "--out", file, "classes=[QPSX]"}).err, "did you mean QPSK?"));
  CHECK(contains(run({"radioml", "--out", file, "snr=[0.5]", "frames_per_cell=1"}).err, "expected whole decibels"));
  CHECK(run({"radiomk", "--out", file}).exit == 2);
  CHECK(run({"radioml"}).exit == 2);
  CHECK_FALSE(fs::exists(file));
}

#include "io/signal_file.h"

#include <torch/types.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <limits>

#include "base/file.h"
#include "base/memory_file.h"
#include "io/audio.h"
#include "io/npy.h"
#include "tests/problems.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

const std::string kRecordings = AMAE_TEST_DATA "/sigmf/plain/";

std::string refused_signal(const fs::path& path) {
  const auto found = problems_of([&] { static_cast<void>(SignalFile(path).read()); });
  return found.empty() ? "" : found.front().line();
}

}  // namespace

TEST_CASE("sound is what its bytes say, under any name and from memory") {
  const TemporaryFolder folder;
  const torch::Tensor samples = torch::rand({2, 100}) - 0.5;
  write_wav(folder.path() / "sound.dat", samples, 8000);
  const SignalFile file(folder.path() / "sound.dat");
  CHECK(file.format() == "WAV");
  CHECK(file.spec().domain == Domain::audio);
  CHECK(file.spec().shape == std::vector<int64_t>{2, 100});
  CHECK(file.spec().rate_hz == 8000);
  const MemoryFile memory(read_file(folder.path() / "sound.dat"));
  CHECK(torch::equal(SignalFile(memory.path()).read().samples, read_audio(folder.path() / "sound.dat").samples));
  CHECK(torch::equal(file.read(10, 20).samples, file.read().samples.slice(1, 10, 30)));
}

TEST_CASE("an array of two rows is IQ of unknown rate, and any section of it can be read") {
  const TemporaryFolder folder;
  const torch::Tensor samples = torch::randn({2, 64});
  write_npy(folder.path() / "iq.npy", samples);
  const SignalFile file(folder.path() / "iq.npy");
  CHECK(file.format() == "NPY");
  CHECK(file.spec().domain == Domain::iq);
  CHECK(file.spec().rate_hz == 0);
  CHECK(torch::equal(file.read().samples, samples));
  CHECK(torch::equal(file.read(5, 7).samples, samples.slice(1, 5, 12)));
  write_npy(folder.path() / "wide.npy", torch::randn({3, 64}));
  CHECK(contains(refused_signal(folder.path() / "wide.npy"), "expected IQ: complex [N] or real [2, N]"));
  samples[1][3] = std::numeric_limits<float>::infinity();
  write_npy(folder.path() / "infinite.npy", samples);
  CHECK(contains(refused_signal(folder.path() / "infinite.npy"), "not finite"));
}

TEST_CASE("a SigMF recording is one signal: as metadata beside its samples, as two files of any names") {
  std::string meta;
  for (const auto& entry : fs::directory_iterator(kRecordings)) {
    if (entry.path().extension() == ".sigmf-meta" &&
        fs::exists(fs::path(entry.path()).replace_extension(".sigmf-data"))) {
      try {
        if (SignalFile(entry.path()).spec().domain == Domain::iq) meta = entry.path().string();
      } catch (const InputError&) {  // those that are there to be refused
      }
    }
  }
  REQUIRE_FALSE(meta.empty());
  const Signal beside = SignalFile(meta).read();
  const MemoryFile first(read_file(meta)), second(read_file(fs::path(meta).replace_extension(".sigmf-data")));
  const SignalFile pair(first.path(), second.path());
  CHECK(pair.format() == "SIGMF");
  CHECK(pair.spec().rate_hz == beside.rate_hz);
  CHECK(torch::equal(pair.read().samples, beside.samples));
}

TEST_CASE("what is no signal is refused by the format's code") {
  const TemporaryFolder folder;
  write_file(folder.path() / "text.wav", "this is a text");
  CHECK(refused_signal(folder.path() / "text.wav").starts_with("error[AUDIO]"));
  write_file(folder.path() / "object", "{\"not\": \"sigmf\"}");
  CHECK(refused_signal(folder.path() / "object").starts_with("error[SIGMF]"));
  CHECK(contains(refused_signal(folder.path() / "nowhere"), "nowhere"));
}

// background, and the folder of recordings behind it and reverb.
#include "transforms/environment/background.h"

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numbers>
#include <set>
#include <string>
#include <thread>

#include "base/file.h"
#include "io/audio.h"
#include "testing.h"
#include "tests/problems.h"

namespace amae {
namespace {

namespace fs = std::filesystem;
using testing::applied;
using testing::batch_of;
using testing::refused_field;

constexpr double kFolderRate = 8000;
constexpr int64_t kMuch = int64_t{1} << 30;

/// A folder that recordings are put into.
class Recordings {
 public:
  [[nodiscard]] std::string path() const { return folder_.path().string(); }
  [[nodiscard]] fs::path file(const std::string& name) const { return folder_.path() / name; }
  void add(const std::string& name, const at::Tensor& samples, double rate_hz = kFolderRate) const {
    fs::create_directories(file(name).parent_path());
    write_wav(file(name), samples, rate_hz);
  }
  void add_noise(const std::string& name, int64_t length, uint64_t seed) const {
    add(name, testing::noise({1, length}, seed) * 0.1);
  }
  [[nodiscard]] BackgroundOptions always(double snr_db = 10) const {
    return {.folder = path(), .snr_db = {snr_db, snr_db}, .p = 1};
  }

 private:
  TemporaryFolder folder_;
};

double decibels(const at::Tensor& x, const at::Tensor& n) {
  return 10 * std::log10((x.square().mean() / n.square().mean()).item<double>());
}

TEST_CASE("background adds one piece of one recording to each item, at a ratio of its range") {
  const Recordings folder;
  for (int64_t k = 0; k < 3; ++k) folder.add_noise(std::to_string(k) + ".wav", 300, static_cast<uint64_t>(50 + k));
  const at::Tensor x = testing::noise({60, 2, 200});
  const Background transform({.folder = folder.path(), .snr_db = {-5, 15}, .p = 1});
  const at::Tensor added = applied(transform, batch_of(x, kFolderRate)).x - x;
  std::set<int64_t> recordings, starts;
  double lowest = 99, highest = -99;
  for (int64_t i = 0; i < 60; ++i) {
    CHECK(testing::relative_error(added[i][0], added[i][1]) < 1e-4);  // rounding of x + n - x
    int64_t matches = 0;
    for (int64_t k = 0; k < 3; ++k) {
      const at::Tensor sound = read_audio(folder.file(std::to_string(k) + ".wav")).samples[0];
      const at::Tensor pieces = sound.unfold(0, 200, 1);  // [101, 200]
      const at::Tensor unit = added[i][0] / added[i][0].norm();
      const at::Tensor likeness = pieces.matmul(unit) / pieces.square().sum(1).sqrt();
      if (likeness.max().item<double>() < 0.9999) continue;  // unrelated noises reach 0.3
      ++matches;
      recordings.insert(k);
      starts.insert(likeness.argmax().item<int64_t>());
    }
    CHECK(matches == 1);
    const double snr_db = decibels(x[i], added[i]);
    lowest = std::min(lowest, snr_db);
    highest = std::max(highest, snr_db);
  }
  CHECK(recordings.size() == 3);
  CHECK(starts.size() > 30);  // 60 draws from 101 places hit 45 on average
  // The ratio is exact but for float32 rounding; 60 draws leave an outer fifth of the range empty with probability
  // 1e-6.
  CHECK(lowest > -5.01);
  CHECK(highest < 15.01);
  CHECK(lowest < -1);
  CHECK(highest > 11);
}

TEST_CASE("background repeats a recording that is shorter than the item") {
  const Recordings folder;
  folder.add_noise("short.wav", 50, 3);
  const at::Tensor x = testing::noise({1, 1, 200});
  const at::Tensor added = (applied(Background(folder.always()), batch_of(x, kFolderRate)).x - x)[0][0];
  CHECK(testing::relative_error(added.slice(0, 50), added.slice(0, 0, 150)) < 1e-4);  // rounding of x + n - x
  CHECK(std::abs(decibels(x, added) - 10) < 0.01);
}

TEST_CASE("background brings recordings to the rate that arrives") {
  const Recordings folder;
  const at::Tensor time = at::arange(88200, at::kFloat) / 44100;
  folder.add("tone.wav", (time * (2 * std::numbers::pi * 1000)).sin().view({1, -1}) * 0.5, 44100);
  at::Tensor x = testing::noise({1, 1, 8000});
  const at::Tensor added = (applied(Background(folder.always()), batch_of(x, 8000)).x - x)[0][0];
  const at::Tensor spectrum = at::fft_rfft(added).abs().square();
  CHECK(spectrum.argmax().item<int64_t>() == 1000);  // one bin per hertz
  // A piece inside the tone, whole periods of it: what lies beside the bin is the resampler's ripple and rounding.
  CHECK(spectrum.max().item<double>() > 0.999 * spectrum.sum().item<double>());
}

TEST_CASE("a recording's channels are averaged") {
  const Recordings folder;
  const at::Tensor a = testing::noise({1, 300}) * 0.1;
  folder.add("stereo.wav", at::cat({a, -a}));  // the mean of the two is silence
  const at::Tensor x = testing::noise({1, 1, 200});
  CHECK((applied(Background(folder.always()), batch_of(x, kFolderRate)).x - x).abs().max().item<double>() < 1e-3);
}

TEST_CASE("silent items and silent recordings change nothing") {
  const Recordings noisy, silent;
  noisy.add_noise("a.wav", 300, 1);
  silent.add("a.wav", at::zeros({1, 300}));
  const at::Tensor nothing = at::zeros({2, 1, 100}), x = testing::noise({2, 1, 100});
  CHECK(at::equal(applied(Background(noisy.always()), batch_of(nothing, kFolderRate)).x, nothing));
  CHECK(at::equal(applied(Background(silent.always()), batch_of(x, kFolderRate)).x, x));
}

TEST_CASE("background does not depend on the order in which files were written") {
  const Recordings one, other;
  const std::vector<std::string> names = {"b.wav", "a.wav", "sub/c.WAV", "d.wav"};
  for (size_t i = 0; i < 4; ++i) one.add_noise(names[i], 300, i);
  for (size_t i = 4; i-- > 0;) other.add_noise(names[i], 300, i);
  write_file(one.file("notes.txt"), "files with other names are left alone");
  const Batch batch = batch_of(testing::noise({20, 1, 100}), kFolderRate);
  CHECK(at::equal(applied(Background(one.always()), batch).x, applied(Background(other.always()), batch).x));
  CHECK(SoundFolder(one.path(), Downmix::mean, kMuch).size() == 4);
}

TEST_CASE("background names a folder that is missing, empty or holds what is no sound") {
  const Spec input{Domain::audio, {1, 100}, kFolderRate};
  const auto problem = [&](const BackgroundOptions& options) {
    const auto problems = problems_of([&] { (void)Background(options).output(input, Mode::train); });
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].code == "TRANSFORM-FOLDER");
    CHECK(problems[0].field == "folder");
    return problems[0].message;
  };
  const Recordings folder;
  CHECK(contains(problem({.folder = folder.path() + "/none"}), "/none: No such file or directory"));
  CHECK(contains(problem(folder.always()), "without any .wav, .flac or .ogg file"));
  folder.add_noise("good.wav", 100, 1);
  CHECK(contains(problem({.folder = folder.path() + "/good.wav"}), "Not a directory"));
  write_file(folder.file("bad1.wav"), "text");
  write_file(folder.file("bad2.ogg"), "text");
  CHECK(contains(problem(folder.always()), "bad1.wav: got a file that starts with \"text\""));
  CHECK(contains(problem(folder.always()), "(and 1 more such files)"));
}

TEST_CASE("a trained model is evaluated without the folder") {
  const Background transform({.folder = "/nonexistent/backgrounds"});
  CHECK(transform.output({Domain::audio, {1, 100}, kFolderRate}, Mode::eval).shape.back() == 100);
  Batch batch = batch_of(testing::noise({2, 1, 100}), kFolderRate);
  const at::Tensor x = batch.x;
  transform.apply_eval(batch, 0, 1);
  CHECK(batch.x.is_same(x));
}

TEST_CASE("background refuses unknown rates, rates without a filter, other domains and reversed ranges") {
  const Recordings folder;
  folder.add_noise("a.wav", 300, 1);
  const Background transform(folder.always());
  const auto output = [&](const Spec& input) {
    return refused_field([&] { (void)transform.output(input, Mode::train); });
  };
  CHECK(output({Domain::audio, {1, -1}, 0}).empty());  // may vary from item to item
  CHECK(refused_field([&] { applied(transform, batch_of(testing::noise({1, 1, 9}), 0)); }) == "input");
  CHECK(refused_field([&] { applied(transform, batch_of(testing::noise({1, 1, 9}), 8000.5)); }) == "input");
  CHECK(output({Domain::audio, {1, 9}, 999999937}) == "folder");  // prime: the filter from 8 kHz would be huge
  CHECK(output({Domain::iq, {2, 9}, kFolderRate}) == "input");
  CHECK(refused_field([] { BackgroundOptions{.folder = "x", .snr_db = {20, 10}}.check(); }) == "snr_db");
}

TEST_CASE("the memory of a folder is bounded and changes no number") {
  const Recordings recordings;
  for (int64_t k = 0; k < 4; ++k) recordings.add_noise(std::to_string(k) + ".wav", 1000, static_cast<uint64_t>(k));
  const SoundFolder folder(recordings.path(), Downmix::mean, 2 * 1000 * sizeof(float));  // two of the four
  const Samples first = folder.recording(0, kFolderRate), second = folder.recording(1, kFolderRate);
  CHECK(folder.recording(0, kFolderRate) == first);  // kept: the same memory
  CHECK(folder.recording(2, kFolderRate)->size() == 1000);
  CHECK(folder.recording(0, kFolderRate) == first);
  CHECK(folder.recording(1, kFolderRate) != second);  // used longest ago when the third came
  CHECK(*folder.recording(1, kFolderRate) == *second);
  CHECK(folder.recording(3, 16000)->size() == 2000);  // at another rate
}

TEST_CASE("a recording that alone is more than the memory is refused") {
  const Recordings recordings;
  recordings.add_noise("long.wav", 1000, 1);
  const auto open = [&](int64_t bytes) { return SoundFolder(recordings.path(), Downmix::mean, bytes).size(); };
  CHECK(open(4000) == 1);
  const auto problems = problems_of([&] { open(3000); });
  REQUIRE(problems.size() == 1);
  CHECK(contains(problems[0].message, "long.wav: got 3.91 KiB decoded, expected at most the 2.93 KiB of memory"));
}

TEST_CASE("a recording that breaks after it was listed is named when it is used") {
  const Recordings recordings;
  recordings.add_noise("a.wav", 300, 1);
  const SoundFolder folder(recordings.path(), Downmix::mean, kMuch);
  write_file(recordings.file("a.wav"), "text");
  const auto problems = problems_of([&] { (void)folder.recording(0, kFolderRate); });
  REQUIRE(problems.size() == 1);
  CHECK(contains(problems[0].where, "a.wav"));
  recordings.add("a.wav", testing::noise({1, 300}), 16000);
  CHECK(contains(problems_of([&] { (void)folder.recording(0, kFolderRate); }).at(0).message, "the file was replaced"));
}

TEST_CASE("several threads get the same recordings while memory is short") {
  const Recordings recordings;
  for (int64_t k = 0; k < 6; ++k) recordings.add_noise(std::to_string(k) + ".wav", 400, static_cast<uint64_t>(k));
  const SoundFolder tight(recordings.path(), Downmix::mean, 2000), roomy(recordings.path(), Downmix::mean, kMuch);
  std::vector<std::vector<float>> expected;
  for (int64_t k = 0; k < 6; ++k) expected.push_back(*roomy.recording(k, 16000));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t k = 0; k < 60; ++k)
        wrong += *tight.recording((k * (t + 1)) % 6, 16000) != expected[(k * (t + 1)) % 6];
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("background mixes real recordings: finite, and at the ratio asked for") {
  const char* root = std::getenv("AMAE_ESC10");
  if (root == nullptr) SKIP("AMAE_ESC10 is not set");
  const SoundFolder clips(root, Downmix::mean, kMuch);
  REQUIRE(clips.size() > 10);
  const Background transform({.folder = root, .snr_db = {3, 3}, .p = 1});
  for (int64_t i = 0; i < 10; ++i) {
    const Samples clip = clips.recording(i * (clips.size() / 10), 16000);
    const at::Tensor x = at::tensor(*clip).view({1, 1, -1});
    Batch batch = batch_of(x, 16000);
    batch.ids = {i};
    const at::Tensor y = applied(transform, batch).x;
    REQUIRE(at::isfinite(y).all().item<bool>());
    if (at::equal(x, y)) continue;  // a silent piece of a padded clip
    CHECK(std::abs(decibels(x, y - x) - 3) < 0.01);
  }
}

}  // namespace
}  // namespace amae

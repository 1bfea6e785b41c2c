#include "plugins/data/synthetic_sounds/synthetic_sounds.h"

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <set>
#include <thread>

#include "amae/error.h"
#include "data/split.h"
#include "plugins/data/synthetic_sounds/sounds.h"

namespace amae {
namespace {

SyntheticSoundsOptions few() {
  SyntheticSoundsOptions options;
  options.clips_per_class = 5;
  return options;
}

TEST_CASE("a synthetic clip is the same in every object and on every thread") {
  const SyntheticSounds once(few()), again(few());
  std::vector<at::Tensor> clips;
  for (int64_t row = 0; row < once.size(); ++row) clips.push_back(once.load(row).samples);
  std::vector<int64_t> different(8, 0);
  std::vector<std::thread> threads;
  for (auto& count : different) {
    threads.emplace_back([&] {
      for (int64_t row = 0; row < again.size(); ++row) {
        if (!again.load(row).samples.equal(clips[static_cast<size_t>(row)])) ++count;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(different == std::vector<int64_t>(8, 0));
}

TEST_CASE("every synthetic clip is as the spec says: finite, below full scale, not silent") {
  auto options = few();
  for (const double rate : {4000.0, 16000.0, 44100.0}) {
    options.rate = rate;
    options.duration = 0.75;
    const SyntheticSounds data(options);
    for (int64_t row = 0; row < data.size(); ++row) {
      INFO(data.id(row) << " at " << rate << " Hz");
      const auto clip = data.load(row);
      CHECK(clip.rate_hz == rate);
      CHECK(clip.samples.sizes() == at::IntArrayRef(data.spec().shape));
      CHECK(clip.samples.scalar_type() == at::kFloat);
      const auto peak = clip.samples.abs().max().item<double>();  // NaN fails both
      CHECK(peak > 0.09);
      CHECK(peak < 0.91);
    }
  }
}

TEST_CASE("another seed, row, length or rate gives another synthetic clip and another content hash") {
  const SyntheticSounds data(few());
  std::set<std::string> hashes;
  for (int64_t row = 0; row < data.size(); ++row) hashes.insert(data.content_hash(row));
  CHECK(hashes.size() == static_cast<size_t>(data.size()));
  auto other = few();
  other.seed = 1;
  CHECK_FALSE(SyntheticSounds(other).load(0).samples.equal(data.load(0).samples));
  CHECK_FALSE(hashes.contains(SyntheticSounds(other).content_hash(0)));
  other = few();
  other.rate = 8000;
  CHECK_FALSE(hashes.contains(SyntheticSounds(other).content_hash(0)));
  other = few();
  other.snr_db = {5, 26};
  CHECK_FALSE(hashes.contains(SyntheticSounds(other).content_hash(0)));
}

TEST_CASE("more synthetic clips leave the earlier ones as they are") {
  auto more = few();
  more.clips_per_class = 50;
  const SyntheticSounds small(few()), large(more);
  for (const int64_t row : {int64_t{0}, int64_t{17}, small.size() - 1}) {
    CHECK(large.id(row) == small.id(row));
    CHECK(large.content_hash(row) == small.content_hash(row));
    CHECK(large.load(row).samples.equal(small.load(row).samples));
  }
}

TEST_CASE("synthetic classes are balanced in each of five folds, and names tell class and clip") {
  SyntheticSoundsOptions options;
  const SyntheticSounds data(options);
  CHECK(data.size() == 400);
  CHECK(data.classes().size() == 10);
  CHECK(data.id(70) == "chirp_up-007");
  const auto labels = data.labels();
  std::map<std::pair<int64_t, int64_t>, int> count;
  std::set<std::string> ids;
  for (int64_t row = 0; row < data.size(); ++row) {
    const auto label = labels[row].item<int64_t>();
    ++count[{data.folds()[static_cast<size_t>(row)], label}];
    ids.insert(data.id(row));
    CHECK(data.id(row).starts_with(data.classes()[static_cast<size_t>(label)]));
  }
  CHECK(ids.size() == 400);
  CHECK(count.size() == 50);
  for (const auto& [cell, rows] : count) CHECK(rows == 8);
  CHECK(fold_numbers(data) == std::vector<int64_t>{1, 2, 3, 4, 5});
}

TEST_CASE("the SNR column lies in the range asked for and more noise is heard at a lower one") {
  auto options = few();
  const SyntheticSounds data(options);
  const auto columns = data.columns();
  for (const double snr : columns.at("snr_db")) {
    CHECK(snr >= 5);
    CHECK(snr < 25);
  }
  // The first 1000 samples before a late onset are background alone; of the same draws only its level differs.
  options.snr_db = {60, 60};
  const SyntheticSounds clean(options);
  options.snr_db = {0, 0};
  const SyntheticSounds noisy(options);
  int quieter = 0, late = 0;
  for (int64_t row = 0; row < data.size(); ++row) {
    const auto start = [&](const SyntheticSounds& set) {
      const auto x = set.load(row).samples;
      return (x.slice(1, 0, 1000).norm() / x.norm()).item<double>();
    };
    if (start(clean) > 0.01) continue;  // the sound itself had begun
    ++late;
    if (start(noisy) > 10 * start(clean)) ++quieter;
  }
  CHECK(late >= 10);
  CHECK(quieter == late);
}

/// Mean over time of the log power spectrum, level removed, of every row: [rows, 257].
at::Tensor mean_spectra(const Dataset& data) {
  std::vector<at::Tensor> spectra;
  const auto window = at::hann_window(512);
  for (int64_t row = 0; row < data.size(); ++row) {
    const auto frames = data.load(row).samples[0].unfold(0, 512, 256) * window;
    const auto power = at::fft_rfft(frames).abs().square();
    const auto spectrum = power.add(1e-10).log().mean(0);
    spectra.push_back(spectrum - spectrum.mean());
  }
  return at::stack(spectra);
}

TEST_CASE("the mean spectrum alone does not tell the synthetic kinds apart") {
  // The data set is to need a model that sees time: the nearest class mean of time-averaged spectra must beat chance
  // (0.1), since the kinds differ in bandwidth, but must stay well below what a small CNN reaches (over 0.95).
  const SyntheticSounds data(SyntheticSoundsOptions{});
  const auto spectra = mean_spectra(data);
  const auto labels = data.labels();
  const auto split = make_split(data, {.test = {5}}, "");
  const auto train = at::tensor(split.train, at::kLong), test = at::tensor(split.test, at::kLong);
  std::vector<at::Tensor> centroids;
  for (int64_t c = 0; c < 10; ++c)
    centroids.push_back(spectra.index({train.masked_select(labels.index({train}) == c)}).mean(0));
  const auto guess = at::cdist(spectra.index({test}), at::stack(centroids)).argmin(1);
  const auto accuracy = guess.eq(labels.index({test})).to(at::kDouble).mean().item<double>();
  CAPTURE(accuracy);
  CHECK(accuracy > 0.2);
  CHECK(accuracy < 0.75);
}

TEST_CASE("an SNR range that is not two rising numbers is refused") {
  for (const std::vector<double>& range : {std::vector<double>{}, {5}, {25, 5}, {1, 2, 3}}) {
    auto options = few();
    options.snr_db = range;
    CHECK_THROWS_AS(options.check(), InputError);
    CHECK_THROWS_AS(SyntheticSounds(options), InputError);
  }
}

TEST_CASE("a row outside the synthetic data set is an error, not a clip") {
  const SyntheticSounds data(few());
  CHECK_THROWS(data.load(-1));
  CHECK_THROWS(data.load(data.size()));
}

}  // namespace
}  // namespace amae

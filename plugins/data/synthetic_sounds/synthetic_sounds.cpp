#include "synthetic_sounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "amae/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "sounds.h"

namespace amae {
namespace {

constexpr auto kKinds = static_cast<int64_t>(kSoundNames.size());
constexpr int64_t kFolds = 5;

/// The stream of one row, after its first draw: the SNR, which columns() must know without making the sound.
std::pair<Draw, double> begin(const SyntheticSoundsOptions& options, int64_t row) {
  Draw draw(static_cast<uint64_t>(options.seed), 0, static_cast<uint64_t>(row), static_cast<uint32_t>(row % kKinds));
  const double snr_db = draw.uniform(options.snr_db[0], options.snr_db[1]);
  return {draw, snr_db};
}

}  // namespace

void SyntheticSoundsOptions::check() const {
  if (snr_db.size() == 2 && snr_db[0] <= snr_db[1]) return;
  std::vector<std::string> texts;
  for (const double value : snr_db) texts.push_back(number_text(value));
  throw InputError("CFG-RANGE", "", "snr_db",
                   fmt::format("got [{}], expected [lowest, highest], as [5, 25]", join(texts, ", ")));
}

SyntheticSounds::SyntheticSounds(const SyntheticSoundsOptions& options)
    : options_(options), classes_(kSoundNames.begin(), kSoundNames.end()) {
  options_.check();
  labels_ = at::arange(size(), at::kLong).remainder(kKinds);
}

int64_t SyntheticSounds::size() const { return options_.clips_per_class * kKinds; }

int64_t SyntheticSounds::samples() const { return std::llround(options_.duration * options_.rate); }

void SyntheticSounds::check_row(int64_t row) const {
  TORCH_CHECK_INDEX(row >= 0 && row < size(), "row ", row, " of ", size());
}

std::string SyntheticSounds::id(int64_t row) const {
  check_row(row);
  return fmt::format("{}-{:03}", classes_[static_cast<size_t>(row % kKinds)], row / kKinds);
}

Signal SyntheticSounds::load(int64_t row) const {
  check_row(row);
  auto [draw, snr_db] = begin(options_, row);
  const auto clip = make_sound(static_cast<SoundKind>(row % kKinds), samples(), options_.rate, snr_db, draw);
  auto tensor = at::empty({1, samples()}, at::kFloat);
  std::copy(clip.begin(), clip.end(), tensor.data_ptr<float>());
  return {tensor, options_.rate, Domain::audio};
}

Spec SyntheticSounds::spec() const { return {Domain::audio, {1, samples()}, options_.rate}; }

std::vector<int64_t> SyntheticSounds::folds() const {
  std::vector<int64_t> folds;
  for (int64_t row = 0; row < size(); ++row) folds.push_back(1 + row / kKinds % kFolds);
  return folds;
}

std::map<std::string, std::vector<double>> SyntheticSounds::columns() const {
  std::vector<double> snr_db;
  for (int64_t row = 0; row < size(); ++row) snr_db.push_back(begin(options_, row).second);
  return {{"snr_db", std::move(snr_db)}};
}

std::string SyntheticSounds::content_hash(int64_t row) const {
  check_row(row);
  return xxh3_hex(fmt::format("synthetic_sounds {} seed={} duration={} rate={} snr_db={},{} row={}", kSoundsVersion,
                              options_.seed, number_text(options_.duration), number_text(options_.rate),
                              number_text(options_.snr_db[0]), number_text(options_.snr_db[1]), row));
}

}  // namespace amae

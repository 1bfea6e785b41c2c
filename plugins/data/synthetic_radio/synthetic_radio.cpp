#include "synthetic_radio.h"

#include <fmt/format.h>

#include "amae/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace amae {
namespace {

constexpr uint32_t kSignalStream = 0, kNoiseStream = 1;  // of the frames' own seed

template <class T>
std::string list_text(const std::vector<T>& values) {
  std::vector<std::string> texts;
  for (const auto& value : values) texts.push_back(number_text(static_cast<double>(value)));
  return join(texts, ",");
}

/// Modulations by their own name, so that either spelling of a class gives the same hash.
std::string parameters_of(const SyntheticRadioOptions& o, const std::vector<const Modulation*>& modulations) {
  std::vector<std::string> names;
  for (const Modulation* m : modulations) names.push_back(m->name);
  std::string text = fmt::format("synthetic_radio {} mode={} classes={} snr={} seed={}", kRadioVersion, o.mode,
                                 join(names, ","), list_text(o.snr), o.seed);
  if (o.is_faithful()) return text;
  return text + fmt::format(
                    " length={} rate={} samples_per_symbol={} roll_off={} carrier_offset={} sample_rate_offset={}"
                    " fading={} rician_k={} path_delays={} path_gains={}",
                    o.length, number_text(o.rate), o.samples_per_symbol, number_text(o.roll_off),
                    number_text(o.carrier_offset), number_text(o.sample_rate_offset), o.fading, number_text(o.rician_k),
                    list_text(o.path_delays), list_text(o.path_gains));
}

}  // namespace

SyntheticRadio::SyntheticRadio(const SyntheticRadioOptions& options) : options_(options) {
  options_.check();
  for (const std::string& name : options_.classes) modulations_.push_back(find_modulation(name));
  parameters_ = parameters_of(options_, modulations_);
  labels_ = at::arange(size(), at::kLong).remainder(static_cast<int64_t>(modulations_.size()));
  if (options_.is_faithful()) {
    faithful_ = std::make_unique<Rml2016a>(static_cast<uint64_t>(options_.seed), modulations_, options_.snr,
                                           options_.frames_per_cell);
  } else {
    clean_ = std::make_unique<CleanRadio>(options_);
    frames_seed_ = std::stoull(xxh3_hex(parameters_).substr(0, 16), nullptr, 16);
  }
}

int64_t SyntheticRadio::size() const {
  return options_.frames_per_cell * static_cast<int64_t>(options_.classes.size() * options_.snr.size());
}

SyntheticRadio::Place SyntheticRadio::place_of(int64_t row) const {
  TORCH_CHECK_INDEX(row >= 0 && row < size(), "row ", row, " of ", size());
  const auto classes = static_cast<int64_t>(options_.classes.size()), snrs = static_cast<int64_t>(options_.snr.size());
  return {static_cast<size_t>(row % classes), static_cast<size_t>(row / classes % snrs), row / classes / snrs};
}

std::string SyntheticRadio::id(int64_t row) const {
  const Place place = place_of(row);
  return fmt::format("{}/{}/{:04}", options_.classes[place.modulation], number_text(options_.snr[place.snr]),
                     place.frame);
}

Signal SyntheticRadio::load(int64_t row) const {
  const Place place = place_of(row);
  const auto length = static_cast<size_t>(options_.length);
  at::Tensor samples = at::empty({2, options_.length}, at::kFloat);
  float* const data = samples.mutable_data_ptr<float>();
  const std::span<float> i(data, length), q(data + length, length);
  if (faithful_) {
    faithful_->frame(place.modulation, place.snr, place.frame, i, q);
  } else {
    Draw signal(frames_seed_, 0, static_cast<uint64_t>(row), kSignalStream);
    Draw noise(frames_seed_, 0, static_cast<uint64_t>(row), kNoiseStream);
    clean_->frame(*modulations_[place.modulation], options_.snr[place.snr], signal, noise, i, q);
  }
  return {samples, options_.rate, Domain::iq};
}

Spec SyntheticRadio::spec() const { return {Domain::iq, {2, options_.length}, options_.rate}; }

std::map<std::string, std::vector<double>> SyntheticRadio::columns() const {
  std::vector<double> snr;
  snr.reserve(static_cast<size_t>(size()));
  for (int64_t row = 0; row < size(); ++row) snr.push_back(options_.snr[place_of(row).snr]);
  return {{"snr", std::move(snr)}};
}

std::map<std::string, TextColumn> SyntheticRadio::text_columns() const {
  TextColumn modulation{options_.classes, {}};
  modulation.index.reserve(static_cast<size_t>(size()));
  for (int64_t row = 0; row < size(); ++row) {
    modulation.index.push_back(static_cast<int32_t>(place_of(row).modulation));
  }
  return {{"modulation", std::move(modulation)}};
}

std::string SyntheticRadio::content_hash(int64_t row) const {
  static_cast<void>(place_of(row));  // refuses other rows
  return xxh3_hex(fmt::format("{} row={}", parameters_, row));
}

}  // namespace amae

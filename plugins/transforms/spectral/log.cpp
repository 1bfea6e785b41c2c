#include "log.h"

#include <utility>

#include "../common/checks.h"

namespace amae {

Log::Log(LogOptions options) : options_(std::move(options)) {}

Spec Log::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "log", {Domain::spectrogram});
  require_level(input, "log", {Level::power, Level::magnitude});
  Spec out = input;
  out.level = Level::logarithm;
  return out;
}

void Log::apply(Batch& batch, const Stage& /*stage*/) const {
  at::Tensor out = batch.x + options_.eps;
  batch.x = options_.base == "e" ? out.log_() : out.log10_();
}

Decibel::Decibel(DecibelOptions options) : options_(std::move(options)) {}

Spec Decibel::output(const Spec& input, Mode /*mode*/) const {
  require_domain(input, "db", {Domain::spectrogram});
  const bool of_power = options_.multiplier == "power";
  if (input.level == (of_power ? Level::magnitude : Level::power)) {
    throw input_error("db", fmt::format("got a spectrogram of {}, expected multiplier: {}", to_string(input.level),
                                        of_power ? "magnitude" : "power"));
  }
  require_level(input, "db", {of_power ? Level::power : Level::magnitude});
  Spec out = input;
  out.level = Level::logarithm;
  return out;
}

void Decibel::apply(Batch& batch, const Stage& /*stage*/) const {
  at::Tensor out = batch.x.clamp_min(options_.amin).log10_().mul_(options_.multiplier == "power" ? 10 : 20);
  if (options_.top_db > 0 && out.numel() > 0) {
    const at::Tensor floor = out.flatten(1).amax(1).sub_(options_.top_db).view({-1, 1, 1, 1});
    at::maximum_out(out, out, floor);
  }
  batch.x = out;
}

}  // namespace amae

#include "task/transform_run.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "io/audio.h"
#include "io/npy.h"
#include "task/transform_picture.h"

namespace amae {
namespace {

void write_sound(const std::filesystem::path& path, const StageOutput& output) {
  const auto refuse = [&](const std::string& message) {
    throw InputError("OUTPUT", printable(path.string()), "", message);
  };
  if (output.spec.domain != Domain::audio)
    refuse(fmt::format("got {}, expected audio for a .wav; .npy and .png take anything", output.spec.text()));
  if (output.spec.shape[0] > 64 || output.spec.rate_hz < 1'000 || output.spec.rate_hz > 768'000)
    refuse(fmt::format("got {}, expected at most 64 channels and 1 kHz to 768 kHz for a .wav", output.spec.text()));
  if (!at::isfinite(output.x).all().item<bool>())
    refuse("got samples that are not finite, expected numbers for a .wav");
  const auto beyond = output.x.abs().gt(1).sum().item<int64_t>();
  if (beyond > 0) log::warning("{}: {} samples beyond full scale are cut", path.string(), beyond);
  write_wav(path, output.x.to(at::kFloat), output.spec.rate_hz);
}

}  // namespace

void write_output(const std::filesystem::path& path, const StageOutput& output, const std::string& from) {
  const std::string ending = path.extension().string();
  if (ending == ".npy") {
    write_npy(path, output.x);
  } else if (ending == ".wav") {
    write_sound(path, output);
  } else if (ending == ".png") {
    const Shade shade = Shade::over({output.x}, output.spec.domain);
    const std::string title = fmt::format("{}  {}: {}, {}", printable(std::filesystem::path(from).filename().string()),
                                          output.name, output.spec.text(), shade.text());
    picture_of({{title, output.spec, output.x, shade}}).save(path);
  } else {
    throw InputError("OUTPUT", printable(path.string()), "",
                     fmt::format("got the ending '{}', expected .npy, .png or .wav", printable(ending)));
  }
}

}  // namespace amae

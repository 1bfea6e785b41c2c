#include "io/write_flac.h"

#include <fmt/format.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include "amae/error.h"

namespace amae {
namespace {

struct CloseSound {
  void operator()(SNDFILE* sound) const { sf_close(sound); }
};

}  // namespace

bool fits_16_bits(const at::Tensor& samples) {
  const float* x = samples.const_data_ptr<float>();
  return std::all_of(x, x + samples.numel(), [](float value) {
    const float scaled = value * 32768.0F;  // exact: a power of two
    return scaled >= -32768.0F && scaled <= 32767.0F && scaled == std::nearbyint(scaled);
  });
}

WrittenFlac write_flac(const std::filesystem::path& path, const at::Tensor& samples, double rate_hz) {
  if (!samples.defined() || samples.dim() != 2 || samples.scalar_type() != at::kFloat || samples.size(1) < 1 ||
      samples.size(0) < 1 || samples.size(0) > 8) {
    throw std::invalid_argument("write_flac: expected samples [C, N] float32 with C from 1 to 8, N > 0");
  }
  if (!(rate_hz >= 1'000 && rate_hz <= 655'350) || rate_hz != std::nearbyint(rate_hz)) {
    throw std::invalid_argument(fmt::format("write_flac: got {} Hz, expected a whole number in 1000..655350", rate_hz));
  }
  const at::Tensor plain = samples.cpu().contiguous();
  const int64_t channels = plain.size(0), frames = plain.size(1);
  const float* x = plain.const_data_ptr<float>();
  WrittenFlac written;
  written.bits = fits_16_bits(plain) ? 16 : 24;

  SF_INFO info{};
  info.samplerate = static_cast<int>(rate_hz);
  info.channels = static_cast<int>(channels);
  info.format = SF_FORMAT_FLAC | (written.bits == 16 ? SF_FORMAT_PCM_16 : SF_FORMAT_PCM_24);
  std::unique_ptr<SNDFILE, CloseSound> sound(sf_open(path.c_str(), SFM_WRITE, &info));
  const auto fail = [&] {
    throw EnvironmentError("FILE", path.string(), fmt::format("cannot write FLAC: {}", sf_strerror(sound.get())));
  };
  if (!sound) fail();
  // Scaled here, because libsndfile would wrap around beyond full scale. Integers stand in the upper bits of an int.
  const double scale = written.bits == 16 ? 32768.0 : 8388608.0;
  const int shift = 32 - written.bits;
  constexpr int64_t kBlock = 16'384;
  std::vector<int> block;
  for (int64_t done = 0; done < frames; done += kBlock) {
    const int64_t count = std::min(kBlock, frames - done);
    block.clear();
    for (int64_t n = done; n < done + count; ++n) {
      for (int64_t c = 0; c < channels; ++c) {
        const double value = static_cast<double>(x[c * frames + n]) * scale;
        if (std::isnan(value)) throw std::invalid_argument("write_flac: got a sample that is not a number");
        const double kept = std::clamp(std::nearbyint(value), -scale, scale - 1);
        written.clipped += value < -scale || value > scale ? 1 : 0;
        block.push_back(static_cast<int>(kept) * (1 << shift));
      }
    }
    if (sf_writef_int(sound.get(), block.data(), count) != count) fail();
  }
  sf_write_sync(sound.get());
  if (sf_error(sound.get()) != SF_ERR_NO_ERROR) fail();
  // The last block and the header are written only now.
  if (const int error = sf_close(sound.release()); error != SF_ERR_NO_ERROR)
    throw EnvironmentError("FILE", path.string(), fmt::format("cannot write FLAC: {}", sf_error_number(error)));
  return written;
}

}  // namespace amae

#include "io/audio.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/log.h"

namespace amae {
namespace {

/// "WAV", "FLAC", "OGG", or empty where the extension promises nothing.
std::string promised_format(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (extension == ".wav" || extension == ".wave" || extension == ".w64" || extension == ".rf64") return "WAV";
  if (extension == ".flac") return "FLAC";
  if (extension == ".ogg" || extension == ".oga" || extension == ".opus") return "OGG";
  return "";
}

void warn_of_wrong_name(const std::filesystem::path& path, const AudioDecoder& decoder) {
  const std::string promised = promised_format(path);
  if (promised.empty() || promised == decoder.info().format) return;
  constexpr size_t kMost = 20;  // a whole data set may be named wrongly
  static std::mutex mutex;
  static std::set<std::string> told;
  const std::lock_guard lock(mutex);
  const std::string name = decoder.file().where();
  if (told.size() >= kMost || !told.insert(name).second) return;
  log::warning("{}: got {} content under the extension {}; read as {}{}", name, decoder.info().format,
               path.extension().string(), decoder.info().format,
               told.size() == kMost ? "; further files like this are not named" : "");
}

Signal decode(AudioDecoder& decoder, int64_t begin, int64_t frames) {
  decoder.check_decoded_size(frames);
  if (begin > 0) decoder.seek(begin);
  const int64_t channels = decoder.info().channels;
  // Decoded block by block and kept in memory as it really arrives: a header's claim alone allocates no page.
  const at::Tensor samples = at::empty({channels, frames}, at::kFloat);
  auto* out = samples.mutable_data_ptr<float>();
  const int64_t block_frames = std::max<int64_t>(1, 65'536 / channels);
  std::vector<float> block(static_cast<size_t>(std::min(block_frames, frames) * channels));
  for (int64_t done = 0; done < frames; done += block_frames) {
    const int64_t count = std::min(block_frames, frames - done);
    decoder.read(block.data(), count);
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t n = 0; n < count; ++n) out[c * frames + done + n] = block[static_cast<size_t>(n * channels + c)];
    }
  }
  return {samples, decoder.info().rate_hz, Domain::audio};
}

void append(std::string& bytes, uint64_t value, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFFU));
}

}  // namespace

AudioInfo audio_info(const std::filesystem::path& path) {
  const AudioDecoder decoder(path);
  warn_of_wrong_name(path, decoder);
  return decoder.info();
}

Signal read_audio(const std::filesystem::path& path, int64_t begin_frame, int64_t frames) {
  AudioDecoder decoder(path);
  warn_of_wrong_name(path, decoder);
  const int64_t length = decoder.info().frames, left = length - begin_frame;
  if (begin_frame < 0 || left <= 0 || frames == 0 || frames > left) {
    decoder.file().refuse(fmt::format("got a section of {} frames from frame {} on, expected one within the {} frames",
                                      frames, begin_frame, length));
  }
  if (frames < 0) frames = left;
  if (frames == length) decoder.check_whole();
  return decode(decoder, begin_frame, frames);
}

void write_wav(const std::filesystem::path& path, const at::Tensor& samples, double rate_hz) {
  if (!samples.defined() || samples.dim() != 2 || samples.scalar_type() != at::kFloat) {
    throw std::invalid_argument("write_wav: expected samples [C, N] float32");
  }
  const auto rate = static_cast<int64_t>(std::llround(rate_hz));
  const int64_t channels = samples.size(0), frames = samples.size(1);
  if (channels < 1 || channels > kMaxChannels || rate < kMinRateHz || rate > kMaxRateHz) {
    throw std::invalid_argument(fmt::format("write_wav: got {} channels at {} Hz", channels, rate));
  }
  constexpr int64_t kMaxDataBytes = std::numeric_limits<uint32_t>::max() - 36;
  if (frames > kMaxDataBytes / (2 * channels)) throw std::invalid_argument("write_wav: does not fit a 4 GiB WAV file");
  const auto data_bytes = static_cast<uint64_t>(frames * channels * 2);

  std::string bytes;
  bytes.reserve(44 + data_bytes);
  bytes += "RIFF";
  append(bytes, 36 + data_bytes, 4);
  bytes += "WAVEfmt ";
  append(bytes, 16, 4);
  append(bytes, 1, 2);  // PCM
  append(bytes, static_cast<uint64_t>(channels), 2);
  append(bytes, static_cast<uint64_t>(rate), 4);
  append(bytes, static_cast<uint64_t>(rate * channels * 2), 4);
  append(bytes, static_cast<uint64_t>(channels * 2), 2);
  append(bytes, 16, 2);
  bytes += "data";
  append(bytes, data_bytes, 4);
  const at::Tensor frames_first = samples.detach().cpu().t().contiguous();
  const float* values = frames_first.const_data_ptr<float>();
  for (int64_t i = 0; i < frames * channels; ++i) {
    if (std::isnan(values[i])) throw std::invalid_argument("write_wav: got a sample that is not a number");
    // 32768 is the scale that reading divides by, so what was read from 16 bits is written back unchanged.
    const float scaled = std::clamp(values[i] * 32768.0F, -32768.0F, 32767.0F);
    append(bytes, static_cast<uint64_t>(std::lrint(scaled)), 2);
  }
  write_file(path, bytes);
}

}  // namespace amae

#include "io/audio.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "io/regular_file.h"
#include "io/riff.h"

namespace amae {
namespace {

constexpr int64_t kMaxChannels = 64;
constexpr int64_t kMinRate = 1'000, kMaxRate = 768'000;
constexpr int64_t kMaxDecodedBytes = int64_t{1} << 31;  // small FLAC and Ogg files can claim days of silence
constexpr size_t kMaxOggPage = 65'307;                  // 27 + 255 + 255 * 255

struct CloseSound {
  void operator()(SNDFILE* sound) const { sf_close(sound); }
};
using Sound = std::unique_ptr<SNDFILE, CloseSound>;

// Ogg has no length in its header: the decoder believes the last page that it finds, so a cut file is just shorter to
// it. Writers mark the last page of a stream, and that page must be whole.
void check_ogg_end(const RegularFile& file) {
  std::string tail(static_cast<size_t>(std::min<uint64_t>(file.size(), 2 * kMaxOggPage)), '\0');
  file.read(file.size() - tail.size(), tail.data(), tail.size());
  const size_t page = tail.rfind(std::string_view("OggS\0", 5));
  if (page == std::string::npos) file.refuse("got no Ogg page near the end, expected the last one (damaged file)");
  const auto byte = [&](size_t at) { return at < tail.size() ? static_cast<unsigned char>(tail[at]) : 0U; };
  const size_t segments = byte(page + 26);
  size_t page_bytes = 27 + segments;
  for (size_t i = 0; i < segments; ++i) page_bytes += byte(page + 27 + i);
  const size_t present = tail.size() - page;
  if (present < 27 || present < page_bytes) {
    file.refuse(fmt::format("got {} bytes of the last Ogg page, expected {} (truncated file)", present, page_bytes));
  }
  if ((byte(page + 5) & 4U) == 0) {
    file.refuse("got a last Ogg page that is not marked as the end, expected an end mark (truncated file)");
  }
}

std::string container_name(int format) {
  switch (format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_WAV:
    case SF_FORMAT_WAVEX:
    case SF_FORMAT_RF64:
    case SF_FORMAT_W64:
      return "WAV";
    case SF_FORMAT_FLAC:
      return "FLAC";
    case SF_FORMAT_OGG:
      return "OGG";
    default:
      return "";
  }
}

// A file whose header passed every check, ready to decode.
struct OpenAudio {
  explicit OpenAudio(const std::filesystem::path& path) : file(path, "AUDIO") {
    if (file.size() == 0) file.refuse("got an empty file (0 bytes), expected WAV, FLAC or Ogg");
    std::array<char, 8> head{};
    const std::string_view start(head.data(), file.read_some(0, head.data(), head.size()));
    std::optional<WavHeader> wav;
    if (looks_like_wav(file)) {
      wav = read_wav_header(file);
      check_limits(wav->channels, wav->rate_hz, wav->frames);
    } else if (start.starts_with("OggS")) {
      check_ogg_end(file);
    } else if (!start.starts_with("fLaC")) {
      file.refuse(fmt::format("got a file that starts with \"{}\", expected WAV, FLAC or Ogg", printable(start)));
    }

    SF_INFO found{};
    sound.reset(sf_open_fd(file.fd(), SFM_READ, &found, SF_FALSE));
    if (!sound) file.refuse(fmt::format("cannot decode ({}), expected WAV, FLAC or Ogg", sf_strerror(nullptr)));
    info = {found.frames, found.channels, static_cast<double>(found.samplerate), container_name(found.format)};
    if (info.format.empty())
      file.refuse("got another container than its first bytes promise, expected WAV, FLAC or Ogg");
    check_limits(found.channels, found.samplerate, found.frames);
    if (wav && (wav->frames != found.frames || wav->channels != found.channels || wav->rate_hz != found.samplerate)) {
      file.refuse(
          fmt::format("got {} frames, {} channels, {} Hz from the decoder, expected {}, {}, {} as in the header",
                      found.frames, found.channels, found.samplerate, wav->frames, wav->channels, wav->rate_hz));
    }
  }

  void check_limits(int64_t channels, int64_t rate, int64_t frames) const {
    if (channels < 1 || channels > kMaxChannels) {
      file.refuse(fmt::format("got {} channels, expected 1 to {}", channels, kMaxChannels));
    }
    if (rate < kMinRate || rate > kMaxRate) {
      file.refuse(fmt::format("got {} Hz, expected {} to {}", rate, kMinRate, kMaxRate));
    }
    if (frames == 0) file.refuse("got 0 frames, expected at least one");
    if (frames < 0 || frames == SF_COUNT_MAX) {
      file.refuse("got no length in the header (unfinished recording or stream), expected one");
    }
  }

  RegularFile file;  // outlives the decoder that reads from it
  Sound sound;
  AudioInfo info;
};

// First frame in which a sample of any channel is not finite, or -1.
int64_t first_bad_frame(const float* samples, int64_t count, int64_t channels) {
  for (int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(samples[i])) return i / channels;
  }
  return -1;
}

void append(std::string& bytes, uint64_t value, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFFU));
}

}  // namespace

AudioInfo audio_info(const std::filesystem::path& path) { return OpenAudio(path).info; }

Signal read_audio(const std::filesystem::path& path) {
  const OpenAudio audio(path);
  const auto [frames, channels, rate_hz, format] = audio.info;
  const int64_t limit = kMaxDecodedBytes / (channels * static_cast<int64_t>(sizeof(float)));
  if (frames > limit) {
    audio.file.refuse(
        fmt::format("got {} frames of {} channels, expected at most {} (2 GiB decoded); cut the recording", frames,
                    channels, limit));
  }
  // Decoded block by block and kept in memory as it really arrives: a header's claim alone allocates no page.
  const at::Tensor samples = at::empty({channels, frames}, at::kFloat);
  auto* out = samples.mutable_data_ptr<float>();
  const int64_t block_frames = std::max<int64_t>(1, 65'536 / channels);
  std::vector<float> block(static_cast<size_t>(block_frames * channels));
  int64_t done = 0;
  while (done < frames) {
    const auto got = sf_readf_float(audio.sound.get(), block.data(), std::min(block_frames, frames - done));
    if (got <= 0) break;
    const int64_t bad = first_bad_frame(block.data(), got * channels, channels);
    if (bad >= 0) {
      audio.file.refuse(
          fmt::format("got a sample that is not finite in frame {}, expected finite numbers", done + bad));
    }
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t n = 0; n < got; ++n) out[c * frames + done + n] = block[static_cast<size_t>(n * channels + c)];
    }
    done += got;
  }
  if (sf_error(audio.sound.get()) != SF_ERR_NO_ERROR || done != frames) {
    audio.file.refuse(
        fmt::format("got {} frames, expected {} as in the header (truncated or damaged file; decoder: {})", done,
                    frames, sf_strerror(audio.sound.get())));
  }
  return {samples, rate_hz, Domain::audio};
}

void write_wav(const std::filesystem::path& path, const at::Tensor& samples, double rate_hz) {
  if (!samples.defined() || samples.dim() != 2 || samples.scalar_type() != at::kFloat) {
    throw std::invalid_argument("write_wav: expected samples [C, N] float32");
  }
  const auto rate = static_cast<int64_t>(std::llround(rate_hz));
  const int64_t channels = samples.size(0), frames = samples.size(1);
  if (channels < 1 || channels > kMaxChannels || rate < kMinRate || rate > kMaxRate) {
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

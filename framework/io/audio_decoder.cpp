// FLAC and Ogg files go to libsndfile as they are. Of WAV files it gets the bytes of the data chunk alone, as raw
// samples of a known kind: our reading of the chunks is then the only one, and its own parser never sees a file of a
// stranger.
#include "io/audio_decoder.h"

#include <fmt/format.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/text.h"
#include "io/ogg.h"

namespace amae {
namespace {

constexpr uint64_t kMaxDecodedBytes = uint64_t{1} << 31U;
constexpr float kMaxSample = 1e4F;  // full scale is 1; beyond 80 dB over it is a wrong format or a broken file

int raw_format(const PcmData& pcm) {
  int kind = SF_FORMAT_PCM_U8;
  if (pcm.floating) {
    kind = pcm.bits == 32 ? SF_FORMAT_FLOAT : SF_FORMAT_DOUBLE;
  } else if (pcm.bits > 8) {
    kind = pcm.bits == 16 ? SF_FORMAT_PCM_16 : pcm.bits == 24 ? SF_FORMAT_PCM_24 : SF_FORMAT_PCM_32;
  }
  return SF_FORMAT_RAW | kind | (pcm.big_endian ? SF_ENDIAN_BIG : SF_ENDIAN_LITTLE);
}

}  // namespace

struct DecoderIo {
  static AudioDecoder& of(void* user) { return *static_cast<AudioDecoder*>(user); }
  static sf_count_t length(void* user) { return static_cast<sf_count_t>(of(user).size_); }
  static sf_count_t tell(void* user) { return static_cast<sf_count_t>(of(user).at_); }

  static sf_count_t seek(sf_count_t offset, int whence, void* user) {
    AudioDecoder& decoder = of(user);
    const auto size = static_cast<sf_count_t>(decoder.size_);
    const sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? static_cast<sf_count_t>(decoder.at_) : size;
    if (offset < -from || offset > size - from) return -1;
    decoder.at_ = static_cast<uint64_t>(from + offset);
    return from + offset;
  }

  static sf_count_t read(void* target, sf_count_t count, void* user) {
    AudioDecoder& decoder = of(user);
    try {
      const uint64_t wanted = std::min(static_cast<uint64_t>(count), decoder.size_ - decoder.at_);
      const size_t got = decoder.file_.read_some(decoder.begin_ + decoder.at_, target, static_cast<size_t>(wanted));
      decoder.at_ += got;
      return static_cast<sf_count_t>(got);
    } catch (...) {  // must not pass through the C code of libsndfile
      decoder.failure_ = std::current_exception();
      return 0;
    }
  }
};

int64_t decoded_limit_bytes(uint64_t file_bytes) {
  return static_cast<int64_t>(
      std::min(kMaxDecodedBytes, (uint64_t{16} << 20U) + 512 * std::min(file_bytes, kMaxDecodedBytes)));
}

AudioDecoder::AudioDecoder(const std::filesystem::path& path)
    : file_(path, "AUDIO"), header_(read_sound_header(file_)), size_(file_.size()), sound_(nullptr, &sf_close) {
  open_decoder();
}

AudioDecoder::~AudioDecoder() = default;

void AudioDecoder::open_decoder() {
  SF_INFO found{};
  if (header_.pcm) {
    begin_ = header_.pcm->begin;
    // Whole frames only; a rest of some bytes is padding.
    size_ = static_cast<uint64_t>(header_.frames * header_.channels * header_.pcm->bits / 8);
    found.format = raw_format(*header_.pcm);
    found.channels = static_cast<int>(header_.channels);
    found.samplerate = static_cast<int>(header_.rate_hz);
  }
  SF_VIRTUAL_IO callbacks{&DecoderIo::length, &DecoderIo::seek, &DecoderIo::read, nullptr, &DecoderIo::tell};
  sound_.reset(sf_open_virtual(&callbacks, SFM_READ, &found, this));
  rethrow();
  if (!sound_) {
    file_.refuse(fmt::format("cannot decode ({}), expected an undamaged {} file", printable(sf_strerror(nullptr)),
                             header_.format));
  }
  const bool is_exact = header_.format != "OGG";
  if (found.channels != header_.channels || found.samplerate != header_.rate_hz || found.frames > header_.frames ||
      found.frames < 1 || (is_exact && found.frames != header_.frames)) {
    file_.refuse(fmt::format("got {} frames, {} channels, {} Hz from the decoder, expected {}, {}, {} as in the header",
                             found.frames, found.channels, found.samplerate, header_.frames, header_.channels,
                             header_.rate_hz));
  }
  info_ = {found.frames, header_.channels, static_cast<double>(header_.rate_hz), header_.format};
}

void AudioDecoder::rethrow() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void AudioDecoder::check_whole() const {
  if (header_.format == "OGG") check_ogg_pages(file_);
}

void AudioDecoder::check_decoded_size(int64_t frames) const {
  const int64_t frame_bytes = info_.channels * static_cast<int64_t>(sizeof(float));
  const int64_t limit = decoded_limit_bytes(file_.size());
  if (frames > limit / frame_bytes) {
    file_.refuse(
        fmt::format("got {} frames of {} channels, {} decoded from a file of {}, expected at most {}; cut the "
                    "recording",
                    frames, info_.channels, bytes_text(static_cast<double>(frames) * static_cast<double>(frame_bytes)),
                    bytes_text(static_cast<double>(file_.size())), bytes_text(static_cast<double>(limit))));
  }
}

void AudioDecoder::seek(int64_t frame) {
  int64_t target = frame;
  if (header_.format == "OGG") {
    // libsndfile 1.2.2 comes out some hundred samples beside a place in the last page of Vorbis (97 of 400 clips of
    // ESC-10), so we go to one before it and decode on from there.
    const int64_t first = header_.frames - info_.frames;  // the stream began to count with this frame
    target = std::min(frame, std::max<int64_t>(0, header_.seekable - first));
  }
  const bool good = frame >= 0 && frame <= info_.frames && sf_seek(sound_.get(), target, SEEK_SET) == target;
  rethrow();
  if (!good) {
    file_.refuse(fmt::format("cannot go to frame {} of {} (damaged file; decoder: {})", frame, info_.frames,
                             printable(sf_strerror(sound_.get()))));
  }
  frame_ = target;
  std::vector<float> passed;
  while (frame_ < frame) {
    const int64_t count = std::min<int64_t>(4'096, frame - frame_);
    passed.resize(static_cast<size_t>(count * info_.channels));
    read(passed.data(), count);
  }
}

void AudioDecoder::read(float* target, int64_t frames) {
  const int64_t got = frames > 0 ? std::max<int64_t>(0, sf_readf_float(sound_.get(), target, frames)) : 0;
  rethrow();
  // Asked after each read: libsndfile forgets an error at the next call.
  const int error = sf_error(sound_.get());
  if (error != SF_ERR_NO_ERROR || got != frames) {
    file_.refuse(fmt::format(
        "got {} frames, expected {} as in the header (truncated or damaged file{})", frame_ + got, info_.frames,
        error == SF_ERR_NO_ERROR ? "" : fmt::format("; decoder: {}", printable(sf_strerror(sound_.get())))));
  }
  check_samples(target, frames);
  file_.check_unchanged();
  frame_ += frames;
}

void AudioDecoder::check_samples(const float* samples, int64_t frames) const {
  // Written so that NaN fails too, and without a branch for each sample: nearly every block is good.
  bool good = true;
  for (int64_t i = 0; i < frames * info_.channels; ++i) good &= std::abs(samples[i]) <= kMaxSample;
  if (good) return;
  for (int64_t i = 0; i < frames * info_.channels; ++i) {
    if (std::abs(samples[i]) <= kMaxSample) continue;
    const int64_t frame = frame_ + i / info_.channels;
    if (!std::isfinite(samples[i])) {
      file_.refuse(fmt::format("got a sample that is not finite in frame {}, expected finite numbers", frame));
    }
    file_.refuse(
        fmt::format("got the sample {} in frame {}, expected at most {} where full scale is 1; is it "
                    "another format?",
                    samples[i], frame, kMaxSample));
  }
}

}  // namespace amae

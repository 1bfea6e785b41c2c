// One sound file behind the gate: its header checked by us, then decoded piece by piece. The only caller of libsndfile
// that reads. (no LibTorch)
#pragma once

#include <exception>
#include <filesystem>
#include <memory>
#include <string>

#include "io/regular_file.h"
#include "io/sound_header.h"

struct sf_private_tag;  // libsndfile's SNDFILE; its header stays out of ours

namespace amae {

struct AudioInfo {
  int64_t frames = 0;  ///< sample frames, per channel
  int64_t channels = 0;
  double rate_hz = 0;
  std::string format;  ///< "WAV", "FLAC", "OGG"
};

/// Most bytes of float32 samples that one read of a file may give: 2 GiB, and at most 16 MiB plus 512 for each byte of
/// the file. Sound has at most some 300 decoded bytes a byte (Opus of 6 kbit/s at 48 kHz); only hours of silence and
/// files made to fill a memory have more.
int64_t decoded_limit_bytes(uint64_t file_bytes);

/// Not copyable, not movable: the decoder keeps its address. Not thread-safe; one for each reader.
class AudioDecoder {
 public:
  /// Opens the file and checks its header. Throws InputError (code "AUDIO", where = path) when it is missing, not a
  /// regular file, not sound (first bytes shown), truncated (declared and present), empty, or outside 1..64 channels,
  /// 1..768 kHz; EnvironmentError when the disk fails.
  explicit AudioDecoder(const std::filesystem::path& path);
  ~AudioDecoder();
  AudioDecoder(const AudioDecoder&) = delete;
  AudioDecoder& operator=(const AudioDecoder&) = delete;

  [[nodiscard]] const AudioInfo& info() const { return info_; }
  [[nodiscard]] const RegularFile& file() const { return file_; }

  /// Checks what only all of the file can tell (each page of Ogg); reads it once, decodes nothing. Call it before a
  /// decode of the whole: decoders leave damaged pages out without a word.
  void check_whole() const;

  /// Throws InputError when `frames` are more than decoded_limit_bytes(file size) allows.
  void check_decoded_size(int64_t frames) const;

  /// The next read begins at this frame, 0..info().frames.
  void seek(int64_t frame);

  /// Exactly the next `frames` into `target` [frames, channels], interleaved, full scale 1. Throws InputError with the
  /// number of the frame: the file ends early, the decoder complains, a sample is not finite or beyond ±10,000, or the
  /// file changed since it was opened.
  void read(float* target, int64_t frames);

 private:
  friend struct DecoderIo;  // the callbacks by which libsndfile reads
  void open_decoder();
  void rethrow();  // what the callbacks could not throw through C code
  void check_samples(const float* samples, int64_t frames) const;

  RegularFile file_;
  SoundHeader header_;
  AudioInfo info_;
  // The part of the file that the decoder sees, and where in it it reads next.
  uint64_t begin_ = 0, size_ = 0, at_ = 0;
  std::exception_ptr failure_;
  std::unique_ptr<sf_private_tag, int (*)(sf_private_tag*)> sound_;
  int64_t frame_ = 0;  // of the next read
};

}  // namespace amae

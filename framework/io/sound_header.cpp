#include "io/sound_header.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "base/text.h"
#include "io/flac.h"
#include "io/ogg.h"
#include "io/riff.h"

namespace amae {
namespace {

struct Signature {
  size_t at;
  std::string_view bytes;
  const char* name;
};

// What people have under a sound file's name; only for a better message.
constexpr std::array kOthers = {
    Signature{0, "FORM", "AIFF"},
    Signature{0, "caff", "CAF"},
    Signature{0, ".snd", "Sun AU"},
    Signature{0, "dns.", "Sun AU"},
    Signature{0, "ID3", "MP3"},
    Signature{0, "\xFF\xFB", "MP3"},
    Signature{0, "\xFF\xFA", "MP3"},
    Signature{0, "\xFF\xF3", "MP3"},
    Signature{0, "\xFF\xF2", "MP3"},
    Signature{0, "\xFF\xF1", "AAC"},
    Signature{0, "\xFF\xF9", "AAC"},
    Signature{0, "\x64\xA3", "IRCAM"},
    Signature{2, "\xA3\x64", "IRCAM"},
    Signature{0, "NIST_1A", "NIST SPHERE"},
    Signature{0, "Creative Voice", "VOC"},
    Signature{0, " paf", "PAF"},
    Signature{0, "fap ", "PAF"},
    Signature{0, "2BIT", "AVR"},
    Signature{0, "MAC ", "Monkey's Audio"},
    Signature{0, "wvpk", "WavPack"},
    Signature{0, "#!AMR", "AMR"},
    Signature{4, "ftyp", "MP4"},
    Signature{0, "\x1A\x45\xDF\xA3", "Matroska"},
    Signature{0, "\x30\x26\xB2\x75", "WMA"},
    Signature{0, "\xFF\xD8\xFF", "JPEG"},
    Signature{0, "\x89PNG", "PNG"},
    Signature{0, "PK\x03\x04", "zip"},
    Signature{0, "\x1F\x8B", "gzip"},
    Signature{0, "version https://git-lfs", "Git LFS pointer"},
};

[[noreturn]] void refuse_unknown(const RegularFile& file, std::string_view head) {
  const char* name = nullptr;
  for (const Signature& known : kOthers) {
    if (head.size() >= known.at && head.substr(known.at).starts_with(known.bytes)) name = known.name;
  }
  file.refuse(fmt::format("got {} that starts with \"{}\", expected {}",
                          name == nullptr ? "a file" : fmt::format("a file of {}", name), printable(head.substr(0, 8)),
                          kSoundFormats));
}

void check_limits(const RegularFile& file, const SoundHeader& header) {
  if (header.channels < 1 || header.channels > kMaxChannels) {
    file.refuse(fmt::format("got {} channels, expected 1 to {}", header.channels, kMaxChannels));
  }
  if (header.rate_hz < kMinRateHz || header.rate_hz > kMaxRateHz) {
    file.refuse(fmt::format("got {} Hz, expected {} to {}", header.rate_hz, kMinRateHz, kMaxRateHz));
  }
  if (header.frames < 1) file.refuse("got 0 frames, expected at least one");
}

}  // namespace

SoundHeader read_sound_header(const RegularFile& file) {
  if (file.size() == 0) file.refuse(fmt::format("got an empty file (0 bytes), expected {}", kSoundFormats));
  std::array<char, 32> bytes{};
  const std::string_view head(bytes.data(), file.read_some(0, bytes.data(), bytes.size()));
  SoundHeader header;
  if (looks_like_wav(head)) {
    header = read_wav_header(file);
  } else if (head.starts_with("fLaC")) {
    header = read_flac_header(file);
  } else if (head.starts_with("OggS")) {
    header = read_ogg_header(file);
  } else {
    refuse_unknown(file, head);
  }
  check_limits(file, header);
  return header;
}

}  // namespace amae

// Chunk layouts:
//   RIFF, RIFX (big-endian), RF64:  id[4] size u32 payload, padded to 2 bytes; RF64 keeps the true data size in `ds64`
//   Wave64:                         guid[16] size u64 (counts these 24 bytes) payload, padded to 8 bytes
// Sources: Microsoft/IBM "Multimedia Programming Interface and Data Specifications 1.0", EBU Tech 3306 (RF64).
#include "io/riff.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace amae {
namespace {

// The last 12 bytes that the chunk GUIDs of Wave64 share, but for "riff".
constexpr std::string_view kWave64Tail("\xF3\xAC\xD3\x11\x8C\xD1\x00\xC0\x4F\x8E\xDB\x8A", 12);
constexpr std::string_view kWave64Riff("riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\x00\x00", 16);
// Sub-format GUIDs of WAVE_FORMAT_EXTENSIBLE: the format tag as u32, then these bytes.
constexpr std::array<unsigned char, 12> kSubFormatTail = {0x00, 0x00, 0x10, 0x00, 0x80, 0x00,
                                                          0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71};
constexpr int kMaxChunks = 100'000;  // a real file has a dozen; keeps a hostile one from costing minutes
constexpr uint32_t kUnknownSize = 0xFFFFFFFF;

// Names of the tags that recorders and telephony programs write; Microsoft's mmreg.h has the whole list.
const char* tag_name(uint64_t tag) {
  switch (tag) {
    case 0x0001:
      return "PCM";
    case 0x0002:
      return "Microsoft ADPCM";
    case 0x0003:
      return "float";
    case 0x0006:
      return "A-law";
    case 0x0007:
      return "mu-law";
    case 0x0010:
      return "OKI ADPCM";
    case 0x0011:
      return "IMA ADPCM";
    case 0x0014:
      return "G.723 ADPCM";
    case 0x0016:
      return "G.723.1";
    case 0x0017:
      return "Dialogic OKI (VOX) ADPCM";
    case 0x0031:
      return "GSM 6.10";
    case 0x0038:
      return "Natural MicroSystems (NMS) ADPCM";
    case 0x0040:
      return "G.721 ADPCM";
    case 0x0045:
      return "G.726 ADPCM";
    case 0x0050:
      return "MPEG";
    case 0x0055:
      return "MP3";
    case 0x0064:
      return "G.726 ADPCM";
    case 0x00FF:
      return "AAC";
    case 0x0161:
      return "WMA";
    default:
      return "unknown";
  }
}

struct Chunk {
  std::string id;      // four characters
  uint64_t start = 0;  // of the payload
  uint64_t size = 0;   // of the payload, as declared
};

class Walker {
 public:
  explicit Walker(const RegularFile& file) : file_(file) {
    std::array<char, 40> head{};
    const size_t got = file.read_some(0, head.data(), head.size());
    const std::string_view bytes(head.data(), got);
    if (bytes.starts_with(kWave64Riff)) {
      wave64_ = true;
      next_ = 40;
      const bool has_wave = got >= 40 && bytes.substr(24, 4) == "wave";  // not a plugin: the chunk id of Wave64
      if (!has_wave) file.refuse("got a Wave64 header cut after its first bytes");
      return;
    }
    big_endian_ = bytes.starts_with("RIFX");
    rf64_ = bytes.starts_with("RF64");
    next_ = 12;
    if (got < 12) file.refuse(fmt::format("got {} bytes, expected a WAV header of at least 44 (truncated file)", got));
    if (bytes.substr(8, 4) != "WAVE") {
      file.refuse(fmt::format("got a RIFF file of type \"{}\", expected \"WAVE\"", printable(bytes.substr(8, 4))));
    }
    // Recorders and pipes leave these two when they never came back to write the length.
    const uint64_t size = number(head.data() + 4, 4);
    if (!rf64_ && (size == 0 || size == kUnknownSize)) {
      file.refuse(
          fmt::format("got a RIFF size of {} bytes in a file of {} (unfinished recording or stream), expected "
                      "the length; repair the header",
                      size, file.size()));
    }
  }

  /// The next chunk, or nothing where no whole chunk header is left.
  std::optional<Chunk> next() {
    const size_t header_bytes = wave64_ ? 24 : 8;
    std::array<char, 24> head{};
    if (next_ > file_.size() || file_.read_some(next_, head.data(), header_bytes) < header_bytes) return std::nullopt;
    Chunk chunk{std::string(head.data(), 4), next_ + header_bytes, 0};
    if (chunk.start > file_.size()) return std::nullopt;  // the file grew since it was opened
    if (wave64_) {
      if (std::string_view(head.data() + 4, 12) != kWave64Tail) chunk.id = "?";
      const uint64_t with_header = number(head.data() + 16, 8);
      if (with_header < header_bytes)
        file_.refuse(fmt::format("got a chunk of {} bytes at byte {}, expected at least 24", with_header, next_));
      chunk.size = with_header - header_bytes;
    } else {
      chunk.size = number(head.data() + 4, 4);
      if (rf64_ && chunk.id == "data" && chunk.size == kUnknownSize) chunk.size = data_size_64_;
    }
    if (++seen_ > kMaxChunks) file_.refuse(fmt::format("got more than {} chunks, expected a WAV file", kMaxChunks));
    const uint64_t left = file_.size() - chunk.start;
    const uint64_t padding = wave64_ ? (8 - chunk.size % 8) % 8 : chunk.size % 2;
    next_ = chunk.size > left ? file_.size() : chunk.start + chunk.size + padding;
    return chunk;
  }

  void read_ds64(const Chunk& chunk) {
    std::array<char, 16> sizes{};
    if (!rf64_ || chunk.size < sizes.size()) return;
    file_.read(chunk.start, sizes.data(), sizes.size());
    data_size_64_ = number(sizes.data() + 8, 8);
  }

  [[nodiscard]] uint64_t number(const char* bytes, size_t count) const {
    uint64_t value = 0;
    for (size_t i = 0; i < count; ++i) {
      const auto byte = static_cast<unsigned char>(bytes[big_endian_ ? i : count - 1 - i]);
      value = value << 8U | byte;
    }
    return value;
  }

  [[nodiscard]] bool big_endian() const { return big_endian_; }
  [[nodiscard]] bool wave64() const { return wave64_; }

 private:
  const RegularFile& file_;
  bool big_endian_ = false, rf64_ = false, wave64_ = false;
  uint64_t next_ = 0;
  uint64_t data_size_64_ = kUnknownSize;
  int seen_ = 0;
};

/// Channels, rate and what the samples are; where they lie comes with the data chunk.
void read_format(const RegularFile& file, const Walker& walker, const Chunk& chunk, SoundHeader& header) {
  std::array<char, 40> bytes{};
  if (chunk.size < 16) file.refuse(fmt::format("got {} bytes, expected at least 16", chunk.size), "fmt chunk");
  file.read(chunk.start, bytes.data(), static_cast<size_t>(std::min<uint64_t>(chunk.size, bytes.size())));
  uint64_t tag = walker.number(bytes.data(), 2);
  header.channels = static_cast<int64_t>(walker.number(bytes.data() + 2, 2));
  header.rate_hz = static_cast<int64_t>(walker.number(bytes.data() + 4, 4));
  const auto block_bytes = static_cast<int64_t>(walker.number(bytes.data() + 12, 2));
  const auto bits = static_cast<int64_t>(walker.number(bytes.data() + 14, 2));
  if (tag == 0xFFFE) {
    if (chunk.size < 40) {
      file.refuse(fmt::format("got {} bytes of an extensible format, expected 40", chunk.size), "fmt chunk");
    }
    tag = walker.number(bytes.data() + 24, 4);
    // Data2 and Data3 of a GUID follow the file's byte order: 0x0000 and 0x0010.
    const bool is_tag_guid = walker.number(bytes.data() + 28, 2) == 0 && walker.number(bytes.data() + 30, 2) == 0x10 &&
                             std::memcmp(bytes.data() + 32, kSubFormatTail.data() + 4, 8) == 0;
    if (!is_tag_guid) {
      file.refuse("got an extensible format with an unknown sub-format GUID, expected PCM or float", "fmt chunk");
    }
  }
  const bool pcm = tag == 1 && (bits == 8 || bits == 16 || bits == 24 || bits == 32);
  const bool floating = tag == 3 && (bits == 32 || bits == 64);
  if (!pcm && !floating) {
    file.refuse(fmt::format("got format tag 0x{:04X} ({}) of {} bits, expected PCM of 8, 16, 24 or 32 bits or float of "
                            "32 or 64 bits; convert the file",
                            tag, tag_name(tag), bits),
                "fmt chunk");
  }
  if (header.channels == 0) file.refuse(fmt::format("got 0 channels, expected 1 to {}", kMaxChannels), "fmt chunk");
  if (block_bytes != header.channels * bits / 8) {
    file.refuse(fmt::format("got a block size of {} bytes, expected {} ({} channels of {} bits)", block_bytes,
                            header.channels * bits / 8, header.channels, bits),
                "fmt chunk");
  }
  header.pcm = PcmData{0, 0, static_cast<int>(bits), floating, walker.big_endian()};
}

void check_data(const RegularFile& file, const Walker& walker, const Chunk& chunk) {
  const uint64_t present = file.size() - chunk.start;
  if (!walker.wave64() && chunk.size == kUnknownSize) {
    file.refuse(
        fmt::format("got {} bytes of sound data behind a header without a length (unfinished recording or "
                    "stream), expected a header with the length; repair the header",
                    present));
  }
  if (chunk.size > present) {
    file.refuse(fmt::format("got {} bytes of sound data, expected {} (truncated file)", present, chunk.size));
  }
  if (chunk.size == 0 && present > 0) {
    file.refuse(
        fmt::format("got a data chunk of 0 bytes with {} bytes after it, expected sound; the recording is empty "
                    "or its header was never finished",
                    present));
  }
}

}  // namespace

bool looks_like_wav(std::string_view head) {
  return head.starts_with("RIFF") || head.starts_with("RIFX") || head.starts_with("RF64") ||
         head.starts_with(kWave64Riff);
}

SoundHeader read_wav_header(const RegularFile& file) {
  Walker walker(file);
  SoundHeader header;
  header.format = "WAV";
  bool has_format = false, has_data = false;
  while (const auto chunk = walker.next()) {
    if (chunk->id == "ds64") {
      walker.read_ds64(*chunk);
    } else if (chunk->id == "fmt ") {
      if (has_format) file.refuse("got two fmt chunks, expected one");
      read_format(file, walker, *chunk, header);
      has_format = true;
    } else if (chunk->id == "data") {
      if (!has_format) file.refuse("got the data chunk before the fmt chunk, expected fmt first");
      if (has_data) file.refuse(fmt::format("got a second data chunk at byte {}, expected one", chunk->start));
      check_data(file, walker, *chunk);
      header.pcm->begin = chunk->start;
      header.pcm->bytes = chunk->size;
      header.frames = static_cast<int64_t>(chunk->size) / (header.channels * header.pcm->bits / 8);
      has_data = true;
    } else if (!has_data && chunk->size > file.size() - chunk->start) {
      file.refuse(fmt::format("got {} of {} bytes of the chunk \"{}\", expected sound data after it (truncated file)",
                              file.size() - chunk->start, chunk->size, printable(chunk->id)));
    }
  }
  if (!has_data) {
    file.refuse(fmt::format("got a WAV header without {} chunk in {} bytes, expected fmt and data (truncated file)",
                            has_format ? "a data" : "a fmt", file.size()));
  }
  return header;
}

}  // namespace amae

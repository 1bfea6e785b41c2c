// A page: "OggS" version[1] flags[1] granule[8] serial[4] number[4] crc[4] count[1] sizes[count] body; little-endian.
// Flags: 1 continues a packet, 2 first page of a stream, 4 last one. Granule: samples up to the end of the page, -1
// where no packet ends in it.
#include "io/ogg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace amae {
namespace {

constexpr size_t kHeadBytes = 27, kMaxPageBytes = 27 + 255 + 255 * 255;
constexpr std::string_view kCapture("OggS\0", 5);

struct Page {
  uint64_t at = 0;    // in the file
  std::string bytes;  // all of it, its checksum as 0
  size_t body_at = 0;

  [[nodiscard]] uint64_t number(size_t from, size_t count) const {
    uint64_t value = 0;
    for (size_t i = count; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[from + i]);
    return value;
  }
  [[nodiscard]] std::string_view body() const { return std::string_view(bytes).substr(body_at); }
  [[nodiscard]] bool is_continued() const { return (number(5, 1) & 1U) != 0; }
  [[nodiscard]] bool is_first() const { return (number(5, 1) & 2U) != 0; }
  [[nodiscard]] bool is_last() const { return (number(5, 1) & 4U) != 0; }
  [[nodiscard]] int64_t granule() const { return static_cast<int64_t>(number(6, 8)); }
  [[nodiscard]] uint64_t serial() const { return number(14, 4); }
  [[nodiscard]] uint64_t sequence() const { return number(18, 4); }
  [[nodiscard]] uint64_t end() const { return at + bytes.size(); }
};

// x^32 + x^26 + … + 1 (0x04C11DB7), from 0, not reflected.
uint32_t page_crc(std::string_view bytes) {
  static const auto table = [] {
    std::array<uint32_t, 256> made{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t crc = i << 24U;
      for (int bit = 0; bit < 8; ++bit) crc = crc << 1U ^ ((crc & 0x80000000U) != 0 ? 0x04C11DB7U : 0U);
      made[i] = crc;
    }
    return made;
  }();
  uint32_t crc = 0;
  for (const char c : bytes) crc = crc << 8U ^ table[crc >> 24U ^ static_cast<unsigned char>(c)];
  return crc;
}

/// The page at a place, whole and undamaged.
Page read_page(const RegularFile& file, uint64_t at) {
  Page page{at, std::string(kHeadBytes + 255, '\0')};
  const size_t got = file.read_some(at, page.bytes.data(), page.bytes.size());
  const size_t count = got >= kHeadBytes ? page.number(26, 1) : 0;
  if (got < kHeadBytes + count) {
    file.refuse(fmt::format("got {} bytes of the Ogg page at byte {}, expected {} (truncated file)", got, at,
                            kHeadBytes + count));
  }
  if (!page.bytes.starts_with(kCapture)) {
    file.refuse(fmt::format("got no Ogg page at byte {}, expected one (damaged file)", at));
  }
  size_t size = kHeadBytes + count;
  for (size_t i = 0; i < count; ++i) size += page.number(kHeadBytes + i, 1);
  page.bytes.resize(size);
  const size_t present = file.read_some(at, page.bytes.data(), size);
  if (present < size) {
    file.refuse(
        fmt::format("got {} bytes of the Ogg page at byte {}, expected {} (truncated file)", present, at, size));
  }
  const uint64_t declared = page.number(22, 4);
  std::fill_n(page.bytes.begin() + 22, 4, '\0');  // the checksum counts itself as 0
  if (page_crc(page.bytes) != declared) {
    file.refuse(fmt::format("got an Ogg page at byte {} with a wrong checksum, expected an undamaged file", at));
  }
  page.body_at = kHeadBytes + count;
  return page;
}

void check_sequence(const RegularFile& file, const Page& page, const Page& next) {
  if (next.sequence() == (page.sequence() + 1) % (uint64_t{1} << 32U)) return;
  file.refuse(fmt::format("got Ogg page number {} after number {}, expected the next one (damaged file)",
                          next.sequence(), page.sequence()));
}

/// The last page, and in `before` the last position of the pages before it, as far as two pages reach; 0 without one.
Page read_last_page(const RegularFile& file, int64_t& before) {
  std::string tail(static_cast<size_t>(std::min<uint64_t>(file.size(), 2 * kMaxPageBytes)), '\0');
  file.read(file.size() - tail.size(), tail.data(), tail.size());
  const size_t found = tail.rfind(kCapture);
  if (found == std::string::npos) file.refuse("got no Ogg page near the end, expected the last one (damaged file)");
  Page page = read_page(file, file.size() - tail.size() + found);
  if (!page.is_last()) {
    file.refuse("got a last Ogg page that is not marked as the end, expected an end mark (truncated file)");
  }
  before = 0;
  for (size_t at = found; at > 0 && before <= 0;) {
    at = tail.rfind(kCapture, at - 1);
    if (at == std::string::npos) break;
    uint64_t granule = 0;
    for (size_t i = 14; i-- > 6;) granule = granule << 8U | static_cast<unsigned char>(tail[at + i]);
    before = std::max<int64_t>(0, static_cast<int64_t>(granule));
  }
  return page;
}

[[noreturn]] void refuse_codec(const RegularFile& file, std::string_view packet) {
  struct Codec {
    std::string_view start;
    const char* name;
  };
  const char* name = "an unknown codec";
  for (const Codec& codec : {Codec{"\x7F"
                                   "FLAC",
                                   "FLAC in Ogg"},
                             Codec{"Speex", "Speex"}, Codec{"\x80theora", "Theora"},
                             Codec{"fishead", "a skeleton of several streams"}, Codec{"CELT", "CELT"}}) {
    if (packet.starts_with(codec.start)) name = codec.name;
  }
  file.refuse(fmt::format("got {} in an Ogg file, expected Vorbis or Opus; convert the file", name));
}

/// Rate and channels from the first packet. Opus counts its granule at 48 kHz: `step` of it make one sample as decoded,
/// and `skip` of it come before the sound.
SoundHeader read_identification(const RegularFile& file, const Page& page, int64_t& skip, int64_t& step) {
  const std::string_view body = page.body();
  const size_t at = page.body_at;
  SoundHeader header;
  header.format = "OGG";
  if (body.starts_with("\x01vorbis")) {
    if (body.size() < 30) file.refuse(fmt::format("got {} bytes of a Vorbis header, expected 30", body.size()));
    if (page.number(at + 7, 4) != 0) {
      file.refuse(fmt::format("got Vorbis of version {}, expected 0", page.number(at + 7, 4)));
    }
    header.channels = static_cast<int64_t>(page.number(at + 11, 1));
    header.rate_hz = static_cast<int64_t>(page.number(at + 12, 4));
  } else if (body.starts_with("OpusHead")) {
    if (body.size() < 19) file.refuse(fmt::format("got {} bytes of an Opus header, expected 19", body.size()));
    if (page.number(at + 8, 1) > 15) {
      file.refuse(fmt::format("got Opus of version {}, expected 1", page.number(at + 8, 1)));
    }
    header.channels = static_cast<int64_t>(page.number(at + 9, 1));
    skip = static_cast<int64_t>(page.number(at + 10, 2));
    const uint64_t original = page.number(at + 12, 4);
    header.rate_hz = 48'000;
    for (const int64_t rate : {24'000, 16'000, 12'000, 8'000}) {
      if (original <= static_cast<uint64_t>(rate)) header.rate_hz = rate;
    }
    step = 48'000 / header.rate_hz;
  } else {
    refuse_codec(file, body);
  }
  return header;
}

/// Follows the packets that must come before the sound (`names`: how they begin), each whole and on pages in order:
/// libsndfile 1.2.2 leaks when it gives up in the middle of them. `page` is the first page, which holds one packet.
void check_header_packets(const RegularFile& file, Page page, const std::vector<std::string_view>& names) {
  const auto refuse = [&](const std::string& what) {
    file.refuse(fmt::format(
        "got {} in the Ogg page at byte {}, expected the header packets of one stream (damaged file)", what, page.at));
  };
  size_t done = 0;       // packets that ended
  bool is_open = false;  // one goes on in the next page
  while (true) {
    if (page.is_continued() != is_open) refuse(is_open ? "a packet that breaks off" : "the rest of no packet");
    size_t at = page.body_at;
    for (size_t i = kHeadBytes; i < page.body_at && done < names.size(); ++i) {
      const size_t size = page.number(i, 1);
      if (!is_open && !std::string_view(page.bytes).substr(at, size).starts_with(names[done])) refuse("another packet");
      at += size;
      is_open = size == 255;
      if (is_open) continue;
      ++done;
      if (done == 1 && i + 1 < page.body_at) refuse("more than one packet");
    }
    if (done == names.size()) return;
    if (done == 0) refuse("a first packet that is not whole");
    if (page.is_last()) refuse("the end of the stream");
    Page next = read_page(file, page.end());
    if (next.is_first() || next.serial() != page.serial()) {
      file.refuse(fmt::format("got several Ogg streams beside each other (serials {:08x} and {:08x}), expected one",
                              page.serial(), next.serial()));
    }
    check_sequence(file, page, next);
    page = std::move(next);
  }
}

}  // namespace

SoundHeader read_ogg_header(const RegularFile& file) {
  const Page first = read_page(file, 0);
  if (!first.is_first()) file.refuse("got an Ogg page from the middle of a stream, expected its first page");
  int64_t skip = 0, step = 1;
  SoundHeader header = read_identification(file, first, skip, step);
  if (first.body().starts_with("OpusHead")) {
    check_header_packets(file, first, {"OpusHead", "OpusTags"});
  } else {
    check_header_packets(file, first, {"\x01vorbis", "\x03vorbis", "\x05vorbis"});
  }
  int64_t before = 0;
  const Page last = read_last_page(file, before);
  if (last.serial() != first.serial()) {
    file.refuse(
        fmt::format("got Ogg streams one after the other (serials {:08x} and {:08x}), expected one; split the "
                    "file",
                    first.serial(), last.serial()));
  }
  const int64_t granule = last.granule();
  if (granule < 0) file.refuse(fmt::format("got {} as the last Ogg position, expected a length", granule));
  header.frames = std::max<int64_t>(0, granule - skip) / step;
  header.seekable = std::clamp<int64_t>((before - skip) / step - 1, 0, header.frames);
  return header;
}

void check_ogg_pages(const RegularFile& file) {
  Page page = read_page(file, 0);
  int64_t granule = 0;
  while (true) {
    if (page.granule() != -1) {
      if (page.granule() < granule) {
        file.refuse(
            fmt::format("got an Ogg page at byte {} of position {} after {}, expected a later one (damaged file)",
                        page.at, page.granule(), granule));
      }
      granule = page.granule();
    }
    if (page.is_last()) break;
    Page next = read_page(file, page.end());
    if (next.is_first() || next.serial() != page.serial()) {
      file.refuse(
          fmt::format("got another Ogg stream at byte {} (serials {:08x} and {:08x}), expected one; split the file",
                      next.at, page.serial(), next.serial()));
    }
    check_sequence(file, page, next);
    page = std::move(next);
  }
  std::array<char, kCapture.size()> after{};
  const size_t got = file.read_some(page.end(), after.data(), after.size());
  if (std::string_view(after.data(), got).starts_with(kCapture)) {
    file.refuse(fmt::format(
        "got another Ogg stream at byte {} behind the end of the first, expected one; split the file", page.end()));
  }
}

}  // namespace amae

#include "http/chunked_decoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "http/characters.h"
#include "http/refusal.h"

namespace amae::http {
namespace {

constexpr size_t kMostLineBytes = 1024;  // a size with its extensions
constexpr size_t kMostTrailerBytes = 8192;
constexpr int kMostDigits = 16;
// Each chunk costs some work, so many of them must carry something.
constexpr uint64_t kFreeChunks = 4096;
constexpr uint64_t kLeastMeanBytes = 64;

void expect(char byte, char expected) {
  if (byte != expected) refuse("got a chunk without its line end, expected CR LF");
}

}  // namespace

size_t ChunkedDecoder::feed(std::string_view bytes, std::string& body) {
  size_t taken = 0;
  while (taken < bytes.size() && part_ != Part::done) {
    if (part_ != Part::data) {
      take(bytes[taken++]);
      continue;
    }
    const std::string_view data = bytes.substr(taken, size_);
    body.append(data);
    taken += data.size();
    size_ -= data.size();
    if (size_ == 0) part_ = Part::data_cr;
  }
  return taken;
}

void ChunkedDecoder::take(char byte) {
  switch (part_) {
    case Part::size:
      if (const int digit = hex_value(byte); digit >= 0) {
        if (++digits_ > kMostDigits)
          refuse(fmt::format("got a chunk size over {} digits, expected fewer", kMostDigits));
        size_ = size_ * 16 + static_cast<uint64_t>(digit);
        return;
      }
      if (digits_ == 0) refuse("got no chunk size, expected hexadecimal digits");
      [[fallthrough]];
    case Part::blank:
      if (byte == '\r' && part_ == Part::size) {
        part_ = Part::size_end;
      } else if (byte == ';') {
        part_ = Part::extension;
      } else if (byte == ' ' || byte == '\t') {
        part_ = Part::blank;
      } else {
        refuse("got a chunk size with more behind it, expected hexadecimal digits and CR LF");
      }
      break;
    case Part::extension:
      if (byte == '\r') {
        part_ = Part::size_end;
      } else if (!is_value_character(byte)) {
        refuse("got a control character in a chunk extension, expected none");
      }
      break;
    case Part::size_end:
      expect(byte, '\n');
      begin_chunk();
      return;
    case Part::data_cr:
      expect(byte, '\r');
      part_ = Part::data_end;
      return;
    case Part::data_end:
      expect(byte, '\n');
      part_ = Part::size;
      return;
    case Part::trailer:
      part_ = byte == '\r' ? Part::end : Part::name;
      if (part_ == Part::name && !is_token_character(byte))
        refuse("got a trailer without a name, expected NAME: VALUE");
      break;
    case Part::name:
      if (byte == ':') {
        part_ = Part::value;
      } else if (!is_token_character(byte)) {
        refuse("got a trailer with a bad name, expected NAME: VALUE");
      }
      break;
    case Part::value:
      if (byte == '\r') {
        part_ = Part::value_end;
      } else if (!is_value_character(byte)) {
        refuse("got a control character in a trailer, expected none");
      }
      break;
    case Part::value_end:
      expect(byte, '\n');
      part_ = Part::trailer;
      break;
    case Part::end:
      expect(byte, '\n');
      part_ = Part::done;
      return;
    case Part::data:
    case Part::done:
      return;
  }
  if (part_ == Part::blank || part_ == Part::extension) {
    if (++line_bytes_ > kMostLineBytes) refuse("got a chunk extension over 1 KiB, expected a shorter one");
  } else if (part_ >= Part::trailer && ++trailer_bytes_ > kMostTrailerBytes) {
    refuse(431, "SIZE", "got trailers over 8 KiB, expected fewer");
  }
}

void ChunkedDecoder::begin_chunk() {
  if (size_ > max_bytes_ - announced_) {
    refuse(413, "SIZE",
           fmt::format("got a body over {}, expected a smaller one", bytes_text(static_cast<double>(max_bytes_))));
  }
  announced_ += size_;
  if (size_ > 0 && ++chunks_ > kFreeChunks && announced_ < chunks_ * kLeastMeanBytes)
    refuse(fmt::format("got more than {} chunks below {} bytes, expected larger ones", kFreeChunks, kLeastMeanBytes));
  digits_ = 0;
  line_bytes_ = 0;
  part_ = size_ == 0 ? Part::trailer : Part::data;
}

}  // namespace amae::http

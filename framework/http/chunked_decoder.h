// The chunked transfer coding (RFC 9112, section 7.1), byte by byte. (no LibTorch)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace amae::http {

/// Why not Beast's: it wants a chunk's whole line at once, however long it may be, counts no chunks, and makes fields
/// of a trailer ones of the head.
class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(uint64_t max_bytes) : max_bytes_(max_bytes) {}

  /// Appends the data to `body` and returns how many bytes it took; all, unless the body ends within them. Trailers are
  /// checked and dropped. Throws Refusal: 400 for what is no chunked coding and for a flood of tiny chunks, 413 once a
  /// chunk is announced that goes beyond `max_bytes`, 431 for long trailers.
  size_t feed(std::string_view bytes, std::string& body);
  [[nodiscard]] bool is_done() const { return part_ == Part::done; }

 private:
  enum class Part {
    size,
    blank,
    extension,
    size_end,
    data,
    data_cr,
    data_end,
    trailer,
    name,
    value,
    value_end,
    end,
    done
  };

  void take(char byte);
  void begin_chunk();

  uint64_t max_bytes_;
  uint64_t announced_ = 0;  // of all chunks so far
  uint64_t chunks_ = 0;
  uint64_t size_ = 0;  // of this chunk; then what is left of it
  int digits_ = 0;
  size_t line_bytes_ = 0;
  size_t trailer_bytes_ = 0;
  Part part_ = Part::size;
};

}  // namespace amae::http

#include "io/write_radioml.h"

#include <fmt/format.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "amae/error.h"
#include "base/file.h"

namespace amae {
namespace {

namespace fs = std::filesystem;

/// Each byte as Python's repr() writes it within single quotes.
std::vector<std::string> escaped_bytes() {
  std::vector<std::string> all;
  for (int byte = 0; byte < 256; ++byte) {
    switch (byte) {
      case '\t':
        all.emplace_back("\\t");
        break;
      case '\n':
        all.emplace_back("\\n");
        break;
      case '\r':
        all.emplace_back("\\r");
        break;
      case '\'':
        all.emplace_back("\\'");
        break;
      case '\\':
        all.emplace_back("\\\\");
        break;
      default:
        all.push_back(byte >= 0x20 && byte < 0x7F ? std::string(1, static_cast<char>(byte))
                                                  : fmt::format("\\x{:02x}", byte));
    }
  }
  return all;
}

}  // namespace

RadiomlWriter::RadiomlWriter(fs::path path) : path_(std::move(path)), temporary_(path_) {
  static_assert(std::endian::native == std::endian::little, "the arrays are written as they lie in memory");
  temporary_ += fmt::format(".tmp-{}", ::getpid());
  file_ = std::fopen(temporary_.c_str(), "wbe");
  if (file_ == nullptr) fail("create");
  put("(dp0\n");
  memo_["dict"] = 0;
}

RadiomlWriter::~RadiomlWriter() {
  if (file_ != nullptr) std::fclose(file_);
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove(temporary_, ignored);
}

void RadiomlWriter::fail(const char* doing) const {
  throw EnvironmentError("FILE", temporary_.string(), fmt::format("cannot {}: {}", doing, std::strerror(errno)));
}

void RadiomlWriter::put(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) fail("write");
  bytes_ += text.size();
}

void RadiomlWriter::put_string(std::string_view bytes) {
  static const std::vector<std::string> kEscaped = escaped_bytes();
  constexpr size_t kBlock = size_t{1} << 20U;
  std::string text = "S'";
  for (const char c : bytes) {
    text += kEscaped[static_cast<unsigned char>(c)];
    if (text.size() < kBlock) continue;
    put(text);
    text.clear();
  }
  put(text + "'\n");
}

void RadiomlWriter::put_shared(const std::string& name, const std::string& opcodes) {
  const auto [entry, is_new] = memo_.emplace(name, static_cast<int>(memo_.size()));
  put(is_new ? fmt::format("{}p{}\n", opcodes, entry->second) : fmt::format("g{}\n", entry->second));
}

void RadiomlWriter::add(const std::string& modulation, int64_t snr_db, std::span<const float> values,
                        std::array<int64_t, 3> shape) {
  put("(");
  put_shared("modulation " + modulation, "S'" + modulation + "'\n");
  put(fmt::format("I{}\nt", snr_db));
  put_shared("reconstruct", "cnumpy.core.multiarray\n_reconstruct\n");
  put("(");
  put_shared("ndarray", "cnumpy\nndarray\n");
  put("(I0\nt");
  put_shared("kind", "S'b'\n");
  put("tR");  // an empty array, which the state completes: version, shape, element type, Fortran order, bytes
  put(fmt::format("(I1\n(I{}\nI{}\nI{}\nt", shape[0], shape[1], shape[2]));
  put_shared("dtype", "cnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb");
  put("I00\n");
  put_string({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  put("tbs");
}

uint64_t RadiomlWriter::finish() {
  put(".");
  const bool is_flushed = std::fflush(file_) == 0 && ::fsync(::fileno(file_)) == 0;
  if (std::fclose(std::exchange(file_, nullptr)) != 0 || !is_flushed) fail("write");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename");
  temporary_.clear();
  sync_path(path_.has_parent_path() ? path_.parent_path() : fs::path("."));
  return bytes_;
}

}  // namespace amae

#include "index/partial_rows.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "amae/error.h"
#include "base/hash.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

struct RecordHead {
  uint32_t text_bytes = 0, rows = 0;
  uint64_t hash = 0;
};
static_assert(sizeof(RecordHead) == 16);

constexpr uint32_t kLongestText = 1U << 20U, kMostRows = 1U << 26U;

std::string key_text(const std::string& id, const std::string& content) { return id + '\n' + content; }

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

PartialRows::PartialRows(const fs::path& folder, const std::string& maker, int64_t dimension)
    : folder_(folder), dimension_(dimension) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw EnvironmentError("FILE", folder_.string(), "cannot create folder: " + error.message());
  lock_ = std::make_unique<FileLock>(folder_ / "lock");
  const fs::path maker_file = folder_ / "maker.json", rows_file = folder_ / "rows.bin";
  const std::string expected = fmt::format("{}\n{}\n", maker, dimension);
  if (!fs::exists(maker_file, error) || read_file(maker_file, uint64_t{1} << 24U) != expected) {
    fs::remove(rows_file, error);
    write_file(maker_file, expected);
  }
  fd_ = ::open(rows_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd_ < 0) throw EnvironmentError("FILE", rows_file.string(), fmt::format("cannot open: {}", std::strerror(errno)));
  read_all();
}

PartialRows::~PartialRows() {
  if (fd_ >= 0) ::close(fd_);
}

/// The record's bytes behind its head, checked; empty when it is cut or damaged.
std::string PartialRows::body_at(uint64_t offset, uint32_t& text_bytes, uint32_t& rows) const {
  RecordHead head;
  if (::pread(fd_, &head, sizeof head, static_cast<off_t>(offset)) != static_cast<ssize_t>(sizeof head)) return "";
  struct stat status {};
  if (::fstat(fd_, &status) != 0 || head.text_bytes > kLongestText || head.rows > kMostRows || head.rows == 0)
    return "";
  const uint64_t bytes = head.text_bytes + uint64_t{head.rows} * (16 + 4 * static_cast<uint64_t>(dimension_));
  if (offset + sizeof head + bytes > static_cast<uint64_t>(status.st_size)) return "";
  std::string body(bytes, '\0');
  const auto at = static_cast<off_t>(offset + sizeof head);
  if (::pread(fd_, body.data(), bytes, at) != static_cast<ssize_t>(bytes) || xxh3_key(body) != head.hash) return "";
  text_bytes = head.text_bytes;
  rows = head.rows;
  return body;
}

void PartialRows::read_all() {
  uint32_t text_bytes = 0, rows = 0;
  for (;;) {
    const std::string body = body_at(end_, text_bytes, rows);
    if (body.empty()) break;
    offsets_[xxh3_key({body.data(), text_bytes})] = end_;
    end_ += sizeof(RecordHead) + body.size();
  }
  if (::ftruncate(fd_, static_cast<off_t>(end_)) != 0)
    throw EnvironmentError("FILE", (folder_ / "rows.bin").string(),
                           fmt::format("cannot cut: {}", std::strerror(errno)));
}

bool PartialRows::has(const std::string& id, const std::string& content) const {
  return offsets_.contains(xxh3_key(key_text(id, content)));
}

std::optional<ItemRows> PartialRows::find(const std::string& id, const std::string& content) const {
  const std::string text = key_text(id, content);
  const auto found = offsets_.find(xxh3_key(text));
  if (found == offsets_.end()) return std::nullopt;
  uint32_t text_bytes = 0, rows = 0;
  const std::string body = body_at(found->second, text_bytes, rows);
  if (body.compare(0, text_bytes, text) != 0) return std::nullopt;
  ItemRows item;
  const char* at = body.data() + text_bytes;
  for (uint32_t i = 0; i < rows; ++i) {
    double times[2];
    std::memcpy(times, at + size_t{16} * i, sizeof times);
    item.start_s.push_back(times[0]);
    item.end_s.push_back(times[1]);
  }
  item.vectors.resize(size_t{rows} * static_cast<size_t>(dimension_));
  std::memcpy(item.vectors.data(), at + size_t{16} * rows, item.vectors.size() * sizeof(float));
  return item;
}

void PartialRows::add(const std::string& id, const std::string& content, const std::vector<double>& start_s,
                      const std::vector<double>& end_s, const float* vectors) {
  std::string record(sizeof(RecordHead), '\0');
  record += key_text(id, content);
  RecordHead head{static_cast<uint32_t>(record.size() - sizeof head), static_cast<uint32_t>(start_s.size()), 0};
  for (size_t i = 0; i < start_s.size(); ++i) {
    const double times[2] = {start_s[i], end_s[i]};
    record.append(reinterpret_cast<const char*>(times), sizeof times);
  }
  record.append(reinterpret_cast<const char*>(vectors),
                start_s.size() * static_cast<size_t>(dimension_) * sizeof(float));
  head.hash = xxh3_key({record.data() + sizeof head, record.size() - sizeof head});
  std::memcpy(record.data(), &head, sizeof head);
  for (size_t done = 0; done < record.size();) {
    const ssize_t wrote = ::pwrite(fd_, record.data() + done, record.size() - done, static_cast<off_t>(end_ + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0)
      throw EnvironmentError("FILE", (folder_ / "rows.bin").string(),
                             fmt::format("cannot write: {}", std::strerror(errno)));
    done += static_cast<size_t>(wrote);
  }
  offsets_[xxh3_key(key_text(id, content))] = end_;
  end_ += record.size();
  constexpr int64_t kSyncEveryMs = 5000;
  if (const int64_t now = now_ms(); now - synced_at_ > kSyncEveryMs) {
    ::fdatasync(fd_);  // of work that can be done again: an error shows when the store itself is written
    synced_at_ = now;
  }
}

void PartialRows::remove() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace amae

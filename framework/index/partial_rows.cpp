#include "index/partial_rows.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "amae/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

struct RecordHead {
  uint32_t text_bytes = 0, rows = 0;
  uint64_t hash = 0;
};
static_assert(sizeof(RecordHead) == 16);

constexpr const char* kLock = "lock";
constexpr uint32_t kLongestText = 1U << 20U, kMostRows = 1U << 26U;

std::string key_text(const std::string& id, const std::string& content) { return id + '\n' + content; }

fs::path maker_file(const fs::path& folder) { return folder / "maker.txt"; }
fs::path rows_file(const fs::path& folder) { return folder / "rows.bin"; }

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// False when the file ends before. One call of the kernel reads at most 2 GiB.
bool read_at(int fd, uint64_t offset, void* target, size_t count) {
  auto* to = static_cast<char*>(target);
  while (count > 0) {
    const ssize_t got = ::pread(fd, to, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    offset += static_cast<uint64_t>(got);
    count -= static_cast<size_t>(got);
  }
  return true;
}

}  // namespace

PartialLock::PartialLock(fs::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw EnvironmentError("FILE", printable(folder_.string()), "cannot create folder: " + error.message());
  lock_.emplace(folder_ / kLock);
}

PartialLock::~PartialLock() {
  std::error_code ignored;
  const bool is_alone = std::all_of(fs::directory_iterator(folder_, ignored), fs::directory_iterator(),
                                    [](const auto& entry) { return entry.path().filename() == kLock; });
  if (is_alone) remove();
}

void PartialLock::remove() const {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

bool PartialRows::has_other(const fs::path& folder, const std::string& maker) {
  std::error_code error;
  const auto bytes = fs::file_size(rows_file(folder), error);
  if (error || bytes == 0 || !fs::exists(maker_file(folder), error)) return false;
  return read_file(maker_file(folder), uint64_t{1} << 24U) != maker;
}

PartialRows::PartialRows(const fs::path& folder, const std::string& maker, int64_t dimension)
    : file_(rows_file(folder)), dimension_(dimension) {
  std::error_code error;
  if (!fs::exists(maker_file(folder), error) || read_file(maker_file(folder), uint64_t{1} << 24U) != maker) {
    fs::remove(file_, error);
    write_file(maker_file(folder), maker);
  }
  fd_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd_ < 0) throw EnvironmentError("FILE", file_.string(), fmt::format("cannot open: {}", std::strerror(errno)));
  read_all();
}

PartialRows::~PartialRows() {
  if (fd_ >= 0) ::close(fd_);
}

/// The record's bytes behind its head, checked; empty when it is cut or damaged.
std::string PartialRows::body_at(uint64_t offset, uint32_t& text_bytes, uint32_t& rows) const {
  RecordHead head;
  struct stat status {};
  if (::fstat(fd_, &status) != 0 || !read_at(fd_, offset, &head, sizeof head)) return "";
  if (head.text_bytes > kLongestText || head.rows > kMostRows || head.rows == 0) return "";
  const uint64_t bytes = head.text_bytes + uint64_t{head.rows} * (16 + 4 * static_cast<uint64_t>(dimension_));
  if (offset + sizeof head + bytes > static_cast<uint64_t>(status.st_size)) return "";
  std::string body(bytes, '\0');
  if (!read_at(fd_, offset + sizeof head, body.data(), bytes) || xxh3_key(body) != head.hash) return "";
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
    throw EnvironmentError("FILE", file_.string(), fmt::format("cannot cut: {}", std::strerror(errno)));
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
  if (body.empty()) throw EnvironmentError("FILE", file_.string(), "cannot be read back: was it changed meanwhile?");
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
  if (id.size() > kLongestText / 2 || start_s.size() > kMostRows) {
    throw InputError("STORE", printable(id.substr(0, 100)), "",
                     fmt::format("got {} rows and an id of {} bytes, expected at most {} and {}", start_s.size(),
                                 id.size(), kMostRows, kLongestText / 2));
  }
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
      throw EnvironmentError("FILE", file_.string(), fmt::format("cannot write: {}", std::strerror(errno)));
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

}  // namespace amae

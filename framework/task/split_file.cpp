#include "task/split_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "amae/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "io/csv.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

constexpr std::array<const char*, 5> kSplitParts = {"unreadable", "train", "val", "test", "unlabelled"};

/// Place in kSplitParts of each row.
std::vector<unsigned char> parts_of_rows(int64_t rows, const Split& split) {
  std::vector<unsigned char> parts(static_cast<size_t>(rows), 0);
  unsigned char part = 1;
  for (const auto* list : {&split.train, &split.val, &split.test, &split.unlabelled}) {
    for (const int64_t row : *list) parts[static_cast<size_t>(row)] = part;
    ++part;
  }
  return parts;
}

void write_rows(const fs::path& path, const Dataset& dataset, const std::vector<unsigned char>& parts) {
  constexpr size_t kBlock = size_t{4} << 20U;
  std::string block = csv_line({"row", "id", "part"});
  for (size_t row = 0; row < parts.size(); ++row) {
    block += csv_line({std::to_string(row), dataset.id(static_cast<int64_t>(row)), kSplitParts[parts[row]]});
    if (block.size() < kBlock) continue;
    append_file(path, block);
    block.clear();
  }
  append_file(path, block);
}

/// "line 17: got 15,clip_16,train, expected 15,clip_16,test"
std::string first_difference(const fs::path& was, const fs::path& is) {
  std::ifstream old_lines(was), new_lines(is);
  std::string before, now;
  for (int64_t line = 1;; ++line) {
    const bool has_before = static_cast<bool>(std::getline(old_lines, before));
    const bool has_now = static_cast<bool>(std::getline(new_lines, now));
    if (has_before && has_now && before == now) continue;
    const auto shown = [](bool has, const std::string& text) {
      return has ? printable(text.substr(0, 200)) : "no line";
    };
    return fmt::format("line {}: got {}, expected {}", line, shown(has_now, now), shown(has_before, before));
  }
}

/// Removes a file that was not renamed in the end.
class Scratch {
 public:
  explicit Scratch(fs::path path) : path_(std::move(path)) { remove(); }
  ~Scratch() { remove(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  void remove() const {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  fs::path path_;
};

}  // namespace

nlohmann::ordered_json keep_split(const fs::path& run, const Dataset& dataset, const Split& split) {
  const fs::path path = run / "split.csv";
  const Scratch scratch(run / fmt::format("split.csv.tmp-{}", ::getpid()));
  const std::vector<unsigned char> parts = parts_of_rows(dataset.size(), split);
  write_rows(scratch.path(), dataset, parts);
  const std::string sum = sha256_file(scratch.path());
  if (!fs::exists(path)) {
    std::error_code error;
    fs::rename(scratch.path(), path, error);
    if (error) throw EnvironmentError("FILE", path.string(), "cannot rename: " + error.message());
    sync_path(run);
  } else if (sha256_file(path) != sum) {
    throw InputError("RUN", path.string(), "",
                     first_difference(path, scratch.path()) + " as when this run began; start a new run");
  }
  std::array<int64_t, kSplitParts.size()> counts{};
  for (const unsigned char part : parts) ++counts[part];
  return {{"train", counts[1]},      {"val", counts[2]},        {"test", counts[3]},
          {"unlabelled", counts[4]}, {"unreadable", counts[0]}, {"sha256", sum}};
}

}  // namespace amae

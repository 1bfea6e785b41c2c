#include "file_check.h"

#include <algorithm>
#include <mutex>
#include <tuple>
#include <unordered_map>

#include "base/text.h"
#include "data_root.h"
#include "io/audio.h"
#include "parallel.h"

namespace amae {
namespace {

/// The first few of many, in order, and how many they are.
template <class Value>
class FirstOf {
 public:
  void add(uint32_t key, Value value) {
    ++count_;
    kept_.emplace(key, std::move(value));
    if (kept_.size() > kShownProblems) kept_.erase(std::prev(kept_.end()));
  }
  [[nodiscard]] size_t count() const { return count_; }
  [[nodiscard]] const std::map<uint32_t, Value>& kept() const { return kept_; }

 private:
  std::map<uint32_t, Value> kept_;
  size_t count_ = 0;
};

class FileCheck {
 public:
  FileCheck(AudioTable& table, ProblemList& problems) : table_(table), problems_(problems), root_(table.rules.root) {}

  void run() {
    table_.facts.resize(table_.files.size());
    for_each_index(table_.files.size(), "headers", [&](size_t i) { look_at(static_cast<uint32_t>(i)); });
    for (const auto& [file, name] : outside_.kept()) {
      const auto row = first_row_of(file);
      problems_.add({table_.rules.code, table_.where(row), table_.rules.path,
                     fmt::format("{} is a link that escapes the data set's root folder {}; expected a file below it",
                                 printable(name), printable(root_.folder().string()))});
    }
    if (!table_.rules.skips_bad) {
      for (const auto& [file, error] : unreadable_.kept()) {
        for (const auto& problem : error.problems()) problems_.add(problem);
      }
      check_sections();
    }
    if (missing_.count() > 0 && (!table_.rules.skips_bad || missing_.count() == table_.files.size())) tell_missing();
    if (table_.rules.skips_bad && unreadable_.count() > 0 &&
        missing_.count() + unreadable_.count() == table_.files.size()) {
      const auto& first = unreadable_.kept().begin()->second.problems().front();
      problems_.add({first.code, first.where, first.field,
                     fmt::format("{}; and so with all files, expected some that can be read", first.message)});
    }
    merge_same_files();
    check_repetition();
  }

 private:
  using Kind = DataRoot::Place::Kind;

  void look_at(uint32_t file) {
    const std::string name(table_.files[file]);
    auto place = root_.find(name);
    int16_t extension = 0;
    if (place.kind == Kind::missing && table_.rules.any_format) {
      for (int16_t i = 1; i < std::ssize(kOtherExtensions) && place.kind == Kind::missing; ++i) {
        auto other = root_.find(std::filesystem::path(name).replace_extension(kOtherExtensions[i]).string());
        if (other.kind != Kind::missing) place = std::move(other), extension = i;
      }
    }
    FileFacts& facts = table_.facts[file];
    facts.extension = extension;
    if (place.kind != Kind::inside) {
      const std::lock_guard lock(mutex_);
      place.kind == Kind::missing ? missing_.add(file, place.reason) : outside_.add(file, name);
      return;
    }
    if (place.name != name) {
      const std::lock_guard lock(mutex_);
      real_names_.emplace(file, place.name);
    }
    try {
      const AudioInfo info = audio_info(table_.path_of(file));
      facts.frames = info.frames;
      facts.rate_hz = static_cast<int32_t>(info.rate_hz);
      facts.channels = static_cast<int16_t>(info.channels);
    } catch (const InputError& error) {
      const std::lock_guard lock(mutex_);
      unreadable_.add(file, error);
    }
  }

  [[nodiscard]] size_t first_row_of(uint32_t file) const {
    return static_cast<size_t>(std::find(table_.file.begin(), table_.file.end(), file) - table_.file.begin());
  }

  void tell_missing() {
    std::vector<std::string> names;
    for (const auto& [file, reason] : missing_.kept()) {
      names.push_back(printable(table_.files[file]));
      if (reason != "No such file or directory") names.back() += " (" + reason + ")";
    }
    const size_t count = missing_.count();
    problems_.add_first(
        {"DATA-FILE", printable(root_.folder().string()), table_.rules.path,
         fmt::format("{} of {} files {} missing: {}{}{}", count, table_.files.size(), count == 1 ? "is" : "are",
                     join(names, ", "), count > names.size() ? fmt::format(", … (first {})", names.size()) : "",
                     table_.rules.hint.empty() ? "" : "; " + table_.rules.hint)});
  }

  void check_sections() {
    for (size_t row = 0; row < table_.start_s.size(); ++row) {
      const FileFacts& facts = table_.facts[table_.file[row]];
      if (facts.frames == 0) continue;  // told already
      try {
        section_of(table_, row, facts);
      } catch (const InputError& error) {
        problems_.add(error.problems().front());
      }
    }
  }

  // Names that links, or stand-ins of another format, lead to one file.
  void merge_same_files() {
    std::map<std::string, uint32_t> first;  // of links, by where they lead
    for (const auto& [file, name] : real_names_) {
      const uint32_t listed = table_.files.find(name);
      same_as_[file] = listed != NameTable::kNone ? listed : first.emplace(name, file).first->second;
    }
  }

  [[nodiscard]] uint32_t identity(size_t row) const {
    const auto found = same_as_.find(table_.file[row]);
    return found == same_as_.end() ? table_.file[row] : found->second;
  }

  // Rows of one file side by side, in order of their sections. By counting, then within each file: a million rows in
  // one sort would cost half a second.
  [[nodiscard]] std::vector<uint32_t> rows_by_file_and_start() const {
    std::vector<size_t> end_of_file(table_.files.size() + 1);
    for (size_t row = 0; row < table_.size(); ++row) ++end_of_file[identity(row) + 1];
    for (size_t i = 1; i < end_of_file.size(); ++i) end_of_file[i] += end_of_file[i - 1];
    std::vector<uint32_t> order(table_.size());
    auto next = end_of_file;  // place of the next row of each file
    for (size_t row = 0; row < table_.size(); ++row) order[next[identity(row)]++] = static_cast<uint32_t>(row);
    if (table_.start_s.empty()) return order;
    const auto before = [&](uint32_t a, uint32_t b) {
      return std::tuple(table_.start_s[a], table_.end_s[a], a) < std::tuple(table_.start_s[b], table_.end_s[b], b);
    };
    for (size_t i = 0; i + 1 < end_of_file.size(); ++i) {
      std::sort(order.begin() + static_cast<std::ptrdiff_t>(end_of_file[i]),
                order.begin() + static_cast<std::ptrdiff_t>(end_of_file[i + 1]), before);
    }
    return order;
  }

  void check_repetition() {
    if (table_.files.size() == table_.size() && same_as_.empty()) return;
    const bool sections = !table_.start_s.empty();
    const std::vector<uint32_t> order = rows_by_file_and_start();
    // Of the rows of one file before the present one, sorted by start: that which reaches furthest, and the furthest of
    // another fold than its.
    constexpr size_t kNoRow = SIZE_MAX;
    size_t furthest = kNoRow, other_fold = kNoRow;
    const auto end_of = [&](size_t row) { return sections ? table_.end_s[row] : kToTheEnd; };
    const auto fold_of = [&](size_t row) { return table_.fold.empty() ? 0 : table_.fold[row]; };
    for (size_t i = 0; i < order.size(); ++i) {
      const size_t row = order[i];
      if (i == 0 || identity(order[i - 1]) != identity(row)) {
        furthest = row;
        other_fold = kNoRow;
        continue;
      }
      const size_t before = order[i - 1];
      const double start_s = sections ? table_.start_s[row] : 0;
      const size_t rival = furthest != kNoRow && fold_of(furthest) != fold_of(row) ? furthest : other_fold;
      if (start_s == (sections ? table_.start_s[before] : 0) && end_of(before) == end_of(row)) {
        tell(before, row, "stands", "expected one row for each file or section");
      } else if (rival != kNoRow && fold_of(rival) != fold_of(row) && start_s < end_of(rival)) {
        tell(rival, row, "overlaps with what stands", "expected the folds to share no sound");
      }
      if (end_of(row) > end_of(furthest)) {
        if (fold_of(furthest) != fold_of(row)) other_fold = furthest;
        furthest = row;
      } else if (fold_of(row) != fold_of(furthest) && (other_fold == kNoRow || end_of(row) > end_of(other_fold))) {
        other_fold = row;
      }
    }
  }

  /// A problem of two rows, told at the later one.
  void tell(size_t first, size_t second, const char* verb, const char* expected) {
    if (first > second) std::swap(first, second);
    std::string folds;
    if (!table_.fold.empty()) folds = fmt::format(" (fold {} there, {} here)", table_.fold[first], table_.fold[second]);
    const bool same_name = table_.file[first] == table_.file[second];
    const std::string place =
        table_.rules.source.empty() ? "as " + table_.id(first) : fmt::format("on line {}", table_.line_of(first));
    problems_.add({table_.rules.code, table_.where(second), table_.rules.path,
                   fmt::format("{} {} {} already{}{}; {}", table_.id(second), verb, place,
                               same_name ? "" : " under another name of the same file", folds, expected)});
  }

  AudioTable& table_;
  ProblemList& problems_;
  DataRoot root_;
  std::mutex mutex_;  // guards what follows while threads look at files
  FirstOf<std::string> missing_, outside_;
  FirstOf<InputError> unreadable_;
  std::map<uint32_t, std::string> real_names_;
  std::unordered_map<uint32_t, uint32_t> same_as_;
};

}  // namespace

void check_files(AudioTable& table, ProblemList& problems) { FileCheck(table, problems).run(); }

}  // namespace amae

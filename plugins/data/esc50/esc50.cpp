#include "esc50.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>

#include "amae/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "io/audio.h"
#include "io/csv.h"

namespace amae {
namespace {

namespace fs = std::filesystem;

constexpr size_t kShown = 20;  // problems, or names of missing files, that one message lists

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<int64_t> whole_number(const std::string& text, int64_t low, int64_t high) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high) return std::nullopt;
  return value;
}

[[noreturn]] void fail(std::vector<Problem> problems, const std::string& where) {
  if (problems.size() > kShown) {
    const auto more = problems.size() - kShown;
    problems.resize(kShown);
    problems.push_back({"DATA", where, "", fmt::format("and {} more problem{}", more, more == 1 ? "" : "s")});
  }
  throw InputError(std::move(problems));
}

/// The table's rows, and on the way every problem that the table alone can show.
class Table {
 public:
  explicit Table(fs::path path) : path_(std::move(path)) {}

  std::vector<Esc50::Row> read(bool only_esc10) {
    const auto table = CsvTable::read(path_);
    std::vector<std::string> wanted = {"filename", "fold", "target", "category", "src_file"};
    if (only_esc10) wanted.emplace_back("esc10");
    for (const auto& name : wanted) {
      if (!table.has(name)) {
        add(1, name, fmt::format("the column is missing, expected {} in the header", join(wanted, ",")));
      }
    }
    if (!problems.empty()) return {};
    std::map<std::string, size_t> column;
    for (const auto& name : wanted) column[name] = table.column(name);

    std::vector<Esc50::Row> rows;
    for (const auto& source : table.rows()) {
      const auto cell = [&](const char* name) { return trimmed(source.cells.at(column.at(name))); };
      const auto row =
          checked(source.line, cell("filename"), cell("fold"), cell("target"), cell("category"), cell("src_file"));
      bool kept = true;
      if (only_esc10) {
        const auto flag = cell("esc10");
        kept = flag == "True";
        if (flag != "True" && flag != "False") {
          add(source.line, "esc10", fmt::format("got \"{}\", expected True or False", printable(flag)));
        }
      }
      if (kept) rows.push_back(row);
    }
    if (rows.empty() && problems.empty()) {
      problems.push_back(
          {"DATA-CSV", path_.string(), "",
           fmt::format("got no row{}, expected at least one", only_esc10 ? " with esc10=True (subset: esc10)" : "")});
    }
    return rows;
  }

  std::vector<Problem> problems;

 private:
  void add(int line, std::string field, std::string message) {
    problems.push_back({"DATA-CSV", fmt::format("{}:{}", path_.string(), line), std::move(field), std::move(message)});
  }

  Esc50::Row checked(int line, const std::string& name, const std::string& fold, const std::string& target,
                     const std::string& category, const std::string& source) {
    Esc50::Row row{line, name, category, 0, 0, 0, {}};
    check_name(row);
    constexpr const char* kWanted = "got \"{}\", expected a whole number from {} to 9999";
    if (const auto number = whole_number(fold, 1, 9999)) {
      row.fold = *number;
    } else {
      add(line, "fold", fmt::format(kWanted, printable(fold), 1));
    }
    if (category.empty()) add(line, "category", "got nothing, expected the name of the class");
    if (const auto number = whole_number(target, 0, 9999)) {
      row.target = *number;
      if (!category.empty()) check_class(row);
    } else {
      add(line, "target", fmt::format(kWanted, printable(target), 0));
    }
    if (source.empty()) add(line, "src_file", "got nothing, expected the name of the source recording");
    row.group = groups_.emplace(source, static_cast<int64_t>(groups_.size())).first->second;
    return row;
  }

  void check_name(const Esc50::Row& row) {
    const fs::path path = fs::path(row.name).lexically_normal();
    if (row.name.empty() || row.name.find('\0') != std::string::npos) {
      add(row.line, "filename", fmt::format("got \"{}\", expected a file name", printable(row.name)));
    } else if (path.is_absolute() || *path.begin() == "..") {
      add(row.line, "filename",
          fmt::format("got {}, which escapes the data set's folder; expected a name below audio/",
                      printable(row.name)));
    }
    const auto [first, is_new] = name_lines_.emplace(path.string(), row.line);
    if (!is_new) {
      add(row.line, "filename",
          fmt::format("{} stands on line {} already; expected one row for each file", printable(row.name),
                      first->second));
    }
  }

  void check_class(const Esc50::Row& row) {
    const auto& [name, name_line] = category_of_.try_emplace(row.target, row.category, row.line).first->second;
    const auto& [target, target_line] = target_of_.try_emplace(row.category, row.target, row.line).first->second;
    if (name != row.category) {
      add(row.line, "category",
          fmt::format("target {} is \"{}\" here and \"{}\" on line {}; expected one name for it", row.target,
                      printable(row.category), printable(name), name_line));
    } else if (target != row.target) {
      add(row.line, "target",
          fmt::format("\"{}\" has target {} here and {} on line {}; expected one number for it",
                      printable(row.category), row.target, target, target_line));
    }
  }

  fs::path path_;
  std::unordered_map<std::string, int> name_lines_;
  std::unordered_map<std::string, int64_t> groups_;
  std::map<int64_t, std::pair<std::string, int>> category_of_;
  std::map<std::string, std::pair<int64_t, int>> target_of_;
};

/// The named file, or the same stem in another format (ESC-10 is passed around as Ogg under ESC-50's names); else
/// empty.
fs::path existing(const fs::path& file) {
  std::error_code ignored;
  if (fs::exists(file, ignored)) return file;
  for (const char* extension : {".wav", ".flac", ".ogg"}) {
    auto other = file;
    other.replace_extension(extension);
    if (fs::exists(other, ignored)) return other;
  }
  return {};
}

/// True when symbolic links lead from below `folder` (already canonical) to a place outside of it.
bool leaves(const fs::path& folder, const fs::path& file) {
  std::error_code error;
  const auto real = fs::canonical(file, error);
  return !error && *real.lexically_relative(folder).begin() == "..";
}

/// Finds each row's file and reads its header. Gives the spec common to all.
Spec check_files(std::vector<Esc50::Row>& rows, const fs::path& audio, const std::string& table,
                 std::vector<Problem>& problems) {
  Spec spec;
  std::vector<std::string> missing;
  std::unordered_map<std::string, int> lines;  // of files that were found, to see a.wav and a.ogg meet
  const auto real_audio = fs::canonical(audio);
  for (auto& row : rows) {
    row.file = existing(audio / fs::path(row.name).lexically_normal());
    if (row.file.empty()) {
      missing.push_back(printable(row.name));
      continue;
    }
    const auto where = fmt::format("{}:{}", table, row.line);
    const auto [first, is_new] = lines.emplace(row.file.string(), row.line);
    if (!is_new) {
      problems.push_back({"DATA-CSV", where, "filename",
                          fmt::format("{} is the file of line {} too; expected one row for each file",
                                      printable(row.file.string()), first->second)});
      continue;
    }
    if (leaves(real_audio, row.file)) {
      problems.push_back({"DATA-CSV", where, "filename",
                          fmt::format("{} is a link that escapes {}", printable(row.name), real_audio.string())});
      continue;
    }
    try {
      const auto info = audio_info(row.file);
      if (spec.shape.empty()) {
        spec = {Domain::audio, {info.channels, info.frames}, info.rate_hz};
      } else {
        if (spec.shape[0] != info.channels) spec.shape[0] = -1;
        if (spec.shape[1] != info.frames) spec.shape[1] = -1;
        if (spec.rate_hz != info.rate_hz) spec.rate_hz = 0;
      }
    } catch (const InputError& error) {
      problems.insert(problems.end(), error.problems().begin(), error.problems().end());
    }
  }
  if (!missing.empty()) {
    const auto count = missing.size();
    missing.resize(std::min(count, kShown));
    problems.insert(problems.begin(),
                    {"DATA-FILE", audio.string(), "filename",
                     fmt::format("{} of {} files {} missing: {}{}; tools/get_esc50 fetches the data set", count,
                                 rows.size(), count == 1 ? "is" : "are", join(missing, ", "),
                                 count > kShown ? fmt::format(", … (first {})", kShown) : "")});
  }
  return spec;
}

}  // namespace

Esc50::Esc50(const Esc50Options& options) {
  const fs::path root = options.root;
  const auto audio = root / "audio";
  const auto csv = root / "meta" / "esc50.csv";
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) {
    throw InputError("DATA-FILE", "", "root",
                     fmt::format("got {}, which is no folder, expected one with audio/ and meta/esc50.csv; "
                                 "tools/get_esc50 {} fetches it",
                                 root.string(), root.string()));
  }
  std::vector<Problem> problems;
  if (!fs::is_directory(audio, ignored)) {
    problems.push_back({"DATA-FILE", audio.string(), "", "the folder of recordings is missing; is root right?"});
  }
  if (!fs::exists(csv, ignored)) {
    problems.push_back({"DATA-FILE", csv.string(), "",
                        "the table is missing, expected columns filename,fold,target,category,esc10,src_file,take; "
                        "tools/get_esc50 fetches the data set"});
  }
  if (!problems.empty()) fail(problems, root.string());

  Table table(csv);
  rows_ = table.read(options.subset == "esc10");
  problems = std::move(table.problems);
  // A row whose name is refused must not be opened, so files are looked at only once the table is sound.
  if (problems.empty()) spec_ = check_files(rows_, audio, csv.string(), problems);
  if (!problems.empty()) fail(problems, root.string());
  number_classes();
  hashes_.resize(rows_.size());
}

void Esc50::number_classes() {
  std::map<int64_t, int64_t> label_of;
  for (const auto& row : rows_) label_of.emplace(row.target, 0);
  for (auto& [target, label] : label_of) {
    label = static_cast<int64_t>(classes_.size());
    classes_.push_back(
        std::find_if(rows_.begin(), rows_.end(), [t = target](const Row& row) { return row.target == t; })->category);
  }
  labels_ = at::empty({size()}, at::kLong);
  auto* label = labels_.data_ptr<int64_t>();
  for (const auto& row : rows_) *label++ = label_of.at(row.target);
}

Signal Esc50::load(int64_t row) const { return read_audio(at(row).file); }

std::vector<int64_t> Esc50::folds() const {
  std::vector<int64_t> folds;
  for (const auto& row : rows_) folds.push_back(row.fold);
  return folds;
}

std::vector<int64_t> Esc50::groups() const {
  std::vector<int64_t> groups;
  for (const auto& row : rows_) groups.push_back(row.group);
  return groups;
}

std::map<std::string, std::vector<double>> Esc50::columns() const {
  std::vector<double> targets;
  for (const auto& row : rows_) targets.push_back(static_cast<double>(row.target));
  return {{"target", std::move(targets)}};
}

std::string Esc50::content_hash(int64_t row) const {
  const auto& file = at(row).file;
  auto& kept = hashes_.at(static_cast<size_t>(row));
  {
    const std::lock_guard lock(hashes_mutex_);
    if (!kept.empty()) return kept;
  }
  // Not under the lock: threads hash different files side by side. Two that meet on one file store the same text.
  auto hash = xxh3_file(file);
  const std::lock_guard lock(hashes_mutex_);
  return kept = std::move(hash);
}

}  // namespace amae

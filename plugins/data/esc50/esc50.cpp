#include "esc50.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <set>

#include "../common/cell.h"
#include "../common/row_collector.h"
#include "amae/error.h"
#include "base/text.h"
#include "io/csv.h"

namespace amae {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCode = "DATA-CSV";

TableRules rules_for(const Esc50Options& options, const fs::path& csv) {
  TableRules rules;
  rules.root = fs::path(options.root) / "audio";
  rules.source = csv.string();
  rules.code = kCode;
  rules.path = "filename";
  rules.label = "category";
  rules.columns = {"target"};
  rules.skips_bad = options.on_bad_sample == "skip";
  rules.any_format = true;  // ESC-10 is passed around as Ogg under ESC-50's names
  rules.hint = "tools/get_esc50 fetches the data set";
  return rules;
}

class Esc50Rows {
 public:
  Esc50Rows(const Esc50Options& options, const fs::path& csv)
      : only_esc10_(options.subset == "esc10"), rows_(rules_for(options, csv)), table_(csv) {
    std::vector<std::string> wanted = {"filename", "fold", "target", "category", "src_file"};
    if (only_esc10_) wanted.emplace_back("esc10");
    std::vector<Problem> problems;
    for (const auto& name : wanted) {
      if (table_.has(name)) {
        column_[name] = table_.column(name);
      } else {
        problems.push_back({kCode, fmt::format("{}:1", table_.where()), name,
                            fmt::format("the column is missing, expected {} in the header", join(wanted, ","))});
      }
    }
    if (!problems.empty()) throw InputError(std::move(problems));
  }

  AudioTable read() {
    while (table_.next()) read_row();
    std::vector<std::string> order;
    for (const auto& [target, name] : category_of_) {
      if (kept_.contains(target)) order.push_back(name.first);
    }
    if (only_esc10_ && kept_.empty() && rows_.size() == 0 && !has_problems_) {
      throw InputError(kCode, table_.where(), "", "got no row with esc10=True (subset: esc10), expected at least one");
    }
    return rows_.finish(order);
  }

 private:
  [[nodiscard]] std::string_view cell(const char* name) const { return trimmed(table_.cells()[column_.at(name)]); }

  void refuse(const char* field, const std::string& message) {
    has_problems_ = true;
    rows_.refuse(table_.line(), field, message);
  }

  int64_t number(const char* name, int64_t low) {
    const auto value = whole_number(cell(name), low, 9999);
    if (!value) {
      refuse(name, fmt::format("got \"{}\", expected a whole number from {} to 9999", printable(cell(name)), low));
    }
    return value.value_or(-1);
  }

  void read_row() {
    const auto category = cell("category");
    const auto source = cell("src_file");
    const int64_t fold = number("fold", 1);
    const int64_t target = number("target", 0);
    if (category.empty()) {
      refuse("category", "got nothing, expected the name of the class");
    } else if (target >= 0) {
      check_class(target, std::string(category));
    }
    if (source.empty()) refuse("src_file", "got nothing, expected the name of the source recording");
    if (only_esc10_) {
      const auto flag = cell("esc10");
      if (flag != "True" && flag != "False") {
        refuse("esc10", fmt::format("got \"{}\", expected True or False", printable(flag)));
      }
      if (flag != "True") return;
    }
    if (has_problems_ && category.empty()) return;  // told; the collector would tell it again
    kept_.insert(target);
    const auto value = static_cast<double>(target);
    TableRow row;
    row.line = table_.line();
    row.path = cell("filename");
    row.labels = {&category, 1};
    row.fold = fold;
    row.group = source;
    row.columns = {&value, 1};
    rows_.add(row);
  }

  void check_class(int64_t target, const std::string& category) {
    const auto& [name, name_line] = category_of_.try_emplace(target, category, table_.line()).first->second;
    const auto& [other, target_line] = target_of_.try_emplace(category, target, table_.line()).first->second;
    if (name != category) {
      refuse("category", fmt::format("target {} is \"{}\" here and \"{}\" on line {}; expected one name for it", target,
                                     printable(category), printable(name), name_line));
    } else if (other != target) {
      refuse("target", fmt::format("\"{}\" has target {} here and {} on line {}; expected one number for it",
                                   printable(category), target, other, target_line));
    }
  }

  bool only_esc10_;
  RowCollector rows_;
  CsvReader table_;
  std::map<std::string, size_t> column_;
  bool has_problems_ = false;
  std::set<int64_t> kept_;  // targets of the rows kept
  std::map<int64_t, std::pair<std::string, int64_t>> category_of_;
  std::map<std::string, std::pair<int64_t, int64_t>> target_of_;
};

AudioTable read_esc50(const Esc50Options& options) {
  const fs::path root = options.root;
  const auto audio = root / "audio";
  const auto csv = root / "meta" / "esc50.csv";
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) {
    throw InputError("DATA-FILE", "", "root",
                     fmt::format("got {}, which is no folder, expected one with audio/ and meta/esc50.csv; "
                                 "tools/get_esc50 {} fetches it",
                                 printable(root.string()), printable(root.string())));
  }
  std::vector<Problem> problems;
  if (!fs::is_directory(audio, ignored)) {
    problems.push_back(
        {"DATA-FILE", printable(audio.string()), "", "the folder of recordings is missing; is root right?"});
  }
  if (!fs::exists(csv, ignored)) {
    problems.push_back({"DATA-FILE", printable(csv.string()), "",
                        "the table is missing, expected columns filename,fold,target,category,esc10,src_file,take; "
                        "tools/get_esc50 fetches the data set"});
  }
  if (!problems.empty()) throw InputError(std::move(problems));
  return Esc50Rows(options, csv).read();
}

}  // namespace

Esc50::Esc50(const Esc50Options& options) : AudioRows(read_esc50(options)) {}

}  // namespace amae

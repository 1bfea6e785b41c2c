#include "frame_table.h"

#include <fmt/format.h>

#include "../common/cell.h"
#include "../common/class_column.h"
#include "../common/column_maker.h"
#include "../common/problem_list.h"
#include "base/text.h"
#include "io/csv.h"

namespace amae {
namespace {

constexpr const char* kTableCode = "IQ-TABLE";
constexpr const char* kModulation = "modulation";
constexpr int64_t kHighestFoldNumber = 1'000'000'000;

class FrameTableReader {
 public:
  explicit FrameTableReader(const FrameTableRules& rules)
      : rules_(rules), table_(rules.file), classes_(rules.classes), makers_(table_.header().size()) {
    if (!rules.label.empty()) label_ = static_cast<int64_t>(table_.column(rules.label));
    if (!rules.fold.empty() && table_.has(rules.fold)) fold_ = static_cast<int64_t>(table_.column(rules.fold));
    if (!rules.group.empty() && table_.has(rules.group)) group_ = static_cast<int64_t>(table_.column(rules.group));
  }

  FrameTable read() {
    while (table_.next()) {
      if (rows_ == rules_.rows) refuse_count(rows_ + 1);  // at once: nobody waits for the rest of a wrong table
      read_line();
      ++rows_;
    }
    if (rows_ != rules_.rows) refuse_count(rows_);
    problems_.throw_if_any(table_.where());
    return finish();
  }

 private:
  [[noreturn]] void refuse_count(int64_t got) const {
    throw InputError(kTableCode, fmt::format("{}:{}", table_.where(), table_.line()), "",
                     fmt::format("got {} {} rows, expected {}, one for each frame of the arrays",
                                 got > rules_.rows ? "at least" : "only", got, rules_.rows));
  }
  void refuse(size_t column, const std::string& message) {
    problems_.add(
        {kTableCode, fmt::format("{}:{}", table_.where(), table_.line()), printable(table_.header()[column]), message});
  }

  void read_line() {
    for (size_t i = 0; i < makers_.size(); ++i) {
      const std::string_view cell = trimmed(table_.cells()[i]);
      const auto column = static_cast<int64_t>(i);
      if (column == label_) {
        if (const std::string fault = classes_.add(cell); !fault.empty()) refuse(i, fault);
      }
      if (column == fold_) {
        const auto fold = whole_number(cell, 0, kHighestFoldNumber);
        if (!fold) {
          refuse(i, fmt::format("got \"{}\", expected a whole number from 0 to {}", printable(cell.substr(0, 100)),
                                kHighestFoldNumber));
        }
        folds_.push_back(fold.value_or(0));
      } else if (column == group_) {
        if (cell.empty()) refuse(i, "got an empty cell, expected the name of a recording");
        groups_.push_back(group_names_.add(cell));
      } else {
        makers_[i].set(static_cast<size_t>(rows_), cell);
      }
    }
  }

  FrameTable finish() {
    FrameTable found;
    if (label_ >= 0) {
      found.classes = classes_.classes();
      found.labels = classes_.labels();
    }
    found.folds = std::move(folds_);
    found.groups = std::move(groups_);
    const auto rows = static_cast<size_t>(rows_);
    for (size_t i = 0; i < makers_.size(); ++i) {
      const auto column = static_cast<int64_t>(i);
      const std::string& name = table_.header()[i];
      if (column == fold_ || column == group_) continue;
      if (column == label_) {
        if (name == kModulation || !table_.has(kModulation)) found.texts[kModulation] = makers_[i].texts(rows);
      } else if (makers_[i].is_numeric()) {
        found.numbers[name] = makers_[i].numbers(rows);
      } else {
        found.texts[name] = makers_[i].texts(rows);
      }
      makers_[i] = {};
    }
    return found;
  }

  const FrameTableRules& rules_;
  CsvReader table_;
  ClassColumn classes_;
  std::vector<ColumnMaker> makers_;  // of every column
  NameTable group_names_;
  int64_t label_ = -1, fold_ = -1, group_ = -1;  // columns; -1: none
  int64_t rows_ = 0;
  std::vector<int64_t> folds_, groups_;
  ProblemList problems_;
};

}  // namespace

FrameTable read_frame_table(const FrameTableRules& rules) { return FrameTableReader(rules).read(); }

}  // namespace amae

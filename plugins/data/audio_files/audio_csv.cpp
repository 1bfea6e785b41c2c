#include "audio_csv.h"

#include <fmt/format.h>

#include <optional>

#include "../common/cell.h"
#include "../common/row_collector.h"
#include "amae/error.h"
#include "base/text.h"
#include "io/csv.h"

namespace amae {
namespace {

using Column = std::optional<size_t>;

TableRules rules_of(const AudioCsvOptions& options) {
  TableRules rules = options.rules("DATA-CSV");
  rules.several_labels = !options.label_separator.empty();
  return rules;
}

/// Reads the rows of one table into a collector.
class CsvRows {
 public:
  explicit CsvRows(const AudioCsvOptions& options) : options_(options), rows_(rules_of(options)), table_(options.file) {
    path_ = table_.column(options.path);
    if (!options.label.empty()) label_ = table_.column(options.label);
    fold_ = optional_column(options.fold, "fold");
    group_ = optional_column(options.group, "group");
    start_ = optional_column(options.start, "start");
    end_ = optional_column(options.end, "end");
    for (const auto& name : options.columns) numbers_.push_back(table_.column(name));
    values_.resize(numbers_.size());
  }

  AudioTable read() {
    while (table_.next()) {
      read_row();
      if (rows_.size() == kRowsBeforeReserving) rows_.reserve(table_.expected_rows());
    }
    return rows_.finish();
  }

 private:
  [[nodiscard]] Column optional_column(const std::string& name, const char* by_default) const {
    if (name.empty()) return std::nullopt;
    if (TableOptions::is_own_choice(name, by_default) || table_.has(name)) return table_.column(name);
    return std::nullopt;
  }
  [[nodiscard]] std::string_view cell(size_t column) const { return trimmed(table_.cells()[column]); }

  void read_row() {
    TableRow row;
    row.line = table_.line();
    row.path = cell(path_);
    if (label_) split_labels(cell(*label_));
    row.labels = labels_;
    if (fold_) row.fold = fold_of(cell(*fold_));
    if (group_) row.group = cell(*group_);
    if (start_) row.start_s = seconds(*start_, 0);
    if (end_) row.end_s = seconds(*end_, kToTheEnd);
    for (size_t i = 0; i < numbers_.size(); ++i) {
      const auto value = finite_number(cell(numbers_[i]));
      if (!value) refuse(options_.columns[i], cell(numbers_[i]), "a number");
      values_[i] = value.value_or(0);
    }
    row.columns = values_;
    rows_.add(row);
  }

  void split_labels(std::string_view text) {
    labels_.clear();
    const std::string_view separator = options_.label_separator;
    if (!separator.empty() && text.empty()) return;
    for (size_t next = 0; !separator.empty() && (next = text.find(separator)) != std::string_view::npos;) {
      labels_.push_back(trimmed(text.substr(0, next)));
      text.remove_prefix(next + separator.size());
    }
    labels_.push_back(trimmed(text));
  }

  [[nodiscard]] int64_t fold_of(std::string_view text) {
    const auto fold = whole_number(text, -kHighestFold, kHighestFold);
    if (!fold) refuse(options_.fold, text, "a whole number");
    return fold.value_or(0);
  }

  [[nodiscard]] double seconds(size_t column, double when_empty) {
    const auto text = cell(column);
    if (text.empty()) return when_empty;
    const auto value = finite_number(text);
    if (!value) refuse(table_.header()[column], text, "seconds as a number");
    return value.value_or(when_empty);
  }

  void refuse(const std::string& column, std::string_view text, const char* expected) {
    rows_.refuse(table_.line(), printable(column),
                 fmt::format("got \"{}\", expected {}", printable(text.substr(0, 100)), expected));
  }

  const AudioCsvOptions& options_;
  RowCollector rows_;
  CsvReader table_;
  size_t path_ = 0;
  Column label_, fold_, group_, start_, end_;
  std::vector<size_t> numbers_;
  std::vector<double> values_;
  std::vector<std::string_view> labels_;
};

}  // namespace

AudioTable read_audio_csv(const AudioCsvOptions& options) { return CsvRows(options).read(); }

}  // namespace amae

#include "row_collector.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/text.h"
#include "cell.h"
#include "data_root.h"
#include "file_check.h"

namespace amae {
namespace {

constexpr int64_t kMostClasses = 10'000;  // fits RowCollector::label_
constexpr size_t kShownText = 100;        // bytes of a cell that a message repeats

std::string shown(std::string_view text) { return printable(text.substr(0, kShownText)); }

}  // namespace

RowCollector::RowCollector(TableRules rules) : columns_(rules.columns.size()) {
  table_.rules = std::move(rules);
  for (const auto& name : table_.rules.classes) class_names_.add(name);
  if (class_names_.size() != table_.rules.classes.size()) {
    throw InputError("DATA", "", "classes", "got a name twice, expected each class once");
  }
  if (class_names_.size() > static_cast<size_t>(kMostClasses)) {
    throw InputError("DATA", "", "classes",
                     fmt::format("got {} classes, expected at most {}", class_names_.size(), kMostClasses));
  }
}

void RowCollector::reserve(uint64_t rows) {
  // A few more: one row too many would double a column. Memory that is never touched costs nothing.
  const auto count = static_cast<size_t>(std::min<uint64_t>(rows + rows / 32 + 1024, uint64_t{1} << 32U));
  table_.file.reserve(count);
  if (!table_.line.empty()) table_.line.reserve(count);
  if (!table_.fold.empty()) table_.fold.reserve(count);
  if (!table_.group.empty()) table_.group.reserve(count);
  if (!table_.start_s.empty()) table_.start_s.reserve(count), table_.end_s.reserve(count);
  label_.reserve(count);
}

void RowCollector::refuse(int64_t line, const std::string& field, const std::string& message) {
  problems_.add({table_.rules.code, fmt::format("{}:{}", printable(table_.rules.source), line), field, message});
}

void RowCollector::add(const TableRow& row) {
  const TableRules& rules = table_.rules;
  const std::string name = DataRoot::normal(row.path);
  if (const auto fault = DataRoot::fault_of(name, row.path); !fault.empty()) return refuse(row.line, rules.path, fault);
  const uint32_t file = table_.files.add(name);
  table_.file.push_back(file);
  add_line(row);
  add_section(row);
  add_fold(row);
  add_group(row, file);
  if (rules.has_labels) add_labels(row);
  for (size_t i = 0; i < columns_.size(); ++i) columns_[i].push_back(row.columns[i]);
}

void RowCollector::add_line(const TableRow& row) {
  auto& lines = table_.line;
  if (lines.empty()) {
    if (static_cast<size_t>(row.line) == size() + 1) return;  // nearly always: a header, then a line for each row
    for (size_t r = 0; r + 1 < size(); ++r) lines.push_back(static_cast<uint32_t>(r + 2));
  }
  lines.push_back(static_cast<uint32_t>(row.line));
}

void RowCollector::add_section(const TableRow& row) {
  if (row.start_s < 0 || row.end_s <= row.start_s) {
    refuse(row.line, row.start_s < 0 ? table_.rules.start : table_.rules.end,
           fmt::format("got {} to {} s, expected 0 <= start < end", number_text(row.start_s), number_text(row.end_s)));
  }
  auto& starts = table_.start_s;
  auto& ends = table_.end_s;
  if (starts.empty()) {
    if (row.start_s == 0 && row.end_s == kToTheEnd) return;
    starts.resize(size() - 1, 0);  // the rows before were whole files
    ends.resize(size() - 1, kToTheEnd);
  }
  starts.push_back(row.start_s);
  ends.push_back(row.end_s);
}

void RowCollector::add_fold(const TableRow& row) {
  if (row.fold && table_.fold.size() + 1 == size()) {
    table_.fold.push_back(static_cast<int32_t>(*row.fold));
  } else if (row.fold || !table_.fold.empty()) {
    refuse(row.line, table_.rules.fold,
           row.fold ? "got a fold where rows before have none, expected one in every row or in none"
                    : "got no fold, expected one in every row or in none");
    table_.fold.resize(size());  // told once, not again for every row that follows
  }
}

void RowCollector::add_group(const TableRow& row, uint32_t file) {
  if (row.group.empty() && table_.group.empty()) return;
  if (table_.group.size() + 1 < size()) table_.group.assign(table_.file.begin(), table_.file.end() - 1);
  table_.group.push_back(row.group.empty() ? static_cast<int32_t>(file)
                                           : -1 - static_cast<int32_t>(group_names_.add(row.group)));
}

void RowCollector::add_labels(const TableRow& row) {
  if (!table_.rules.several_labels && row.labels.size() != 1) {
    return refuse(row.line, table_.rules.label, fmt::format("got {} labels, expected one", row.labels.size()));
  }
  for (const auto label : row.labels) {
    if (const auto number = class_number(row, label)) label_.push_back(static_cast<uint16_t>(*number));
  }
  if (table_.rules.several_labels) label_end_.push_back(label_.size());
}

std::optional<uint32_t> RowCollector::class_number(const TableRow& row, std::string_view label) {
  const TableRules& rules = table_.rules;
  if (label.empty()) {
    refuse(row.line, rules.label, "got an empty label, expected the name of a class");
    return std::nullopt;
  }
  if (rules.labels_are_numbers) {
    const auto count = rules.classes.empty() ? kMostClasses : static_cast<int64_t>(rules.classes.size());
    const auto number = whole_number(label, 0, count - 1);
    if (!number) {
      refuse(row.line, rules.label,
             fmt::format("got \"{}\", expected a whole number from 0 to {}", shown(label), count - 1));
      return std::nullopt;
    }
    highest_ = std::max(highest_, *number);
    return static_cast<uint32_t>(*number);
  }
  if (rules.classes.empty()) {
    if (class_names_.size() < kMostClasses || class_names_.find(label) != NameTable::kNone)
      return class_names_.add(label);
    refuse(row.line, rules.label, fmt::format("got more than {} classes, expected fewer", kMostClasses));
    return std::nullopt;
  }
  const uint32_t number = class_names_.find(label);
  if (number != NameTable::kNone) return number;
  const std::string close = nearest(label.substr(0, kShownText), rules.classes);
  refuse(row.line, rules.label,
         fmt::format("got \"{}\", expected one of the {} classes{}", shown(label), rules.classes.size(),
                     close.empty() ? "" : "; did you mean " + printable(close) + "?"));
  return std::nullopt;
}

// From the order in which labels came first to the order of the classes, and into the tensor that the core wants.
void RowCollector::number_classes(const std::vector<std::string>& class_order) {
  const TableRules& rules = table_.rules;
  std::vector<int64_t> place(class_names_.size());
  std::iota(place.begin(), place.end(), 0);
  if (!rules.classes.empty()) {
    table_.classes = rules.classes;
  } else if (rules.labels_are_numbers) {
    place.resize(static_cast<size_t>(highest_ + 1));
    std::iota(place.begin(), place.end(), 0);
    for (int64_t i = 0; i <= highest_; ++i) table_.classes.push_back(std::to_string(i));
  } else {
    table_.classes = class_order;
    if (class_order.empty()) {
      for (size_t i = 0; i < class_names_.size(); ++i) table_.classes.emplace_back(class_names_[i]);
      std::sort(table_.classes.begin(), table_.classes.end());
    }
    for (size_t i = 0; i < table_.classes.size(); ++i) {
      const uint32_t number = class_names_.find(table_.classes[i]);
      if (number != NameTable::kNone) place[number] = static_cast<int64_t>(i);
    }
  }
  const auto rows = static_cast<int64_t>(size());
  if (!rules.several_labels) {
    table_.labels = at::empty({rows}, at::kLong);
    auto* out = table_.labels.mutable_data_ptr<int64_t>();
    for (const uint16_t number : label_) *out++ = place[number];
    return;
  }
  const auto classes = static_cast<int64_t>(table_.classes.size());
  table_.labels = at::zeros({rows, classes}, at::kFloat);
  auto* out = table_.labels.mutable_data_ptr<float>();
  size_t at = 0;
  for (const size_t end : label_end_) {
    for (; at < end; ++at) out[place[label_[at]]] = 1;
    out += classes;
  }
}

AudioTable RowCollector::finish(const std::vector<std::string>& class_order) {
  const TableRules& rules = table_.rules;
  const std::string where = printable(rules.source.empty() ? rules.root.string() : rules.source);
  problems_.throw_if_any(where);
  if (size() == 0) throw InputError(rules.code, where, "", "got no row, expected at least one");
  if (rules.has_labels) number_classes(class_order);
  label_ = {};
  for (size_t i = 0; i < columns_.size(); ++i) table_.columns[rules.columns[i]] = std::move(columns_[i]);
  check_files(table_, problems_);
  problems_.throw_if_any(where);
  return std::move(table_);
}

}  // namespace amae

#include "data/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "amae/error.h"
#include "base/text.h"

namespace amae {
namespace {

using NumericColumns = std::map<std::string, std::vector<double>>;
using TextColumns = std::map<std::string, TextColumn>;

constexpr size_t kLeastRowsOfValue = 5;  // for slices

/// Nothing when there are more than `most` values; so a column of millions of them costs no memory.
std::optional<ColumnValues> numeric_values(const std::string& name, const std::vector<double>& rows, size_t most) {
  std::map<double, int32_t> number_of;
  ColumnValues column{name, true, {}, {}, {}};
  column.index.reserve(rows.size());
  for (const double value : rows) {
    if (std::isnan(value)) {
      column.index.push_back(-1);
      continue;
    }
    // + 0.0: -0 is 0
    const auto [at, is_new] = number_of.try_emplace(value + 0.0, static_cast<int32_t>(number_of.size()));
    if (is_new && number_of.size() > most) return std::nullopt;
    column.index.push_back(at->second);
  }
  std::vector<int32_t> rank(number_of.size());
  for (const auto& [value, number] : number_of) {
    rank[static_cast<size_t>(number)] = static_cast<int32_t>(column.numbers.size());
    column.numbers.push_back(value);
    column.texts.push_back(number_text(value));
  }
  for (int32_t& index : column.index) index = index < 0 ? -1 : rank[static_cast<size_t>(index)];
  return column;
}

/// The same of texts. Texts that no row has are no values.
std::optional<ColumnValues> text_values(const std::string& name, const TextColumn& rows, size_t most) {
  std::vector<bool> used(rows.values.size());
  for (const int32_t index : rows.index) {
    if (index >= 0) used[static_cast<size_t>(index)] = true;
  }
  std::map<std::string, int32_t> number_of;
  for (size_t i = 0; i < used.size(); ++i) {
    if (used[i]) number_of.emplace(rows.values[i], 0);
    if (number_of.size() > most) return std::nullopt;
  }
  ColumnValues column{name, false, {}, {}, {}};
  for (auto& [text, number] : number_of) {
    number = static_cast<int32_t>(column.texts.size());
    column.texts.push_back(text);
  }
  std::vector<int32_t> rank(used.size(), -1);
  for (size_t i = 0; i < used.size(); ++i) {
    if (used[i]) rank[i] = number_of.at(rows.values[i]);
  }
  column.index.reserve(rows.index.size());
  for (const int32_t index : rows.index) column.index.push_back(index < 0 ? -1 : rank[static_cast<size_t>(index)]);
  return column;
}

/// "snr (numbers), modulation (text)"
std::string names_text(const NumericColumns& numeric, const TextColumns& text) {
  std::vector<std::string> names;
  for (const auto& [name, rows] : numeric) names.push_back(printable(name) + " (numbers)");
  for (const auto& [name, rows] : text) names.push_back(printable(name) + " (text)");
  return join(names, ", ");
}

std::string unknown_text(const std::string& name, const NumericColumns& numeric, const TextColumns& text) {
  if (numeric.empty() && text.empty())
    return fmt::format("got column {}, but the data set has no columns; expected none", printable(name));
  std::vector<std::string> names;
  for (const auto& [known, rows] : numeric) names.push_back(known);
  for (const auto& [known, rows] : text) names.push_back(known);
  const std::string guess = nearest(name, names);
  return fmt::format("got column {}, expected one of {}{}", printable(name), names_text(numeric, text),
                     guess.empty() ? "" : "; did you mean " + printable(guess) + "?");
}

bool has_rows_for_slices(const ColumnValues& column) {
  std::vector<size_t> rows_of(column.size());
  for (const int32_t value : column.index) {
    if (value >= 0) ++rows_of[static_cast<size_t>(value)];
  }
  return std::all_of(rows_of.begin(), rows_of.end(), [](size_t rows) { return rows >= kLeastRowsOfValue; });
}

/// True when classes and values are one and the same, by other names perhaps.
bool says_the_class(const ColumnValues& column, const at::Tensor& labels) {
  if (!labels.defined() || labels.dim() != 1) return false;
  const at::Tensor classes = labels.contiguous();
  const auto* label = classes.const_data_ptr<int64_t>();
  std::map<int64_t, int32_t> value_of;
  std::map<int32_t, int64_t> class_of;
  for (size_t row = 0; row < column.index.size(); ++row) {
    const int32_t value = column.index[row];
    if (value < 0 || value_of.try_emplace(label[row], value).first->second != value ||
        class_of.try_emplace(value, label[row]).first->second != label[row])
      return false;
  }
  return true;
}

}  // namespace

std::vector<ColumnValues> column_values(const Dataset& dataset, const std::vector<std::string>& names,
                                        const std::string& where, const std::string& field) {
  if (names.empty()) return {};
  const NumericColumns numeric = dataset.columns();
  const TextColumns text = dataset.text_columns();
  std::vector<Problem> problems;
  const auto refuse = [&](const std::string& message) { problems.push_back({"COLUMN", where, field, message}); };
  std::vector<ColumnValues> columns;
  std::set<std::string> seen;
  for (const std::string& name : names) {
    const auto number = numeric.find(name);
    const auto word = text.find(name);
    if (!seen.insert(name).second) {
      refuse(fmt::format("got column {} twice", printable(name)));
    } else if (number == numeric.end() && word == text.end()) {
      refuse(unknown_text(name, numeric, text));
    } else if (auto column = number != numeric.end() ? numeric_values(name, number->second, kMaxColumnValues)
                                                     : text_values(name, word->second, kMaxColumnValues)) {
      columns.push_back(std::move(*column));
    } else {
      refuse(fmt::format("got column {} of more than {} distinct values, expected one of few values", printable(name),
                         kMaxColumnValues));
    }
  }
  if (!problems.empty()) throw InputError(std::move(problems));
  return columns;
}

std::vector<ColumnValues> columns_for_slices(const Dataset& dataset, size_t most) {
  most = std::min(most, static_cast<size_t>(dataset.size()) / kLeastRowsOfValue);  // no more can have their rows
  std::map<std::string, ColumnValues> columns;
  const at::Tensor labels = dataset.labels();
  const auto keep = [&](std::optional<ColumnValues> column) {
    if (!column || column->size() < 2 || !has_rows_for_slices(*column) || says_the_class(*column, labels)) return;
    std::string name = column->name;
    columns.emplace(std::move(name), std::move(*column));
  };
  for (const auto& [name, rows] : dataset.columns()) keep(numeric_values(name, rows, most));
  for (const auto& [name, rows] : dataset.text_columns()) keep(text_values(name, rows, most));
  std::vector<ColumnValues> list;
  for (auto& [name, column] : columns) list.push_back(std::move(column));
  return list;
}

namespace {

/// Numeric and text columns: as long as the data set, each name once, texts that exist.
void check_named_columns(const Dataset& dataset, const std::function<void(const std::string&)>& refuse) {
  const auto rows = static_cast<size_t>(dataset.size());
  std::set<std::string> numeric;
  for (const auto& [name, values] : dataset.columns()) {
    if (values.size() != rows)
      refuse(fmt::format("got {} values in column {} for {} rows", values.size(), printable(name), rows));
    numeric.insert(name);
  }
  for (const auto& [name, column] : dataset.text_columns()) {
    if (numeric.contains(name))
      refuse(fmt::format("got column {} as numbers and as text, expected one of them", printable(name)));
    if (column.index.size() != rows)
      refuse(fmt::format("got {} values in column {} for {} rows", column.index.size(), printable(name), rows));
    const auto texts = static_cast<int64_t>(column.values.size());
    for (const int32_t index : column.index) {
      if (index < -1 || index >= texts)
        refuse(fmt::format("got text {} in column {}, expected -1 to {}", index, printable(name), texts - 1));
    }
  }
}

}  // namespace

void check_columns(const Dataset& dataset, const std::string& where) {
  const auto refuse = [&](const std::string& message) { throw InputError("DATA", where, "data", message); };
  const int64_t rows = dataset.size(), classes = static_cast<int64_t>(dataset.classes().size());
  const at::Tensor labels = dataset.labels();
  if (labels.defined() && labels.size(0) != rows)
    refuse(fmt::format("got {} labels for {} rows", labels.size(0), rows));
  if (!labels.defined()) {
    // nothing to check: rows without labels are looked at and converted too
  } else if (labels.dim() == 1) {
    if (labels.scalar_type() != at::kLong) refuse("got labels that are no int64 class indices");
    const int64_t low = labels.min().item<int64_t>(), high = labels.max().item<int64_t>();
    if (low < 0 || high >= classes)
      refuse(fmt::format("got class indices {} to {}, expected 0 to {}", low, high, classes - 1));
  } else if (labels.dim() != 2 || labels.size(1) != classes) {
    refuse(fmt::format("got labels of shape {}, expected {} or {} x {}", fmt::join(labels.sizes(), " x "), rows, rows,
                       classes));
  }
  const auto check_count = [&](const char* name, size_t count) {
    if (count != 0 && count != static_cast<size_t>(rows))
      refuse(fmt::format("got {} {} for {} rows", count, name, rows));
  };
  check_count("folds", dataset.folds().size());  // one after the other: each is a copy of a column
  check_count("groups", dataset.groups().size());
  check_named_columns(dataset, refuse);
}

}  // namespace amae

#include "index/items.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "amae/error.h"
#include "base/text.h"

namespace amae {
namespace {

/// The cell of `line` that begins at `at`, which goes to the next cell's beginning or behind the end.
std::string next_cell(std::string_view line, size_t& at) {
  if (at < line.size() && line[at] == '"') {
    std::string cell;
    size_t i = at + 1;
    for (; i < line.size(); ++i) {
      if (line[i] == '"' && i + 1 < line.size() && line[i + 1] == '"') {
        cell += '"';
        ++i;
      } else if (line[i] == '"') {
        break;
      } else {
        cell += line[i];
      }
    }
    at = std::min(line.find(',', i), line.size()) + 1;
    return cell;
  }
  const size_t end = std::min(line.find(',', at), line.size());
  std::string cell(line.substr(at, end - at));
  at = end + 1;
  return cell;
}

}  // namespace

Items::Items(std::string text, std::string where) : text_(std::move(text)), where_(std::move(where)) {
  ends_.push_back(0);
  bool quoted = false;
  for (size_t at = 0; at < text_.size();) {
    const size_t stop = text_.find_first_of(quoted ? "\"" : "\"\n", at);
    if (stop == std::string::npos) break;
    if (text_[stop] == '"') {
      quoted = !quoted;  // a doubled quote closes and opens again
    } else if (ends_.size() == 1 && ends_[0] == 0) {
      ends_[0] = stop + 1;
    } else {
      ends_.push_back(stop + 1);
    }
    at = stop + 1;
  }
  if (quoted) throw InputError("STORE", where_, "", "got a quote that is never closed");
  if (ends_[0] == 0) throw InputError("STORE", where_, "", "got a table without a header row");
  if (ends_.back() < text_.size()) ends_.push_back(text_.size());
  const std::string_view header(text_.data(), ends_[0] - 1);
  for (size_t at = 0; at <= header.size();) columns_.push_back(next_cell(header, at));
}

bool Items::has(const std::string& column) const {
  return std::find(columns_.begin(), columns_.end(), column) != columns_.end();
}

size_t Items::column(const std::string& name, const std::string& field) const {
  const auto found = std::find(columns_.begin(), columns_.end(), name);
  if (found != columns_.end()) return static_cast<size_t>(found - columns_.begin());
  const std::string close = nearest(name, columns_);
  throw InputError("COLUMN", where_, field,
                   fmt::format("got column '{}', expected one of {}{}", printable(name), join(columns_, ", "),
                               close.empty() ? "" : "; did you mean " + close + "?"));
}

std::string_view Items::text(int64_t row) const {
  const auto i = static_cast<size_t>(row);
  const uint64_t begin = ends_.at(i);
  uint64_t end = ends_.at(i + 1);
  if (end > begin && text_[end - 1] == '\n') --end;
  return {text_.data() + begin, end - begin};
}

std::vector<std::string> Items::cells(int64_t row) const {
  const std::string_view line = text(row);
  std::vector<std::string> cells;
  for (size_t at = 0; at <= line.size() && cells.size() < columns_.size();) cells.push_back(next_cell(line, at));
  cells.resize(columns_.size());
  return cells;
}

std::string Items::cell(int64_t row, size_t column) const {
  const std::string_view line = text(row);
  size_t at = 0;
  for (size_t i = 0; at <= line.size(); ++i) {
    std::string cell = next_cell(line, at);
    if (i == column) return cell;
  }
  return "";
}

int64_t Items::find(size_t column, const std::string& value) const {
  for (int64_t row = 0; row < rows(); ++row) {
    if (column == 0 && !text(row).starts_with(value) && !text(row).starts_with('"')) continue;  // most, at no cost
    if (cell(row, column) == value) return row;
  }
  return -1;
}

Filter::Filter(const std::vector<std::string>& conditions) : text_(join(conditions, ", ")) {
  for (const std::string& text : conditions) {
    const size_t at = text.find_first_of("=!<>");
    Condition condition;
    if (at != std::string::npos && at > 0) {
      condition.column = text.substr(0, at);
      condition.relation = text.substr(at, text.substr(at + 1, 1) == "=" ? 2 : 1);
      condition.value = text.substr(at + condition.relation.size());
      if (condition.relation == "==") condition.relation = "=";
    }
    condition.number = number_of(condition.value);
    condition.is_number = !std::isnan(condition.number);
    if (condition.relation.empty() || condition.relation == "!") {
      throw InputError("USAGE", "", "--where",
                       fmt::format("got '{}', expected COLUMN=VALUE, or another of !=, <, <=, >, >=", printable(text)));
    }
    if ((condition.relation[0] == '<' || condition.relation[0] == '>') && !condition.is_number) {
      throw InputError("USAGE", "", "--where",
                       fmt::format("got '{}', expected a number to compare with", printable(text)));
    }
    conditions_.push_back(std::move(condition));
  }
}

bool Filter::Condition::holds(std::string_view cell) const {
  const double x = is_number ? number_of(cell) : 0;
  const bool both_numbers = is_number && !std::isnan(x);
  if (relation == "=") return both_numbers ? x == number : cell == value;
  if (relation == "!=") return both_numbers ? x != number : cell != value;
  if (!both_numbers) return false;
  if (relation == "<") return x < number;
  if (relation == "<=") return x <= number;
  if (relation == ">") return x > number;
  return x >= number;
}

std::vector<int64_t> Filter::rows(const Items& items) const {
  struct Group {  // conditions on one column: one of `any`, and all of `all`
    std::vector<const Condition*> any, all;
  };
  std::map<size_t, Group> groups;
  for (const Condition& condition : conditions_) {
    Group& group = groups[items.column(condition.column, "--where")];
    (condition.relation == "=" ? group.any : group.all).push_back(&condition);
  }
  std::vector<int64_t> rows;
  for (int64_t row = 0; row < items.rows(); ++row) {
    bool fits = true;
    const std::string_view line = items.text(row);
    size_t at = 0, number = 0;
    for (auto group = groups.begin(); fits && group != groups.end(); ++group) {
      std::string cell;
      for (; number <= group->first; ++number) cell = at <= line.size() ? next_cell(line, at) : "";
      const auto holds = [&](const Condition* condition) { return condition->holds(cell); };
      const auto& [any, all] = group->second;
      fits = (any.empty() || std::any_of(any.begin(), any.end(), holds)) && std::all_of(all.begin(), all.end(), holds);
    }
    if (fits) rows.push_back(row);
  }
  return rows;
}

}  // namespace amae

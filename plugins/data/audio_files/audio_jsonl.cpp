#include "audio_jsonl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "../common/cell.h"
#include "../common/row_collector.h"
#include "amae/error.h"
#include "base/text.h"
#include "io/text_window.h"

namespace amae {
namespace {

using nlohmann::json;

constexpr const char* kJsonlCode = "DATA-JSONL";
constexpr size_t kMaxLineBytes = size_t{1} << 20U;
constexpr int kMaxDepth = 16;  // printing goes as deep as the value

std::string shown(const json& value) {
  return printable(value.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 100));
}

/// The object in a line. `fault` says what is wrong, then it is null.
json object_in(std::string_view line, std::string& fault) {
  std::set<std::string> keys;
  const auto see = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::key && depth == 1 && !keys.insert(parsed.get<std::string>()).second) {
      fault = fmt::format("got the key {} twice, expected it once", shown(parsed));
    }
    if (depth > kMaxDepth) fault = fmt::format("got nesting deeper than {}, expected an object", kMaxDepth);
    return depth <= kMaxDepth;
  };
  json object;
  try {
    object = json::parse(line, see);
  } catch (const json::parse_error& error) {
    fault = fmt::format("got no JSON from column {} on, expected an object", error.byte);
  } catch (const json::exception&) {  // 1e999
    fault = "got a number that is out of range, expected one that fits";
  }
  if (fault.empty() && !object.is_object()) fault = fmt::format("got {}, expected an object", shown(object));
  return fault.empty() ? object : json();
}

class JsonlRows {
 public:
  explicit JsonlRows(const AudioJsonlOptions& options) : options_(options), window_(options.file, kJsonlCode) {}

  AudioTable read() {
    while (next_line()) {
      std::string fault;
      const json object = object_in(line_, fault);
      if (!fault.empty()) window_.refuse(number_, "", fault);
      read_row(object);
      if (rows_->size() == kRowsBeforeReserving)
        rows_->reserve(rows_->size() + window_.expected_rows(kRowsBeforeReserving));
    }
    if (!rows_) window_.refuse(1, "", "got no line, expected a JSON object a line");
    for (const auto& [name, by_default] : {std::pair(options_.fold, "fold"), std::pair(options_.group, "group"),
                                           std::pair(options_.start, "start"), std::pair(options_.end, "end")}) {
      if (TableOptions::is_own_choice(name, by_default) && !seen_.contains(name)) {
        rows_->refuse(1, printable(name), "got no line with this key, which the config names");
      }
    }
    return rows_->finish();
  }

 private:
  /// The next line that is not blank; false at the end.
  bool next_line() {
    for (;;) {
      size_t end = 0;
      while ((end = window_.text().find('\n')) == std::string_view::npos && window_.text().size() <= kMaxLineBytes) {
        if (!window_.more()) break;
      }
      const std::string_view text = window_.text();
      if (text.empty()) return false;
      line_ = text.substr(0, end);
      number_ = window_.line();
      if (line_.size() > kMaxLineBytes) window_.refuse(number_, "", "got a line over 1 MiB, expected a shorter one");
      window_.skip(std::min(text.size(), line_.size() + 1), 1);
      if (line_.find_first_not_of(" \t\r") != std::string_view::npos) return true;
    }
  }

  /// The value under a key; null where there is none.
  [[nodiscard]] const json& value(const json& object, const std::string& key) {
    static const json kNull;
    const auto found = key.empty() ? object.end() : object.find(key);
    if (found == object.end() || found->is_null()) return kNull;
    if (!seen_.contains(key)) seen_.insert(key);
    return *found;
  }

  void read_row(const json& object) {
    const json& labels = value(object, options_.label);
    if (!rows_) {  // the first line decides whether rows have several labels
      TableRules rules = options_.rules(kJsonlCode);
      rules.several_labels = labels.is_array();
      rows_.emplace(std::move(rules));
    }
    TableRow row;
    row.line = number_;
    const json& path = value(object, options_.path);
    const json& group = value(object, options_.group);
    if (!path.is_string()) return refuse(options_.path, path, "a text");
    row.path = path.get_ref<const std::string&>();
    if (!options_.label.empty() && !read_labels(labels)) return;
    row.labels = labels_;
    if (const json& fold = value(object, options_.fold); !fold.is_null()) {
      row.fold = 0;
      if (fold.is_number_integer() && std::abs(fold.get<double>()) <= kHighestFold) {
        row.fold = fold.get<int64_t>();
      } else {
        refuse(options_.fold, fold, "a whole number");
      }
    }
    const std::string group_text = group.is_number_integer() ? group.dump() : "";
    if (group.is_string()) {
      row.group = group.get_ref<const std::string&>();
    } else if (group.is_number_integer()) {
      row.group = group_text;
    } else if (!group.is_null()) {
      refuse(options_.group, group, "a text or a whole number");
    }
    row.start_s = number(object, options_.start, 0);
    row.end_s = number(object, options_.end, kToTheEnd);
    values_.clear();
    for (const auto& name : options_.columns) values_.push_back(number(object, name, std::nullopt));
    row.columns = values_;
    rows_->add(row);
  }

  double number(const json& object, const std::string& key, std::optional<double> when_absent) {
    const json& found = value(object, key);
    if (found.is_null() && when_absent) return *when_absent;
    if (found.is_number() && std::isfinite(found.get<double>())) return found.get<double>();
    refuse(key, found, "a number");
    return 0;
  }

  bool read_labels(const json& labels) {
    const bool several = rows_->rules().several_labels, numbers = rows_->rules().labels_are_numbers;
    texts_.clear();
    labels_.clear();
    const auto take = [&](const json& label) {
      if (numbers ? !label.is_number() : !label.is_string()) {
        refuse(options_.label, label, numbers ? "a number" : "a text");
        return false;
      }
      texts_.push_back(numbers ? shown(label) : std::string(trimmed(label.get_ref<const std::string&>())));
      return true;
    };
    if (several && !labels.is_array()) {
      refuse(options_.label, labels, "a list as in the first line");
      return false;
    }
    if (several ? !std::all_of(labels.begin(), labels.end(), take) : !take(labels)) return false;
    labels_.assign(texts_.begin(), texts_.end());
    return true;
  }

  void refuse(const std::string& key, const json& got, const std::string& expected) {
    rows_->refuse(number_, printable(key),
                  fmt::format("got {}, expected {}", got.is_null() ? "nothing" : shown(got), expected));
  }

  const AudioJsonlOptions& options_;
  TextWindow window_;
  std::optional<RowCollector> rows_;  // from the first line on
  std::string_view line_;
  int64_t number_ = 0;
  std::set<std::string> seen_;  // keys that some line has
  std::vector<std::string> texts_;
  std::vector<std::string_view> labels_;
  std::vector<double> values_;
};

}  // namespace

AudioTable read_audio_jsonl(const AudioJsonlOptions& options) { return JsonlRows(options).read(); }

}  // namespace amae

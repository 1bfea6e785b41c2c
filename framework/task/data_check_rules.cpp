#include "task/data_check_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "data/split.h"

namespace amae {
namespace {

int64_t fold_of(const DataTarget& target, int64_t row) { return target.folds[static_cast<size_t>(row)]; }

}  // namespace

void find_duplicates(const DataTarget& target, const std::vector<std::string>& hashes, CheckReport& report) {
  const Dataset& data = *target.dataset;
  std::vector<int64_t> order;
  for (int64_t row = 0; row < data.size(); ++row) {
    if (!hashes[static_cast<size_t>(row)].empty()) order.push_back(row);
  }
  const auto hash = [&](int64_t row) -> const std::string& { return hashes[static_cast<size_t>(row)]; };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return hash(a) < hash(b); });
  std::vector<std::pair<int64_t, int64_t>> repeats;  // row, first row with the same content
  for (size_t i = 1, first = 0; i < order.size(); ++i) {
    if (hash(order[i]) != hash(order[first])) {
      first = i;
    } else {
      repeats.emplace_back(order[i], order[first]);
    }
  }
  std::sort(repeats.begin(), repeats.end());
  for (const auto& [row, first] : repeats) {
    const std::string label = target.label_of(row), first_label = target.label_of(first);
    const std::string other =
        label == first_label ? "" : fmt::format(", labelled {} there and {} here", first_label, label);
    if (target.folds.empty() || fold_of(target, row) == fold_of(target, first)) {
      report.add({"duplicate",
                  data.id(row),
                  fmt::format("the same content as {}{}", data.id(first), other),
                  {{"same_as", data.id(first)}, {"same_label", other.empty()}}});
    } else {
      report.add({"clip_in_two_folds",
                  data.id(row),
                  fmt::format("in fold {}, and the same content as {} in fold {}{}", fold_of(target, row),
                              data.id(first), fold_of(target, first), other),
                  {{"same_as", data.id(first)},
                   {"folds", {fold_of(target, first), fold_of(target, row)}},
                   {"same_label", other.empty()}}});
    }
  }
}

void find_shared_sources(const DataTarget& target, CheckReport& report) {
  const Dataset& data = *target.dataset;
  report.has_folds = !target.folds.empty();
  report.has_groups = !target.groups.empty();
  report.sources = static_cast<int64_t>(std::set<int64_t>(target.groups.begin(), target.groups.end()).size());
  if (target.folds.empty() || target.groups.empty()) return;
  std::vector<std::tuple<int64_t, int64_t, int64_t>> entries;  // group, class, row
  for (int64_t row = 0; row < data.size(); ++row) {
    std::vector<int64_t> classes = target.classes_of(row);
    if (classes.empty()) classes.push_back(-1);
    for (const int64_t k : classes) entries.emplace_back(target.groups[static_cast<size_t>(row)], k, row);
  }
  std::sort(entries.begin(), entries.end());
  std::map<int64_t, std::set<int64_t>> spread;  // folds of each group that lies in two
  std::set<int64_t> leaking;
  std::vector<std::pair<int64_t, Finding>> found;
  for (size_t begin = 0, end = 0; begin < entries.size(); begin = end) {
    const auto [group, k, first] = entries[begin];
    std::set<int64_t> folds;
    int64_t other = first;  // the first row in another fold than the first one
    for (end = begin; end < entries.size() && std::get<0>(entries[end]) == group && std::get<1>(entries[end]) == k;
         ++end) {
      const int64_t row = std::get<2>(entries[end]);
      folds.insert(fold_of(target, row));
      if (other == first && fold_of(target, row) != fold_of(target, first)) other = row;
    }
    spread[group].insert(folds.begin(), folds.end());
    if (folds.size() < 2) continue;
    leaking.insert(group);
    const std::string name = k < 0 ? "unlabelled" : data.classes()[static_cast<size_t>(k)];
    found.emplace_back(other, Finding{"source_in_two_folds",
                                      data.id(other),
                                      fmt::format("in fold {}, and from the same source as {} in fold {} (class {})",
                                                  fold_of(target, other), data.id(first), fold_of(target, first), name),
                                      {{"same_source_as", data.id(first)},
                                       {"class", name},
                                       {"folds", folds},
                                       {"rows", static_cast<int64_t>(end - begin)}}});
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [row, finding] : found) report.add(std::move(finding));
  for (const auto& [group, folds] : spread)
    report.sources_elsewhere += folds.size() > 1 && leaking.count(group) == 0 ? 1 : 0;
}

void find_odd_classes(const DataTarget& target, double balance, CheckReport& report) {
  const Dataset& data = *target.dataset;
  const std::vector<std::string>& names = data.classes();
  if (names.empty() || !target.labels.defined()) return;
  std::vector<std::map<int64_t, int64_t>> rows_in(names.size());  // by fold
  std::vector<int64_t> rows_of(names.size(), 0);
  for (int64_t row = 0; row < data.size(); ++row) {
    for (const int64_t k : target.classes_of(row)) {
      ++rows_of[static_cast<size_t>(k)];
      if (!target.folds.empty()) ++rows_in[static_cast<size_t>(k)][fold_of(target, row)];
    }
  }
  const auto largest = std::max_element(rows_of.begin(), rows_of.end());
  for (size_t k = 0; k < names.size(); ++k) {
    if (static_cast<double>(rows_of[k]) < balance * static_cast<double>(*largest)) {
      report.add({"class_balance",
                  names[k],
                  fmt::format("{} rows; {} has {}", rows_of[k], names[static_cast<size_t>(largest - rows_of.begin())],
                              *largest),
                  {{"rows", rows_of[k]}, {"largest", *largest}}});
    }
  }
  for (const int64_t number : fold_numbers(data)) {
    for (size_t k = 0; k < names.size(); ++k) {
      if (rows_of[k] > 0 && rows_in[k].count(number) == 0)
        report.add({"class_missing", names[k], fmt::format("no row in fold {}", number), {{"fold", number}}});
    }
  }
}

}  // namespace amae

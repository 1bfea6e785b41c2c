#include "class_column.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "amae/error.h"
#include "base/text.h"

namespace amae {

void check_class_names(const std::vector<std::string>& classes) {
  std::set<std::string_view> names;
  for (const std::string& name : classes) {
    if (!names.insert(name).second)
      throw InputError("DATA", "", "classes", fmt::format("got {} twice, expected each name once", printable(name)));
  }
}

ClassColumn::ClassColumn(const std::vector<std::string>& classes) : is_given_(!classes.empty()) {
  check_class_names(classes);
  for (const std::string& name : classes) names_.add(name);
}

std::string ClassColumn::add(std::string_view label) {
  const uint32_t known = names_.find(label);
  label_.push_back(known);
  if (known != NameTable::kNone) return "";
  if (label.empty()) return "got an empty label, expected the name of a class";
  if (is_given_) {
    const std::vector<std::string> names = classes();
    const std::string close = nearest(label.substr(0, 100), names);
    return fmt::format("got \"{}\", expected one of the {} classes{}", printable(label.substr(0, 100)), names.size(),
                       close.empty() ? "" : "; did you mean " + printable(close) + "?");
  }
  if (names_.size() == kMostClasses) return fmt::format("got more than {} classes, expected fewer", kMostClasses);
  label_.back() = names_.add(label);
  return "";
}

std::vector<std::string> ClassColumn::classes() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < names_.size(); ++i) names.emplace_back(names_[i]);
  if (!is_given_) std::sort(names.begin(), names.end());
  return names;
}

at::Tensor ClassColumn::labels() const {
  std::vector<int64_t> order(names_.size()), place(names_.size());
  std::iota(order.begin(), order.end(), 0);
  const auto name = [&](int64_t i) { return names_[static_cast<size_t>(i)]; };
  if (!is_given_) std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return name(a) < name(b); });
  for (size_t i = 0; i < order.size(); ++i) place[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  at::Tensor labels = at::empty({static_cast<int64_t>(label_.size())}, at::kLong);
  auto* out = labels.mutable_data_ptr<int64_t>();
  for (const uint32_t number : label_) *out++ = place[number];
  return labels;
}

}  // namespace amae

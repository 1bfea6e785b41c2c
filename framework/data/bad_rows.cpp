#include "data/bad_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "amae/error.h"
#include "base/text.h"

namespace amae {

std::string row_hash(const Dataset& dataset, int64_t row) {
  try {
    return dataset.content_hash(row);
  } catch (const InputError&) {
    if (!dataset.skips_bad_rows()) throw;
    return "unreadable";
  }
}

std::string bad_rows_text(const Dataset& dataset, const BadRows& bad) {
  constexpr size_t kShown = 10;
  std::vector<std::string> names;
  for (auto it = bad.begin(); it != bad.end() && names.size() < kShown; ++it) names.push_back(dataset.id(it->first));
  return fmt::format("{} of {} samples cannot be read and {} left out: {}{}", bad.size(), dataset.size(),
                     bad.size() == 1 ? "is" : "are", join(names, ", "), bad.size() > kShown ? ", …" : "");
}

nlohmann::ordered_json bad_rows_json(const Dataset& dataset, const BadRows& bad) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& [row, problem] : bad)
    list.push_back({{"id", printable(dataset.id(row))}, {"problem", printable(problem)}});
  return {{"count", bad.size()}, {"list", std::move(list)}};
}

std::vector<int64_t> without(const std::vector<int64_t>& rows, const BadRows& bad) {
  std::vector<int64_t> good;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(good), [&](int64_t row) { return !bad.contains(row); });
  return good;
}

}  // namespace amae

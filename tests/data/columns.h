// A data set of columns alone, for what looks at nothing else.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "amae/dataset.h"

namespace amae {

/// Nothing to load.
class Columns final : public Dataset {
 public:
  std::vector<int64_t> label, fold, group;
  std::vector<std::string> names;
  at::Tensor several;  // [rows, K], instead of label
  std::map<std::string, std::vector<double>> numbers;
  std::map<std::string, TextColumn> texts;

  [[nodiscard]] int64_t size() const override {
    return std::max(several.defined() ? several.size(0) : 0,
                    static_cast<int64_t>(std::max({label.size(), fold.size(), group.size()})));
  }
  [[nodiscard]] std::string id(int64_t row) const override { return std::to_string(row); }
  [[nodiscard]] Signal load(int64_t /*row*/) const override { return {}; }
  [[nodiscard]] Spec spec() const override { return {}; }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return names; }
  [[nodiscard]] at::Tensor labels() const override {
    if (several.defined()) return several;
    return label.empty() ? at::Tensor() : at::tensor(label, at::kLong);
  }
  [[nodiscard]] std::vector<int64_t> folds() const override { return fold; }
  [[nodiscard]] std::vector<int64_t> groups() const override { return group; }
  [[nodiscard]] std::map<std::string, std::vector<double>> columns() const override { return numbers; }
  [[nodiscard]] std::map<std::string, TextColumn> text_columns() const override { return texts; }
  [[nodiscard]] std::string content_hash(int64_t /*row*/) const override { return {}; }
};

/// `per_cell` rows for each of `classes` classes at each SNR of -20, -18, …, in turn; folds 1..5 in blocks.
inline Columns radio_rows(int64_t classes, int64_t snrs, int64_t per_cell) {
  Columns data;
  for (int64_t c = 0; c < classes; ++c) data.names.push_back("class" + std::to_string(c));
  for (int64_t i = 0; i < per_cell; ++i) {
    for (int64_t snr = 0; snr < snrs; ++snr) {
      for (int64_t c = 0; c < classes; ++c) {
        data.label.push_back(c);
        data.numbers["snr"].push_back(static_cast<double>(2 * snr - 20));
        data.fold.push_back(1 + i % 5);
      }
    }
  }
  return data;
}

/// How many of `rows` have this class and SNR.
inline int64_t cell_count(const Columns& data, const std::vector<int64_t>& rows, int64_t label, double snr) {
  const std::vector<double>& values = data.numbers.at("snr");
  return std::count_if(rows.begin(), rows.end(), [&](int64_t row) {
    const auto i = static_cast<size_t>(row);
    return data.label[i] == label && values[i] == snr;
  });
}

}  // namespace amae

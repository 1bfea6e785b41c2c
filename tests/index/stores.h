// Small embedding stores for tests.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "index/store.h"

namespace amae::index_test {

/// Rows of a store. Left out: ids "row0", "row1", …, no labels, no folds, contents that follow the ids.
struct StoreRows {
  at::Tensor vectors;  ///< [N, D]
  std::vector<std::string> ids{}, labels{}, folds{}, contents{};

  /// These of the rows, in this order, with what was left out filled in.
  [[nodiscard]] StoreRows of(const std::vector<int64_t>& rows) const {
    StoreRows some{vectors.index_select(0, at::tensor(rows, at::kLong))};
    for (const int64_t row : rows) {
      const auto i = static_cast<size_t>(row);
      some.ids.push_back(ids.empty() ? "row" + std::to_string(row) : ids[i]);
      some.labels.push_back(labels.empty() ? "" : labels[i]);
      some.folds.push_back(folds.empty() ? "" : folds[i]);
      some.contents.push_back(contents.empty() ? "content of " + some.ids.back() : contents[i]);
    }
    return some;
  }
};

/// begin to end - 1.
inline std::vector<int64_t> numbers(int64_t begin, int64_t end) {
  std::vector<int64_t> all;
  for (int64_t i = begin; i < end; ++i) all.push_back(i);
  return all;
}

inline EmbeddingMaker maker_of(const std::string& type = "float32") {
  return {std::string(64, 'a'), std::string(64, 'b'), type, "whole item", 0, 0, false};
}

/// A store in a folder of its own.
class TestStore {
 public:
  explicit TestStore(const StoreRows& rows, const EmbeddingMaker& maker = maker_of()) { write(rows, maker); }

  /// Puts another in its place, as amae embed does.
  void write(const StoreRows& rows, const EmbeddingMaker& maker = maker_of()) const {
    const StoreRows all = rows.of(numbers(0, rows.vectors.size(0)));
    const at::Tensor x = all.vectors.to(at::kFloat).contiguous();
    EmbeddingWriter writer(path(), {maker, "/models/m", "m 0123", "", x.size(0), x.size(1)}, {});
    for (int64_t row = 0; row < x.size(0); ++row) {
      const auto i = static_cast<size_t>(row);
      writer.add({all.ids[i], all.ids[i] + ".wav", all.labels[i], all.folds[i], "", "", all.contents[i]},
                 x.const_data_ptr<float>() + row * x.size(1));
    }
    writer.commit();
  }

  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "store"; }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return path() / name; }
  [[nodiscard]] std::shared_ptr<const EmbeddingStore> open() const {
    return std::make_shared<const EmbeddingStore>(path());
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace amae::index_test

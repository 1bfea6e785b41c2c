// A data set that `amae data convert --to store` wrote: sound or IQ, without files to find and decode.
#pragma once

#include <string>

#include "amae/dataset.h"
#include "amae/options.h"
#include "io/signal_store.h"

namespace amae {

struct SignalStoreOptions {
  std::string root;

  void describe(Fields& fields) {
    fields.add("root", root, "folder that holds samples.bin and index.safetensors").path().required();
  }
};

/// Rows, ids, labels, folds, groups and columns are those of the data set that was converted, in its order; samples are
/// the same to the last bit. Formats, checks and errors: io/signal_store.h.
class SignalStore final : public Dataset {
 public:
  explicit SignalStore(const SignalStoreOptions& options);

  [[nodiscard]] int64_t size() const override { return store_.size(); }
  [[nodiscard]] std::string id(int64_t row) const override { return store_.id(row); }
  [[nodiscard]] Signal load(int64_t row) const override { return store_.load(row); }
  [[nodiscard]] Spec spec() const override { return spec_; }
  [[nodiscard]] Spec row_spec(int64_t row) const override { return store_.spec(row); }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return known().classes; }
  [[nodiscard]] at::Tensor labels() const override { return known().labels; }
  [[nodiscard]] std::vector<int64_t> folds() const override { return known().folds; }
  [[nodiscard]] std::vector<int64_t> groups() const override { return known().groups; }
  [[nodiscard]] std::map<std::string, std::vector<double>> columns() const override { return known().columns; }
  [[nodiscard]] std::map<std::string, TextColumn> text_columns() const override { return known().texts; }
  [[nodiscard]] std::string content_hash(int64_t row) const override { return store_.content_hash(row); }

 private:
  [[nodiscard]] const StoreColumns& known() const { return store_.columns(); }

  StoreReader store_;
  Spec spec_;
};

}  // namespace amae

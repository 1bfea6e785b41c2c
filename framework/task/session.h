// What every task sets up the same way: data set, split, pipeline, cache, model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "task/run_config.h"
#include "train/bundle.h"

namespace amae {

/// The data of a run: shared by the folds of a cross-validation.
struct Data {
  std::shared_ptr<const Dataset> dataset;
  std::shared_ptr<const FeatureCache> cache;
  bool multi_label = false;
};

/// A data set is a plugin's: what it says of its rows (labels, folds, groups) is checked once, so that nothing later
/// runs over an end. Throws InputError (code DATA, field "data").
void check_columns(const Dataset& dataset, const std::string& where);

/// Opens the data set and checks that it can be trained on: sound columns, at least two classes, a loss that fits.
std::shared_ptr<const Dataset> open_dataset(const Plan& plan);

/// The split of `config`, with its summary in the log. `test_folds` replaces split.test when not empty.
Split split_for(const Plan& plan, const Dataset& dataset, const std::vector<int64_t>& test_folds);

/// The split without the rows that the cache could not load, with its new summary in the log. Throws InputError when a
/// part or a class has become empty. For data sets that skip bad rows; the split itself where there are none.
Split without_bad_rows(const Plan& plan, const FeatureCache& cache, const std::vector<int64_t>& test_folds,
                       const Split& split);

/// The config's pipeline over the data set's signals, not fitted yet.
std::shared_ptr<Pipeline> make_pipeline(const Plan& plan, const Dataset& dataset);

/// Cache over a pipeline, with progress, and one warning about rows that are left out because they cannot be loaded.
std::shared_ptr<const FeatureCache> make_cache(const Plan& plan, std::shared_ptr<const Dataset> dataset,
                                               std::shared_ptr<const Pipeline> pipeline);

/// Fits the transforms that need it on `rows`, in order, in batches.
void fit_pipeline(Pipeline& pipeline, const FeatureCache& cache, const std::vector<int64_t>& rows);

/// A fresh classifier, seeded; weights from config.init_from where given (what did not fit is logged), unless a
/// checkpoint is about to replace them.
std::shared_ptr<Classifier> make_classifier(const Plan& plan, const Dataset& dataset, const Pipeline& pipeline,
                                            bool initialised_later = false);

/// "auto" (GPU when LibTorch has one), "cpu", "cuda", "cuda:1". Throws EnvironmentError when it is not there.
torch::Device pick_device(const std::string& name);

/// How the program was called; the same for every task.
struct RunRequest {
  std::vector<std::string> argv;
  std::string device = "auto";
};

}  // namespace amae

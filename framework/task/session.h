// What every task sets up the same way: data set, split, pipeline, cache, model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "task/run_config.h"
#include "train/bundle.h"
#include "train/trained_on.h"

namespace amae {

/// The data of a run: shared by the folds of a cross-validation.
struct Data {
  std::shared_ptr<const Dataset> dataset;
  std::shared_ptr<const FeatureCache> cache;
  bool multi_label = false;
};

/// Opens the data set and checks its columns; with `needs_labels` also that it can be classified: at least two classes,
/// and for task finetune a loss that fits them.
std::shared_ptr<const Dataset> open_dataset(const Plan& plan, bool needs_labels = true);

/// True when rows have several labels each.
bool has_several_labels(const Dataset& dataset);

/// Refuses columns in split.stratify that the data set does not have or that have too many values, at the option's
/// place and before anything is made (InputError, code COLUMN).
void check_split_columns(const Plan& plan, const Dataset& dataset);

/// The split of `config`, with its summary in the log. `test_folds` replaces split.test when not empty. Of the training
/// rows only the share split.labels is in it, but for task pretrain, which needs no labels.
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

/// A fresh encoder of the config's model, seeded; no weights are loaded. `reconstructs`: with what reconstruct() needs.
std::shared_ptr<Encoder> make_encoder(const Plan& plan, const Pipeline& pipeline, bool reconstructs);

/// The library that the config's model comes from.
Origin model_origin(const Plan& plan);

/// `text` with the fold in place of each `{fold}`; as it is where there is no fold.
std::string with_fold(std::string text, const std::vector<int64_t>& fold);

/// Judges `{fold}` in init_from and save_as, and the name in save_as, before anything runs: the placeholder needs
/// folds, and of several folds each needs a name of its own to be kept under. Throws InputError with the option's
/// place.
void check_names(const Plan& plan);

/// init_from for this fold (empty without folds): what its text with `{fold}` filled in means (named_path). Empty
/// without init_from.
std::filesystem::path init_path(const Plan& plan, const std::vector<int64_t>& fold);

/// Copies what fits from init_from into the model, through init_rules; what did not fit is logged. Nothing without
/// init_from.
void initialise(const Plan& plan, Classifier& model, const std::vector<int64_t>& fold);

/// Rows that trained the run or bundle at `from` (a path as init_path gives it); empty for a file of weights, of which
/// nothing is known.
RowMarks rows_behind(const std::filesystem::path& from);

/// Throws InputError (code LEAK, where = `from`) when rows that are to test have trained the run or bundle at `from`,
/// with their number and the first ids: what it learned of them would pass for what it can do. The message tells when
/// each of them has a twin of the same content among `train_rows`, those of the present split. Nothing with an empty
/// `from`.
void refuse_leak(const Plan& plan, const Dataset& dataset, const std::vector<int64_t>& test_rows,
                 const std::string& from, const std::vector<int64_t>& train_rows = {});

/// "auto" (GPU when LibTorch has one), "cpu", "cuda", "cuda:1". Throws EnvironmentError when it is not there.
torch::Device pick_device(const std::string& name);

/// How the program was called; the same for every task.
struct RunRequest {
  std::vector<std::string> argv;
  std::string device = "auto";
};

}  // namespace amae

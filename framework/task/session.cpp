#include "task/session.h"

#include <fmt/format.h>
#include <torch/cuda.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <thread>

#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"
#include "config/read.h"
#include "data/columns.h"

namespace amae {
std::shared_ptr<const Dataset> open_dataset(const Plan& plan, bool needs_labels) {
  std::shared_ptr<const Dataset> dataset = plan.registry->make_dataset(plan.config.data);
  const std::string where = config::mark_of(*plan.tree, "data").text();
  if (dataset->size() == 0) throw InputError("DATA", where, "data", "got an empty data set");
  if (needs_labels && !dataset->labels().defined())
    throw InputError("DATA", where, "data",
                     fmt::format("got a data set without labels, which task {} needs", plan.config.task));
  if (needs_labels && dataset->classes().size() < 2)
    throw InputError(
        "DATA", where, "data",
        fmt::format("got {} class{}, expected at least 2", dataset->classes().size(),
                    dataset->classes().empty()
                        ? "es"
                        : fmt::format(" ({}, {} rows)", printable(dataset->classes()[0]), dataset->size())));
  check_columns(*dataset, where);
  const bool several = has_several_labels(*dataset);
  const bool has_loss = needs_labels && plan.config.task == "finetune";
  if (has_loss && several != (plan.config.loss.name == "binary")) {
    throw InputError("CFG-RULE", config::mark_of(*plan.tree, "loss.name").text(), "loss.name",
                     several ? "got cross_entropy for a data set with several labels a row, expected binary"
                             : "got binary for a data set with one label a row, expected cross_entropy");
  }
  return dataset;
}

bool has_several_labels(const Dataset& dataset) {
  const at::Tensor labels = dataset.labels();
  return labels.defined() && labels.dim() == 2;
}

namespace {

/// The config's split, with `test_folds` in place of its own where there are any.
SplitOptions split_options(const Plan& plan, const std::vector<int64_t>& test_folds) {
  SplitOptions options = plan.config.split;
  if (!test_folds.empty()) {
    options.by = "fold";
    options.test = test_folds;
    std::erase_if(options.val, [&](int64_t fold) {
      return std::find(test_folds.begin(), test_folds.end(), fold) != test_folds.end();
    });
  }
  return options;
}

/// Training whose rows are worth as much without their labels.
bool ignores_labels(const Plan& plan) { return plan.config.task == "pretrain"; }

void log_split(const Plan& plan, const Dataset& dataset, const Split& split) {
  const int64_t leaks = leaking_groups(dataset, split);
  const std::string unlabelled =
      split.unlabelled.empty() ? "" : fmt::format(" ({} more without their labels)", split.unlabelled.size());
  log::info("data   {}: {} items, {} classes; train {}{}, val {}, test {}; {}", plan.config.data.name, dataset.size(),
            dataset.classes().size(), split.train.size(), unlabelled, split.val.size(), split.test.size(),
            dataset.groups().empty() ? "no groups known"
            : leaks == 0             ? "no group in two splits"
                                     : fmt::format("{} groups in two splits", leaks));
  if (leaks > 0)
    log::warning(
        "{} groups (source recordings) have clips of one class in training and in evaluation: accuracy will flatter",
        leaks);
}

}  // namespace

Split split_for(const Plan& plan, const Dataset& dataset, const std::vector<int64_t>& test_folds) {
  const std::string where = config::mark_of(*plan.tree, "split").text();
  const SplitOptions options = split_options(plan, test_folds);
  Split split = make_split(dataset, options, where);
  if (!ignores_labels(plan)) {
    split = with_label_share(dataset, std::move(split), options, where);
  } else if (options.labels < 1) {
    log::info("labels pretraining sees none: split.labels leaves no row out here");
  }
  log_split(plan, dataset, split);
  return split;
}

void check_split_columns(const Plan& plan, const Dataset& dataset) {
  static_cast<void>(column_values(dataset, plan.config.split.stratify,
                                  config::mark_of(*plan.tree, "split.stratify").text(), "split.stratify"));
}

Split without_bad_rows(const Plan& plan, const FeatureCache& cache, const std::vector<int64_t>& test_folds,
                       const Split& split) {
  const BadRows& bad = cache.bad_rows();
  if (bad.empty()) return split;
  const Split good{without(split.train, bad), without(split.val, bad), without(split.test, bad),
                   without(split.unlabelled, bad)};
  const std::string where = config::mark_of(*plan.tree, "split").text();
  try {
    check_split(cache.dataset(), good, split_options(plan, test_folds), where);
  } catch (const InputError& error) {
    std::vector<Problem> problems = error.problems();
    for (Problem& problem : problems) problem.message += "; " + bad_rows_text(cache.dataset(), bad);
    throw InputError(std::move(problems));
  }
  log_split(plan, cache.dataset(), good);
  return good;
}

std::shared_ptr<Pipeline> make_pipeline(const Plan& plan, const Dataset& dataset) {
  return std::make_shared<Pipeline>(*plan.registry, plan.config.transforms, dataset.spec(),
                                    "data at " + config::mark_of(*plan.tree, "data").text());
}

std::shared_ptr<const FeatureCache> make_cache(const Plan& plan, std::shared_ptr<const Dataset> dataset,
                                               std::shared_ptr<const Pipeline> pipeline) {
  Fields fields;
  plan.config.data.options->describe(fields);
  const std::string data_text = plan.config.data.name + "\n" + config::to_yaml(fields);
  Progress progress("features", dataset->size());
  const auto threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  auto cache = std::make_shared<FeatureCache>(
      std::move(dataset), std::move(pipeline), plan.config.cache, threads,
      [&](int64_t done, int64_t /*total*/) { progress.update(done); }, data_text,
      origin_of(*plan.registry, "dataset", plan.config.data.name, "data"));
  if (!cache->bad_rows().empty()) log::warning("{}", bad_rows_text(cache->dataset(), cache->bad_rows()));
  return cache;
}

void fit_pipeline(Pipeline& pipeline, const FeatureCache& cache, const std::vector<int64_t>& rows) {
  if (!pipeline.needs_fit()) return;
  const auto batches = batches_of(rows, 64);
  pipeline.fit(batches.size(), [&](size_t number) { return cache.rows(batches[number]); });
}

std::shared_ptr<Encoder> make_encoder(const Plan& plan, const Pipeline& pipeline, bool reconstructs) {
  const auto seed = static_cast<uint64_t>(plan.config.seed);
  torch::manual_seed(seed);
  try {
    return plan.registry->make_model(plan.config.model, {pipeline.output(Mode::train), seed, reconstructs});
  } catch (const InputError& error) {
    throw with_giver(error, pipeline.giver());
  }
}

Origin model_origin(const Plan& plan) { return origin_of(*plan.registry, "model", plan.config.model.name, "model"); }

torch::Device pick_device(const std::string& name) {
  if (name == "cpu" || (name == "auto" && !torch::cuda::is_available())) return torch::kCPU;
  const auto refuse = [&] {
    throw InputError("DEVICE", "", "--device",
                     fmt::format("got '{}', expected auto, cpu, cuda or cuda:N", printable(name)));
  };
  try {
    const torch::Device device(name == "auto" ? "cuda" : name);
    if (!device.is_cuda()) refuse();
    if (!torch::cuda::is_available() || device.index() >= static_cast<int>(torch::cuda::device_count())) {
      throw EnvironmentError("DEVICE", name,
                             fmt::format("is not there: this LibTorch sees {} GPUs",
                                         torch::cuda::is_available() ? torch::cuda::device_count() : 0));
    }
    // The same numbers in every run, and close enough to a CPU's for the golden output of a bundle.
    at::globalContext().setAllowTF32CuDNN(false);
    at::globalContext().setDeterministicCuDNN(true);
    at::globalContext().setBenchmarkCuDNN(false);
    return device;
  } catch (const c10::Error&) {
    refuse();
    throw;
  }
}

}  // namespace amae

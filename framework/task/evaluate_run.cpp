#include "task/evaluate_run.h"

#include <fmt/format.h>

#include <numeric>

#include "base/text.h"
#include "config/read.h"
#include "task/eval_report.h"
#include "task/slices.h"

namespace amae {

Metrics evaluate_run(const Plan& plan, const RunRequest& request, const std::filesystem::path& run,
                     const std::string& split, const std::filesystem::path& out,
                     const std::vector<int64_t>& test_folds) {
  const std::filesystem::path folder = bundle_folder(run);
  const Bundle bundle = load_classifier(folder, *plan.registry);
  const torch::Device device = pick_device(request.device);
  bundle.model->to(device);
  const std::shared_ptr<const Dataset> dataset = open_dataset(plan);
  if (dataset->classes() != bundle.info.classes) {
    throw InputError("DATA", plan.source, "data",
                     fmt::format("got classes {}, expected those of the bundle: {}", join(dataset->classes(), ", "),
                                 join(bundle.info.classes, ", ")));
  }
  check_slices(plan, *dataset);
  std::vector<int64_t> rows(static_cast<size_t>(dataset->size()));
  std::iota(rows.begin(), rows.end(), 0);
  Split parts;
  if (split != "all") {
    parts = split_for(plan, *dataset, test_folds);
    rows = split == "train" ? parts.train : split == "val" ? parts.val : parts.test;
  }
  if (rows.empty()) throw InputError("SPLIT", plan.source, "split", fmt::format("got an empty {} split", split));
  if (split == "test") refuse_leak(plan, *dataset, rows, folder.string(), parts.train);
  // The bundle's front end on this data's signals: rates and lengths may differ from those it was trained on.
  const auto pipeline = std::make_shared<Pipeline>(
      front_end_for(bundle, *plan.registry, dataset->spec(), "data at " + config::mark_of(*plan.tree, "data").text()));
  Plan uncached = plan;
  uncached.config.cache.mode = "off";  // each row is needed once
  const auto cache = make_cache(uncached, dataset, pipeline);
  rows = without(rows, cache->bad_rows());
  if (rows.empty()) throw InputError("SPLIT", plan.source, "split", "got no sample that can be read");
  const Scores scores =
      evaluate(*bundle.model, *cache, *pipeline, rows, plan.config.train.eval_batch_size, bundle.info.views,
               static_cast<int>(plan.config.train.workers), bundle.info.multi_label, device);
  nlohmann::ordered_json extra{{"weights", bundle.info.weights}, {"views", bundle.info.views}, {"bundle", bundle.id}};
  if (dataset->skips_bad_rows()) extra["bad_samples"] = bad_rows_json(*dataset, cache->bad_rows());
  return write_eval_report(out.empty() ? named_path(run) / "eval" / split : out, *dataset, scores,
                           bundle.info.multi_label, slice_columns(plan, *dataset), extra);
}

}  // namespace amae

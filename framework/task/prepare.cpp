#include "task/prepare.h"

#include <fmt/format.h>
#include <torch/types.h>

#include "base/log.h"
#include "base/text.h"
#include "task/crossval.h"
#include "task/slices.h"
#include "task/split_file.h"

namespace amae {

Data open_data(const Plan& plan, bool needs_labels) {
  Data data;
  data.dataset = open_dataset(plan, needs_labels);
  data.multi_label = has_several_labels(*data.dataset);
  static_cast<void>(folds_to_run(plan, *data.dataset));
  check_split_columns(plan, *data.dataset);
  if (data.dataset->labels().defined()) check_slices(plan, *data.dataset);
  static_cast<void>(make_pipeline(plan, *data.dataset));
  return data;
}

Split load_rows(const Plan& plan, RunFolder& folder, Data& data, const std::shared_ptr<Pipeline>& pipeline,
                const std::vector<int64_t>& fold, Split split) {
  if (!data.cache) {
    data.cache = make_cache(plan, data.dataset, pipeline);
    log::info("cache  {} ({})", data.cache->kind(), bytes_text(data.cache->bytes()));
  }
  if (data.dataset->skips_bad_rows()) {
    folder.note("bad_samples", bad_rows_json(*data.dataset, data.cache->bad_rows()));
    split = without_bad_rows(plan, *data.cache, fold, split);
  }
  folder.note("split", keep_split(folder.path(), *data.dataset, split));
  fit_pipeline(*pipeline, *data.cache, split.train);
  return split;
}

void place_model(const Plan& plan, RunFolder& folder, Classifier& model, const torch::Device& device,
                 const std::string& about) {
  model.to(device);
  int64_t parameters = 0;
  for (const torch::Tensor& p : model.parameters()) parameters += p.numel();
  log::info("model  {}, {} parameters, {}, device {} ({} threads)", plan.config.model.name,
            count_text(static_cast<double>(parameters)), about, device.str(), at::get_num_threads());
  log::info("run    {}", folder.path().string());
  folder.note("device", device.str());
  folder.note("parameters", parameters);
}

}  // namespace amae

#include "task/session.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <thread>

#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"
#include "config/read.h"
#include "io/safetensors.h"
#include "train/ema.h"

namespace amae {

std::shared_ptr<const Dataset> open_dataset(const Plan& plan) {
  std::shared_ptr<const Dataset> dataset = plan.registry->make_dataset(plan.config.data);
  const std::string where = config::mark_of(*plan.tree, "data").text();
  if (dataset->size() == 0) throw InputError("DATA", where, "data", "got an empty data set");
  const at::Tensor labels = dataset->labels();
  if (!labels.defined()) throw InputError("DATA", where, "data", fmt::format("got a data set without labels, which task {} needs", plan.config.task));
  if (dataset->classes().size() < 2) throw InputError("DATA", where, "data", fmt::format("got {} class, expected at least 2", dataset->classes().size()));
  const bool several = labels.dim() == 2;
  if (several != (plan.config.loss.name == "binary")) {
    throw InputError("CFG-RULE", config::mark_of(*plan.tree, "loss.name").text(), "loss.name",
                     several ? "got cross_entropy for a data set with several labels a row, expected binary" : "got binary for a data set with one label a row, expected cross_entropy");
  }
  return dataset;
}

Split split_for(const Plan& plan, const Dataset& dataset, const std::vector<int64_t>& test_folds) {
  SplitOptions options = plan.config.split;
  if (!test_folds.empty()) {
    options.by = "fold";
    options.test = test_folds;
    std::erase_if(options.val, [&](int64_t fold) { return std::find(test_folds.begin(), test_folds.end(), fold) != test_folds.end(); });
  }
  const Split split = make_split(dataset, options, config::mark_of(*plan.tree, "split").text());
  const int64_t leaks = leaking_groups(dataset, split);
  log::info("data   {}: {} items, {} classes; train {}, val {}, test {}; {}", plan.config.data.name, dataset.size(), dataset.classes().size(), split.train.size(), split.val.size(),
            split.test.size(), dataset.groups().empty() ? "no groups known" : leaks == 0 ? "no group in two splits" : fmt::format("{} groups in two splits", leaks));
  if (leaks > 0) log::warning("{} groups (source recordings) have clips of one class in training and in evaluation: accuracy will flatter", leaks);
  return split;
}

std::shared_ptr<const FeatureCache> make_cache(const Plan& plan, std::shared_ptr<const Dataset> dataset, std::shared_ptr<const Pipeline> pipeline) {
  Progress progress("features", dataset->size());
  const auto threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  auto cache = std::make_shared<FeatureCache>(std::move(dataset), std::move(pipeline), plan.config.cache, threads,
                                              [&](int64_t done, int64_t /*total*/) { progress.update(done); });
  return cache;
}

void fit_pipeline(Pipeline& pipeline, const FeatureCache& cache, const std::vector<int64_t>& rows) {
  if (!pipeline.needs_fit()) return;
  const auto batches = batches_of(rows, 64);
  pipeline.fit([&](const std::function<void(Batch)>& take) {
    for (const auto& batch : batches) take(cache.rows(batch));
  });
}

namespace {

/// The tensors to start from: a safetensors file as it is, or the weights that a bundle says to use.
TensorDict initial_tensors(const std::string& from) {
  if (from.size() > 12 && from.ends_with(".safetensors")) return read_safetensors(from);
  const auto folder = bundle_folder(from);
  verify_checksums(folder);
  return read_safetensors(std::filesystem::exists(folder / "ema.safetensors") ? folder / "ema.safetensors" : folder / "model.safetensors");
}

void initialise(Classifier& model, const std::string& from) {
  const TensorDict source = initial_tensors(from);
  const torch::NoGradGuard no_grad;
  std::vector<std::string> left;
  size_t loaded = 0;
  for (const auto& [name, tensor] : tensors_of(model)) {
    const auto found = source.find(name);
    if (found != source.end() && found->second.sizes() == tensor.sizes()) {
      torch::Tensor(tensor).copy_(found->second);
      ++loaded;
    } else {
      left.push_back(found == source.end() ? name + " (missing)" : name + " (other shape)");
    }
  }
  if (loaded == 0) throw InputError("CKPT", from, "init_from", "got no tensor that fits this model");
  log::info("init   {} tensors from {}{}", loaded, from, left.empty() ? "" : "; fresh: " + join(left, ", "));
}

}  // namespace

std::shared_ptr<Classifier> make_classifier(const Plan& plan, const Dataset& dataset, const Pipeline& pipeline) {
  torch::manual_seed(static_cast<uint64_t>(plan.config.seed));
  auto encoder = plan.registry->make_model(plan.config.model, {pipeline.output(Mode::train), static_cast<uint64_t>(plan.config.seed)});
  auto model = std::make_shared<Classifier>(std::move(encoder), static_cast<int64_t>(dataset.classes().size()), plan.config.head);
  if (!plan.config.init_from.empty()) initialise(*model, plan.config.init_from);
  return model;
}

torch::Device pick_device(const std::string& name) {
  if (name == "cpu" || (name == "auto" && !torch::cuda::is_available())) return torch::kCPU;
  try {
    const torch::Device device(name == "auto" ? "cuda" : name);
    if (device.is_cuda() && (!torch::cuda::is_available() || device.index() >= static_cast<int>(torch::cuda::device_count()))) {
      throw EnvironmentError("DEVICE", name, fmt::format("is not there: this LibTorch sees {} GPUs", torch::cuda::is_available() ? torch::cuda::device_count() : 0));
    }
    return device;
  } catch (const c10::Error&) {
    throw InputError("DEVICE", "", "--device", fmt::format("got '{}', expected auto, cpu, cuda or cuda:N", printable(name)));
  }
}

}  // namespace amae

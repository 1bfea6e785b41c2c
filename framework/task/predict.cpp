#include "task/predict.h"

#include <fmt/format.h>
#include <torch/types.h>

#include "io/signal_file.h"
#include "train/evaluate.h"

namespace amae {

void check_domain(const Bundle& bundle, const Spec& spec, const std::string& where) {
  if (spec.domain == bundle.info.input.domain) return;
  throw InputError("PREDICT", where, "",
                   fmt::format("got {}, expected {} as this bundle does", to_string(spec.domain),
                               to_string(bundle.info.input.domain)));
}

std::vector<ClassScore> top_classes(const BundleInfo& info, const torch::Tensor& probabilities, int64_t top_k) {
  const auto [values, indices] = probabilities.topk(std::min<int64_t>(top_k, probabilities.numel()));
  std::vector<ClassScore> top;
  for (int64_t i = 0; i < values.numel(); ++i) {
    const auto number = indices[i].item<int64_t>();
    top.push_back({info.classes[static_cast<size_t>(number)], number, values[i].item<double>()});
  }
  return top;
}

Prediction predict_file(const Bundle& bundle, const Registry& registry, const std::filesystem::path& file,
                        int64_t top_k, torch::Device device) {
  const SignalFile signals(file);
  check_domain(bundle, signals.spec(), file.string());
  const Signal signal = signals.read();
  const Pipeline pipeline = front_end_for(bundle, registry, signals.spec(), file.string());
  const torch::Tensor p = probabilities(*bundle.model, model_inputs(pipeline, signal, bundle.info.views),
                                        bundle.info.multi_label, device)[0];
  return {file.string(), top_classes(bundle.info, p, top_k)};
}

}  // namespace amae

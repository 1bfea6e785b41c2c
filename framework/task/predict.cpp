#include "task/predict.h"

#include <fmt/format.h>
#include <torch/types.h>

#include "io/audio.h"
#include "train/evaluate.h"

namespace amae {

Prediction predict_file(const Bundle& bundle, const Registry& registry, const std::filesystem::path& file,
                        int64_t top_k, torch::Device device) {
  if (bundle.info.input.domain != Domain::audio) {
    throw InputError(
        "PREDICT", file.string(), "",
        fmt::format("got an audio file, expected {} signals as this bundle does", to_string(bundle.info.input.domain)));
  }
  const Signal signal = read_audio(file);
  const Spec spec{Domain::audio, {signal.samples.size(0), signal.samples.size(1)}, signal.rate_hz};
  const Pipeline pipeline = front_end_for(bundle, registry, spec, file.string());
  const torch::Tensor p = probabilities(*bundle.model, pipeline, pipeline.run_front(signal, 0), bundle.info.views,
                                        bundle.info.multi_label, device)[0];
  const auto [values, indices] = p.topk(std::min<int64_t>(top_k, p.numel()));
  Prediction prediction{file.string(), {}};
  for (int64_t i = 0; i < values.numel(); ++i) {
    prediction.top.emplace_back(bundle.info.classes[static_cast<size_t>(indices[i].item<int64_t>())],
                                values[i].item<double>());
  }
  return prediction;
}

}  // namespace amae

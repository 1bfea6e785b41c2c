#include "serve/predictor.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "http/bad_request.h"
#include "serve/constellation.h"
#include "serve/tensor_json.h"
#include "task/predict.h"
#include "train/evaluate.h"

namespace amae::serve {

using nlohmann::ordered_json;

namespace {

constexpr int64_t kDefaultTopK = 5, kWaveformBins = 1200;
constexpr double kDefaultMaskRatio = 0.75;
/// A feature map is at most so large, and smaller where all channels of all layers would be too much for a page.
constexpr int64_t kMapHigh = 64, kMapWide = 256, kMapPixels = 1'500'000;

bool wants(const http::ClipRequest& request, const char* name) {
  return std::find(request.returns.begin(), request.returns.end(), name) != request.returns.end();
}

ordered_json number_or_null(double value) { return value > 0 ? ordered_json(value) : ordered_json(nullptr); }

ordered_json model_input_json(const torch::Tensor& x, const Pipeline& pipeline) {
  const Spec& spec = pipeline.output(Mode::eval);
  ordered_json json = tensor_json(x);
  json["kind"] = spec.domain == Domain::spectrogram ? "spectrogram" : "waveform";
  json["min"] = x.min().item<double>();
  json["max"] = x.max().item<double>();
  json["start_s"] = 0;
  json["frame_s"] = number_or_null(spec.rate_hz > 0 ? 1 / spec.rate_hz : 0);
  const std::vector<double> hz = pipeline.bin_frequencies_hz();
  json["frequencies_hz"] = hz.empty() ? ordered_json(nullptr) : ordered_json(hz);
  if (spec.domain == Domain::spectrogram)
    json["values"] = spec.level == Level::other ? ordered_json(nullptr) : ordered_json(to_string(spec.level));
  return json;
}

bool is_attention(const std::string& name) { return name.starts_with("attention"); }

/// As pictures [C, H, W].
torch::Tensor as_maps(const torch::Tensor& map) { return map.dim() == 3 ? map[0].unsqueeze(1) : map[0]; }

}  // namespace

ordered_json Timing::json() const {
  return {{"decode", decode_ms},
          {"front_end", front_end_ms},
          {"queue", queue_ms},
          {"model", model_ms},
          {"total", ms_since(begin)}};
}

ordered_json clip_json(const Clip& clip) {
  const Signal& signal = clip.signal;
  const int64_t count = signal.samples.size(1);
  return {{"format", clip.format},
          {"domain", to_string(signal.domain)},
          {"rate_hz", number_or_null(signal.rate_hz)},
          {kChannelsField, signal.domain == Domain::iq ? 1 : signal.samples.size(0)},
          {"samples", count},
          {"seconds", number_or_null(signal.rate_hz > 0 ? static_cast<double>(count) / signal.rate_hz : 0)}};
}

std::vector<std::string> returns_of(const Bundle& bundle) {
  std::vector<std::string> returns = {"waveform", "spectrogram"};
  Encoder& encoder = bundle.model->encoder();
  auto* const autoencoder = dynamic_cast<MaskedAutoencoder*>(&encoder);
  const Spec& spec = bundle.info.model_input;
  try {  // asked once: what it draws of silence is what it can draw
    std::vector<int64_t> shape = {1};
    for (const int64_t size : spec.shape) shape.push_back(size < 0 ? 64 : size);
    bool has_features = false, has_attention = false;
    for (const auto& [name, map] : encoder.feature_maps(torch::zeros(shape))) {
      (is_attention(name) ? has_attention : has_features) = true;
    }
    if (has_features) returns.emplace_back("features");
    if (has_attention && autoencoder != nullptr) returns.emplace_back("attention");
  } catch (const std::exception&) {  // not for such an input: pictures are no reason to refuse a model
  }
  if (autoencoder != nullptr && bundle.info.reconstructs && autoencoder->token_grid().size() > 1)
    returns.emplace_back("reconstruction");
  if (bundle.info.input.domain == Domain::iq) returns.emplace_back(kConstellationField);
  return returns;
}

Predictor::Predictor(const Bundle& bundle, FrontEnds& front_ends, ModelOwner& owner, Workers& workers,
                     Statistics& statistics)
    : bundle_(bundle),
      front_ends_(front_ends),
      owner_(owner),
      workers_(workers),
      statistics_(statistics),
      returns_(returns_of(bundle)) {}

void Predictor::check(const http::ClipRequest& request) const {
  for (size_t i = 0; i < request.returns.size(); ++i) {
    if (std::find(returns_.begin(), returns_.end(), request.returns[i]) != returns_.end()) continue;
    throw http::BadRequest(fmt::format("/return/{}", i),
                           fmt::format("got {}, which this model cannot give, expected {}",
                                       printable(request.returns[i]), join(returns_, ", ")));
  }
}

struct Predictor::Work {
  http::ClipRequest request;  ///< without its bytes
  ordered_json clip;          ///< as the answer tells it
  ordered_json pictures;      ///< those of the signal, which is not kept while the model works
  Timing timing;
  std::shared_ptr<const Pipeline> pipeline;
  torch::Tensor x;  ///< what the model got in the first view [1, ...]
};

void Predictor::start(http::ClipRequest request, const Clip& clip, Timing timing,
                      std::shared_ptr<ModelOwner::Announced> announced, std::function<bool()> gone, Answer answer,
                      Fail fail) {
  check_domain(bundle_, {clip.signal.domain, {}, 0}, clip.name);
  const auto begin = Clock::now();
  auto work = std::make_shared<Work>();
  const Signal& signal = clip.signal;
  const Spec spec{signal.domain, {signal.samples.size(0), signal.samples.size(1)}, signal.rate_hz};
  work->pipeline = front_ends_.of(spec, clip.name);
  ModelOwner::Clip item;
  item.views = model_inputs(*work->pipeline, signal, bundle_.info.views);
  timing.front_end_ms = ms_since(begin);
  if (signal.domain == Domain::audio && signal.rate_hz > 0)
    statistics_.heard(static_cast<double>(signal.samples.size(1)) / signal.rate_hz);
  work->clip = clip_json(clip);
  work->pictures = ordered_json::object();
  if (wants(request, "waveform")) work->pictures["waveform"] = waveform_json(signal, kWaveformBins);
  if (wants(request, kConstellationField)) work->pictures[kConstellationField] = constellation_json(signal);
  work->x = item.views[0];
  request.bytes = request.second = "";
  item.extras.maps = wants(request, "features") || wants(request, "attention");
  if (wants(request, "reconstruction")) item.extras.mask_ratio = request.mask_ratio.value_or(kDefaultMaskRatio);
  work->request = std::move(request);
  item.gone = std::move(gone);
  item.done = [this, work, timing, answer, fail](Inference inference) mutable {
    timing.queue_ms = inference.queue_ms;
    timing.model_ms = inference.model_ms;
    work->timing = timing;
    workers_.add_first([this, work, answer, fail, inference = std::move(inference)] {
      try {
        answer(answer_of(*work, inference));
      } catch (...) {
        fail(std::current_exception());
      }
    });
  };
  item.failed = [this, fail](std::exception_ptr why) { workers_.add_first([fail, why] { fail(why); }); };
  owner_.add(std::move(item));
  announced.reset();
}

ordered_json Predictor::answer_of(const Work& work, const Inference& inference) const {
  ordered_json json{{kClipField, work.clip}};
  json["top"] = ordered_json::array();
  if (inference.probabilities.defined()) {
    for (const ClassScore& top :
         top_classes(bundle_.info, inference.probabilities, work.request.top_k.value_or(kDefaultTopK)))
      json["top"].push_back({{"label", top.label}, {"class", top.number}, {"score", top.score}});
  }
  json["batch"] = inference.batch;
  add_pictures(work, inference, json);
  json["timing_ms"] = work.timing.json();
  return json;
}

void Predictor::add_pictures(const Work& work, const Inference& inference, ordered_json& json) const {
  const http::ClipRequest& request = work.request;
  json.update(work.pictures);
  if (wants(request, "spectrogram")) json["spectrogram"] = model_input_json(work.x[0], *work.pipeline);
  if (wants(request, "features")) {
    const auto pixels = [&](int64_t high, int64_t wide) {
      int64_t sum = 0;
      for (const auto& [name, map] : inference.maps) {
        const torch::Tensor channels = as_maps(map);
        if (!is_attention(name))
          sum += channels.size(0) * std::min(channels.size(1), high) * std::min(channels.size(2), wide);
      }
      return sum;
    };
    int64_t high = kMapHigh, wide = kMapWide;
    while (high > 4 && pixels(high, wide) > kMapPixels) high = high * 3 / 4, wide = wide * 3 / 4;
    ordered_json maps = ordered_json::array();
    for (const auto& [name, map] : inference.maps) {
      if (!is_attention(name)) maps.push_back(map_json(name, as_maps(map), high, wide));
    }
    json["features"] = maps;
  }
  auto* const autoencoder = dynamic_cast<MaskedAutoencoder*>(&bundle_.model->encoder());
  if (wants(request, "attention") && autoencoder != nullptr) {
    const TokenGrid grid = autoencoder->token_grid();
    ordered_json maps = ordered_json::array();
    for (const auto& [name, map] : inference.maps) {
      if (!is_attention(name)) continue;
      const torch::Tensor received = attention_received(map, grid.bands, grid.steps);
      if (received.defined()) maps.push_back(map_json(name, received, grid.bands, grid.steps));
    }
    json["attention"] = maps;
  }
  if (wants(request, "reconstruction") && inference.prediction.defined()) {
    json["reconstruction"] = {{"mask_ratio", request.mask_ratio.value_or(kDefaultMaskRatio)},
                              {"loss", inference.loss},
                              {"input", tensor_json(work.x[0])},
                              {"prediction", tensor_json(inference.prediction)},
                              {"hidden", tensor_json(inference.hidden)}};
  }
}

}  // namespace amae::serve

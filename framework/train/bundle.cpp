#include "train/bundle.h"

#include <fmt/format.h>
#include <torch/nn/module.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>

#include "amae/version.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "config/read.h"
#include "io/safetensors.h"
#include "train/ema.h"
#include "train/eval_mode.h"
#include "train/evaluate.h"

namespace amae {
namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr int kFormat = 1;
// Of a probability, and of the largest feature: other CPUs and thread counts round otherwise.
constexpr double kGoldenTolerance = 1e-3;

ordered_json spec_json(const Spec& spec) {
  return {{"domain", to_string(spec.domain)}, {"shape", spec.shape}, {"rate_hz", spec.rate_hz}};
}

Domain domain_from(const std::string& text) {
  for (const Domain domain : {Domain::audio, Domain::iq, Domain::spectrogram}) {
    if (text == to_string(domain)) return domain;
  }
  throw InputError("CKPT", "bundle.json", "input.domain",
                   fmt::format("got '{}', expected audio, iq or spectrogram", printable(text)));
}

Spec spec_from(const ordered_json& json) {
  Spec spec{domain_from(json.at("domain")), json.at("shape").get<std::vector<int64_t>>(), json.at("rate_hz")};
  if (spec.shape.size() != (spec.domain == Domain::spectrogram ? 3U : 2U))
    throw InputError("CKPT", "bundle.json", "input.shape", fmt::format("got {} axes", spec.shape.size()));
  return spec;
}

/// A chirp over noise: anything that a front end could get wrong moves its output.
Signal golden_signal(const Spec& input) {
  const double rate = input.rate_hz > 0 ? input.rate_hz : 16000;
  const int64_t channels = std::max<int64_t>(1, input.shape[0]);
  const int64_t count = input.shape.back() > 0 ? input.shape.back() : static_cast<int64_t>(rate);
  const int64_t filled = std::min<int64_t>(count, static_cast<int64_t>(rate / 2));  // the rest is silence: a small file
  const torch::Tensor samples = torch::zeros({channels, filled});
  Draw draw(20251120, 0, 0, 0);
  for (int64_t c = 0; c < channels; ++c) {
    auto* out = samples.data_ptr<float>() + c * filled;
    for (int64_t n = 0; n < filled; ++n) {
      const double t = static_cast<double>(n) / rate;
      out[n] = static_cast<float>(
          0.3 * std::sin(2 * std::numbers::pi * (200 * t + 0.2 * rate * t * t) + static_cast<double>(c)) +
          0.02 * draw.normal());
    }
  }
  return {samples, rate, input.domain};
}

const char* golden_name(const BundleInfo& info) { return info.classes.empty() ? "features" : "probabilities"; }

torch::Tensor golden_output(Classifier& model, const Pipeline& pipeline, const BundleInfo& info, Signal signal) {
  const int64_t count = info.input.shape.back();
  if (count > signal.samples.size(1)) {
    signal.samples = torch::constant_pad_nd(signal.samples, {0, count - signal.samples.size(1)});
  }
  const auto parameters = model.parameters();
  const torch::Device device = parameters.empty() ? torch::Device(torch::kCPU) : parameters.front().device();
  Batch batch = pipeline.run_front(signal, 0);
  if (!info.classes.empty()) return probabilities(model, pipeline, batch, 1, info.multi_label, device)[0];
  const torch::NoGradGuard no_grad;
  pipeline.run_eval(batch, 0, 1);
  return model.features(batch.x.to(device)).to(torch::kCPU, torch::kFloat)[0].contiguous();
}

}  // namespace

ordered_json component_json(const Component& component) {
  ordered_json json{{"name", component.name}};
  if (!component.id.empty() && component.id != component.name) json["id"] = component.id;
  Fields fields;
  component.options->describe(fields);
  for (const Field& field : fields.all()) {
    std::string pointer = fmt::format("/{}", field.name);
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    json[ordered_json::json_pointer(pointer)] = config::value_json(field);
  }
  return json;
}

// JSON is YAML, so a component is read from a bundle by the code that reads it from a config.
Component component_from(const ordered_json& json, const std::string& source) {
  Component component;
  component.node = config::parse_yaml(json.dump(), source);
  component.name = json.value("name", "");
  component.id = json.value("id", "");
  return component;
}

void write_bundle_files(const fs::path& folder, const BundleInfo& info, Classifier& model, const Pipeline& pipeline) {
  ordered_json json{
      {"format", kFormat},
      {"amae", AMAE_VERSION},
      {"task", info.task},
      {"reconstructs", info.reconstructs},
      {"classes", info.classes},
      {"multi_label", info.multi_label},
      {"input", spec_json(info.input)},
      {"model_input", spec_json(info.model_input.shape.empty() ? pipeline.output(Mode::train) : info.model_input)},
      {"weights", info.weights},
      {"views", info.views},
      {"head", {{"dropout", info.head.dropout}}},
      {"model", component_json(info.model)},
      {"transforms", ordered_json::array()}};
  for (const Component& transform : info.transforms) json["transforms"].push_back(component_json(transform));
  write_file(folder / "bundle.json", json.dump(2) + "\n");
  write_safetensors(folder / "pipeline.safetensors", pipeline.state());

  const EvalMode eval_mode(model);
  const Signal signal = golden_signal(info.input);
  write_safetensors(folder / "golden.safetensors",
                    {{"signal", signal.samples}, {golden_name(info), golden_output(model, pipeline, info, signal)}});
}

void write_checksums(const fs::path& folder) {
  std::map<std::string, std::string> sums;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().filename() != "SHA256SUMS")
      sums[entry.path().filename().string()] = sha256_file(entry.path());
  }
  std::string text;
  for (const auto& [name, sum] : sums) text += sum + "  " + name + "\n";  // the format of sha256sum
  write_file(folder / "SHA256SUMS", text);
}

void verify_checksums(const fs::path& folder) {
  const fs::path list = folder / "SHA256SUMS";
  if (!fs::is_regular_file(list))
    throw InputError("CKPT", list.string(), "", "is missing: this is no whole checkpoint");
  const std::string text = read_file(list, 1 << 20);
  std::set<std::string> listed;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.size() < 67 || line.substr(64, 2) != "  " || line.find('/') != std::string::npos)
      throw InputError("CKPT", list.string(), "", "got a damaged line: " + printable(line));
    const fs::path file = folder / line.substr(66);
    if (!fs::is_regular_file(file)) throw InputError("CKPT", file.string(), "", "is missing");
    const std::string sum = sha256_file(file);
    if (sum != line.substr(0, 64)) {
      throw InputError(
          "CKPT", file.string(), "",
          fmt::format("got SHA-256 {}…, expected {}…: the file is damaged", sum.substr(0, 12), line.substr(0, 12)));
    }
    listed.insert(line.substr(66));
  }
  // A list that lost lines would let a file pass unseen. Other kinds of files are none of ours and may lie here.
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string kind = entry.path().extension().string();
    if ((kind == ".json" || kind == ".safetensors") && listed.count(entry.path().filename().string()) == 0) {
      throw InputError("CKPT", entry.path().string(), "", "is not listed in SHA256SUMS");
    }
  }
  if (listed.empty()) throw InputError("CKPT", list.string(), "", "is empty");
}

BundleIdentity bundle_identity(const fs::path& folder) {
  verify_checksums(folder);
  const fs::path file = folder / "bundle.json";
  const auto json = ordered_json::parse(read_file(file, 16 << 20), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("weights") || !json.at("weights").is_string())
    throw InputError("CKPT", file.string(), "weights", "cannot be read");
  const std::string sums = read_file(folder / "SHA256SUMS", 1 << 20);
  const auto sum_of = [&](const std::string& name) {
    const size_t at = sums.find("  " + name + "\n");
    return at == std::string::npos || at < 64 ? std::string() : sums.substr(at - 64, 64);
  };
  // What a figure is a function of; which classes there are and how often a clip is judged is not.
  const auto part = [&](const char* name) { return json.value(name, ordered_json()).dump(); };
  std::string pipeline = sum_of("pipeline.safetensors");
  for (const char* name : {"input", "model_input", "model", "transforms"}) pipeline += "\n" + part(name);
  return {sha256_hex(sums).substr(0, 12), sum_of(json.at("weights")), sha256_hex(pipeline)};
}

void load_weights(torch::nn::Module& module, const TensorDict& tensors, const std::string& file) {
  const TensorDict own = tensors_of(module);
  std::vector<std::string> problems;
  for (const auto& [name, tensor] : own) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
      problems.push_back(name + " is missing");
    } else if (found->second.sizes() != tensor.sizes()) {
      problems.push_back(fmt::format("{} has shape {}, expected {}", name, fmt::join(found->second.sizes(), "x"),
                                     fmt::join(tensor.sizes(), "x")));
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (own.count(name) == 0) problems.push_back(name + " is unknown here");
  }
  if (!problems.empty()) {
    const size_t count = problems.size();
    problems.resize(std::min<size_t>(count, 10));
    throw InputError(
        "CKPT", file, "",
        fmt::format("{} tensors do not fit this model: {}{}", count, join(problems, "; "), count > 10 ? "; …" : ""));
  }
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : own) torch::Tensor(tensor).copy_(tensors.at(name));
}

Pipeline front_end_for(const Bundle& bundle, const Registry& registry, const Spec& input, const std::string& where) {
  Pipeline pipeline(registry, bundle.info.transforms, input, where, /*for_training=*/false);
  const Spec &got = pipeline.output(Mode::eval), &known = bundle.pipeline->output(Mode::eval);
  bool fits = got.shape.size() == known.shape.size() &&
              (got.rate_hz == 0 || known.rate_hz == 0 || std::abs(got.rate_hz / known.rate_hz - 1) < 1e-6);
  for (size_t i = 0; fits && i + 1 < known.shape.size(); ++i)
    fits = got.shape[i] < 0 || known.shape[i] < 0 || got.shape[i] == known.shape[i];
  if (!fits) {
    throw InputError("INPUT", where, "",
                     fmt::format("got {}, which reaches the model as {}, expected {} as in training; convert it, or "
                                 "train with transforms such as resample and channels",
                                 input.text(), got.text(), known.text()));
  }
  pipeline.load_state(bundle.pipeline->state());
  return pipeline;
}

Bundle load_bundle(const fs::path& folder, const Registry& registry) {
  verify_checksums(folder);
  const fs::path file = folder / "bundle.json";
  Bundle bundle;
  bundle.id = sha256_file(folder / "SHA256SUMS").substr(0, 12);
  BundleInfo& info = bundle.info;
  try {
    const auto json = ordered_json::parse(read_file(file, 16 << 20));
    if (const int format = json.at("format"); format != kFormat) {
      throw InputError(
          "CKPT", file.string(), "format",
          fmt::format("got {}, expected {}: written by another amae ({})", format, kFormat, json.value("amae", "?")));
    }
    info.task = json.value("task", info.task);
    info.reconstructs = json.value("reconstructs", false);
    info.classes = json.at("classes").get<std::vector<std::string>>();
    info.multi_label = json.at("multi_label");
    info.input = spec_from(json.at("input"));
    if (json.contains("model_input")) info.model_input = spec_from(json.at("model_input"));
    info.weights = json.at("weights");
    info.views = json.at("views");
    info.head.dropout = json.at("head").at("dropout");
    info.model = component_from(json.at("model"), file.string());
    for (const auto& transform : json.at("transforms"))
      info.transforms.push_back(component_from(transform, file.string()));
  } catch (const nlohmann::json::exception& error) {
    throw InputError("CKPT", file.string(), "", std::string("cannot be read: ") + error.what());
  }
  std::vector<Problem> problems;
  registry.resolve(info.model, "model", "model", problems);
  for (Component& transform : info.transforms)
    registry.resolve(transform, "transform", "transforms." + transform.name, problems);
  if (!problems.empty()) throw InputError(problems);

  // A bundle of an older amae does not say what its model was sized for: only the transforms in training know.
  const bool told = !info.model_input.shape.empty();
  bundle.pipeline = std::make_shared<Pipeline>(registry, info.transforms, info.input, "data", !told);
  if (!told) info.model_input = bundle.pipeline->output(Mode::train);
  bundle.pipeline->load_state(read_safetensors(folder / "pipeline.safetensors"));
  bundle.model = std::make_shared<Classifier>(registry.make_model(info.model, {info.model_input, 0, info.reconstructs}),
                                              static_cast<int64_t>(info.classes.size()), info.head,
                                              origin_of(registry, "model", info.model.name, "model"));
  load_weights(*bundle.model, read_safetensors(folder / info.weights), (folder / info.weights).string());
  bundle.model->eval();

  const TensorDict golden = read_safetensors(folder / "golden.safetensors");
  const std::string name = golden_name(info);
  if (golden.count("signal") == 0 || golden.count(name) == 0)
    throw InputError("CKPT", (folder / "golden.safetensors").string(), "", "lacks signal or " + name);
  const double rate = info.input.rate_hz > 0 ? info.input.rate_hz : 16000;
  const torch::Tensor now =
      golden_output(*bundle.model, *bundle.pipeline, info, {golden.at("signal"), rate, info.input.domain});
  const torch::Tensor known = golden.at(name);
  const double scale = info.classes.empty() ? std::max(1.0, known.abs().max().item<double>()) : 1.0;
  const double difference = (now - known).abs().max().item<double>() / scale;
  if (!(difference <= kGoldenTolerance)) {
    throw InputError("CKPT", folder.string(), "golden",
                     fmt::format("got an output that differs by {:.2g} from the stored one, expected at most {}; the "
                                 "plugins or LibTorch here compute something else",
                                 difference, kGoldenTolerance));
  }
  return bundle;
}

Bundle load_classifier(const fs::path& folder, const Registry& registry) {
  Bundle bundle = load_bundle(folder, registry);
  if (!bundle.model->has_head()) {
    throw InputError("CKPT", folder.string(), "",
                     "got a pretrained encoder without classes, expected a fine-tuned bundle; see task: finetune or "
                     "task: probe");
  }
  return bundle;
}

}  // namespace amae

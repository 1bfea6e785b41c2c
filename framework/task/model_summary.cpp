#include "task/model_summary.h"

#include <ATen/record_function.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <map>

#include "train/masking.h"

namespace amae {
namespace {

/// What the observer of one dry pass gathers. Observers are plain functions, hence the one place they can reach.
struct Watch {
  std::map<const void*, std::string> weights;  // data of a weight -> module that owns it
  std::map<std::string, int64_t> parameters;   // module -> parameters in it
  std::vector<LayerSummary> layers;
  int inside = 0;  // operators made of others (a linear is an addmm or a matmul) whose parts are not counted again
};
thread_local Watch* watch = nullptr;

int64_t product(at::IntArrayRef sizes, size_t from = 0) {
  int64_t count = 1;
  for (size_t i = from; i < sizes.size(); ++i) count *= sizes[i];
  return count;
}

bool made_of_products(const std::string& name) {
  return name == "aten::linear" || name == "aten::matmul" || name == "aten::scaled_dot_product_attention";
}

std::unique_ptr<at::ObserverContext> on_enter(const at::RecordFunction& fn) {
  if (watch != nullptr && made_of_products(fn.name())) ++watch->inside;
  return nullptr;
}

void on_exit(const at::RecordFunction& fn, at::ObserverContext* /*context*/) {
  if (watch == nullptr) return;
  const std::string name = fn.name();
  if (made_of_products(name)) --watch->inside;
  if (watch->inside > 0 || fn.outputs().empty() || !fn.outputs()[0].isTensor()) return;
  const auto inputs = fn.inputs();
  const auto tensor = [&](size_t i) {
    return i < inputs.size() && inputs[i].isTensor() ? inputs[i].toTensor() : at::Tensor();
  };
  const at::Tensor out = fn.outputs()[0].toTensor();
  LayerSummary layer;
  at::Tensor weight;
  if (name == "aten::convolution") {
    weight = tensor(1);
    layer.op = "convolution";
    layer.macs = product(out.sizes()) * product(weight.sizes(), 1);  // weight [out, in / groups, k…]
  } else if (name == "aten::linear" || name == "aten::matmul" || name == "aten::mm" || name == "aten::bmm") {
    weight = tensor(1);
    layer.macs = product(out.sizes()) * tensor(0).size(-1);
  } else if (name == "aten::addmm" || name == "aten::baddbmm") {  // what torch::nn::Linear calls
    weight = tensor(2);
    layer.macs = product(out.sizes()) * tensor(1).size(-1);
  } else if (name == "aten::scaled_dot_product_attention") {
    layer.op = "attention";
    layer.macs = 2 * product(tensor(0).sizes()) * tensor(1).size(-2);  // q k^T, then times v
  } else if (name == "aten::batch_norm" || name == "aten::layer_norm" || name == "aten::group_norm") {
    weight = name == "aten::layer_norm" || name == "aten::group_norm" ? tensor(2) : tensor(1);
    layer.op = "norm";
  } else {
    return;
  }
  const auto found = weight.defined() ? watch->weights.find(weight.data_ptr()) : watch->weights.end();
  layer.name = found != watch->weights.end() ? found->second : "-";
  if (layer.op.empty()) layer.op = found != watch->weights.end() ? "linear" : "matmul";  // a product of activations
  layer.output = out.sizes().vec();
  if (!layer.output.empty()) layer.output.erase(layer.output.begin());
  if (found != watch->weights.end()) layer.parameters = watch->parameters[found->second];
  watch->layers.push_back(layer);
}

/// The pass that is watched.
void run_once(Classifier& model, const torch::Tensor& x, double hidden) {
  auto* autoencoder = dynamic_cast<MaskedAutoencoder*>(&model.encoder());
  if (model.has_head()) {
    model.forward(x);
  } else if (autoencoder != nullptr) {
    autoencoder->reconstruct(x, torch::arange(kept_count(autoencoder->token_grid().size(), hidden)).unsqueeze(0));
  } else {
    model.features(x);
  }
}

}  // namespace

ModelSummary summarize(Classifier& model, const std::vector<int64_t>& shape, double hidden) {
  torch::NoGradGuard no_grad;
  Watch seen;
  ModelSummary summary;
  for (const auto& item : model.named_parameters()) {
    const std::string module = item.key().substr(0, item.key().rfind('.'));
    seen.weights[item.value().data_ptr()] = module;
    seen.parameters[module] += item.value().numel();
    if (item.value().requires_grad()) summary.parameters += item.value().numel();
  }
  std::vector<int64_t> sizes = {1};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  const bool was_training = model.is_training();
  model.eval();
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(on_enter, on_exit)
                                                     .needsInputs(true)
                                                     .needsOutputs(true)
                                                     .scopes({at::RecordScope::FUNCTION}));
  watch = &seen;
  try {
    run_once(model, torch::zeros(sizes), hidden);
  } catch (...) {
    watch = nullptr;
    at::removeCallback(handle);
    throw;
  }
  watch = nullptr;
  at::removeCallback(handle);
  model.train(was_training);
  summary.layers = std::move(seen.layers);
  for (const LayerSummary& layer : summary.layers) summary.macs += layer.macs;
  return summary;
}

}  // namespace amae

// What a model is made of: a dry forward pass, watched operator by operator.
#pragma once

#include <string>
#include <vector>

#include "train/classifier.h"

namespace amae {

struct LayerSummary {
  std::string name;  ///< of the module that owns the weight, e.g. "encoder.layer1.0.conv1"
  std::string op;    ///< "convolution", "linear", "matmul", "norm"
  std::vector<int64_t> output;
  int64_t parameters = 0;
  int64_t macs = 0;  ///< multiply-accumulates for one item
};

struct ModelSummary {
  std::vector<LayerSummary> layers;  ///< in order of execution
  int64_t parameters = 0;            ///< trainable
  int64_t macs = 0;                  ///< for one item
};

/// Runs one item of zeros of `shape` (without batch; every size known) in eval mode. Without a head, a masked
/// autoencoder fills in the part `hidden` of it, as in pretraining: what it does with its decoder is listed too.
/// Products of activations alone (attention) are listed under the name "-". Element-wise work is not counted.
ModelSummary summarize(Classifier& model, const std::vector<int64_t>& shape, double hidden = 0.8);

}  // namespace amae

// What a training run minimises and how it is judged: all that the trainer knows of a task.
#pragma once

#include <torch/types.h>

#include <string>
#include <utility>
#include <vector>

#include "amae/transform.h"
#include "train/classifier.h"
#include "train/run_log.h"

namespace amae {

/// Named numbers for metrics.jsonl, in the order in which they are shown.
using Figures = std::vector<std::pair<std::string, double>>;

/// What one batch gave.
struct BatchResult {
  torch::Tensor loss;       ///< scalar with gradient: the sum over the items
  Figures sums;             ///< more figures, each summed over the items ("accuracy": how many were right)
  torch::Tensor made = {};  ///< what the encoder itself gave for the loss to be made of: features, or losses of items
};

class Objective {
 public:
  virtual ~Objective() = default;

  /// What is trained, averaged and saved.
  [[nodiscard]] virtual Classifier& model() const = 0;

  /// False: the labels stay out of the batches, so that no transform (mixing of classes) acts on them either.
  [[nodiscard]] virtual bool uses_labels() const { return true; }

  /// `batch` is on the device; `stage` is where it stands, for what is drawn from the samples' own streams.
  virtual BatchResult forward(const Batch& batch, const Stage& stage) = 0;

  /// What forward() sums up beside the loss, and what validate() gives: names without a split.
  [[nodiscard]] virtual std::vector<std::string> training_figures() const = 0;
  [[nodiscard]] virtual std::vector<std::string> validation_figures() const = 0;

  /// The validation split with model()'s weights as they are, in evaluation mode; the model is in training mode again
  /// afterwards. Throws Stopped on a signal. Not called without a validation split.
  virtual Figures validate() = 0;

  /// After every epoch, with the averaged weights in model(): what one wants to look at (pictures, probes), by
  /// "split/name"; pictures go to the log. Decides by itself in which epochs (0-based) it does anything. Throws Stopped
  /// on a signal.
  virtual Figures look(int64_t /*epoch*/, int64_t /*step*/, bool /*last*/, RunLog& /*log*/) { return {}; }

 protected:
  Objective() = default;
  Objective(const Objective&) = default;
  Objective& operator=(const Objective&) = default;
};

}  // namespace amae

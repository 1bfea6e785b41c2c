// What a transform plugin provides: a batch goes in, a batch comes out.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "amae/draw.h"
#include "amae/signal.h"

namespace amae {

enum class Mode { train, eval };

using TensorDict = std::map<std::string, at::Tensor>;

/// Where a random transform stands: all that its random numbers may depend on.
struct Stage {
  uint64_t seed = 0;
  int64_t epoch = 0;   ///< 0-based
  int64_t epochs = 1;  ///< planned length of the run, for schedules such as "no mixing in the last tenth"
  uint32_t index = 0;  ///< place in the chain

  /// The stream of the item with dataset row `id`.
  [[nodiscard]] Draw draw(int64_t id) const {
    return {seed, static_cast<uint64_t>(epoch), static_cast<uint64_t>(id), index};
  }
};

/// One step of the pipeline.
///
/// Every method but fit() and load_state() is const and called from several threads at once. A transform owns the batch
/// that it is given, but never writes into the memory of the x it received (it may be a view of the cache): it assigns
/// a new tensor. Deterministic transforms treat the items of a batch independently; their output up to the first random
/// transform is cached.
class Transform {
 public:
  virtual ~Transform();

  /// What comes out for what goes in. Throws InputError (field = option or "input") when `input` is not accepted.
  /// Sizes that vary (-1) may pass. `mode` matters to transforms such as crops that act in training only.
  [[nodiscard]] virtual Spec output(const Spec& input, Mode mode) const = 0;

  /// Frequency in Hz in the middle of each bin of the spectrogram that output(input) is, from bin 0 on, for transforms
  /// that make one; empty: bins are as they were, or have none that is known (cepstral coefficients, an unknown rate).
  [[nodiscard]] virtual std::vector<double> bin_frequencies_hz(const Spec& /*input*/) const { return {}; }

  /// True when the result depends on a Draw. The core calls apply() of a random transform in training only.
  [[nodiscard]] virtual bool random() const { return false; }

  /// Transforms the batch. Deterministic transforms ignore `stage`.
  virtual void apply(Batch& batch, const Stage& stage) const = 0;

  /// What a random transform does in evaluation: nothing, unless it must fix a choice. Of `views` evaluation passes
  /// whose outputs are averaged, this is number `view` (0-based); view 0 is the plain one.
  virtual void apply_eval(Batch& /*batch*/, int64_t /*view*/, int64_t /*views*/) const {}

  /// Raised whenever the numbers change for the same options: part of the cache key.
  [[nodiscard]] virtual int64_t version() const { return 1; }

  /// True for transforms that must see the training split once before use.
  [[nodiscard]] virtual bool needs_fit() const { return false; }

  /// Sees the training split as it arrives here in evaluation mode; `next` fills a batch, false at the end.
  virtual void fit(const std::function<bool(Batch&)>& /*next*/) {}

  /// What fit() learned; travels in the checkpoint.
  [[nodiscard]] virtual TensorDict state() const { return {}; }
  /// Throws InputError when tensors are missing or have other shapes.
  virtual void load_state(const TensorDict& /*state*/) {}
};

}  // namespace amae

// The chain of transforms between a dataset and a model: its deterministic front, which is cached, and the rest.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "amae/dataset.h"
#include "amae/transform.h"
#include "plugin/origin.h"

namespace amae {

/// Ready to use from several threads once fitted. Dimension letters: B batch.
class Pipeline {
 public:
  /// Builds every transform and checks that each accepts what the one before it gives, from `input` on, in training and
  /// in evaluation. Throws InputError naming the transform's place in the config and that of what comes before it;
  /// `input_from` names what gives `input`. Not `for_training`: only evaluation is checked, which may take clips that
  /// training could not, on a machine without the files that training mixes in; output(Mode::train) is then that of
  /// evaluation.
  Pipeline(const Registry& registry, const std::vector<Component>& transforms, const Spec& input,
           const std::string& input_from = "data", bool for_training = true);

  [[nodiscard]] const Spec& input() const { return input_; }
  /// Who gives what reaches the model: "transforms.log at FILE:LINE:COLUMN".
  [[nodiscard]] const std::string& giver() const { return giver_; }
  /// What reaches the model.
  [[nodiscard]] const Spec& output(Mode mode) const {
    return mode == Mode::train ? train_specs_.back() : eval_specs_.back();
  }
  /// Spec after transform `i`, for people.
  [[nodiscard]] const Spec& after(size_t i, Mode mode) const {
    return (mode == Mode::train ? train_specs_ : eval_specs_)[i + 1];
  }
  /// Spec after the front: what the cache stores.
  [[nodiscard]] const Spec& front_output() const { return eval_specs_[front_]; }

  /// Frequency in Hz in the middle of each bin of what reaches the model in evaluation; empty: unknown, or no
  /// spectrogram.
  [[nodiscard]] std::vector<double> bin_frequencies_hz() const;

  /// Identifies the front: keys, options and versions of its transforms. Equal text, equal output.
  [[nodiscard]] const std::string& front_key() const { return front_key_; }

  /// The transforms in order: how many, how messages name them, and themselves.
  [[nodiscard]] size_t size() const { return transforms_.size(); }
  [[nodiscard]] const std::string& path(size_t i) const { return paths_[i]; }
  [[nodiscard]] const Transform& transform(size_t i) const { return *transforms_[i]; }
  /// How many of them make up the front.
  [[nodiscard]] size_t front_size() const { return front_; }

  /// Transforms `begin` to `end` - 1: as in training where `train_stage` is given (its index is set here), else as in
  /// evaluation, pass `view` of `views`. What the functions below are made of; by itself for looking at a part.
  /// Throws InputError (code PLUGIN), naming the library, for what a transform throws that is none of our errors, and
  /// for one that was given what was announced to it and gives something else than it announces.
  void run(Batch& batch, size_t begin, size_t end, const Stage* train_stage, int64_t view = 0, int64_t views = 1) const;

  /// One signal through the front: [1, ...]. The front is every transform before the first that is random or fitted.
  [[nodiscard]] Batch run_front(const Signal& signal, int64_t row) const;

  /// A batch of front outputs through the rest, as in training. `stage.index` is set here.
  void run_train(Batch& batch, Stage stage) const;

  /// The same as in evaluation, pass `view` of `views`.
  void run_eval(Batch& batch, int64_t view, int64_t views) const;

  /// Fits the transforms that need it, in order. `front_batch(n)` gives front outputs of the training split, n below
  /// `batches`; it is called anew for each fitted transform, so that one batch at a time is held.
  void fit(size_t batches, const std::function<Batch(size_t)>& front_batch);

  [[nodiscard]] bool needs_fit() const;
  /// What was learned, under "INDEX.NAME" (index of the transform).
  [[nodiscard]] TensorDict state() const;
  void load_state(const TensorDict& state);

 private:
  Spec input_;
  std::string giver_;
  std::vector<std::string> paths_;  ///< "transforms.NAME", for messages
  std::vector<Origin> origins_;
  std::vector<std::unique_ptr<Transform>> transforms_;
  std::vector<Spec> train_specs_, eval_specs_;
  size_t front_ = 0;
  std::string front_key_;
};

/// The error with `giver` told in each problem about an input (field "input"): two places of a config disagree there.
InputError with_giver(const InputError& error, const std::string& giver);

}  // namespace amae

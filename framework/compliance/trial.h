// Components made to be tried: with their defaults, with their examples, with one option changed.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "compliance/check.h"

namespace amae::compliance {

/// Ends a check: "KIND KEY: MESSAGE" about the subject's library.
[[noreturn]] void fail(const Subject& subject, const std::string& message);

template <class... Args>
void expect(const Subject& subject, bool holds, fmt::format_string<Args...> format, Args&&... args) {
  if (!holds) fail(subject, fmt::format(format, std::forward<Args>(args)...));
}

/// Options read and judged, from an example (null: the defaults) with overrides (`option=value`) on top. Throws
/// InputError when the options themselves are refused; problems' fields are the options' names.
Component options_for(const Subject& subject, const Example& example, const std::vector<std::string>& overrides = {});

/// The options to try a component with: its defaults where they are complete, and its examples.
std::vector<Example> bases_of(const Subject& subject);

/// What a factory made of good options. InputError passes through: that is how a component refuses. Null, any other
/// exception (a failed check), and memory beyond the limit (Skipped) do not.
std::shared_ptr<Encoder> make_model(const Subject& subject, const Component& options, const Spec& input,
                                    bool reconstructs = false);
std::unique_ptr<Dataset> make_dataset(const Subject& subject, const Component& options);
std::unique_ptr<Transform> make_transform(const Subject& subject, const Component& options);

/// Makes the component and throws it away: a model for the first standard input that it takes. Throws InputError with
/// its refusal (for a model: the last one).
void make_once(const Subject& subject, const Component& options);

/// True when a refusal names one of the component's options, or its input.
bool names_option(const Subject& subject, const InputError& error);

struct ModelTrial {
  std::string name;  ///< "defaults, spectrogram [1, 64, 100] at 100 Hz"
  Spec input;
  std::shared_ptr<Encoder> model;
  Component options;
};

/// Models for the first standard inputs that each base takes, at most `most` in all. Fails when there is none.
std::vector<ModelTrial> model_trials(const Subject& subject, size_t most = 3, bool reconstructs = false);

struct DatasetTrial {
  std::unique_ptr<Dataset> dataset;
  Component options;
};

/// The data set of the first base that makes one. Throws Skipped where neither defaults nor examples do.
DatasetTrial dataset_trial(const Subject& subject);

struct TransformTrial {
  std::string name;
  Spec input;
  std::unique_ptr<Transform> transform;  ///< fitted on noise where it needs that
  Component options;
};

/// Transforms for every standard input that each base takes. Fails when there is none.
std::vector<TransformTrial> transform_trials(const Subject& subject);

/// Fits on two batches of the input's noise, as the core would.
void fit_on_noise(Transform& transform, const Spec& input, uint64_t seed);

}  // namespace amae::compliance

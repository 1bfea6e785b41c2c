// What every transform must keep: announced shapes, numbers that repeat from their draws, memory that is left alone.
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <thread>

#include "base/text.h"
#include "compliance/allocation_limit.h"
#include "compliance/catalogue.h"
#include "compliance/inputs.h"
#include "compliance/option_checks.h"
#include "compliance/trial.h"

namespace amae::compliance {
namespace of_transforms {  // several files go to one call of the compiler

// Items one by one or in a batch may add up in another order; measured on the transforms of the tree: below 1e-6 of the
// largest value.
constexpr double kTolerance = 1e-4;
constexpr size_t kMostBytes = size_t{1} << 30;

Stage stage_of(const Subject& subject, int64_t epoch = 0) { return {subject.seed, epoch, 100, 2}; }

/// The batch after the transform, as the core would call it. Its own exceptions are told as failures.
Batch applied(const Subject& subject, const TransformTrial& trial, Batch batch, Mode mode, int64_t epoch = 0) {
  const at::NoGradGuard no_grad;
  const AllocationLimit limit(kMostBytes);
  try {
    if (mode == Mode::eval && trial.transform->random()) {
      trial.transform->apply_eval(batch, 0, 1);
    } else {
      trial.transform->apply(batch, stage_of(subject, epoch));
    }
    return batch;
  } catch (const std::bad_alloc&) {
    throw Skipped("runs out of memory here");
  } catch (const std::exception& error) {
    const std::string all = error.what();
    fail(subject, fmt::format("apply threw ({}): {}", trial.name, all.substr(0, all.find('\n'))));
  }
}

bool fits(const Spec& spec, const at::Tensor& x, int64_t items) {
  if (!x.defined() || x.dim() != static_cast<int64_t>(spec.shape.size()) + 1 || x.size(0) != items) return false;
  for (size_t i = 0; i < spec.shape.size(); ++i) {
    if (spec.shape[i] >= 0 && spec.shape[i] != x.size(static_cast<int64_t>(i) + 1)) return false;
  }
  return x.scalar_type() == at::kFloat;
}

/// What must hold of any result: shape, type, rate, ids and labels.
void check_result(const Subject& subject, const TransformTrial& trial, const Batch& before, const Batch& after,
                  Mode mode) {
  const Spec spec = trial.transform->output(trial.input, mode);
  expect(subject, fits(spec, after.x, before.size()), "gives {} [{}], announced as {} items of {} ({})",
         after.x.defined() ? after.x.toString() : "nothing",
         after.x.defined() ? fmt::format("{}", fmt::join(after.x.sizes(), ", ")) : "", before.size(), spec.text(),
         trial.name);
  expect(subject, after.ids == before.ids, "changes the ids of a batch ({})", trial.name);
  expect(subject, spec.rate_hz <= 0 || std::abs(after.rate_hz - spec.rate_hz) <= 1e-9 * spec.rate_hz,
         "gives a batch at {} Hz, announced as {}", after.rate_hz, spec.text());
  expect(subject, after.y.defined() && after.y.sizes() == before.y.sizes() && after.y.isfinite().all().item<bool>(),
         "gives labels of another shape, or not finite");
}

/// Frequencies, where it tells any, are one for each bin, upwards.
void check_frequencies(const Subject& subject, const TransformTrial& trial) {
  const std::vector<double> hz = trial.transform->bin_frequencies_hz(trial.input);
  if (hz.empty()) return;
  const Spec spec = trial.transform->output(trial.input, Mode::eval);
  expect(subject, spec.domain == Domain::spectrogram && spec.shape[1] == std::ssize(hz),
         "tells {} frequencies of bins, announced as {} ({})", hz.size(), spec.text(), trial.name);
  for (size_t i = 0; i < hz.size(); ++i) {
    expect(subject, std::isfinite(hz[i]) && (i == 0 || hz[i] > hz[i - 1]),
           "tells {} Hz for bin {}, expected them finite and ascending ({})", hz[i], i, trial.name);
  }
}

void gives_what_it_announces(const Subject& subject) {
  for (const TransformTrial& trial : transform_trials(subject)) {
    check_frequencies(subject, trial);
    const Batch batch = noise_batch(trial.input, 4, subject.seed);
    for (const Mode mode : {Mode::train, Mode::eval}) {
      if (mode == Mode::train && trial.transform->random()) {
        for (int64_t epoch = 0; epoch < 8; ++epoch)
          check_result(subject, trial, batch, applied(subject, trial, batch, mode, epoch), mode);
      } else {
        check_result(subject, trial, batch, applied(subject, trial, batch, mode), mode);
      }
    }
  }
}

void stays_finite(const Subject& subject) {
  for (const TransformTrial& trial : transform_trials(subject)) {
    for (const auto& [name, item] : hard_items(trial.input, subject.seed)) {
      for (const Mode mode : {Mode::train, Mode::eval}) {
        const Batch result = applied(subject, trial, item, mode);
        expect(subject, result.x.isfinite().all().item<bool>(), "makes {} not finite ({})", name, trial.name);
      }
    }
  }
}

void refuses_by_name(const Subject& subject) {
  for (const Example& base : bases_of(subject)) {
    Component options;
    std::unique_ptr<Transform> transform;
    try {
      options = options_for(subject, base);
      transform = make_transform(subject, options);
    } catch (const InputError& error) {
      expect(subject, names_option(subject, error), "refuses its options without the name of one: {}",
             error.problems().front().line());
      continue;
    }
    for (const Spec& input : standard_inputs()) {
      for (const Mode mode : {Mode::train, Mode::eval}) {
        try {
          static_cast<void>(transform->output(input, mode));
        } catch (const InputError& error) {
          expect(subject, names_option(subject, error), "refuses {} without the name of an option or of the input: {}",
                 input.text(), error.problems().front().line());
        }
      }
    }
  }
}

bool same(const Batch& a, const Batch& b) { return at::equal(a.x, b.x) && at::equal(a.y, b.y); }

/// LibTorch's generator is moved between the two, so that what draws from it gives itself away.
void repeats(const Subject& subject) {
  for (const TransformTrial& trial : transform_trials(subject)) {
    const Batch batch = noise_batch(trial.input, 4, subject.seed);
    for (int64_t epoch = 0; epoch < 4; ++epoch) {
      torch::manual_seed(static_cast<uint64_t>(epoch));
      const Batch first = applied(subject, trial, batch, Mode::train, epoch);
      torch::manual_seed(static_cast<uint64_t>(epoch + 77));
      expect(subject, same(first, applied(subject, trial, batch, Mode::train, epoch)),
             "gives other numbers for the same input and the same draw ({})", trial.name);
    }
    expect(subject, same(applied(subject, trial, batch, Mode::eval), applied(subject, trial, batch, Mode::eval)),
           "gives other numbers for the same input in evaluation ({})", trial.name);
    if (trial.transform->random()) continue;
    expect(subject,
           same(applied(subject, trial, batch, Mode::train, 0), applied(subject, trial, batch, Mode::train, 1)),
           "is not declared random and changes with the epoch ({})", trial.name);
  }
}

/// True when over a few epochs the numbers change, and within one batch of equal items too (for one that mixes items,
/// which equal items hide, the labels tell).
bool draws_matter(const Subject& subject, const TransformTrial& trial) {
  const Batch batch = noise_batch(trial.input, 6, subject.seed);
  Batch equal_items = batch;
  equal_items.x = batch.x.slice(0, 0, 1).expand_as(batch.x).contiguous();
  const Batch first = applied(subject, trial, batch, Mode::train, 0);
  bool changes = false, differs = false;
  for (int64_t epoch = 0; epoch < 12; ++epoch) {
    const Batch now = applied(subject, trial, batch, Mode::train, epoch);
    changes = changes || !same(first, now);
    differs = differs || !at::equal(now.y, batch.y);  // mixes
    const at::Tensor x = applied(subject, trial, equal_items, Mode::train, epoch).x;
    differs = differs || !at::equal(x, x.slice(0, 0, 1).expand_as(x));
  }
  return changes && differs;
}

void draws_for_each_item(const Subject& subject) {
  bool is_random = false;
  const auto matters = [&](const std::vector<std::string>& overrides) {
    Subject tried = subject;
    std::vector<Example> bases;
    for (const Example& base : bases_of(subject)) {
      config::NodePtr node = base == nullptr ? std::make_shared<config::Node>() : base->copy();
      node->kind = config::Node::Kind::map;
      bases.push_back(node);
    }
    for (const Example& base : bases) {
      try {
        const Component options = options_for(tried, base, overrides);
        for (const Spec& input : standard_inputs()) {
          TransformTrial trial{"", input, make_transform(tried, options), options};
          is_random = is_random || trial.transform->random();
          if (!trial.transform->random()) break;
          try {
            static_cast<void>(trial.transform->output(input, Mode::train));
            if (trial.transform->needs_fit()) fit_on_noise(*trial.transform, input, subject.seed);
            if (draws_matter(tried, trial)) return true;
          } catch (const InputError&) {
            continue;
          } catch (const Skipped&) {  // too long for this machine
            continue;
          }
        }
      } catch (const InputError&) {
        continue;
      }
    }
    return false;
  };
  if (matters({})) return;
  // Its defaults may do nothing, such as a conjugation with probability 0.
  const auto options = subject.info->make_options();
  Fields fields;
  options->describe(fields);
  for (const Field& field : fields.all()) {  // between its bounds, where a probability is no certainty
    const bool is_number = std::holds_alternative<double*>(field.value);
    if (is_number && std::isfinite(field.minimum) && std::isfinite(field.maximum) &&
        matters({field.name + "=" + number_text((field.minimum + field.maximum) / 2)})) {
      return;
    }
  }
  for (const OptionValue& value : option_values(fields)) {
    if (value.is_allowed && matters({overrides_of(*subject.info, value.option, value.value).front()})) return;
  }
  if (!is_random) throw Skipped("is not random");
  fail(subject,
       "is declared random, and over twelve epochs neither its defaults nor any single option gives "
       "each item and each epoch numbers of its own; draw from stage.draw(id)");
}

/// True for one that changes labels now and then: it mixes examples, which an item alone cannot show.
bool mixes(const Subject& subject, const TransformTrial& trial) {
  const Batch batch = noise_batch(trial.input, 6, subject.seed);
  for (int64_t epoch = 0; epoch < 12; ++epoch) {
    if (!at::equal(applied(subject, trial, batch, Mode::train, epoch).y, batch.y)) return true;
  }
  return false;
}

void treats_items_alone(const Subject& subject) {
  for (const TransformTrial& trial : transform_trials(subject)) {
    const Batch batch = noise_batch(trial.input, 4, subject.seed);
    for (const Mode mode : {Mode::train, Mode::eval}) {
      if (mode == Mode::train && mixes(subject, trial)) continue;
      torch::manual_seed(9);
      const Batch together = applied(subject, trial, batch, mode, 3);
      for (int64_t item = 0; item < batch.size(); ++item) {
        Batch alone = batch;
        alone.x = batch.x.slice(0, item, item + 1);
        alone.y = batch.y.slice(0, item, item + 1);
        alone.ids = {batch.ids[static_cast<size_t>(item)]};
        torch::manual_seed(9);
        const at::Tensor expected = together.x.slice(0, item, item + 1),
                         got = applied(subject, trial, alone, mode, 3).x;
        expect(subject, got.sizes() == expected.sizes(), "gives an item another shape alone than in a batch ({})",
               trial.name);
        const double scale = std::max(1e-6, expected.abs().max().item<double>());
        const double change = (got - expected).abs().max().item<double>() / scale;
        expect(subject, change < kTolerance,
               "gives an item other numbers alone than in a batch: {} of the largest, expected below {} ({})", change,
               kTolerance, trial.name);
      }
    }
  }
}

void leaves_memory_alone(const Subject& subject) {
  for (const TransformTrial& trial : transform_trials(subject)) {
    for (const Mode mode : {Mode::train, Mode::eval}) {
      for (int64_t epoch = 0; epoch < 4; ++epoch) {
        const Batch batch = noise_batch(trial.input, 4, subject.seed);
        const at::Tensor x = batch.x.clone(), y = batch.y.clone();
        static_cast<void>(applied(subject, trial, batch, mode, epoch));
        expect(subject, at::equal(x, batch.x), "writes into the memory of the x that it was given ({})", trial.name);
        expect(subject, at::equal(y, batch.y), "writes into the memory of the y that it was given ({})", trial.name);
      }
    }
  }
}

void works_in_many_threads(const Subject& subject) {
  for (const TransformTrial& trial : transform_trials(subject)) {
    const Batch batch = noise_batch(trial.input, 2, subject.seed);
    const auto fresh = [&] {  // what writes into its input is told by another check
      Batch copy = batch;
      copy.x = batch.x.clone();
      copy.y = batch.y.clone();
      return copy;
    };
    std::vector<Batch> expected;
    for (int64_t epoch = 0; epoch < 4; ++epoch)
      expected.push_back(applied(subject, trial, fresh(), Mode::train, epoch));
    std::vector<std::exception_ptr> failures(8);
    std::vector<std::thread> threads;
    for (size_t number = 0; number < failures.size(); ++number) {
      threads.emplace_back([&, number] {
        try {
          for (size_t i = 0; i < 8; ++i) {
            const size_t epoch = (i + number) % expected.size();
            const Batch got = applied(subject, trial, fresh(), Mode::train, static_cast<int64_t>(epoch));
            const double scale = std::max(1e-6, expected[epoch].x.abs().max().item<double>());
            expect(subject,
                   got.x.sizes() == expected[epoch].x.sizes() &&
                       (got.x - expected[epoch].x).abs().max().item<double>() / scale < kTolerance,
                   "gives other numbers when eight threads use it at once ({})", trial.name);
          }
        } catch (...) {
          failures[number] = std::current_exception();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::exception_ptr& failure : failures) {
      if (failure) std::rethrow_exception(failure);
    }
  }
}

void keeps_what_it_learned(const Subject& subject) {
  bool learns = false;
  for (const TransformTrial& trial : transform_trials(subject)) {
    if (!trial.transform->needs_fit()) {
      expect(subject, trial.transform->state().empty(), "has a state and needs no fit: nothing would save it");
      continue;
    }
    learns = true;
    const TensorDict state = trial.transform->state();
    expect(subject, !state.empty(), "has no state after fit()");
    TransformTrial loaded{trial.name, trial.input, make_transform(subject, trial.options), trial.options};
    static_cast<void>(loaded.transform->output(trial.input, Mode::eval));
    try {
      loaded.transform->load_state({});
      fail(subject, "load_state() takes a state without tensors, expected an InputError");
    } catch (const InputError&) {
      loaded.transform->load_state(state);
    }
    const Batch batch = noise_batch(trial.input, 3, subject.seed);
    expect(subject, same(applied(subject, trial, batch, Mode::eval), applied(subject, loaded, batch, Mode::eval)),
           "gives other numbers after its state was saved and loaded ({})", trial.name);
  }
  if (!learns) throw Skipped("learns nothing");
}

}  // namespace of_transforms

const std::vector<NamedCheck>& transform_checks() {
  using namespace of_transforms;
  static const std::vector<NamedCheck> checks = {
      {{"refused_by_name", "options and inputs that it cannot take are refused by name", 4}, refuses_by_name},
      {{"shape", "shape, type, rate and frequencies are as announced, ids and labels stay in place", 5},
       gives_what_it_announces},
      {{"finite", "silence, an impulse, full scale, a constant and noise give finite numbers", 5}, stays_finite},
      {{"repeatable", "the same input and draw give the same numbers", 6}, repeats},
      {{"draws", "a random one gives each item and each epoch numbers of its own", 6}, draws_for_each_item},
      {{"batch_independent", "an item alone gives the numbers that it gives in a batch", 7}, treats_items_alone},
      {{"input_unchanged", "the memory that it was given is not written to", 7}, leaves_memory_alone},
      {{"threads", "eight threads get the same numbers as one", 7}, works_in_many_threads},
      {{"state", "what it learned can be saved and loaded", 8}, keeps_what_it_learned},
  };
  return checks;
}

}  // namespace amae::compliance

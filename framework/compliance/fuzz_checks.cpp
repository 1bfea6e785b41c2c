// Options drawn at random from what is declared: made or refused by name, never a crash or a foreign exception.
#include <chrono>
#include <cmath>

#include "amae/draw.h"
#include "base/text.h"
#include "compliance/allocation_limit.h"
#include "compliance/catalogue.h"
#include "compliance/inputs.h"
#include "compliance/option_checks.h"
#include "compliance/trial.h"
#include "config/emit.h"

namespace amae::compliance {
namespace of_fuzzing {  // several files go to one call of the compiler

using Clock = std::chrono::steady_clock;

// A draw may be a model of gigabytes or a clip of a day: the checks go on until their time is up.
constexpr std::chrono::seconds kTime{4};

/// A value between the bounds as YAML; half of the wide positive ranges are drawn by their logarithm. Empty for kinds
/// that have no bounds.
class RandomValue {
 public:
  RandomValue(const Field& field, Draw& draw) : field_(field), draw_(draw) {}

  std::string operator()(const bool* /*value*/) { return draw_.chance(0.5) ? "true" : "false"; }
  std::string operator()(const int64_t* /*value*/) { return integer(); }
  std::string operator()(const double* /*value*/) { return number_text(number()); }
  std::string operator()(const std::string* /*value*/) { return choice(); }
  std::string operator()(const std::vector<int64_t>* /*value*/) {
    return list([this] { return integer(); });
  }
  std::string operator()(const std::vector<double>* /*value*/) {
    return list([this] { return number_text(number()); });
  }
  std::string operator()(const std::vector<std::string>* /*value*/) {
    return field_.allowed.empty() ? "" : list([this] { return choice(); });
  }
  std::string operator()(const Component* /*value*/) { return ""; }
  std::string operator()(const std::vector<Component>* /*value*/) { return ""; }

 private:
  double number() {
    const double low = std::isfinite(field_.minimum) ? field_.minimum : -1e3;
    const double high = std::isfinite(field_.maximum) ? field_.maximum : std::max(low + 1, 1e3);
    if (low >= 0 && high > 100 && draw_.chance(0.8)) {
      const double start = std::max(low, 1e-3);
      return std::clamp(start * std::pow(high / start, std::pow(draw_.uniform(), 2)), low, high);
    }
    return std::clamp(draw_.uniform(low, high), low, high);
  }

  std::string integer() { return std::to_string(static_cast<int64_t>(std::floor(number()))); }

  std::string choice() {
    if (field_.allowed.empty()) return "";
    return config::yaml_text(
        field_.allowed[static_cast<size_t>(draw_.integer(0, static_cast<int64_t>(field_.allowed.size())))]);
  }

  template <class Item>
  std::string list(const Item& item) {
    std::vector<std::string> items(static_cast<size_t>(draw_.integer(1, 4)));
    for (std::string& text : items) text = item();
    return "[" + join(items, ", ") + "]";
  }

  const Field& field_;
  Draw& draw_;
};

std::vector<std::string> random_options(const Subject& subject, Draw& draw) {
  const auto options = subject.info->make_options();
  Fields fields;
  options->describe(fields);
  const double share = draw.uniform(0.1, 0.9);
  std::vector<std::string> overrides;
  for (const Field& field : fields.all()) {
    if (field.is_path || !draw.chance(share)) continue;
    const std::string value = std::visit(RandomValue(field, draw), field.value);
    if (!value.empty()) overrides.push_back(field.name + "=" + value);
  }
  return overrides;
}

/// Makes the component and uses it once.
void try_once(const Subject& subject, const Component& options) {
  const AllocationLimit limit(size_t{1} << 30);
  const at::NoGradGuard no_grad;
  if (subject.info->kind == "dataset") {
    const auto dataset = make_dataset(subject, options);
    if (dataset->size() > 0) static_cast<void>(dataset->load(dataset->size() - 1));
    return;
  }
  bool is_taken = false;
  for (const Spec& input : standard_inputs()) {
    Batch batch = noise_batch(input, 2, subject.seed);
    try {
      if (subject.info->kind == "model") {
        const auto model = make_model(subject, options, input);
        model->eval();
        static_cast<void>(model->forward(batch.x));
        return;
      }
      const auto transform = make_transform(subject, options);
      static_cast<void>(transform->output(input, Mode::train));
      if (transform->needs_fit()) fit_on_noise(*transform, input, subject.seed);
      transform->apply(batch, {subject.seed, 0, 10, 1});
      is_taken = true;
    } catch (const InputError& error) {
      if (!names_option(subject, error)) throw;
    }
    if (is_taken) return;
  }
}

void fuzz(const Subject& subject, int draws) {
  const auto end = Clock::now() + kTime;
  std::vector<Example> bases = bases_of(subject);
  if (bases.empty()) bases.push_back(nullptr);
  for (int number = 0; number < draws && Clock::now() < end; ++number) {
    Draw draw(subject.seed, 0, static_cast<uint64_t>(number), 0);
    const Example& base = bases[static_cast<size_t>(draw.integer(0, static_cast<int64_t>(bases.size())))];
    const std::vector<std::string> overrides = random_options(subject, draw);
    const auto described = [&] {
      return fmt::format("draw {} of seed {} ({})", number, subject.seed, join(overrides, " "));
    };
    try {
      try_once(subject, options_for(subject, base, overrides));
    } catch (const InputError& error) {
      const bool is_about_data = subject.info->kind == "dataset";  // it may name a file of the example
      expect(subject, is_about_data || names_option(subject, error), "{} is refused without the name of an option: {}",
             described(), error.problems().front().line());
    } catch (const Skipped&) {  // too large for this machine
    } catch (const std::bad_alloc&) {
    } catch (const CheckFailed& failure) {
      fail(subject, fmt::format("{}: {}", described(), failure.problems().front().message));
    } catch (const std::exception& error) {
      const std::string all = error.what();
      fail(subject, fmt::format("{} threw: {}", described(), all.substr(0, all.find('\n'))));
    }
  }
}

void fuzz_some(const Subject& subject) { fuzz(subject, 20); }
void fuzz_many(const Subject& subject) { fuzz(subject, 300); }

void comes_and_goes(const Subject& subject) {
  const auto end = Clock::now() + kTime;
  for (int number = 0; number < 100 && Clock::now() < end; ++number) {
    for (const Example& base : bases_of(subject)) {
      try {
        make_once(subject, options_for(subject, base));
      } catch (const InputError&) {  // told by another check
        continue;
      }
    }
  }
}

}  // namespace of_fuzzing

const std::vector<NamedCheck>& fuzz_checks() {
  using namespace of_fuzzing;
  static const std::vector<NamedCheck> checks = {
      {{"fuzz_some", "20 draws of its options are made and used, or refused by name", 9}, fuzz_some},
      {{"fuzz_many", "300 draws of its options are made and used, or refused by name", 10}, fuzz_many},
      {{"comes_and_goes", "it is made and thrown away a hundred times", 10}, comes_and_goes},
  };
  return checks;
}

}  // namespace amae::compliance

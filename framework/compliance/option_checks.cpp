#include "compliance/option_checks.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

#include "base/text.h"
#include "compliance/trial.h"
#include "config/emit.h"
#include "config/read.h"

namespace amae::compliance {
namespace {

constexpr const char* kConstructs = " constructs";
constexpr const char* kRefused = " is refused";
constexpr const char* kLeftOut = " left out is refused";
constexpr const char* kNoChoice = "no_such_choice";
const std::string kListStart = "[..., ", kListEnd = "]";

/// Collects the values worth trying of one field, as YAML.
class Values {
 public:
  Values(const Field& field, std::vector<OptionValue>& out) : field_(field), out_(out) {}

  void operator()(const bool* /*value*/) const {
    add("false", true);
    add("true", true);
  }
  void operator()(const int64_t* /*value*/) const { integers(false); }
  void operator()(const double* /*value*/) const { numbers(false); }
  void operator()(const std::string* /*value*/) const { texts(false); }
  void operator()(const std::vector<int64_t>* /*value*/) const { integers(true); }
  void operator()(const std::vector<double>* /*value*/) const { numbers(true); }
  void operator()(const std::vector<std::string>* /*value*/) const { texts(true); }
  void operator()(const Component* /*value*/) const {}
  void operator()(const std::vector<Component>* /*value*/) const {}

 private:
  void add(const std::string& value, bool is_allowed, bool is_list = false) const {
    out_.push_back({field_.name, is_list ? kListStart + value + kListEnd : value, is_allowed});
  }

  void integers(bool is_list) const {
    constexpr double kExact = 9007199254740992.0;  // doubles beyond 2^53 skip integers
    const auto text = [](double value) { return std::to_string(static_cast<int64_t>(value)); };
    if (std::abs(field_.minimum) < kExact) {
      add(text(std::ceil(field_.minimum)), true, is_list);
      add(text(std::ceil(field_.minimum) - 1), false, is_list);
    }
    if (std::abs(field_.maximum) < kExact) {
      add(text(std::floor(field_.maximum)), true, is_list);
      add(text(std::floor(field_.maximum) + 1), false, is_list);
    }
  }

  void numbers(bool is_list) const {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (std::isfinite(field_.minimum)) {
      add(number_text(field_.minimum), true, is_list);
      add(number_text(std::nextafter(field_.minimum, -kInfinity)), false, is_list);
    }
    if (std::isfinite(field_.maximum)) {
      add(number_text(field_.maximum), true, is_list);
      add(number_text(std::nextafter(field_.maximum, kInfinity)), false, is_list);
    }
  }

  void texts(bool is_list) const {
    for (const std::string& choice : field_.allowed) add(config::yaml_text(choice), true, is_list);
    if (!field_.allowed.empty()) add(kNoChoice, false, is_list);
  }

  const Field& field_;
  std::vector<OptionValue>& out_;
};

struct Declared {
  explicit Declared(const ComponentInfo& info) : options(info.make_options()) { options->describe(fields); }
  std::unique_ptr<OptionsBase> options;
  Fields fields;
};

/// Makes the component with these overrides on every base in turn. Null when one succeeds, else the last refusal.
std::optional<InputError> refusal_of(const Subject& subject, const std::vector<std::string>& overrides) {
  std::vector<Example> bases = bases_of(subject);
  if (bases.empty()) bases.push_back(nullptr);
  std::optional<InputError> refusal;
  for (const Example& base : bases) {
    try {
      make_once(subject, options_for(subject, base, overrides));
      return std::nullopt;
    } catch (const InputError& error) {
      refusal = error;
    }
  }
  return refusal;
}

bool can_be_made_at_all(const Subject& subject) {
  for (const Example& base : bases_of(subject)) {
    try {
      make_once(subject, options_for(subject, base));
      return true;
    } catch (const InputError&) {
      continue;
    }
  }
  return false;
}

void check_constructs(const Subject& subject, const std::string& option, const std::string& value) {
  std::optional<InputError> refusal;
  for (const std::string& given : overrides_of(*subject.info, option, value)) {
    refusal = refusal_of(subject, {given});
    if (!refusal) return;
    // A rule between options (a hop is no longer than its window) may need another one to give way.
    const Declared declared(*subject.info);
    for (const OptionValue& other : option_values(declared.fields)) {
      if (!other.is_allowed || other.option == option) continue;
      for (const std::string& giving_way : overrides_of(*subject.info, other.option, other.value)) {
        if (!refusal_of(subject, {given, giving_way})) return;
      }
    }
  }
  if (!can_be_made_at_all(subject) && names_option(subject, *refusal))
    throw Skipped(fmt::format("there are no options to try it with in {}.examples.yaml",
                              subject.info->plugin->path.stem().string()));
  const std::string line = refusal->problems().front().line();
  const bool is_named = names_option(subject, *refusal) || line.find(option) != std::string::npos;
  if (subject.info->kind != "transform" && is_named) return;
  fail(subject, fmt::format("{} = {} is declared as allowed and cannot be made: {}", option, value, line));
}

void check_refused(const Subject& subject, const std::string& option, const std::vector<std::string>& overrides,
                   const std::string& what) {
  const auto refusal = refusal_of(subject, overrides);
  expect(subject, refusal.has_value(), "{} was accepted, expected an InputError that names {}", what, option);
  for (const Problem& problem : refusal->problems()) {
    if (problem.field == option || problem.field.starts_with(option + ".")) return;
  }
  fail(subject,
       fmt::format("{} was refused without a word on {}: {}", what, option, refusal->problems().front().line()));
}

/// What stands between "option " and `ending`, or nothing.
std::optional<std::string> body_of(const std::string& id, std::string_view ending) {
  constexpr std::string_view kStart = "option ";
  if (!id.starts_with(kStart) || !id.ends_with(ending) || id.size() <= kStart.size() + ending.size())
    return std::nullopt;
  return id.substr(kStart.size(), id.size() - kStart.size() - ending.size());
}

}  // namespace

std::vector<OptionValue> option_values(const Fields& fields) {
  std::vector<OptionValue> values;
  for (const Field& field : fields.all()) std::visit(Values(field, values), field.value);
  return values;
}

std::vector<std::string> overrides_of(const ComponentInfo& info, const std::string& option, const std::string& value) {
  if (!value.starts_with(kListStart)) return {option + "=" + value};
  const std::string item = value.substr(kListStart.size(), value.size() - kListStart.size() - kListEnd.size());
  std::vector<std::string> defaults;
  const Declared declared(info);
  for (const Field& field : declared.fields.all()) {
    if (field.name != option) continue;
    for (const auto& entry : config::value_json(field))
      defaults.push_back(entry.is_string() ? config::yaml_text(entry.get<std::string>()) : entry.dump());
  }
  std::vector<std::vector<std::string>> lists;
  if (!defaults.empty()) {
    lists.assign(3, defaults);
    lists[0].back() = item;
    lists[1].front() = item;
    lists[2].assign(defaults.size(), item);
  }
  lists.push_back({item});
  lists.push_back({item, item});
  std::vector<std::string> overrides;
  for (const auto& list : lists) {
    std::string text = option;
    text += "=[";
    text += join(list, ", ");
    overrides.push_back(text + "]");
  }
  return overrides;
}

std::vector<Check> option_checks(const ComponentInfo& info) {
  const Declared declared(info);
  std::vector<Check> checks;
  for (const OptionValue& value : option_values(declared.fields)) {
    const std::string id =
        fmt::format("option {} = {}{}", value.option, value.value, value.is_allowed ? kConstructs : kRefused);
    checks.push_back({id, id, 3});
  }
  for (const Field& field : declared.fields.all()) {
    const std::string id = "option " + field.name + kLeftOut;
    if (field.is_required) checks.push_back({id, id, 3});
  }
  return checks;
}

bool run_option_check(const Subject& subject, const std::string& id) {
  if (const auto option = body_of(id, kLeftOut)) {
    Subject bare = subject;
    bare.examples.clear();
    check_refused(bare, *option, {}, "a config without it");
    return true;
  }
  for (const bool is_allowed : {true, false}) {
    const auto body = body_of(id, is_allowed ? kConstructs : kRefused);
    if (!body) continue;
    const size_t equals = body->find(" = ");
    if (equals == std::string::npos) return false;
    const std::string option = body->substr(0, equals), value = body->substr(equals + 3);
    if (is_allowed) {
      check_constructs(subject, option, value);
    } else {
      check_refused(subject, option, {overrides_of(*subject.info, option, value).front()}, option + " = " + value);
    }
    return true;
  }
  return false;
}

}  // namespace amae::compliance

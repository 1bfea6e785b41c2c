// What a component says of itself and of its options, before it is made.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"
#include "compliance/catalogue.h"
#include "compliance/trial.h"
#include "config/read.h"

namespace amae::compliance {
namespace of_descriptions {  // several files go to one call of the compiler

void describes_itself(const Subject& subject) {
  const PluginFile& plugin = *subject.info->plugin;
  expect(subject, !plugin.name.empty() && !plugin.version.empty() && !plugin.summary.empty(),
         "the library's name '{}', version '{}' or summary '{}' is empty", plugin.name, plugin.version, plugin.summary);
  expect(subject, !subject.info->summary.empty(), "has no summary");
  for (const std::string& text : {plugin.name, plugin.version, plugin.summary, subject.info->summary})
    expect(subject, printable(text) == text, "'{}' has characters that are not printable", printable(text));
}

void has_a_key_of_its_own(const Subject& subject) {
  for (const ComponentInfo& other : subject.registry->components()) {
    const bool is_same = other.kind == subject.info->kind && other.key == subject.info->key;
    expect(subject, !is_same || other.plugin->path == subject.info->plugin->path, "{} offers the same name",
           other.plugin->path.string());
  }
}

bool is_snake_case(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

void documents_its_options(const Subject& subject) {
  const auto options = subject.info->make_options();
  Fields fields;
  options->describe(fields);
  std::set<std::string> names;
  for (const Field& field : fields.all()) {
    expect(subject, is_snake_case(field.name), "option '{}' is not of a-z, 0-9 and _", printable(field.name));
    expect(subject, field.name != "name" && field.name != "id", "option '{}' has a name that configs use themselves",
           field.name);
    expect(subject, names.insert(field.name).second, "option '{}' is declared twice", field.name);
    expect(subject, !field.doc.empty(), "option '{}' has no description", field.name);
    expect(subject, field.minimum <= field.maximum, "option '{}' ranges from {} to {}", field.name, field.minimum,
           field.maximum);
  }
}

/// The defaults' YAML reads back as the same YAML, which only values within their own bounds do. Fields that are
/// required have no default.
void keeps_its_defaults_in_bounds(const Subject& subject) {
  const auto options = subject.info->make_options();
  Fields fields;
  options->describe(fields);
  const std::string text = config::to_yaml(fields);
  std::vector<Problem> problems;
  const auto again = subject.info->make_options();
  Fields read;
  again->describe(read);
  const config::NodePtr tree = config::parse_yaml(text, "<defaults>");
  config::read_fields(tree.get(), read, "", tree->mark, {}, problems);
  std::set<std::string> required;
  for (const Field& field : fields.all()) {
    if (field.is_required) required.insert(field.name);
  }
  for (const Problem& problem : problems) {
    if (!required.contains(problem.field)) fail(subject, "its own defaults are refused: " + problem.line());
  }
  expect(subject, config::to_yaml(read) == text, "its defaults change when they are written and read");
}

void refuses_an_unknown_option(const Subject& subject) {
  try {
    static_cast<void>(options_for(subject, nullptr, {"no_such_option_here=1"}));
  } catch (const InputError& error) {
    for (const Problem& problem : error.problems()) {
      if (problem.field == "no_such_option_here") return;
    }
    fail(subject, "an unknown option is refused without its name: " + error.problems().front().line());
  }
  fail(subject, "an unknown option is accepted");
}

void can_be_made(const Subject& subject) {
  std::string refusal;
  bool is_made = false;
  for (const Example& base : bases_of(subject)) {
    try {
      make_once(subject, options_for(subject, base));
      is_made = true;
    } catch (const InputError& error) {
      refusal = error.problems().front().line();
      expect(subject, base == nullptr, "its example is refused: {}", refusal);
      expect(subject, names_option(subject, error), "refuses its defaults without the name of an option: {}", refusal);
    }
  }
  if (!is_made)
    throw Skipped("its defaults are not complete, and there are no examples" + (refusal.empty() ? "" : ": " + refusal));
}

}  // namespace of_descriptions

const std::vector<NamedCheck>& description_checks() {
  using namespace of_descriptions;
  static const std::vector<NamedCheck> checks = {
      {{"describes_itself", "name, version and summary are there and printable", 1}, describes_itself},
      {{"own_key", "no other library offers the same name", 1}, has_a_key_of_its_own},
      {{"options_documented", "each option has a plain name, a description and a sensible range", 2},
       documents_its_options},
      {{"defaults_in_bounds", "the defaults are within their own bounds and survive a config file", 2},
       keeps_its_defaults_in_bounds},
      {{"unknown_option_refused", "an unknown option is refused by its name", 2}, refuses_an_unknown_option},
      {{"made", "it is made with its defaults, or its examples", 4}, can_be_made},
  };
  return checks;
}

}  // namespace amae::compliance

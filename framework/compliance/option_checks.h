// Every option at its bounds and one step beyond them, from what the component declares.
#pragma once

#include <string>
#include <vector>

#include "compliance/check.h"

namespace amae::compliance {

/// "option NAME = VALUE constructs", "option NAME = VALUE is refused" and "option NAME left out is refused" for the
/// ends of ranges, one step outside, each choice, an unknown choice, both truth values, and what is required. "[...,
/// V]" is a list with the value in some place. All of level 3.
std::vector<Check> option_checks(const ComponentInfo& info);

/// Makes the check of such an id, whatever the component declares by now. False when it is no such id.
///
/// "constructs": with a base (defaults or example) and this value the component can be made; where a rule between
/// options stands against it, with one other option at one of its own bounds; where what a model is given, or a data
/// set's data, stands against it, the refusal names the option. "is refused": reading or making throws an InputError
/// that names the option.
bool run_option_check(const Subject& subject, const std::string& id);

/// A value that a field may have, as YAML (for lists as in the ids), and whether its declaration allows it.
struct OptionValue {
  std::string option, value;
  bool is_allowed = true;
};

/// Overrides `option=value` for each way to give a value: one for a scalar; for a list the value last, first and
/// everywhere among the defaults, alone, and twice.
std::vector<std::string> overrides_of(const ComponentInfo& info, const std::string& option, const std::string& value);

/// Bounds, choices and truth values of all fields, and what lies one step outside; no required fields left out.
std::vector<OptionValue> option_values(const Fields& fields);

}  // namespace amae::compliance

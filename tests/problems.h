// What code under test refuses, as values.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "amae/error.h"

namespace amae {

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// What `action` refuses; empty when it accepts.
template <class Action>
std::vector<Problem> problems_of(const Action& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.problems();
  }
  return {};
}

/// The one problem that `action` refuses with. Throws std::logic_error when there are more or none.
template <class Action>
Problem only_problem(const Action& action) {
  const std::vector<Problem> problems = problems_of(action);
  if (problems.size() != 1) throw std::logic_error("got " + std::to_string(problems.size()) + " problems, expected 1");
  return problems[0];
}

}  // namespace amae

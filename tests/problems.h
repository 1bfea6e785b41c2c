// What code under test refuses, as values.
#pragma once

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

}  // namespace amae

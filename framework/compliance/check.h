// The checks that every plugin must pass. `amae plugin check` runs each in a child process; the generated tests of
// tests/generated run the same ones by the same names.
//
// A check of level N is one that a plugin may fail only when it is at fault, the higher the harsher:
//   1 what a component says of itself         6 the same input gives the same output
//   2 how its options are declared            7 items, threads and the caller's memory are left alone
//   3 every option at and beyond its bounds   8 what is learned: gradients, weights, fitted state
//   4 it can be made, and refuses by name     9 options at random, some
//   5 shapes, values, columns                10 options at random, many; made and thrown away a hundred times
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "compliance/examples.h"
#include "plugin/registry.h"

namespace amae::compliance {

struct Check {
  std::string id;     ///< "batch_independent", "option width = 1025 is refused"
  std::string claim;  ///< one sentence that holds for a sound plugin
  int level = 1;
};

inline constexpr int kHighestLevel = 10;

/// What is checked, and under which circumstances.
struct Subject {
  const Registry* registry = nullptr;
  const ComponentInfo* info = nullptr;
  std::vector<Example> examples;  ///< options to try it with beside the defaults (examples.h)
  uint64_t seed = 0;
  at::Device device = at::kCPU;
};

/// Thrown by a check that cannot be made here: what() says why.
class Skipped : public std::exception {
 public:
  explicit Skipped(std::string reason) : reason_(std::move(reason)) {}
  [[nodiscard]] const char* what() const noexcept override { return reason_.c_str(); }

 private:
  std::string reason_;
};

/// The checks of one component, mildest first. The same declaration gives the same list.
std::vector<Check> checks_of(const ComponentInfo& info, int highest_level = kHighestLevel);

/// Makes one check. Returns when it passed; throws CheckFailed (where = the library, message = "KIND KEY: what was
/// seen, what was expected"), Skipped, or std::invalid_argument for an id that no component of this kind has.
void run_check(const Subject& subject, const std::string& id);

}  // namespace amae::compliance

// What is wrong with a data set, collected so that one message tells it all.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "amae/error.h"

namespace amae {

inline constexpr size_t kShownProblems = 20;  ///< problems, or names of missing files, that one message lists

/// Keeps the first kShownProblems and counts the others.
class ProblemList {
 public:
  void add(Problem problem) {
    if (++count_ <= kShownProblems) kept_.push_back(std::move(problem));
  }
  void add_first(Problem problem) {
    ++count_;
    kept_.insert(kept_.begin(), std::move(problem));
    if (kept_.size() > kShownProblems) kept_.pop_back();
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }

  /// Throws one InputError with what was kept and, in a line of its own about `where`, how many more there are.
  void throw_if_any(const std::string& where) const {
    if (empty()) return;
    auto problems = kept_;
    if (const size_t more = count_ - kept_.size(); more > 0) {
      problems.push_back({"DATA", where, "", fmt::format("and {} more problem{}", more, more == 1 ? "" : "s")});
    }
    throw InputError(std::move(problems));
  }

 private:
  std::vector<Problem> kept_;
  size_t count_ = 0;
};

}  // namespace amae

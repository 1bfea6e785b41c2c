#include "amae/error.h"

namespace amae {

std::string Problem::line() const {
  std::string text = "error[" + code + "]";
  for (const std::string* part : {&where, &field, &message}) {
    if (!part->empty()) text += ": " + *part;
  }
  return text;
}

Error::Error(ExitCode exit_code, std::vector<Problem> problems)
    : exit_code_(exit_code), problems_(std::move(problems)) {
  for (const Problem& problem : problems_) {
    if (!what_.empty()) what_ += '\n';
    what_ += problem.line();
  }
}

// The destructors stand here so that each exception has its type information in one library, whatever a plugin's
// visibility flags are: a plugin's throw is caught by type in the core.
Error::~Error() = default;
InputError::~InputError() = default;
EnvironmentError::~EnvironmentError() = default;
DivergenceError::~DivergenceError() = default;
CheckFailed::~CheckFailed() = default;

}  // namespace amae

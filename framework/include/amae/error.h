// The exceptions that cross amae's borders: a user's mistake or a fault of the machine, told in one line each.
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace amae {

/// Exit codes of the `amae` program. 130 and 143 (stopped by a signal after a clean save) are not errors.
enum class ExitCode : int {
  ok = 0,            ///< all done
  internal = 1,      ///< a bug of ours
  input = 2,         ///< a config, file, plugin or argument is wrong
  environment = 3,   ///< disk, permission, memory, device, lock
  divergence = 4,    ///< loss or gradient is not finite
  check_failed = 5,  ///< a check that the user asked for did not pass
};

/// One mistake. Printed as `amae: error[CODE]: WHERE: FIELD: MESSAGE`; empty parts are left out.
struct Problem {
  std::string code;     ///< short stable word, e.g. "CFG-KEY", "DATA-FILE"
  std::string where;    ///< "file:line:column", "file", "<argument 2>" or empty
  std::string field;    ///< dotted path of an option, a column, a tensor, or empty
  std::string message;  ///< "got VALUE, expected WHAT; hint"

  /// The line without the leading "amae: ".
  [[nodiscard]] std::string line() const;
};

/// Base of all exceptions that amae throws on purpose. Holds at least one Problem; what() has one line for each.
class Error : public std::exception {
 public:
  Error(ExitCode exit_code, std::vector<Problem> problems);
  ~Error() override;

  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }
  [[nodiscard]] ExitCode exit_code() const noexcept { return exit_code_; }
  [[nodiscard]] const std::vector<Problem>& problems() const noexcept { return problems_; }

 private:
  ExitCode exit_code_;
  std::vector<Problem> problems_;
  std::string what_;
};

/// Something the user gave is wrong: exit 2.
class InputError : public Error {
 public:
  explicit InputError(std::vector<Problem> problems) : Error(ExitCode::input, std::move(problems)) {}
  InputError(std::string code, std::string where, std::string field, std::string message)
      : Error(ExitCode::input, {{std::move(code), std::move(where), std::move(field), std::move(message)}}) {}
  ~InputError() override;
};

/// The machine says no (disk full, permission, device): exit 3.
class EnvironmentError : public Error {
 public:
  EnvironmentError(std::string code, std::string where, std::string message)
      : Error(ExitCode::environment, {{std::move(code), std::move(where), "", std::move(message)}}) {}
  ~EnvironmentError() override;
};

/// Training produced a number that is not finite: exit 4.
class DivergenceError : public Error {
 public:
  DivergenceError(std::string where, std::string message)
      : Error(ExitCode::divergence, {{"DIVERGED", std::move(where), "", std::move(message)}}) {}
  ~DivergenceError() override;
};

/// A check that was asked for failed: exit 5.
class CheckFailed : public Error {
 public:
  CheckFailed(std::string where, std::string message)
      : Error(ExitCode::check_failed, {{"CHECK", std::move(where), "", std::move(message)}}) {}
  ~CheckFailed() override;
};

}  // namespace amae

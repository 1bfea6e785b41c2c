// What tests of files and processes share.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "amae/error.h"
#include "tests/problems.h"

namespace amae {

/// While it lives, the process has no more rights than an ordinary user, so that a read-only folder is one for root
/// too.
class OrdinaryUser {
 public:
  OrdinaryUser() {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) SKIP("cannot step down from root here");
  }
  ~OrdinaryUser() {
    if (::getuid() == 0) static_cast<void>(::seteuid(0));
  }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;
};

/// waitpid's status of a child process that ran `work` and left with the number that it returned (99: it threw).
template <class Work>
int status_of_child(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 99;
    try {
      code = work();
    } catch (...) {  // Catch2 must not run on in a second process
    }
    ::_exit(code);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

/// The one problem of the exception of type E that `action` throws; a test failure when it throws something else.
template <class E = InputError, class Action>
Problem refusal(const Action& action) {
  try {
    action();
  } catch (const E& error) {
    CHECK(error.problems().size() == 1);
    return error.problems().at(0);
  }
  FAIL("nothing was thrown");
  return {};
}

/// Names in a folder, sorted.
inline std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace amae

#include "base/crash.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include "base/file.h"
#include "tests/base/support.h"

// AddressSanitizer reports crashes itself.
#if !defined(__SANITIZE_ADDRESS__)

namespace amae {
namespace {

/// A library that is loaded anyway and calls back: its qsort stands for a plugin's code.
std::string library() {
  Dl_info info{};
  REQUIRE(::dladdr(reinterpret_cast<void*>(&::qsort), &info) != 0);
  return info.dli_fname;
}

void fall() { *reinterpret_cast<volatile int*>(uintptr_t{8}) = 1; }

/// Crashes below the library.
int fall_in_order(const void* /*a*/, const void* /*b*/) {
  fall();
  return 0;
}
void fall_below_library() {
  int numbers[2] = {2, 1};
  ::qsort(numbers, 2, sizeof(int), fall_in_order);
}

struct Death {
  int signal;
  std::string said;
};

/// How a process dies of `action` after `prepare`, and what it says on stderr.
Death death_of(const std::function<void()>& prepare, const std::function<void()>& action) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "stderr";
  const int status = status_of_child([&] {
    const int out = ::open(file.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    ::dup2(out, STDERR_FILENO);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) std::signal(signal, SIG_DFL);  // not Catch2's
    prepare();
    action();
    return 0;
  });
  return {WIFSIGNALED(status) ? WTERMSIG(status) : 0, read_file(file)};
}

Death death_of(const std::function<void()>& action) { return death_of(install_crash_report, action); }

void know_library() {
  install_crash_report();
  crash_report_knows(library());
}

TEST_CASE("a crash is one line that tells what it was, and the process dies of it as before") {
  const Death fault = death_of(fall);
  CHECK(fault.signal == SIGSEGV);
  CHECK(fault.said == "amae: error[INTERNAL]: crashed (segmentation fault)\n");
  for (const auto& [signal, name] : {std::pair{SIGBUS, "bus error"}, std::pair{SIGFPE, "arithmetic error"},
                                     std::pair{SIGILL, "illegal instruction"}, std::pair{SIGABRT, "aborted"}}) {
    const Death death = death_of([signal = signal] { ::raise(signal); });
    CHECK(death.signal == signal);
    CHECK(death.said == "amae: error[INTERNAL]: crashed (" + std::string(name) + ")\n");
  }
}

TEST_CASE("a crash in the code of a known library, or below it, names the library") {
  const Death death = death_of(know_library, fall_below_library);
  CHECK(death.signal == SIGSEGV);
  CHECK(death.said == "amae: error[PLUGIN]: " + library() + ": crashed (segmentation fault) in its code\n");
  CHECK(contains(death_of(fall_below_library).said, "[INTERNAL]"));
}

TEST_CASE("a crash on a worker thread is told too") {
  const Death death = death_of(know_library, [] { std::thread(fall_below_library).join(); });
  CHECK(death.signal == SIGSEGV);
  CHECK(contains(death.said, library()));
}

TEST_CASE("threads that crash together give one line") {
  const Death death = death_of(know_library, [] {
    std::thread threads[4];
    for (std::thread& thread : threads) thread = std::thread(fall_below_library);
    for (std::thread& thread : threads) thread.join();
  });
  CHECK(death.signal == SIGSEGV);
  CHECK(std::count(death.said.begin(), death.said.end(), '\n') == 1);
}

TEST_CASE("a stack that has overflowed is told too") {
  static const std::function<int(int)> deeper = [](int depth) {
    volatile char fill[4096] = {};
    fill[depth % 4096] = 1;
    return deeper(depth + 1) + fill[0];
  };
  const Death death = death_of([] { static_cast<void>(deeper(0)); });
  CHECK(death.signal == SIGSEGV);
  CHECK(contains(death.said, "crashed (segmentation fault)"));
}

TEST_CASE("a handler that a library has installed before main gives way") {
  const auto prepare = [] {
    std::signal(SIGSEGV, [](int) { ::_exit(7); });
    install_crash_report();
  };
  const Death death = death_of(prepare, fall);
  CHECK(death.signal == SIGSEGV);
  CHECK(death.said == "amae: error[INTERNAL]: crashed (segmentation fault)\n");
}

TEST_CASE("a library that is not loaded is no place to name") {
  const auto prepare = [] {
    install_crash_report();
    crash_report_knows("/nowhere/plugin.so");
  };
  CHECK(death_of(prepare, fall_below_library).said == "amae: error[INTERNAL]: crashed (segmentation fault)\n");
}

}  // namespace
}  // namespace amae

#endif

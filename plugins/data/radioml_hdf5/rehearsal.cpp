#include "rehearsal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <new>
#include <utility>

#include "amae/error.h"
#include "base/stop.h"

namespace amae {
namespace {

// Exit codes that nothing else ends with.
constexpr int kPassed = 0, kRefused = 81, kOutOfMemory = 82, kFailed = 83;
constexpr size_t kMostReport = 16'384;

/// A file descriptor that closes itself.
struct Descriptor {
  int fd = -1;
  explicit Descriptor(int number) : fd(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void close() {
    if (fd >= 0) ::close(std::exchange(fd, -1));
  }
};

/// Addresses that the process uses now.
uint64_t address_space_bytes() {
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

void limit(int resource, uint64_t value) {
  const rlimit both{value, value};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    text.remove_prefix(static_cast<size_t>(wrote));
  }
}

/// The child's part; `report` takes "FIELD\0MESSAGE" of what it refused.
[[noreturn]] void play(int report, uint64_t address_space, const RehearsalLimits& limits,
                       const std::function<void()>& action) {
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU, SIGINT, SIGTERM, SIGPIPE})
    ::signal(signal, SIG_DFL);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, limits.cpu_s);
  limit(RLIMIT_AS, address_space + limits.memory_bytes);
  try {
    action();
  } catch (const Error& error) {
    const Problem& problem = error.problems().front();
    write_all(report, problem.field + '\0' + problem.message);
    ::_exit(kRefused);
  } catch (const std::bad_alloc&) {
    ::_exit(kOutOfMemory);
  } catch (...) {
    ::_exit(kFailed);
  }
  ::_exit(kPassed);
}

/// What the child writes until it ends; it is killed when a stop is asked for.
std::string listen(int fd, pid_t child) {
  std::string text;
  std::array<char, 4096> part{};
  while (true) {
    pollfd ready{fd, POLLIN, 0};
    const int count = ::poll(&ready, 1, 200);
    if (stop_signal() != 0) ::kill(child, SIGKILL);
    if (count == 0 || (count < 0 && errno == EINTR)) continue;
    const auto got = ::read(fd, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    if (text.size() < kMostReport) text.append(part.data(), static_cast<size_t>(got));
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

}  // namespace

void rehearse(const std::string& code, const std::string& where, const RehearsalLimits& limits,
              const std::function<void()>& action) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw EnvironmentError(code, where, fmt::format("no pipe: {}", std::strerror(errno)));
  Descriptor from(ends[0]), to(ends[1]);
  const uint64_t address_space = address_space_bytes();
  const pid_t child = ::fork();
  if (child < 0) throw EnvironmentError(code, where, fmt::format("no child process: {}", std::strerror(errno)));
  if (child == 0) play(to.fd, address_space, limits, action);
  to.close();
  const std::string report = listen(from.fd, child);
  const int status = wait_for(child);
  throw_if_stopped();
  if (WIFEXITED(status) && WEXITSTATUS(status) == kPassed) return;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kRefused) {
    const size_t end = report.find('\0');
    throw InputError(code, where, report.substr(0, end), end == std::string::npos ? "" : report.substr(end + 1));
  }
  std::string how = "failed";
  if (WIFEXITED(status) && WEXITSTATUS(status) == kOutOfMemory) how = "ran out of memory";
  if (WIFSIGNALED(status)) how = fmt::format("died ({})", ::strsignal(WTERMSIG(status)));
  throw InputError(code, where, "",
                   fmt::format("reading it {} in a trial within {} s and {} MiB, expected an undamaged file", how,
                               limits.cpu_s, limits.memory_bytes >> 20));
}

}  // namespace amae

#include "base/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include "amae/error.h"
#include "base/stop.h"
#include "base/text.h"

namespace amae {
namespace {

// The channel's number in a fresh child; become_child() moves it to one that nobody guesses.
constexpr int kChannel = 3;
constexpr const char* kMemoryVariable = "AMAE_CHILD_MEMORY";

int report_fd = -1;

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0)
      throw EnvironmentError("CHILD", "", fmt::format("no pipe: {}", std::strerror(errno)));
  }
  ~Pipe() {
    close_reading();
    close_writing();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  [[nodiscard]] int reading() const { return ends_[0]; }
  [[nodiscard]] int writing() const { return ends_[1]; }
  void close_reading() { close(0); }
  void close_writing() { close(1); }

 private:
  void close(size_t end) {
    if (ends_[end] >= 0) ::close(std::exchange(ends_[end], -1));
  }
  std::array<int, 2> ends_{-1, -1};
};

class SpawnSetup {
 public:
  SpawnSetup(int output, int channel) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, channel, kChannel);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    sigset_t all, none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// The whole group goes, with whatever the child started.
class Group {
 public:
  explicit Group(pid_t leader) : leader_(leader) {}
  ~Group() {
    if (leader_ < 0) return;
    kill();
    static_cast<void>(wait());
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  void kill() const { ::kill(-leader_, SIGKILL); }
  int wait() {
    // Looked at before it is reaped: until then no other process can have its number.
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(leader_), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) continue;
    kill();
    int status = 0;
    while (::waitpid(leader_, &status, 0) < 0 && errno == EINTR) continue;
    leader_ = -1;
    return status;
  }
  [[nodiscard]] bool has_ended() const {
    siginfo_t info{};
    const int result = ::waitid(P_PID, static_cast<id_t>(leader_), &info, WEXITED | WNOWAIT | WNOHANG);
    return result == 0 ? info.si_pid != 0 : errno == ECHILD;
  }

 private:
  pid_t leader_;
};

/// Our environment with the child's memory limit in it.
std::vector<std::string> environment_with(uint64_t memory_bytes) {
  std::vector<std::string> result;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with(std::string(kMemoryVariable) + "=")) result.emplace_back(*entry);
  }
  result.push_back(fmt::format("{}={}", kMemoryVariable, memory_bytes));
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// Appends one read's worth; false at the end of the stream, and when a stream that does not wait has nothing now.
bool drain(int fd, std::string& text, size_t most) {
  std::array<char, 16384> part{};
  const auto got = ::read(fd, part.data(), part.size());
  if (got < 0) return errno == EINTR;
  if (text.size() < most) text.append(part.data(), std::min(static_cast<size_t>(got), most - text.size()));
  return got > 0;
}

/// Appends all that is there, without waiting for more.
void drain_rest(int fd, std::string& text, size_t most) {
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  while (drain(fd, text, most)) continue;
}

/// Hands over the whole lines and keeps the rest.
void hand_over(std::string& lines, const std::function<void(const std::string&)>& on_line) {
  for (size_t end = 0; (end = lines.find('\n')) != std::string::npos; lines.erase(0, end + 1))
    on_line(lines.substr(0, end));
}

constexpr size_t kMostLine = 1 << 20;

}  // namespace

std::string ChildResult::text() const {
  switch (end) {
    case End::exited:
      return fmt::format("exited with code {}", code);
    case End::signalled:
      return fmt::format("crashed ({})", ::strsignal(code));
    case End::silent:
      return fmt::format("did not answer within {} and was ended",
                         duration_text(static_cast<double>(waited.count()) / 1000.0));
  }
  return "";
}

ChildResult run_child(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                      const ChildLimits& limits, const std::function<void(const std::string&)>& on_line) {
  Pipe output, channel;
  std::vector<std::string> words = {program.string()}, variables = environment_with(limits.memory_bytes);
  words.insert(words.end(), arguments.begin(), arguments.end());
  pid_t child = -1;
  const SpawnSetup setup(output.writing(), channel.writing());
  const int error = ::posix_spawn(&child, program.c_str(), setup.actions(), setup.attributes(), pointers(words).data(),
                                  pointers(variables).data());
  if (error != 0)
    throw EnvironmentError("CHILD", program.string(), fmt::format("cannot be run: {}", std::strerror(error)));
  Group group(child);
  output.close_writing();
  channel.close_writing();

  using Clock = std::chrono::steady_clock;
  ChildResult result;
  std::string lines;
  auto heard = Clock::now(), looked = heard;
  std::chrono::milliseconds patience = limits.start;
  // Ends with the child, not with its streams: something that it started may hold them for ever.
  for (bool has_output = true, has_channel = true; !group.has_ended();) {
    std::array<pollfd, 2> ready{pollfd{has_output ? output.reading() : -1, POLLIN, 0},
                                pollfd{has_channel ? channel.reading() : -1, POLLIN, 0}};
    // Short, because the end of a child whose streams are held is seen only by looking.
    ::poll(ready.data(), ready.size(), has_output || has_channel ? 50 : 5);
    if (ready[0].revents != 0) has_output = drain(output.reading(), result.output, limits.output_bytes);
    if (ready[1].revents != 0) {
      has_channel = drain(channel.reading(), lines, kMostLine);
      if (lines.find('\n') != std::string::npos) {
        heard = Clock::now();
        patience = limits.silence;
      }
      hand_over(lines, on_line);
    }
    // A round takes milliseconds: where it took long, it was we who were stopped or swapped out.
    const auto now = Clock::now();
    if (now - std::exchange(looked, now) > std::chrono::seconds(1)) heard = now;
    const bool is_silent = now - heard > patience && !group.has_ended();
    if (is_silent) result.end = ChildResult::End::silent;
    if (is_silent || stop_signal() != 0) group.kill();
  }
  result.waited = patience;
  const int status = group.wait();
  drain_rest(channel.reading(), lines, kMostLine);
  hand_over(lines, on_line);
  drain_rest(output.reading(), result.output, limits.output_bytes);
  throw_if_stopped();
  if (result.end == ChildResult::End::silent) return result;
  result.end = WIFEXITED(status) ? ChildResult::End::exited : ChildResult::End::signalled;
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
  return result;
}

std::filesystem::path own_program() { return std::filesystem::read_symlink("/proc/self/exe"); }

void limit_memory(uint64_t more_bytes) {
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const uint64_t bytes = pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)) + more_bytes;
  const rlimit limit{bytes, bytes};
  ::setrlimit(RLIMIT_AS, &limit);
}

bool become_child() {
  const char* memory = std::getenv(kMemoryVariable);  // NOLINT(concurrency-mt-unsafe): before any thread starts
  if (memory == nullptr) return false;
  report_fd = ::fcntl(kChannel, F_DUPFD_CLOEXEC, 200);
  if (report_fd < 0) report_fd = ::fcntl(kChannel, F_DUPFD_CLOEXEC, 10);  // under `ulimit -n`
  if (report_fd < 0) return false;
  ::close(kChannel);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // no orphans when the parent is killed
  pollfd reader{report_fd, 0, 0};
  if (::poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) != 0) ::_exit(1);  // it was, before that call
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (const uint64_t bytes = std::strtoull(memory, nullptr, 10); bytes > 0) limit_memory(bytes);
  ::unsetenv(kMemoryVariable);
  return true;
}

void report_line(const std::string& text) {
  std::string line = text;
  std::replace(line.begin(), line.end(), '\n', ' ');
  line += '\n';
  for (std::string_view rest = line; !rest.empty();) {
    const auto wrote = ::write(report_fd, rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    rest.remove_prefix(static_cast<size_t>(wrote));
  }
}

}  // namespace amae

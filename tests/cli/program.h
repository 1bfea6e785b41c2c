// The program as its users meet it: how it ends, what it says, what it costs.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/problems.h"

namespace amae {

struct Outcome {
  int exit = -1;  ///< -1: killed after the time limit, or died of a signal
  std::string out, err;
  double peak_mib = 0;  ///< most memory it ever held
  double seconds = 0;
  double cpu_s = 0;  ///< of user and system
};

/// It ended with this code, with nothing on stdout and one line on stderr that has all these words.
inline void check_refused(const Outcome& outcome, const std::vector<std::string>& words, int exit = 2) {
  INFO("exit " << outcome.exit << ", " << outcome.seconds << " s, " << outcome.peak_mib << " MiB\n" << outcome.err);
  CHECK(outcome.exit == exit);
  CHECK(outcome.out.empty());
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK(outcome.err.starts_with("amae: error["));
  for (const std::string& word : words) {
    INFO("expected: " << word);
    CHECK(contains(outcome.err, word));
  }
}

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Most memory that a process has held since its exec, in MiB; 0 when it is gone. wait4's own figure begins with what
/// the process that forked it held.
inline double peak_mib_of(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

/// Runs `amae ARGUMENTS` with one thread; `folder` takes its output and its cache. Killed after `limit_s`: a hang.
inline Outcome run_amae(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                        double limit_s = 20) {
  const auto out = folder / "stdout", err = folder / "stderr";
  std::vector<char*> argv;
  std::vector<std::string> words = {AMAE_BUILD_DIR "/bin/amae"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("AMAE_THREADS", "1", 1);
    ::setenv("XDG_CACHE_HOME", (folder / "cache").c_str(), 1);
    for (const char* name : {"AMAE_CACHE", "AMAE_RUNS", "AMAE_PLUGIN_PATH", "AMAE_CHECKPOINTS"}) ::unsetenv(name);
    const int null = ::open("/dev/null", O_RDONLY);
    const int to_out = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    const int to_err = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (::dup2(null, 0) == 0 && ::dup2(to_out, 1) == 1 && ::dup2(to_err, 2) == 2) ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  REQUIRE(child > 0);
  int status = 0;
  double peak_mib = 0;
  pid_t ended = 0;
  rusage used{};
  while ((ended = ::wait4(child, &status, WNOHANG, &used)) == 0 && elapsed() < limit_s) {
    if (const double now = peak_mib_of(child); now > 0) peak_mib = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (ended == 0) {
    ::kill(child, SIGKILL);
    ended = ::wait4(child, &status, 0, &used);
  }
  REQUIRE(ended == child);
  const auto seconds_of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  const double cpu_s = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content_of(out), content_of(err), peak_mib, elapsed(), cpu_s};
}

}  // namespace amae

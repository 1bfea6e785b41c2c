// A program of ours run as a child, within limits: code that we do not trust yet is met there first.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace amae {

struct ChildLimits {
  std::chrono::milliseconds start{30000};   ///< longest time to its first line on the report channel
  std::chrono::milliseconds silence{5000};  ///< longest time from one line to the next, or to its end
  uint64_t memory_bytes = 0;                ///< of addresses beyond those that it has at its start; 0: no limit
  size_t output_bytes = 64 << 10;           ///< kept of what it writes on stdout and stderr; the rest is thrown away
};

/// How a child ended.
struct ChildResult {
  enum class End { exited, signalled, silent } end = End::exited;
  int code = 0;        ///< exit code, or the signal that ended it
  std::string output;  ///< stdout and stderr, cut

  /// "exited with code 3", "crashed (Segmentation fault)", "did not answer within 5s and was ended".
  [[nodiscard]] std::string text() const;
  std::chrono::milliseconds waited{};
};

/// Runs `program` with `arguments`, stdin empty, as the leader of a process group that is killed as a whole when the
/// child ends or is silent for too long. What it writes with report_line() reaches `on_line`, a line at a time, while
/// it runs; its stdout and stderr do not reach ours. A stop signal ends it and throws Stopped. Throws EnvironmentError
/// when it cannot be started.
ChildResult run_child(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                      const ChildLimits& limits, const std::function<void(const std::string&)>& on_line);

/// The file of the running program.
std::filesystem::path own_program();

/// In a child: takes the report channel for itself, so that nothing that it opens or runs can write there, and sets the
/// memory limit. Call first. False in a process that run_child() did not start.
bool become_child();

/// From now on this process gets no more than so many bytes of addresses beyond those that it has.
void limit_memory(uint64_t more_bytes);

/// In a child: one line to the parent; line breaks within become blanks.
void report_line(const std::string& text);

}  // namespace amae

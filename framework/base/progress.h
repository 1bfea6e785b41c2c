// Progress on stderr: a bar that redraws itself on a terminal, a line every half minute elsewhere, or nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace amae {

enum class ProgressMode { automatic, bar, lines, off };

/// Applies to every Progress made afterwards; automatic: a bar when stderr is a terminal, lines otherwise.
void set_progress_mode(ProgressMode mode);

/// One piece of work. At most one at a time draws; not thread-safe.
class Progress {
 public:
  /// `label` stands before the bar; `total` units of work, of which `begun` were done before (they do not count for the
  /// time left).
  Progress(std::string label, int64_t total, int64_t begun = 0);
  ~Progress();  ///< removes the bar
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` units are ready; `note` is shown behind ("loss 0.31"). Draws at most ten times a second.
  void update(int64_t done, const std::string& note = "");

  /// "label  [######----]  60 %  12/20  left 1m02s  note", for tests and lines. `left_s` < 0: unknown.
  static std::string text(const std::string& label, int64_t done, int64_t total, double left_s, const std::string& note,
                          int bar_width);

 private:
  using Clock = std::chrono::steady_clock;
  std::string label_;
  int64_t total_, begun_;
  Clock::time_point begin_ = Clock::now(), drawn_{};
};

}  // namespace amae

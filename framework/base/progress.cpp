#include "base/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/log.h"
#include "base/text.h"

namespace amae {
namespace {

ProgressMode mode = ProgressMode::automatic;
std::string shown;  // the bar on the terminal now, or empty

bool draws_bar() {
  return mode == ProgressMode::bar || (mode == ProgressMode::automatic && ::isatty(STDERR_FILENO) == 1);
}

void erase() {
  if (!shown.empty()) std::fputs("\r\x1b[K", stderr);
}

void redraw() {
  if (!shown.empty()) std::fputs(shown.c_str(), stderr), std::fflush(stderr);
}

size_t columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

void set_progress_mode(ProgressMode chosen) {
  mode = chosen;
  log::set_line_guard(erase, redraw);
}

Progress::Progress(std::string label, int64_t total, int64_t begun)
    : label_(std::move(label)), total_(total), begun_(begun) {
  if (!draws_bar()) drawn_ = begin_;  // the first line after half a minute, so that short work stays silent
}

Progress::~Progress() {
  erase();
  shown.clear();
}

void Progress::update(int64_t done, const std::string& note) {
  if (mode == ProgressMode::off) return;
  const auto now = Clock::now();
  const bool bar = draws_bar();
  if (now - drawn_ < (bar ? std::chrono::milliseconds(100) : std::chrono::milliseconds(30000))) return;
  drawn_ = now;
  const double spent = std::chrono::duration<double>(now - begin_).count();
  const double left =
      done > begun_ ? spent / static_cast<double>(done - begun_) * static_cast<double>(total_ - done) : -1;
  if (bar) {
    erase();
    shown = text(label_, done, total_, left, note, 24).substr(0, columns() - 1);
    redraw();
  } else {
    log::info("{}", text(label_, done, total_, left, note, 0));
  }
}

std::string Progress::text(const std::string& label, int64_t done, int64_t total, double left_s,
                           const std::string& note, int bar_width) {
  const double share = total > 0 ? static_cast<double>(std::min(done, total)) / static_cast<double>(total) : 1.0;
  std::string line = label;
  if (bar_width > 0) {
    const auto filled = static_cast<size_t>(share * bar_width);
    line += "  [" + std::string(filled, '#') + std::string(static_cast<size_t>(bar_width) - filled, '-') + "]";
  }
  line += fmt::format("  {:.0f} %  {}/{}", 100 * share, done, total);
  if (left_s >= 0) line += "  left " + duration_text(left_s);
  if (!note.empty()) line += "  " + note;
  return line;
}

}  // namespace amae

// Messages to people: on stderr always, and in a run's log.txt while one is open. Never on stdout, which is for
// results.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <utility>

namespace amae::log {

enum class Level { info, warning, error };

/// Least level shown on stderr (default info). The run's log file takes everything from info on.
void set_level(Level level);

void write(Level level, const std::string& text);

template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}

/// While it lives, messages are also appended to `path` with a time stamp. Nests: the innermost file is written.
class File {
 public:
  explicit File(const std::filesystem::path& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;
};

/// Called around every line written to stderr, so that a progress bar can step aside. Null by default.
void set_line_guard(void (*before)(), void (*after)());

}  // namespace amae::log

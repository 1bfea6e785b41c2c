#include "base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <vector>

#include "amae/error.h"

namespace amae::log {
namespace {

struct State {
  std::shared_ptr<spdlog::logger> console;
  std::vector<std::shared_ptr<spdlog::logger>> files;
  void (*before)() = nullptr;
  void (*after)() = nullptr;
  State() : console(std::make_shared<spdlog::logger>("amae", std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
    console->set_pattern("%v");
  }
};

State& state() {
  static State instance;
  return instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

void set_level(Level level) { state().console->set_level(to_spdlog(level)); }

void write(Level level, const std::string& text) {
  State& s = state();
  const std::string line = level == Level::warning ? "amae: warning: " + text : text;
  if (s.console->should_log(to_spdlog(level))) {
    if (s.before != nullptr) s.before();
    s.console->log(to_spdlog(level), line);
    if (s.after != nullptr) s.after();
  }
  if (!s.files.empty()) s.files.back()->log(to_spdlog(level), line);
}

File::File(const std::filesystem::path& path) {
  try {
    auto logger =
        std::make_shared<spdlog::logger>("file", std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string()));
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %v");
    logger->flush_on(spdlog::level::info);
    state().files.push_back(std::move(logger));
  } catch (const spdlog::spdlog_ex& error) {
    throw EnvironmentError("FILE", path.string(), error.what());
  }
}

File::~File() { state().files.pop_back(); }

void set_line_guard(void (*before)(), void (*after)()) {
  state().before = before;
  state().after = after;
}

}  // namespace amae::log

// Progress, log files, stop signals and the text of errors.
#include <csignal>
#include <regex>

#include "base/file.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/stop.h"
#include "tests/base/support.h"

namespace amae {
namespace {

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  const std::string text = read_file(path);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

/// Keeps the test's own messages off the terminal.
struct Quiet {
  Quiet() { log::set_level(log::Level::error); }
  ~Quiet() { log::set_level(log::Level::info); }
};

TEST_CASE("progress says what, how much, how many and how long") {
  CHECK(Progress::text("epoch 3", 12, 20, 62, "loss 0.31", 10) ==
        "epoch 3  [######----]  60 %  12/20  left 1m02s  loss 0.31");
  CHECK(Progress::text("epoch 3", 12, 20, 62, "", 0) == "epoch 3  60 %  12/20  left 1m02s");
}

TEST_CASE("progress without an estimate, past its end or of no work at all is still told") {
  CHECK(Progress::text("load", 0, 20, -1, "", 4) == "load  [----]  0 %  0/20");
  CHECK(Progress::text("load", 25, 20, -1, "", 4) == "load  [####]  100 %  25/20");
  CHECK(Progress::text("load", 0, 0, -1, "", 4) == "load  [####]  100 %  0/0");
}

TEST_CASE("a log file holds messages from info on, with a time stamp, whatever the terminal shows") {
  const Quiet quiet;
  const TemporaryFolder folder;
  const auto path = folder.path() / "log.txt";
  {
    const log::File file(path);
    log::info("epoch {}", 1);
    log::warning("disk {} %", 99);
    CHECK(lines_of(path).size() == 2);  // nothing waits for the end: a killed run keeps its log
  }
  log::info("after the file was closed");
  const auto lines = lines_of(path);
  REQUIRE(lines.size() == 2);
  const std::string stamp = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} )";
  CHECK(std::regex_match(lines[0], std::regex(stamp + "epoch 1")));
  CHECK(std::regex_match(lines[1], std::regex(stamp + "amae: warning: disk 99 %")));
}

TEST_CASE("the innermost log file is written, an existing one is continued") {
  const Quiet quiet;
  const TemporaryFolder folder;
  const auto outer = folder.path() / "outer.txt", inner = folder.path() / "inner.txt";
  {
    const log::File first(outer);
    log::info("one");
    {
      const log::File second(inner);
      log::info("two");
    }
    log::info("three");
  }
  {
    const log::File again(inner);
    log::info("four");
  }
  CHECK(lines_of(outer).size() == 2);
  CHECK(lines_of(inner).size() == 2);
  CHECK(contains(read_file(outer), "three"));
}

TEST_CASE("a log file that cannot be opened is an error that names it") {
  const TemporaryFolder folder;
  CHECK(refusal<EnvironmentError>([&] { const log::File file(folder.path()); }).where == folder.path().string());
}

TEST_CASE("the first stop signal asks, the second one ends the program") {
  for (const int signal : {SIGINT, SIGTERM}) {
    const int status = status_of_child([&] {
      catch_stop_signals();
      if (stop_signal() != 0) return 1;
      std::raise(signal);
      if (stop_signal() != signal) return 2;
      request_stop(0);
      if (stop_signal() != 0) return 3;
      std::raise(signal);
      return 4;
    });
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == signal);
  }
}

TEST_CASE("an error tells every problem on a line of its own and leaves empty parts out") {
  const InputError error(
      {{"CFG-KEY", "run.yaml:3:1", "model.depth", "got an unknown key"}, {"FILE", "", "", "is missing"}});
  CHECK(std::string(error.what()) ==
        "error[CFG-KEY]: run.yaml:3:1: model.depth: got an unknown key\nerror[FILE]: is missing");
  CHECK(error.exit_code() == ExitCode::input);
  CHECK(EnvironmentError("FILE", "x", "y").exit_code() == ExitCode::environment);
  CHECK(DivergenceError("x", "y").exit_code() == ExitCode::divergence);
  CHECK(CheckFailed("x", "y").exit_code() == ExitCode::check_failed);
}

}  // namespace
}  // namespace amae

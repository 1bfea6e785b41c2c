#include "base/child_process.h"

#include <chrono>

#include "base/file.h"
#include "base/stop.h"
#include "tests/base/support.h"

namespace amae {
namespace {

using End = ChildResult::End;

struct Ran {
  ChildResult result;
  std::vector<std::string> lines;
  double seconds = 0;
};

/// A shell as the child; its report channel is file descriptor 3.
Ran shell(const std::string& script, ChildLimits limits = {}) {
  Ran ran;
  const auto begin = std::chrono::steady_clock::now();
  ran.result =
      run_child("/bin/sh", {"-c", script}, limits, [&](const std::string& line) { ran.lines.push_back(line); });
  ran.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return ran;
}

TEST_CASE("a child's exit code, reports and output are told apart") {
  const Ran ran = shell("echo one >&3; echo said; echo complained >&2; echo two words >&3; exit 7");
  CHECK(ran.result.end == End::exited);
  CHECK(ran.result.code == 7);
  CHECK(ran.result.text() == "exited with code 7");
  CHECK(ran.lines == std::vector<std::string>{"one", "two words"});
  CHECK(contains(ran.result.output, "said\n"));
  CHECK(contains(ran.result.output, "complained\n"));
}

TEST_CASE("a child that a signal ends is told by the signal") {
  const Ran ran = shell("echo begun >&3; kill -SEGV $$");
  CHECK(ran.result.end == End::signalled);
  CHECK(ran.result.text() == "crashed (Segmentation fault)");
  CHECK(ran.lines == std::vector<std::string>{"begun"});
}

TEST_CASE("a child that stays silent is ended, with all that it started") {
  const TemporaryFolder folder;
  ChildLimits limits;
  limits.silence = limits.start = std::chrono::milliseconds(300);
  const std::string mark = (folder.path() / "mark").string();
  const Ran ran = shell("(sleep 2; echo late >" + mark + ") & echo begun >&3; sleep 100", limits);
  CHECK(ran.result.end == End::silent);
  CHECK(contains(ran.result.text(), "did not answer within 300ms"));
  CHECK(ran.seconds < 5);
  ::usleep(2'500'000);
  CHECK_FALSE(std::filesystem::exists(mark));
}

TEST_CASE("each line gives it time again, and the first may take longer") {
  ChildLimits limits;
  limits.start = std::chrono::milliseconds(5000);
  limits.silence = std::chrono::milliseconds(600);
  const Ran ran = shell("sleep 1; for i in 1 2 3 4; do echo $i >&3; sleep 0.3; done", limits);
  CHECK(ran.result.end == End::exited);
  CHECK(ran.lines.size() == 4);
}

TEST_CASE("what holds a child's streams after its end does not hold us") {
  const Ran ran = shell("sleep 100 & exit 0");
  CHECK(ran.result.end == End::exited);
  CHECK(ran.result.code == 0);
  CHECK(ran.seconds < 5);
}

TEST_CASE("a flood of output is cut, and the child does not wait for us") {
  ChildLimits limits;
  limits.output_bytes = 1000;
  const Ran ran = shell("head -c 20000000 /dev/zero; exit 0", limits);
  CHECK(ran.result.code == 0);
  CHECK(ran.result.output.size() == 1000);
}

TEST_CASE("a stop signal ends the child and is passed on") {
  request_stop(SIGINT);
  CHECK_THROWS_AS(shell("sleep 100"), Stopped);
  request_stop(0);
}

TEST_CASE("a program that is not there is an error of the machine") {
  const Problem problem = refusal<EnvironmentError>(
      [] { static_cast<void>(run_child("/no/such/program", {}, {}, [](const std::string&) {})); });
  CHECK(problem.where == "/no/such/program");
}

}  // namespace
}  // namespace amae

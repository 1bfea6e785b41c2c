#include "base/file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <thread>

#include "tests/base/support.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

using Names = std::vector<std::string>;

TEST_CASE("what was written reads back, byte for byte, and replaces what was there") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "f";
  for (const std::string& content :
       {std::string("old"), std::string(), std::string("a\0\r\n\xFF", 5), std::string(3 << 20, 'x')}) {
    write_file(path, content);
    CHECK(read_file(path) == content);
  }
  CHECK(names_in(folder.path()) == Names{"f"});
}

TEST_CASE("a folder, a FIFO, a device and a missing file are refused by name and never waited for") {
  const TemporaryFolder folder;
  const auto fifo = folder.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  for (const fs::path& path : {folder.path(), fifo, fs::path("/dev/zero")}) {
    const Problem problem = refusal([&] { static_cast<void>(read_file(path)); });
    CHECK(problem.code == "FILE");
    CHECK(problem.where == path.string());
    CHECK(problem.message == "is not a regular file");
  }
  const auto missing = folder.path() / "missing";
  CHECK(contains(refusal([&] { static_cast<void>(read_file(missing)); }).message, "No such file"));
}

TEST_CASE("a file over the limit is refused with both sizes") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "f";
  write_file(path, "12345");
  CHECK(read_file(path, 5) == "12345");
  CHECK(refusal([&] { static_cast<void>(read_file(path, 4)); }).message == "got 5 bytes, expected at most 4");
}

TEST_CASE("in a read-only folder the old content stays and the path is named") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "f";
  write_file(path, "old");
  fs::permissions(folder.path(), fs::perms{0555});
  {
    const OrdinaryUser user;
    const Problem problem = refusal<EnvironmentError>([&] { write_file(path, "new"); });
    CHECK(problem.where.starts_with(path.string()));
    CHECK(contains(problem.message, "Permission denied"));
  }
  fs::permissions(folder.path(), fs::perms{0755});
  CHECK(read_file(path) == "old");
  CHECK(names_in(folder.path()) == Names{"f"});
}

TEST_CASE("when the disk takes only a part, the old content stays and nothing else is left") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "f";
  write_file(path, "old");
  // A limit on the size of files stands for a full disk: the first bytes are taken, the rest is refused.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{100, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string message;
  try {
    write_file(path, std::string(1000, 'x'));
  } catch (const EnvironmentError& error) {
    message = error.what();
  }
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK(contains(message, "cannot write: File too large"));
  CHECK(read_file(path) == "old");
  CHECK(names_in(folder.path()) == Names{"f"});
}

TEST_CASE("a file that is written piece by piece appears whole at commit and not before") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "f";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("given up", 8);
  }
  CHECK(names_in(folder.path()) == Names{"f"});
  AtomicFile file(path);
  file.write("..", 2);
  file.write("ree", 3);
  CHECK(read_file(path) == "old");
  AtomicFile::remove_leftovers(path);  // takes nothing from a living writer
  CHECK(names_in(folder.path()).size() == 2);
  file.rewrite("th", 2);
  file.commit();
  CHECK(read_file(path) == "three");
  CHECK(names_in(folder.path()) == Names{"f"});
}

TEST_CASE("a writer waits for one of its pid and takes nothing of it") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "f";
  auto first = std::make_unique<AtomicFile>(path);  // stands for a process of our pid in another container
  first->write("first", 5);
  std::thread second([&] { write_file(path, "second"); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  first->commit();
  second.join();
  CHECK(read_file(path) == "second");
  CHECK(names_in(folder.path()) == Names{"f"});
}

TEST_CASE("where no output can be put is told ahead of the work, and nothing is left by asking") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "f";
  CHECK_NOTHROW(require_output(path, "--out"));
  write_file(path, "old");
  CHECK_NOTHROW(require_output(path, "--out"));
  CHECK(read_file(path) == "old");
  CHECK(names_in(folder.path()) == Names{"f"});
  for (const fs::path& wrong : {folder.path(), folder.path() / "missing/f", path / "f", fs::path("/dev/null")}) {
    INFO(wrong);
    const Problem problem = refusal([&] { require_output(wrong, "--out"); });
    CHECK(problem.code == "FILE");
    CHECK(problem.field == "--out");
    CHECK(contains(problem.message, wrong.string()));
  }
  const auto long_name = folder.path() / std::string(250, 'x');  // too long with the ending of a temporary file
  CHECK_THROWS_AS(require_output(long_name, "--out"), EnvironmentError);
  const auto closed = folder.path() / "closed";
  fs::create_directory(closed);
  fs::permissions(closed, fs::perms{0555});
  fs::permissions(folder.path(), fs::perms{0755});
  const OrdinaryUser user;
  CHECK(refusal<EnvironmentError>([&] { require_output(closed / "f", "--out"); }).where == (closed / "f").string());
}

TEST_CASE("appending keeps what is there and makes what is not") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "f";
  append_file(path, "one\n");
  append_file(path, "two\n");
  CHECK(read_file(path) == "one\ntwo\n");
  CHECK(refusal<EnvironmentError>([&] { append_file(folder.path(), "x"); }).where == folder.path().string());
}

TEST_CASE("a folder is not replaced by a file") {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "d");
  CHECK(contains(refusal<EnvironmentError>([&] { write_file(folder.path() / "d", "x"); }).message, "cannot rename"));
  CHECK(names_in(folder.path()) == Names{"d"});
}

TEST_CASE("an atomic folder appears whole at commit and not before") {
  const TemporaryFolder folder;
  const auto target = folder.path() / "best";
  AtomicFolder atomic(target);
  write_file(atomic.path() / "model", "1");
  fs::create_directory(atomic.path() / "plots");
  CHECK_FALSE(fs::exists(target));
  atomic.commit();
  CHECK(names_in(folder.path()) == Names{"best"});
  CHECK(names_in(target) == Names{"model", "plots"});
}

TEST_CASE("an atomic folder takes the place of an older one with nothing of it left") {
  const TemporaryFolder folder;
  const auto target = folder.path() / "best";
  fs::create_directory(target);
  write_file(target / "old", "1");
  {
    AtomicFolder atomic(target);
    write_file(atomic.path() / "new", "2");
    CHECK(names_in(target) == Names{"old"});
    atomic.commit();
  }
  CHECK(names_in(folder.path()) == Names{"best"});
  CHECK(names_in(target) == Names{"new"});
}

TEST_CASE("an atomic folder that is not committed leaves everything as it was") {
  const TemporaryFolder folder;
  const auto target = folder.path() / "best";
  fs::create_directory(target);
  write_file(target / "old", "1");
  {
    const AtomicFolder atomic(target);
    write_file(atomic.path() / "new", "2");
  }
  CHECK(names_in(folder.path()) == Names{"best"});
  CHECK(names_in(target) == Names{"old"});
}

TEST_CASE("an atomic folder where none can be made names the path") {
  const TemporaryFolder folder;
  write_file(folder.path() / "f", "");
  const auto target = folder.path() / "f" / "best";
  CHECK(refusal<EnvironmentError>([&] { const AtomicFolder atomic(target); }).where.starts_with(target.string()));
}

TEST_CASE("a second process is told who holds the lock") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "lock";
  const FileLock lock(path);
  const std::string holder = std::to_string(::getpid());
  const int status = status_of_child([&] {
    try {
      const FileLock second(path);
    } catch (const EnvironmentError& error) {
      const Problem& problem = error.problems().front();
      return problem.code == "LOCKED" && problem.where == path && problem.message == "is in use by process " + holder
                 ? 0
                 : 1;
    }
    return 2;
  });
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a lock ends with its owner, even one that was killed") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "lock";
  { const FileLock lock(path); }
  const int status = status_of_child([&] {
    const FileLock lock(path);
    std::raise(SIGKILL);
    return 1;
  });
  CHECK(WIFSIGNALED(status));
  CHECK(read_file(path) != std::to_string(::getpid()));  // the child had it
  const FileLock lock(path);
  CHECK(read_file(path) == std::to_string(::getpid()));
}

TEST_CASE("a temporary folder takes all that it holds with it") {
  fs::path path;
  {
    const TemporaryFolder folder, other;
    path = folder.path();
    CHECK(path != other.path());
    fs::create_directories(path / "a/b");
    write_file(path / "a/b/c", "x");
  }
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("an atomic folder may be named with a slash at its end, and may be there empty") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "made" / "";
  fs::create_directories(target);
  AtomicFolder atomic(target);
  write_file(atomic.path() / "model", "1");
  CHECK(names_in(target).empty());
  atomic.commit();
  CHECK(names_in(folder.path()) == Names{"made"});
  CHECK(names_in(target) == Names{"model"});
}

}  // namespace
}  // namespace amae

// The handler runs in a process whose heap and locks may be damaged or held: it allocates nothing, formats by hand, and
// reads what was written down beforehand. backtrace() is safe here once it has loaded what it needs.
#include "base/crash.h"

#include <execinfo.h>
#include <link.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>
#include <system_error>

namespace amae {
namespace {

struct Library {
  const char* path;  ///< never freed
  uintptr_t begin, end;
};

std::array<Library, 1024> libraries;
std::atomic<size_t> known{0};  ///< the first so many are complete

struct Crash {
  int signal;
  const char* name;
};
constexpr std::array<Crash, 5> kCrashes = {{{SIGSEGV, "segmentation fault"},
                                            {SIGBUS, "bus error"},
                                            {SIGFPE, "arithmetic error"},
                                            {SIGILL, "illegal instruction"},
                                            {SIGABRT, "aborted"}}};

const char* culprit() {
  std::array<void*, 128> frames{};
  const int depth = ::backtrace(frames.data(), static_cast<int>(frames.size()));
  const size_t count = known.load(std::memory_order_acquire);
  for (int i = 0; i < depth; ++i) {
    const auto place = reinterpret_cast<uintptr_t>(frames.at(static_cast<size_t>(i)));
    for (size_t k = 0; k < count; ++k) {
      if (place >= libraries[k].begin && place < libraries[k].end) return libraries[k].path;
    }
  }
  return nullptr;
}

/// One line, built up in place and written in one go.
class Line {
 public:
  void add(const char* text) {
    const size_t length = std::min(std::strlen(text), sizeof text_ - used_);
    std::memcpy(text_ + used_, text, length);
    used_ += length;
  }
  void write() const {
    const ssize_t ignored = ::write(STDERR_FILENO, text_, used_);
    static_cast<void>(ignored);
  }

 private:
  char text_[8192];
  size_t used_ = 0;
};

void on_crash(int signal) {
  static std::atomic<bool> is_told{false};
  // Another thread is telling of its own crash, which ends the process in a moment. This cannot be the same thread: all
  // of these signals are blocked while the handler runs, and a fault in it ends the process at once.
  while (is_told.exchange(true)) ::pause();
  const char* path = culprit();
  Line line;
  line.add("amae: error[");
  line.add(path != nullptr ? "PLUGIN]: " : "INTERNAL]: ");
  if (path != nullptr) {
    line.add(path);
    line.add(": ");
  }
  line.add("crashed (");
  for (const Crash& crash : kCrashes) {
    if (crash.signal == signal) line.add(crash.name);
  }
  line.add(path != nullptr ? ") in its code\n" : ")\n");
  line.write();
  // Blocked until the handler has returned, so that a core dump shows the place of the crash and not this one.
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

struct Search {
  std::filesystem::path path;
  uintptr_t begin = 0, end = 0;
};

int look_at(dl_phdr_info* info, size_t /*size*/, void* data) {
  auto& search = *static_cast<Search*>(data);
  std::error_code error;
  if (info->dlpi_name != search.path && !std::filesystem::equivalent(info->dlpi_name, search.path, error)) return 0;
  for (size_t i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    const uintptr_t begin = info->dlpi_addr + segment.p_vaddr, end = begin + segment.p_memsz;
    if (search.end == 0 || begin < search.begin) search.begin = begin;
    if (end > search.end) search.end = end;
  }
  return 1;
}

}  // namespace

void install_crash_report() {
#if !defined(__SANITIZE_ADDRESS__)
  // A stack that has overflowed cannot hold the handler. Threads beside the main one have only their own.
  alignas(16) static std::array<char, size_t{128} << 10U> stack;
  stack_t alternate{};
  alternate.ss_sp = stack.data();
  alternate.ss_size = stack.size();
  ::sigaltstack(&alternate, nullptr);
  std::array<void*, 1> frame{};
  ::backtrace(frame.data(), 1);  // loads the unwinder

  struct sigaction action {};
  action.sa_handler = on_crash;
  action.sa_flags = SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  for (const Crash& crash : kCrashes) ::sigaddset(&action.sa_mask, crash.signal);
  for (const Crash& crash : kCrashes) ::sigaction(crash.signal, &action, nullptr);
#endif
}

void crash_report_knows(const std::filesystem::path& library) {
  Search search{library};
  const size_t count = known.load(std::memory_order_relaxed);
  if (count == libraries.size() || ::dl_iterate_phdr(look_at, &search) == 0) return;
  libraries[count] = {::strdup(library.c_str()), search.begin, search.end};
  known.store(count + 1, std::memory_order_release);
}

}  // namespace amae

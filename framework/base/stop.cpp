#include "base/stop.h"

#include <atomic>
#include <csignal>
#include <initializer_list>

namespace amae {
namespace {

std::atomic<int> requested{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

void on_signal(int signal) { requested = signal; }

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);  // reset: the second one kills
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

int stop_signal() { return requested; }

void throw_if_stopped() {
  if (stop_signal() != 0) throw Stopped();
}

void request_stop(int signal) { requested = signal; }

}  // namespace amae

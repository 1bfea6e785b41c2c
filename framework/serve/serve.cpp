#include "serve/serve.h"

#include <fmt/format.h>
#include <spawn.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "base/log.h"
#include "base/progress.h"
#include "base/stop.h"
#include "base/text.h"
#include "serve/service.h"

namespace amae::serve {
namespace {

std::atomic<int> signals_seen = 0, last_signal = 0;  // what a handler may touch

void note_signal(int signal) {
  last_signal = signal;
  ++signals_seen;
}

/// While it lives SIGINT and SIGTERM only call one of two functions, on a thread of its own: the first drains, a second
/// ends the server at once. A handler and not sigwait(): libraries have threads that take a signal as any other does.
class Signals {
 public:
  Signals() {
    signals_seen = 0;
    last_signal = 0;
    struct sigaction action {};
    action.sa_handler = note_signal;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGINT, &action, &before_int_);
    ::sigaction(SIGTERM, &action, &before_term_);
  }
  ~Signals() {
    ends_ = true;
    if (thread_.joinable()) thread_.join();
    ::sigaction(SIGINT, &before_int_, nullptr);
    ::sigaction(SIGTERM, &before_term_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  template <class First, class Second>
  void watch(First first, Second second) {
    thread_ = std::jthread([this, first, second] {
      for (int done = 0; !ends_; std::this_thread::sleep_for(std::chrono::milliseconds(20))) {
        if (done == 0 && signals_seen >= 1) done = 1, first();
        if (done == 1 && signals_seen >= 2) done = 2, second();
      }
    });
  }
  /// The signal that ended the server at once, or 0.
  [[nodiscard]] static int fatal() { return signals_seen >= 2 ? last_signal.load() : 0; }

 private:
  struct sigaction before_int_ {
  }, before_term_{};
  std::atomic<bool> ends_ = false;
  std::jthread thread_;
};

void open_browser(const std::string& url) {
  std::string program = "xdg-open", word = url;
  char* const words[] = {program.data(), word.data(), nullptr};
  pid_t child = 0;
  if (::posix_spawnp(&child, program.c_str(), nullptr, nullptr, words, environ) != 0)
    log::warning("cannot open a browser (xdg-open); go to {}", url);
}

}  // namespace

int serve(const ServeOptions& options, const std::vector<std::filesystem::path>& plugin_path) {
  set_progress_mode(ProgressMode::off);  // of what a request does nobody sees a bar
  Service service(options, plugin_path);
  http::Server server(
      options.http, [&](const http::Request& head) { return service.admit(head); },
      [&](http::Request request, std::shared_ptr<http::Exchange> exchange) {
        service.handle(std::move(request), std::move(exchange));
      });
  service.set_counts([&] { return server.counts(); });
  const std::string& host = options.http.host;
  const bool is_v6 = host.find(':') != std::string::npos;
  const std::string url = fmt::format("http://{}:{}", is_v6 ? "[" + host + "]" : host, server.port());
  if (host != "127.0.0.1" && host != "::1" && host != "localhost") {
    log::warning(
        "listening on {}: whoever reaches this machine can use the model and hear the index; there is no "
        "password. Put a proxy with one before it, or use --host 127.0.0.1",
        printable(host));
  }
  Signals signals;
  if (stop_signal() != 0) return 128 + stop_signal();  // one that came while all was loaded
  signals.watch(
      [&] {
        log::info("stopping: answering what has begun, for at most {} s", options.drain.count() / 1000);
        service.begin_draining();
        server.drain(options.drain);
      },
      [&] { server.stop(); });
  log::info("{}  {}", url, service.about());
  log::info("{} request{} at a time, batches of {}, bodies up to {}; stop with Ctrl-C", options.queue,
            options.queue == 1 ? "" : "s", options.batch.max_batch,
            bytes_text(static_cast<double>(options.http.max_body_bytes)));
  if (options.opens_browser) open_browser(url);
  server.run();
  return Signals::fatal() == 0 ? 0 : 128 + Signals::fatal();
}

}  // namespace amae::serve

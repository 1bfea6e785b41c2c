#include "serve/serve.h"

#include <fmt/format.h>
#include <spawn.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"
#include "serve/service.h"

namespace amae::serve {
namespace {

/// SIGINT and SIGTERM are kept from every thread and waited for by one of its own: the first drains, a second ends the
/// server at once. To be made before any other thread is.
class Signals {
 public:
  Signals() {
    ::sigemptyset(&watched_);
    ::sigaddset(&watched_, SIGINT);
    ::sigaddset(&watched_, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &watched_, &before_);
  }
  ~Signals() {
    ends_ = true;
    if (thread_.joinable()) thread_.join();
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  template <class First, class Second>
  void watch(First first, Second second) {
    thread_ = std::jthread([this, first, second] {
      const timespec step{0, 50'000'000};
      while (!ends_) {
        const int signal = ::sigtimedwait(&watched_, nullptr, &step);
        if (signal <= 0) continue;
        if (++count_ == 1) {
          first();
        } else {
          last_ = signal;
          second();
        }
      }
    });
  }
  /// The signal that ended the server at once, or 0.
  [[nodiscard]] int last() const { return last_; }

 private:
  sigset_t watched_{}, before_{};
  std::atomic<bool> ends_ = false;
  std::atomic<int> last_ = 0;
  int count_ = 0;
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
  Signals signals;
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
  return signals.last() == 0 ? 0 : 128 + signals.last();
}

}  // namespace amae::serve

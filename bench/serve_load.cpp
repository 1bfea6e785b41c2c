// Requests to a running `amae serve` on this machine, from one thread: how many are answered, how fast, and what slow
// and too many clients do to that. bench/serve_load starts the server and calls this.
// usage: bench_serve_load PORT CLIP.wav load CLIENTS REQUESTS       closed loop: each client waits for its answer
//        bench_serve_load PORT CLIP.wav overload PEAK SECONDS       open loop at four times PEAK requests a second
//        bench_serve_load PORT FOLDER files CLIENTS                 every file of a folder once
//        bench_serve_load PORT CLIP.wav slow CLIENTS SLOW SECONDS   CLIENTS, alone and then beside SLOW slow ones
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double ms_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double, std::milli>(end - begin).count();
}

struct Tally {
  std::map<int, std::vector<double>> ms;  ///< by status; 0: the connection broke
  void add(int status, double took) { ms[status].push_back(took); }
  [[nodiscard]] size_t count(int status) const { return ms.contains(status) ? ms.at(status).size() : 0; }
  [[nodiscard]] double quantile(int status, double q) const {
    if (count(status) == 0) return 0;
    std::vector<double> sorted = ms.at(status);
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<size_t>(q * static_cast<double>(sorted.size() - 1))];
  }
};

int connected(uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (socket < 0 || ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    throw std::runtime_error("cannot connect");
  const int one = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  ::fcntl(socket, F_SETFL, O_NONBLOCK);
  return socket;
}

/// One connection that sends one request after the other.
class Caller {
 public:
  explicit Caller(uint16_t port) : port_(port), socket_(connected(port)) {}
  ~Caller() { ::close(socket_); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  [[nodiscard]] int socket() const { return socket_; }
  [[nodiscard]] bool is_idle() const { return is_idle_; }

  /// `request` stays where it is until it is answered.
  void start(const std::string& request) {
    request_ = &request;
    is_idle_ = false;
    begin_ = Clock::now();
    sent_ = 0;
    received_.clear();
    push();
  }
  /// After epoll: true once the answer is whole.
  bool step(Tally& tally) {
    push();
    char bytes[65536];
    while (true) {
      const ssize_t got = ::recv(socket_, bytes, sizeof(bytes), 0);
      if (got > 0) {
        received_.append(bytes, static_cast<size_t>(got));
      } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        break;
      } else {
        if (!is_idle_) tally.add(0, ms_between(begin_, Clock::now()));
        is_idle_ = true;
        is_broken_ = true;
        return true;
      }
    }
    const size_t head = received_.find("\r\n\r\n");
    if (is_idle_ || head == std::string::npos) return false;
    const size_t at = received_.find("Content-Length: ");
    const size_t length = at < head ? std::strtoull(received_.c_str() + at + 16, nullptr, 10) : 0;
    if (received_.size() < head + 4 + length) return false;
    tally.add(std::atoi(received_.c_str() + 9), ms_between(begin_, Clock::now()));
    is_idle_ = true;
    return true;
  }
  /// Connects anew where the server has closed it.
  bool mend() {
    if (!is_broken_) return false;
    ::close(socket_);
    socket_ = connected(port_);
    is_broken_ = false;
    return true;
  }

 private:
  void push() {
    while (!is_idle_ && sent_ < request_->size()) {
      const ssize_t sent = ::send(socket_, request_->data() + sent_, request_->size() - sent_, MSG_NOSIGNAL);
      if (sent <= 0) return;
      sent_ += static_cast<size_t>(sent);
    }
  }

  uint16_t port_;
  const std::string* request_ = nullptr;
  int socket_;
  bool is_idle_ = true, is_broken_ = false;
  Clock::time_point begin_{};
  size_t sent_ = 0;
  std::string received_;
};

class Callers {
 public:
  Callers(uint16_t port, size_t count) : poll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (size_t i = 0; i < count; ++i) {
      callers_.push_back(std::make_unique<Caller>(port));
      watch(*callers_.back());
    }
  }
  ~Callers() { ::close(poll_); }
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;

  [[nodiscard]] const std::vector<std::unique_ptr<Caller>>& all() const { return callers_; }
  /// Waits at most `wait_ms`; `answered` gets each caller whose answer has come.
  void step(int wait_ms, Tally& tally, const std::function<void(Caller&)>& answered) {
    epoll_event events[256];
    const int count = ::epoll_wait(poll_, events, 256, wait_ms);
    for (int i = 0; i < count; ++i) {
      Caller& caller = *static_cast<Caller*>(events[i].data.ptr);
      const bool was_idle = caller.is_idle(), has_ended = caller.step(tally);
      if (caller.mend()) watch(caller);  // the server closes those that are idle for long
      if (has_ended && !was_idle) answered(caller);
    }
  }

 private:
  void watch(Caller& caller) const {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = &caller;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, caller.socket(), &event);
  }

  int poll_;
  std::vector<std::unique_ptr<Caller>> callers_;
};

void report(const char* name, const Tally& tally, double seconds) {
  for (const auto& [status, ms] : tally.ms) {
    fmt::print("{:<10} status {:>3}: {:>7}  {:>8.1f} a second   p50 {:.2f}  p99 {:.2f}  p99.9 {:.2f}  max {:.2f} ms\n",
               name, status, ms.size(), static_cast<double>(ms.size()) / seconds, tally.quantile(status, 0.5),
               tally.quantile(status, 0.99), tally.quantile(status, 0.999), tally.quantile(status, 1));
  }
}

/// Closed loop, the requests in turn, until `count` are answered or `seconds` are over.
Tally closed_loop(uint16_t port, const std::vector<std::string>& requests, size_t clients, int64_t count,
                  double seconds) {
  Callers callers(port, clients);
  Tally tally;
  const auto begin = Clock::now();
  int64_t open = 0, left = count;
  const auto next = [&](Caller& caller) {
    if (left == 0 || ms_between(begin, Clock::now()) > 1000 * seconds) return;
    --left;
    ++open;
    caller.start(requests[static_cast<size_t>(left) % requests.size()]);
  };
  for (const auto& caller : callers.all()) next(*caller);
  while (open > 0) {
    callers.step(1000, tally, [&](Caller& caller) {
      --open;
      next(caller);
    });
  }
  report(fmt::format("{} clients", clients).c_str(), tally, ms_between(begin, Clock::now()) / 1000);
  return tally;
}

void overload(uint16_t port, const std::string& request, double peak, double seconds) {
  constexpr size_t kConnections = 1000;
  Callers callers(port, kConnections);
  Tally tally;
  std::vector<Caller*> idle;
  for (const auto& caller : callers.all()) idle.push_back(caller.get());
  const auto begin = Clock::now();
  int64_t offered = 0, unsent = 0;
  while (ms_between(begin, Clock::now()) < 1000 * seconds) {
    const auto due = static_cast<int64_t>(4 * peak * ms_between(begin, Clock::now()) / 1000);
    for (; offered < due; ++offered) {
      if (idle.empty()) {
        ++unsent;
        continue;
      }
      idle.back()->start(request);
      idle.pop_back();
    }
    callers.step(1, tally, [&](Caller& caller) { idle.push_back(&caller); });
  }
  report("overload", tally, seconds);
  const double good = static_cast<double>(tally.count(200)) / seconds;
  fmt::print(
      "overload   offered {:.0f} a second ({} could not be sent: all {} connections waited), good {:.1f} = {:.3f} of "
      "the peak {:.1f}; rejected in p50 {:.2f}, p99 {:.2f} ms\n",
      static_cast<double>(offered) / seconds, unsent, kConnections, good, good / peak, peak, tally.quantile(503, 0.5),
      tally.quantile(503, 0.99));
}

void slow(uint16_t port, const std::string& request, size_t clients, size_t slow_ones, double seconds) {
  const Tally alone = closed_loop(port, {request}, clients, INT64_MAX, seconds);
  struct Slow {
    int socket = -1;
    size_t sent = 0;
  };
  std::vector<Slow> drips;
  const auto begin = Clock::now();
  for (size_t i = 0; i < slow_ones; ++i) drips.push_back({connected(port)});
  Callers callers(port, clients);
  Tally beside;
  for (const auto& caller : callers.all()) caller->start(request);
  size_t gone = 0;
  double last_gone_s = 0;
  auto next_drip = Clock::now();
  while (ms_between(begin, Clock::now()) < 1000 * std::max(seconds, 14.0)) {
    callers.step(5, beside, [&](Caller& caller) { caller.start(request); });
    if (Clock::now() < next_drip) continue;
    next_drip = Clock::now() + std::chrono::seconds(4);  // one byte every four seconds
    for (Slow& drip : drips) {
      if (drip.socket < 0) continue;
      const ssize_t sent = ::send(drip.socket, request.data() + drip.sent, 1, MSG_NOSIGNAL);
      if (sent == 1) ++drip.sent;
    }
  }
  for (Slow& drip : drips) {  // the end, or the answer 408 and then the end
    char bytes[1024];
    ssize_t got = 0;
    while ((got = ::recv(drip.socket, bytes, sizeof(bytes), 0)) > 0) continue;
    gone += got == 0 || errno != EAGAIN ? 1 : 0;
    ::close(drip.socket);
  }
  last_gone_s = ms_between(begin, Clock::now()) / 1000;
  report("beside", beside, last_gone_s);
  fmt::print(
      "slow       {} of {} slow connections closed by the server within {:.0f} s; healthy p99 {:.2f} ms beside, {:.2f} "
      "alone: {:.3f}\n",
      gone, slow_ones, last_gone_s, beside.quantile(200, 0.99), alone.quantile(200, 0.99),
      beside.quantile(200, 0.99) / alone.quantile(200, 0.99));
}

std::string request_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string clip{std::istreambuf_iterator<char>(file), {}};
  return fmt::format(
      "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
      "Content-Length: {}\r\n\r\n{}",
      clip.size(), clip);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 4) {
    fmt::print(stderr,
               "usage: bench_serve_load PORT CLIP.wav load|overload|slow …; see the first lines of its source\n");
    return 2;
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const auto port = static_cast<uint16_t>(std::stoi(words[0]));
  if (words[2] == "files") {
    std::vector<std::string> requests;
    for (const auto& entry : std::filesystem::directory_iterator(words[1]))
      requests.push_back(request_of(entry.path()));
    closed_loop(port, requests, std::stoul(words[3]), std::ssize(requests), 1e9);
    return 0;
  }
  const std::string request = request_of(words[1]);
  if (words[2] == "load") {
    const Tally tally = closed_loop(port, {request}, std::stoul(words[3]), std::stol(words[4]), 1e9);
    size_t all = 0;
    for (const auto& [status, ms] : tally.ms) all += ms.size();
    fmt::print("load       {} requests, {} errors, p99 {:.2f} ms\n", all, all - tally.count(200),
               tally.quantile(200, 0.99));
  } else if (words[2] == "overload") {
    overload(port, request, std::stod(words[3]), std::stod(words[4]));
  } else if (words.size() > 5) {
    slow(port, request, std::stoul(words[3]), std::stoul(words[4]), std::stod(words[5]));
  }
  return 0;
}

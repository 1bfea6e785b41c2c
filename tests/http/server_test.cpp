#include "http/server.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "amae/error.h"
#include "tests/http/client.h"

namespace amae::http {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = 20s;  // for what should come at once; only a failing test waits so long

template <class Condition>
bool soon(const Condition& holds) {
  for (const auto end = Clock::now() + kPatience; Clock::now() < end; std::this_thread::sleep_for(2ms))
    if (holds()) return true;
  return false;
}

/// Exchanges that the handler leaves to the test.
class Held {
 public:
  void put(std::shared_ptr<Exchange> exchange) {
    const std::lock_guard lock(mutex_);
    held_.push_back(std::move(exchange));
    changed_.notify_all();
  }
  /// The next one; null when none comes.
  std::shared_ptr<Exchange> take() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return !held_.empty(); })) return nullptr;
    auto first = std::move(held_.front());
    held_.erase(held_.begin());
    return first;
  }
  size_t size() {
    const std::lock_guard lock(mutex_);
    return held_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Exchange>> held_;
};

/// A server that runs until the end of the test. /held waits for the test, /drop drops, /throw throws, /big answers
/// 8 MiB, /busy is refused by its head; anything else is answered with its method, path and length.
class Running {
 public:
  explicit Running(ServerOptions options = {})
      : server_(
            with_any_port(options), [this](const Request& head) { return admit(head); },
            [this](Request request, std::shared_ptr<Exchange> exchange) {
              handle(std::move(request), std::move(exchange));
            }),
        thread_([this] {
          server_.run();
          has_ended_ = true;
        }) {}
  ~Running() {
    server_.stop();
    thread_.join();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  [[nodiscard]] uint16_t port() const { return server_.port(); }
  Server& server() { return server_; }
  Held& held() { return held_; }
  [[nodiscard]] bool has_ended() const { return has_ended_; }
  [[nodiscard]] int handled() const { return handled_; }

 private:
  static ServerOptions with_any_port(ServerOptions options) {
    options.port = 0;
    return options;
  }
  static std::optional<Response> admit(const Request& head) {
    if (head.path != "/busy") return std::nullopt;
    return Response{503, "application/json", error_json("BUSY", "no room"), {{"Retry-After", "1"}}};
  }
  void handle(Request request, std::shared_ptr<Exchange> exchange) {
    ++handled_;
    if (request.path == "/held") return held_.put(std::move(exchange));
    if (request.path == "/drop") return;
    if (request.path == "/throw") throw std::runtime_error("the handler failed");
    if (request.path == "/big") return exchange->send({200, "text/plain", std::string(8U << 20U, 'x')});
    exchange->send(
        {200, "text/plain", request.method + " " + request.path + " " + std::to_string(request.body.size())});
  }

  Held held_;
  std::atomic<bool> has_ended_{false};
  std::atomic<int> handled_{0};
  Server server_;
  std::thread thread_;
};

std::string head_of(const std::string& method, const std::string& path, const std::string& headers = "") {
  return method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
}

// ---- answers ----

TEST_CASE("requests of one connection are answered one after the other") {
  Running running;
  Client client(running.port());
  const Answer first = client.get("/a");
  CHECK(first.status == 200);
  CHECK(first.body == "GET /a 0");
  CHECK(first.header("content-type") == "text/plain");
  CHECK(first.header("server") == "amae");
  CHECK(first.header("x-content-type-options") == "nosniff");
  CHECK(first.header("connection") == "keep-alive");
  CHECK(client.post("/b", std::string(300'000, 'b')).body == "POST /b 300000");
  client.send(head_of("POST", "/c", "Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n0\r\n\r\n");
  CHECK(client.read_answer().body == "POST /c 5");
  CHECK(running.server().counts().accepted == 1);
  CHECK(running.server().counts().connections == 1);
}

TEST_CASE("pipelined requests are answered in their order") {
  Running running;
  Client client(running.port());
  std::string all = head_of("GET", "/held");
  for (int i = 0; i < 50; ++i) all += head_of("POST", "/" + std::to_string(i), "Content-Length: 1\r\n") + "x";
  client.send(all);
  const auto exchange = running.held().take();
  REQUIRE(exchange);
  CHECK(running.handled() == 1);
  CHECK_FALSE(exchange->gone());  // the next request is not the end
  exchange->send({200, "text/plain", "held"});
  CHECK(client.read_answer().body == "held");
  for (int i = 0; i < 50; ++i) CHECK(client.read_answer().body == "POST /" + std::to_string(i) + " 1");
}

TEST_CASE("HEAD has the head of GET, and only it") {
  Running running;
  Client client(running.port());
  client.send(head_of("HEAD", "/a"));
  const Answer answer = client.read_answer(false);
  CHECK(answer.status == 200);
  CHECK(answer.header("content-length") == "8");  // GET /a 0
  CHECK(client.get("/b").body == "GET /b 0");
}

TEST_CASE("HTTP/1.0 closes unless asked not to") {
  Running running;
  Client client(running.port());
  client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  Answer answer = client.read_answer();
  CHECK(answer.body == "GET /a 0");
  CHECK(answer.header("connection") == "keep-alive");
  client.send("GET /b HTTP/1.0\r\n\r\n");
  answer = client.read_answer();
  CHECK(answer.body == "GET /b 0");
  CHECK(answer.header("connection") == "close");
  CHECK(client.is_closed());
}

TEST_CASE("Connection: close is obeyed") {
  Running running;
  Client client(running.port());
  client.send(head_of("GET", "/a", "Connection: close\r\n") + head_of("GET", "/b"));
  CHECK(client.read_answer().header("connection") == "close");
  CHECK(client.is_closed());
  CHECK_FALSE(client.is_lost());
}

TEST_CASE("a handler that drops or throws is answered for") {
  Running running;
  Client client(running.port());
  for (const char* path : {"/drop", "/throw"}) {
    const Answer answer = client.get(path);
    CHECK(answer.status == 500);
    CHECK(answer.body.starts_with(R"({"error":{"code":"INTERNAL","message":)"));
  }
  CHECK(client.get("/a").status == 200);
}

TEST_CASE("only the first answer counts") {
  Running running;
  Client client(running.port());
  client.send(head_of("GET", "/held"));
  auto exchange = running.held().take();
  REQUIRE(exchange);
  exchange->send({404, "text/plain", "first", {{"X-Split", "a\r\nX-Evil: b"}}});
  exchange->send({200, "text/plain", "second"});
  exchange->begin_stream("text/plain");
  CHECK_FALSE(exchange->write("third"));
  exchange.reset();
  const Answer answer = client.read_answer();
  CHECK(answer.body == "first");
  CHECK(answer.header("x-split") == "a  X-Evil: b");
  CHECK(client.get("/a").body == "GET /a 0");
}

TEST_CASE("an answer of 204 has no body and no length") {
  Running running;
  Client client(running.port());
  client.send(head_of("GET", "/held"));
  const auto exchange = running.held().take();
  REQUIRE(exchange);
  exchange->send({204, "", "what nobody sees"});
  const Answer answer = client.read_answer(false);
  CHECK(answer.status == 204);
  CHECK(answer.headers.count("content-length") == 0);
  CHECK(client.get("/a").body == "GET /a 0");
}

// ---- refusals ----

TEST_CASE("a body over the limit is refused before it comes, and the client can read why") {
  ServerOptions options;
  options.max_body_bytes = 1000;
  Running running(options);
  Client announced(running.port()), sent(running.port()), chunked(running.port());
  announced.send(head_of("POST", "/a", "Content-Length: 1000000000000\r\n"));
  sent.send(head_of("POST", "/a", "Content-Length: 3000000\r\n"));
  sent.send(std::string(3'000'000, 'x'));
  chunked.send(head_of("POST", "/a", "Transfer-Encoding: chunked\r\n"));
  for (int i = 0; i < 100; ++i) chunked.send("64\r\n" + std::string(100, 'x') + "\r\n");
  for (Client* client : {&announced, &sent, &chunked}) {
    const Answer answer = client->read_answer();
    CHECK(answer.status == 413);
    CHECK(answer.body == R"({"error":{"code":"SIZE","message":"got a body over 1000 B, expected a smaller one"}})"
                         "\n");
    CHECK(answer.header("connection") == "close");
    CHECK(client->is_closed());
    CHECK_FALSE(client->is_lost());
  }
  CHECK(running.handled() == 0);
  CHECK(running.server().counts().refused == 3);
}

TEST_CASE("bytes behind a request without a length are no body") {
  Running running;
  Client client(running.port());
  client.send(head_of("POST", "/a") + std::string("\x01\x02\x03"));
  CHECK(client.read_answer().body == "POST /a 0");
  CHECK(client.read_answer().status == 400);
  CHECK(client.is_closed());
}

TEST_CASE("what is no request is refused and the connection closed") {
  Running running;
  const std::vector<std::pair<std::string, int>> requests = {
      {"nonsense\r\n\r\n", 400},
      {"\x16\x03\x01\x02\x00\x01", 400},
      {"GET / HTTP/2.0\r\n\r\n", 505},
      {"GET /" + std::string(100'000, 'a'), 414},
      {"GET / HTTP/1.1\r\nX: " + std::string(100'000, 'a'), 431},
      {head_of("POST", "/", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400},
      {head_of("POST", "/", "Transfer-Encoding: gzip\r\n"), 501},
      {head_of("POST", "/", "Content-Encoding: gzip\r\nContent-Length: 3\r\n") + "abc", 415}};
  for (const auto& [bytes, status] : requests) {
    INFO(bytes.substr(0, 50));
    Client client(running.port());
    client.send(bytes);
    CHECK(client.read_answer().status == status);
    CHECK(client.is_closed());
    CHECK_FALSE(client.is_lost());
  }
  CHECK(running.handled() == 0);
  CHECK(Client(running.port()).get("/a").status == 200);
}

TEST_CASE("a refused request with a small body leaves the connection open") {
  Running running;
  Client client(running.port());
  for (int i = 0; i < 3; ++i) {
    client.send(head_of("POST", "/busy", "Content-Length: 100000\r\n"));
    const Answer answer = client.read_answer();  // at once, without the body
    CHECK(answer.status == 503);
    CHECK(answer.header("retry-after") == "1");
    CHECK(answer.header("connection") == "keep-alive");
    client.send(std::string(100'000, 'x') + head_of("GET", "/after"));
    CHECK(client.read_answer().body == "GET /after 0");
  }
  client.send(head_of("POST", "/busy", "Content-Length: 3\r\n") + "abc" + head_of("GET", "/busy") +
              head_of("GET", "/b"));
  CHECK(client.read_answer().status == 503);
  CHECK(client.read_answer().status == 503);
  CHECK(client.read_answer().body == "GET /b 0");
  CHECK(running.server().counts().accepted == 1);
}

TEST_CASE("a refused request with a large body is answered before the connection is closed") {
  Running running;
  Client large(running.port()), chunked(running.port()), waiting(running.port());
  large.send(head_of("POST", "/busy", "Content-Length: 2000000\r\n") + std::string(2'000'000, 'x'));
  chunked.send(head_of("POST", "/busy", "Transfer-Encoding: chunked\r\n"));
  waiting.send(head_of("POST", "/busy", "Content-Length: 10\r\nExpect: 100-continue\r\n"));
  for (Client* client : {&large, &chunked, &waiting}) {
    const Answer answer = client->read_answer();
    CHECK(answer.status == 503);
    CHECK(answer.header("connection") == "close");
    CHECK(client->is_closed());
    CHECK_FALSE(client->is_lost());
  }
}

TEST_CASE("a client that asks before it sends its body is invited, once its head is admitted") {
  Running running;
  Client client(running.port());
  client.send(head_of("POST", "/a", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
  CHECK(client.read_answer().status == 100);
  client.send("hello");
  CHECK(client.read_answer().body == "POST /a 5");
  client.send(head_of("POST", "/a", "Content-Length: 5\r\nExpect: 100-continue\r\n") + "hello");
  CHECK(client.read_answer().body == "POST /a 5");
}

TEST_CASE("all bodies together are limited") {
  ServerOptions options;
  options.max_body_bytes = options.max_bodies_bytes = 1'000'000;
  Running running(options);
  Client first(running.port()), second(running.port());
  first.send(head_of("POST", "/a", "Content-Length: 800000\r\n") + std::string(700'000, 'x'));
  second.send(head_of("POST", "/b", "Content-Length: 800000\r\n") + std::string(700'000, 'x'));
  // One of them is cut short, and then the other has room.
  REQUIRE(soon([&] { return first.hears_within(0) || second.hears_within(0); }));
  Client& refused = first.hears_within(0) ? first : second;
  Client& taken = first.hears_within(0) ? second : first;
  CHECK(refused.read_answer().status == 503);
  taken.send(std::string(100'000, 'x'));
  CHECK(taken.read_answer().status == 200);
}

// ---- slow and absent clients ----

TEST_CASE("a request that trickles in is cut at its deadline, in its head and in its body") {
  ServerOptions options;
  options.request_timeout = 400ms;
  Running running(options);
  for (const std::string& start : {std::string("GET /"), head_of("POST", "/", "Content-Length: 1000\r\n"),
                                   head_of("POST", "/", "Transfer-Encoding: chunked\r\n") + "400\r\n"}) {
    Client client(running.port());
    const auto begin = Clock::now();
    client.send(start);
    while (!client.hears_within(40) && Clock::now() - begin < kPatience) client.send("x");
    CHECK(Clock::now() - begin >= 350ms);
    const Answer answer = client.read_answer();
    CHECK(answer.status == 408);
    CHECK(answer.body.find("TIMEOUT") != std::string::npos);
    CHECK(client.is_closed());
  }
  CHECK(running.server().counts().timeouts == 3);
  CHECK(running.handled() == 0);
}

TEST_CASE("a silent connection is closed without a word") {
  ServerOptions options;
  options.idle_timeout = 200ms;
  Running running(options);
  Client silent(running.port()), used(running.port());
  CHECK(used.get("/a").status == 200);
  CHECK(silent.is_closed());
  CHECK(used.is_closed());
  CHECK(running.server().counts().timeouts == 0);
  CHECK(soon([&] { return running.server().counts().connections == 0; }));
}

TEST_CASE("a client that never takes its answer is cut") {
  ServerOptions options;
  options.request_timeout = 300ms;
  Running running(options);
  Client client(running.port());
  client.send(head_of("GET", "/big") + head_of("GET", "/big"));
  CHECK(soon([&] { return running.server().counts().timeouts == 1; }));
  CHECK(soon([&] { return running.server().counts().connections == 0; }));
}

TEST_CASE("the handler may take longer than the client") {
  ServerOptions options;
  options.request_timeout = options.idle_timeout = 200ms;
  Running running(options);
  Client client(running.port());
  client.send(head_of("GET", "/held"));
  const auto exchange = running.held().take();
  REQUIRE(exchange);
  std::this_thread::sleep_for(600ms);
  CHECK_FALSE(exchange->gone());
  exchange->send({200, "text/plain", "late"});
  CHECK(client.read_answer().body == "late");
}

TEST_CASE("a client that goes while the handler works is seen") {
  Running running;
  for (const bool by_reset : {false, true}) {
    for (const bool is_pipelining : {false, true}) {
      Client client(running.port());
      client.send(head_of("GET", "/held"));
      const auto exchange = running.held().take();
      REQUIRE(exchange);
      if (is_pipelining) client.send(head_of("GET", "/next"));
      CHECK_FALSE(exchange->gone());
      by_reset ? client.reset() : client.close();
      CHECK(soon([&] { return exchange->gone(); }));
      exchange->send({200, "text/plain", "to nobody"});
    }
  }
  CHECK(soon([&] { return running.server().counts().connections == 0; }));
  CHECK(Client(running.port()).get("/a").status == 200);
}

TEST_CASE("a client that only stops sending still gets its answer") {
  Running running;
  Client client(running.port());
  client.send(head_of("GET", "/held"));
  client.finish_sending();
  const auto exchange = running.held().take();
  REQUIRE(exchange);
  CHECK(soon([&] { return exchange->gone(); }));
  exchange->send({200, "text/plain", "answer"});
  CHECK(client.read_answer().body == "answer");
  CHECK(client.is_closed());
}

TEST_CASE("an exchange may outlive its server") {
  std::shared_ptr<Exchange> waiting, streaming;
  {
    Running running;
    Client first(running.port()), second(running.port());
    first.send(head_of("GET", "/held"));
    waiting = running.held().take();
    second.send(head_of("GET", "/held"));
    streaming = running.held().take();
    REQUIRE(waiting);
    REQUIRE(streaming);
    streaming->begin_stream("text/plain");
    CHECK(streaming->write("a"));
  }
  CHECK(waiting->gone());
  waiting->send({200, "text/plain", "too late"});
  CHECK_FALSE(streaming->write("b"));
  streaming->finish();
}

// ---- streams ----

TEST_CASE("a stream arrives as it is written") {
  Running running;
  Client client(running.port());
  client.send(head_of("GET", "/held") + head_of("GET", "/after"));
  auto exchange = running.held().take();
  REQUIRE(exchange);
  exchange->begin_stream("text/event-stream");
  CHECK(exchange->write("data: 1\n\n"));
  CHECK(exchange->write(""));
  const Answer head = client.read_head();
  CHECK(head.status == 200);
  CHECK(head.header("content-type") == "text/event-stream");
  CHECK(head.header("transfer-encoding") == "chunked");
  bool is_whole = false;
  CHECK(client.read_chunk(is_whole) == "data: 1\n\n");
  CHECK(exchange->write("data: 2\n\n"));
  CHECK(client.read_chunk(is_whole) == "data: 2\n\n");
  exchange->finish();
  CHECK_FALSE(exchange->write("data: 3\n\n"));
  CHECK(client.read_chunk(is_whole).empty());
  CHECK(is_whole);
  CHECK(client.read_answer().body == "GET /after 0");
}

TEST_CASE("a dropped stream ends well, and one for HTTP/1.0 with the connection") {
  Running running;
  Client newer(running.port()), older(running.port());
  newer.send(head_of("GET", "/held"));
  auto exchange = running.held().take();
  REQUIRE(exchange);
  exchange->begin_stream("text/plain");
  exchange->write("text");
  exchange.reset();
  const Answer answer = newer.read_answer();
  CHECK(answer.body == "text");
  CHECK(answer.is_whole);
  older.send("GET /held HTTP/1.0\r\n\r\n");
  exchange = running.held().take();
  REQUIRE(exchange);
  exchange->begin_stream("text/plain");
  exchange->write("text");
  exchange->finish();
  const Answer closed = older.read_answer();
  CHECK(closed.body == "text");
  CHECK(closed.headers.count("transfer-encoding") == 0);
  CHECK_FALSE(older.is_lost());
}

TEST_CASE("a stream to a client that has gone stops") {
  Running running;
  Client client(running.port());
  client.send(head_of("GET", "/held"));
  const auto exchange = running.held().take();
  REQUIRE(exchange);
  exchange->begin_stream("text/plain");
  CHECK(exchange->write("text"));
  client.close();
  CHECK(soon([&] { return !exchange->write("text"); }));
  CHECK(exchange->gone());
}

TEST_CASE("a stream to a client that does not read is cut before it fills the memory") {
  Running running;
  Client client(running.port());
  client.send(head_of("GET", "/held"));
  const auto exchange = running.held().take();
  REQUIRE(exchange);
  exchange->begin_stream("text/plain");
  const std::string text(100'000, 'x');
  size_t written = 0;
  while (exchange->write(text) && written < (size_t{1} << 30U)) written += text.size();
  CHECK(written < (size_t{1} << 30U));
  CHECK(soon([&] { return exchange->gone(); }));
  CHECK(running.server().counts().timeouts == 1);
}

// ---- limits of the machine ----

TEST_CASE("a port in use is an error that names it") {
  Running running;
  ServerOptions options;
  options.port = running.port();
  try {
    const Server second(options, nullptr, nullptr);
    FAIL("two servers on one port");
  } catch (const EnvironmentError& error) {
    CHECK(error.problems().at(0).code == "PORT");
    CHECK(error.problems().at(0).where == "127.0.0.1:" + std::to_string(running.port()));
    CHECK(error.problems().at(0).message.starts_with("cannot listen: Address already in use (errno 98)"));
  }
}

TEST_CASE("a port is free again once its server is gone") {
  ServerOptions options;
  {
    Running running;
    options.port = running.port();
    Client client(running.port());
    client.send(
        head_of("GET", "/a", "Connection: close\r\n"));  // the server closes first and keeps the port in TIME_WAIT
    CHECK(client.read_answer().status == 200);
    CHECK(client.is_closed());
  }
  CHECK_NOTHROW(Server(options, nullptr, nullptr));
}

TEST_CASE("a host may be a name or an address of either kind") {
  ServerOptions options;
  options.port = 0;
  options.host = "localhost";
  CHECK(Server(options, nullptr, nullptr).port() != 0);
  options.host = "0.0.0.0";
  CHECK(Server(options, nullptr, nullptr).port() != 0);
  for (const char* host : {"203.0.113.7", "no.such.host.invalid", "not a host"}) {
    options.host = host;
    try {
      const Server server(options, nullptr, nullptr);
      FAIL("listens on " << host);
    } catch (const EnvironmentError& error) {
      CHECK(error.problems().at(0).where == std::string(host) + ":0");
    }
  }
}

TEST_CASE("beyond its connections a server closes the longest idle one, or says that it is busy") {
  ServerOptions options;
  options.max_connections = 2;
  Running running(options);
  Client idle(running.port());
  CHECK(idle.get("/a").status == 200);
  Client working(running.port());
  working.send(head_of("GET", "/held"));
  const auto first = running.held().take();
  Client newest(running.port());
  newest.send(head_of("GET", "/held"));
  const auto second = running.held().take();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(idle.is_closed());
  Client refused(running.port());
  const Answer answer = refused.get("/a");
  CHECK(answer.status == 503);
  CHECK(answer.header("retry-after") == "1");
  CHECK(refused.is_closed());
  CHECK_FALSE(refused.is_lost());
  first->send({200, "text/plain", "first"});
  second->send({200, "text/plain", "second"});
  CHECK(working.read_answer().body == "first");
  CHECK(newest.read_answer().body == "second");
  CHECK(Client(running.port()).get("/a").status == 200);
}

/// While it lives, the process has `count` free file descriptors.
class FewDescriptors {
 public:
  explicit FewDescriptors(int count) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    std::vector<int> free;
    for (int i = 0; i < count; ++i) free.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    for (const int fd : free) ::close(fd);
    const rlimit few{static_cast<rlim_t>(free.back() + 1), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

TEST_CASE("a server without file descriptors waits for some, without working") {
  Running running;
  std::vector<Client> clients;
  std::vector<std::shared_ptr<Exchange>> exchanges;
  bool is_answered_early = true;
  double worked = 1;
  Answer answer;
  {
    const FewDescriptors few(9);   // nothing is checked here: sanitizers need descriptors too
    for (int i = 0; i < 4; ++i) {  // two each, and none of them idle
      clients.emplace_back(running.port());
      clients.back().send(head_of("GET", "/held"));
      exchanges.push_back(running.held().take());
    }
    Client late(running.port());  // takes the last one
    late.send(head_of("GET", "/late"));
    const double before = processor_seconds();
    is_answered_early = late.hears_within(600);
    worked = processor_seconds() - before;
    clients.front().close();
    if (exchanges.front()) exchanges.front()->send({200, "text/plain", "to nobody"});
    answer = late.read_answer();
  }
  CHECK_FALSE(is_answered_early);
  CHECK(worked < 0.3);
  CHECK(answer.body == "GET /late 0");
  REQUIRE(exchanges.back());
  exchanges.back()->send({200, "text/plain", "all the same"});
  CHECK(clients.back().read_answer().body == "all the same");
}

TEST_CASE("a server without file descriptors closes the longest idle connection") {
  Running running;
  auto few = std::make_unique<FewDescriptors>(3);
  Client idle(running.port());
  const Answer first = idle.get("/a");
  Client late(running.port());
  const Answer second = late.get("/late");
  few.reset();
  CHECK(first.status == 200);
  CHECK(second.status == 200);
  CHECK(idle.is_closed());
}

// ---- the end ----

TEST_CASE("draining answers what has begun, and then the server ends") {
  Running running;
  Client working(running.port()), sending(running.port()), idle(running.port()), streaming(running.port());
  CHECK(idle.get("/a").status == 200);
  working.send(head_of("GET", "/held"));
  const auto exchange = running.held().take();
  streaming.send(head_of("GET", "/held"));
  const auto stream = running.held().take();
  REQUIRE(exchange);
  REQUIRE(stream);
  stream->begin_stream("text/plain");
  stream->write("text");
  sending.send(head_of("POST", "/b", "Content-Length: 5\r\n") + "hel");
  CHECK(soon([&] { return running.server().counts().accepted == 4; }));
  CHECK(idle.get("/a").status == 200);  // the server has read what came before
  running.server().drain(60s);

  const Answer ended = streaming.read_answer();
  CHECK(ended.body == "text");
  CHECK(ended.is_whole);
  CHECK(soon([&] { return !stream->write("more"); }));
  CHECK(idle.is_closed());
  CHECK_FALSE(idle.is_lost());
  CHECK_THROWS(Client(running.port()));
  CHECK_FALSE(running.has_ended());
  sending.send("lo");
  const Answer sent = sending.read_answer();
  CHECK(sent.body == "POST /b 5");
  CHECK(sent.header("connection") == "close");
  exchange->send({200, "text/plain", "held"});
  const Answer answer = working.read_answer();
  CHECK(answer.body == "held");
  CHECK(answer.header("connection") == "close");
  CHECK(soon([&] { return running.has_ended(); }));
}

TEST_CASE("draining ends at its limit") {
  Running running;
  Client client(running.port());
  client.send(head_of("GET", "/held"));
  const auto exchange = running.held().take();
  REQUIRE(exchange);
  running.server().drain(200ms);
  CHECK(soon([&] { return running.has_ended(); }));
  CHECK(exchange->gone());
  CHECK(client.is_closed());
}

TEST_CASE("a server may end before it has begun") {
  ServerOptions options;
  options.port = 0;
  Server stopped(options, nullptr, nullptr), drained(options, nullptr, nullptr);
  stopped.stop();
  stopped.run();
  drained.drain(60s);
  drained.run();
}

TEST_CASE("draining under load cuts no answer") {
  Running running;
  std::atomic<int> answered{0}, cut{0};
  std::atomic<bool> is_draining{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      try {
        for (int round = 0;; ++round) {
          Client client(running.port());  // refused once the server drains
          const int requests = i % 2 == 0 ? 1'000'000 : 3;
          for (int j = 0; j < requests; ++j) {
            if (!client.send(head_of("POST", "/a", "Content-Length: 20\r\n") + std::string(20, 'x'))) {
              ++cut;
              return;
            }
            const Answer answer = client.read_answer();
            if (answer.body != "POST /a 20") {
              ++cut;
              return;
            }
            ++answered;
            if (answer.header("connection") == "close") return;
          }
        }
      } catch (const std::runtime_error&) {
        if (!is_draining) ++cut;
      }
    });
  }
  CHECK(soon([&] { return answered > 2000; }));
  is_draining = true;
  running.server().drain(60s);
  for (auto& thread : threads) thread.join();
  CHECK(cut == 0);
  CHECK(soon([&] { return running.has_ended(); }));
}

TEST_CASE("many connections at rest cost little") {
  ServerOptions options;
  options.max_connections = 4000;
  options.idle_timeout = 60s;
  Running running(options);
  const auto resident = [] {
    long pages = 0;
    FILE* file = std::fopen("/proc/self/statm", "r");
    REQUIRE(std::fscanf(file, "%*d %ld", &pages) == 1);
    std::fclose(file);
    return pages * ::sysconf(_SC_PAGESIZE);
  };
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const int count = static_cast<int>(std::min<rlim_t>(3000, (limit.rlim_cur - 200) / 2));
  const long before = resident();
  std::vector<Client> clients;
  clients.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) clients.emplace_back(running.port());
  for (auto& client : clients) client.send(head_of("GET", "/a"));
  for (auto& client : clients) REQUIRE(client.read_answer().status == 200);
  CHECK(running.server().counts().connections == count);
#ifdef __SANITIZE_ADDRESS__
  constexpr long kMostBytes = 50'000;
#else
  constexpr long kMostBytes = 10'000;  // of the client, too; both together take 2,000
#endif
  CHECK((resident() - before) / count < kMostBytes);
}

TEST_CASE("errors are JSON, whatever is in them") {
  CHECK(error_json("CODE", "a \"b\"") == "{\"error\":{\"code\":\"CODE\",\"message\":\"a \\\"b\\\"\"}}\n");
  CHECK(error_json("CODE", "\xFF", "/a", "try") ==
        "{\"error\":{\"code\":\"CODE\",\"message\":\"\xEF\xBF\xBD\",\"field\":\"/a\",\"hint\":\"try\"}}\n");
}

}  // namespace
}  // namespace amae::http

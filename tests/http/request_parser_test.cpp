#include "http/request_parser.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

namespace amae::http {
namespace {

using State = RequestParser::State;

constexpr size_t kMostBytesOfAllSplits = 2000;

/// What came of some bytes, as one text: what differs, differs in it.
struct Outcome {
  State state = State::head;
  int status = 0;  // 0: not refused
  std::string code, message;
  Request request;
  bool keeps_alive = false, expects_continue = false, is_http_1_0 = false, is_head_request = false;
  size_t taken = 0;  // of a complete request

  [[nodiscard]] std::string text() const {
    std::string all = std::to_string(static_cast<int>(state)) + " " + std::to_string(status) + " " + code + " " +
                      message + " " + std::to_string(taken) + " " + std::to_string(keeps_alive) + request.method +
                      request.path;
    for (const auto& [key, value] : request.query) all += "?" + key + "=" + value;
    for (const auto& [key, value] : request.headers) all += "\n" + key + ": " + value;
    return all + "\n\n" + request.body;
  }
};

/// Feeds `bytes` in parts that end at `cuts`.
Outcome fed(const std::string& bytes, const std::vector<size_t>& cuts, const ParserLimits& limits) {
  RequestParser parser(limits);
  Outcome outcome;
  size_t begin = 0;
  for (const size_t end : cuts) {
    std::string_view part = std::string_view(bytes).substr(begin, end - begin);
    begin = end;
    for (;;) {
      const size_t taken = parser.feed(part);
      outcome.taken += taken;
      part.remove_prefix(taken);
      if (parser.state() != State::head_ready) break;
      parser.read_body();
    }
  }
  outcome.state = parser.state();
  outcome.keeps_alive = parser.keeps_alive();
  outcome.expects_continue = parser.expects_continue();
  outcome.is_http_1_0 = parser.is_http_1_0();
  outcome.is_head_request = parser.is_head_request();
  if (outcome.state == State::refused) {
    outcome.status = parser.refusal().status;
    outcome.code = parser.refusal().code;
    outcome.message = parser.refusal().message;
    outcome.taken = 0;
  }
  if (outcome.state == State::complete) outcome.request = parser.take();
  return outcome;
}

/// What comes of `bytes`, which is the same however they arrive.
Outcome parsed(const std::string& bytes, const ParserLimits& limits = {}) {
  const Outcome whole = fed(bytes, {bytes.size()}, limits);
  const std::string text = whole.text();
  std::vector<size_t> each;
  for (size_t i = 1; i <= bytes.size(); ++i) each.push_back(i);
  CHECK(fed(bytes, each, limits).text() == text);
  if (bytes.size() > kMostBytesOfAllSplits) return whole;
  for (const size_t cut : each) {
    if (fed(bytes, {cut, bytes.size()}, limits).text() != text) {
      INFO("cut at " << cut);
      CHECK(fed(bytes, {cut, bytes.size()}, limits).text() == text);
    }
  }
  return whole;
}

Outcome with_headers(const std::string& headers, const std::string& body = "", const ParserLimits& limits = {}) {
  return parsed("POST /v1/predict HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body, limits);
}

Outcome chunked(const std::string& body, const ParserLimits& limits = {}) {
  return with_headers("Transfer-Encoding: chunked\r\n", body, limits);
}

Outcome with_target(const std::string& target) { return parsed("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"); }

TEST_CASE("a request is taken apart") {
  const Outcome outcome = parsed(
      "POST /v1/search?k=3&where=fold%3D1&where=label!%3Ddog+cat&flag HTTP/1.1\r\nHost: a:80\r\n"
      "Content-Type:  Audio/WAV ; rate=3\t\r\nX-Empty:\r\nCONTENT-LENGTH: 5\r\n\r\nhello");
  REQUIRE(outcome.state == State::complete);
  const Request& request = outcome.request;
  CHECK(request.method == "POST");
  CHECK(request.path == "/v1/search");
  CHECK(request.query == std::vector<std::pair<std::string, std::string>>{
                             {"k", "3"}, {"where", "fold=1"}, {"where", "label!=dog cat"}, {"flag", ""}});
  CHECK(request.header("host") == "a:80");
  CHECK(request.header("x-empty").empty());
  CHECK(request.header("absent").empty());
  CHECK(request.content_type() == "audio/wav");
  CHECK(request.body == "hello");
  CHECK(outcome.keeps_alive);
  CHECK_FALSE(outcome.is_http_1_0);
}

TEST_CASE("a parser stops at the end of the head and at the end of the request") {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
  RequestParser parser({});
  CHECK(parser.feed(head + "abcGET") == head.size());
  REQUIRE(parser.state() == State::head_ready);
  CHECK(parser.head().path == "/");
  CHECK(parser.content_length() == 3U);
  CHECK(parser.feed("abc") == 0);
  parser.read_body();
  CHECK(parser.state() == State::body);
  CHECK(parser.feed("abcGET") == 3);
  CHECK(parser.state() == State::complete);
  CHECK(parser.feed("GET") == 0);
  CHECK(parser.take().body == "abc");
}

TEST_CASE("a request without a body is complete with its head") {
  CHECK(parsed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").state == State::complete);
  CHECK(parsed("POST / HTTP/1.1\r\nHost: a\r\n\r\nrest").state == State::complete);
  CHECK(parsed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").state == State::complete);
  CHECK(parsed("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").state == State::complete);
  CHECK(parsed("GET / HTTP/1.1\r\nHost: a\r\n").state == State::head);
  CHECK(parsed("").state == State::head);
}

TEST_CASE("HEAD comes as GET") {
  const Outcome outcome = parsed("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(outcome.is_head_request);
  CHECK(outcome.request.method == "GET");
}

TEST_CASE("a connection lives on as version and Connection say") {
  CHECK(with_headers("").keeps_alive);
  CHECK_FALSE(with_headers("Connection: close\r\n").keeps_alive);
  CHECK_FALSE(with_headers("Connection: x, Close\r\n").keeps_alive);
  CHECK_FALSE(parsed("GET / HTTP/1.0\r\n\r\n").keeps_alive);
  CHECK(parsed("GET / HTTP/1.0\r\n\r\n").is_http_1_0);
  CHECK(parsed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keeps_alive);
}

TEST_CASE("a body over the limit is refused before it comes") {
  const ParserLimits limits{.body_bytes = 10};
  CHECK(with_headers("Content-Length: 10\r\n", "0123456789", limits).state == State::complete);
  CHECK(with_headers("Content-Length: 11\r\n", "", limits).status == 413);
  CHECK(with_headers("Content-Length: 11\r\n", "", limits).code == "SIZE");
  CHECK(with_headers("Content-Length: 1000000000000\r\n").status == 413);
  CHECK(with_headers("Content-Length: 18446744073709551615\r\n").status == 413);
  CHECK(chunked("a\r\n0123456789\r\n0\r\n\r\n", limits).state == State::complete);
  CHECK(chunked("b\r\n", limits).status == 413);
  CHECK(chunked("8\r\n01234567\r\n3\r\n", limits).status == 413);
  CHECK(chunked("8\r\n01234567\r\nfffffffffffffff9\r\n", limits).status == 413);  // would wrap around
}

TEST_CASE("a body has one length") {
  CHECK(with_headers("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n").status == 400);
  CHECK(with_headers("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n").status == 400);
  CHECK(with_headers("Transfer-Encoding: gzip\r\nContent-Length: 1\r\n").status == 400);
  CHECK(with_headers("Content-Length: 1\r\nContent-Length: 1\r\n", "a").status == 400);
  CHECK(with_headers("Content-Length: 1\r\nContent-Length: 2\r\n", "a").status == 400);
  for (const char* length : {"", "1, 1", "+1", "-1", "0x1", "1 1", "1;", "1.0", "\xB2", "18446744073709551616"}) {
    INFO(length);
    CHECK(with_headers("Content-Length: " + std::string(length) + "\r\n", "a").status == 400);
  }
  CHECK(with_headers("Content-Length: 0001\r\n", "a").state == State::complete);
}

TEST_CASE("only chunked is a transfer coding") {
  CHECK(with_headers("Transfer-Encoding: Chunked\r\n", "0\r\n\r\n").state == State::complete);
  for (const char* coding : {"gzip, chunked", "gzip", "identity", "xchunked", "chunked, gzip", "chunked;a=b"}) {
    INFO(coding);
    CHECK(with_headers("Transfer-Encoding: " + std::string(coding) + "\r\n", "0\r\n\r\n").status == 501);
  }
  CHECK(with_headers("Transfer-Encoding:\r\n").status == 400);
  CHECK(with_headers("Transfer-Encoding: chunked, chunked\r\n").status == 400);
  CHECK(with_headers("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n").status == 400);
  CHECK(parsed("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status == 400);
}

TEST_CASE("chunks become a body, and their trailers nothing") {
  const Outcome outcome = chunked(
      "5;a=\"b\"\r\nhello\r\n00001 ;x\r\n \r\nA\r\n0123456789\r\n0;end\r\nContent-Length: 3\r\n"
      "X: y\r\n\r\n");
  REQUIRE(outcome.state == State::complete);
  CHECK(outcome.request.body == "hello 0123456789");
  CHECK(outcome.request.header("x").empty());
  CHECK(outcome.request.header("content-length").empty());
}

TEST_CASE("what is no chunk is refused") {
  const std::vector<std::string> bad = {"\r\n",
                                        "g\r\n",
                                        "-1\r\n",
                                        "0x5\r\n",
                                        " 5\r\n",
                                        "5 \r\nhello",
                                        "5\nhello",
                                        "5\rhello",
                                        "5,\r\n",
                                        "5\r\nhellox",
                                        "5\r\nhello\n",
                                        "5\r\nhello\rx",
                                        "5;\x01\r\n",
                                        "5;\n",
                                        "00000000000000005\r\n",
                                        "0\r\n: a\r\n",
                                        "0\r\n a: b\r\n",
                                        "0\r\na b: c",
                                        "0\r\na: \x01\r\n",
                                        "0\r\na\r\n",
                                        "0\r\na: b\n\n",
                                        "0\r\n\rx"};
  for (const auto& body : bad) {
    INFO(body);
    CHECK(chunked(body).status == 400);
  }
  CHECK(chunked(std::string("5;\0", 3)).status == 400);
  CHECK(chunked("1;" + std::string(1100, 'a')).status == 400);
  CHECK(chunked("0\r\na: " + std::string(8200, 'a')).status == 431);
}

TEST_CASE("a flood of tiny chunks is refused, as many larger ones are not") {
  std::string tiny, larger;
  for (int i = 0; i < 4100; ++i) {
    tiny += "1\r\na\r\n";
    larger += "40\r\n" + std::string(64, 'a') + "\r\n";
  }
  const ParserLimits limits{.body_bytes = 1U << 20U};
  CHECK(fed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + tiny, {100, 1000, 30'000}, limits)
            .status == 400);
  CHECK(chunked(tiny, limits).status == 400);
  CHECK(chunked(larger + "0\r\n\r\n", limits).state == State::complete);
  CHECK(chunked(tiny.substr(0, 4000 * 6) + "0\r\n\r\n", limits).state == State::complete);
}

TEST_CASE("a content coding is refused, because nothing decompresses it") {
  CHECK(with_headers("Content-Encoding: gzip\r\n").status == 415);
  CHECK(with_headers("Content-Encoding: identity\r\nContent-Encoding: br\r\n").status == 415);
  CHECK(with_headers("Content-Encoding: gzip\r\n").code == "TYPE");
  CHECK(with_headers("Content-Encoding: Identity\r\n").state == State::complete);
}

TEST_CASE("heads are limited, as a whole and in their parts") {
  const ParserLimits limits{.header_bytes = 200, .target_bytes = 50};
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  const std::string fits = start + "X: " + std::string(200 - start.size() - 7, 'a') + "\r\n\r\n";
  REQUIRE(fits.size() == 200);
  CHECK(parsed(fits, limits).state == State::complete);
  CHECK(parsed(start + "X: " + std::string(200 - start.size() - 6, 'a') + "\r\n\r\n", limits).status == 431);
  CHECK(parsed(start + "X: " + std::string(500, 'a'), limits).status == 431);
  CHECK(parsed("GET /" + std::string(49, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", limits).state == State::complete);
  CHECK(parsed("GET /" + std::string(50, 'a'), limits).status == 414);
  CHECK(parsed("GET /" + std::string(300, 'a'), {.header_bytes = 200}).status == 414);
  CHECK(parsed("GET /" + std::string(100'000, 'a')).status == 414);
  CHECK(with_headers("X: " + std::string(100'000, 'a') + "\r\n").status == 431);
  CHECK(parsed(std::string(100, 'G'), limits).status == 400);
  std::string many;
  for (int i = 0; i < 127; ++i) many += "X: y\r\n";
  CHECK(with_headers(many).state == State::complete);
  CHECK(with_headers(many + "X: y\r\n").status == 431);
}

TEST_CASE("control characters are refused where they stand") {
  for (const char control : {'\0', '\x01', '\x0B', '\x1B', '\x7F', '\n'}) {
    INFO(static_cast<int>(control));
    const std::string c(1, control);
    CHECK(parsed("GET /" + c).status == 400);
    CHECK(parsed("G" + c).status == 400);
    CHECK(parsed("GET / HTTP/1.1\r\nX" + c + ": y").status == 400);
    CHECK(with_headers("X: " + c).status == 400);
  }
  CHECK(parsed("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n").status == 400);
  CHECK(parsed("GET / HTTP/1.1\rHost").status == 400);
  CHECK(parsed("GET /\xC3\xA9 HTTP/1.1\r\n").status == 400);
  CHECK(with_headers("X: a\tb\xC3\xA9\r\n").state == State::complete);
}

TEST_CASE("what is no request line or header is refused") {
  for (const char* head :
       {" GET / HTTP/1.1\r\n", "GET  / HTTP/1.1\r\n", "GET / HTTP/1.1 \r\n", "GET /\r\n", "GET / \r\n",
        "GET / http/1.1\r\n", "GET / HTTP/11\r\n", "GET / FTP/1.1\r\n", "GET / a HTTP/1.1\r\n", "GET\t/ HTTP/1.1\r\n",
        "GE(T / HTTP/1.1\r\n", "\r\n\r\nGET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\n: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX y: z\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: (\r\n\r\n"}) {
    INFO(head);
    CHECK(parsed(head).status == 400);
    CHECK(parsed(head).code == "REQUEST");
  }
}

TEST_CASE("other versions are named") {
  for (const char* version : {"HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0"}) {
    const Outcome outcome = parsed("GET / " + std::string(version) + "\r\n");
    CHECK(outcome.status == 505);
    CHECK(outcome.message.find(version) != std::string::npos);
  }
  CHECK(parsed("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").status == 505);
}

TEST_CASE("a TLS handshake is told from noise") {
  const Outcome outcome = parsed("\x16\x03\x01\x02");
  CHECK(outcome.status == 400);
  CHECK(outcome.message.find("TLS") != std::string::npos);
}

TEST_CASE("a target is decoded once, or refused") {
  CHECK(with_target("/a%20b%2Fc%25+%C3%A9").request.path == "/a b/c%+\xC3\xA9");
  CHECK(with_target("/a%2e%2e/%5c\\//").request.path == "/a../\\\\//");
  CHECK(with_target("/%2541").request.path == "/%41");
  CHECK(with_target("/?").request.query.empty());
  CHECK(with_target("/?a=b=c&&=d&%26=%3D").request.query ==
        std::vector<std::pair<std::string, std::string>>{{"a", "b=c"}, {"", "d"}, {"&", "="}});
  for (const char* target :
       {"/%", "/%4", "/%4g", "/%g4",       "/%00",    "/?a=%",     "/?a=%00",     "/?%00",    "/%0a", "/%7f",
        "*",  "a",   "a:80", "https://a/", "http://", "http:///x", "http://u@a/", "ftp://a/", "/#a",  "?a"}) {
    INFO(target);
    CHECK(with_target(target).status == 400);
  }
  CHECK(parsed("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status == 400);
  CHECK(parsed("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n").status == 400);
}

TEST_CASE("an absolute target rules over the Host header") {
  const Outcome outcome = with_target("HTTP://evil:81/v1/model?x=1");
  REQUIRE(outcome.state == State::complete);
  CHECK(outcome.request.path == "/v1/model");
  CHECK(outcome.request.header("host") == "evil:81");
  CHECK(with_target("http://a").request.path == "/");
  CHECK(with_target("http://a?x=1").request.path == "/");
  CHECK(with_target("http://a?x=1").request.query.size() == 1);
}

TEST_CASE("there is one host") {
  CHECK(parsed("GET / HTTP/1.1\r\nX: y\r\n\r\n").status == 400);
  CHECK(parsed("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n").status == 400);
  CHECK(parsed("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n").status == 400);
  for (const char* host : {"a b", "a/b", "a@b", "a,b", "a?b", "a\\b", "\xC3\xA9"}) {
    INFO(host);
    CHECK(parsed("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n").status == 400);
  }
  CHECK(parsed("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n").state == State::complete);
}

TEST_CASE("100-continue is all that may be expected") {
  CHECK(with_headers("Expect: 100-Continue\r\nContent-Length: 1\r\n", "a").expects_continue);
  CHECK_FALSE(with_headers("Content-Length: 1\r\n", "a").expects_continue);
  CHECK_FALSE(parsed("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expects_continue);
  CHECK(with_headers("Expect: a miracle\r\n").status == 417);
  CHECK(with_headers("Expect: 100-continue\r\nExpect: 100-continue\r\n").status == 417);
}

}  // namespace
}  // namespace amae::http

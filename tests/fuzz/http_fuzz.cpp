// Requests of one connection: what is read does not depend on how the bytes are cut on their way, holds what the rest
// of amae relies on, and stays within the limits. The first line of the input gives the lengths of pieces.
#include <algorithm>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "http/message.h"
#include "http/request_parser.h"
#include "http/server.h"
#include "target.h"

namespace {

using amae::fuzz::require;
using amae::http::Request;
using amae::http::RequestParser;
using State = RequestParser::State;

constexpr amae::http::ParserLimits kLimits = {.body_bytes = 1'000, .header_bytes = 2'000, .target_bytes = 300};

/// What one request came to.
struct Outcome {
  State state = State::head;
  std::string method, path, body;
  std::vector<std::pair<std::string, std::string>> query, headers;
  bool is_head_request = false, is_http_1_0 = false, keeps_alive = false, expects_continue = false;
  std::optional<uint64_t> content_length;
  int status = 0;  // of a refusal
  std::string code, message;
  size_t body_bytes = 0;

  bool operator==(const Outcome&) const = default;
};

bool has_control(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7F; });
}

void check_request(const Request& request, const std::optional<uint64_t>& length) {
  require(!request.method.empty() && !has_control(request.method), "a method is there");
  require(request.path.starts_with('/') && !has_control(request.path), "a path begins with / and has no controls");
  size_t hosts = 0, lengths = 0, codings = 0;
  for (const auto& [name, value] : request.headers) {
    require(!name.empty() && !has_control(name) && !has_control(value), "a header has a name and no controls");
    require(
        std::none_of(name.begin(), name.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == ':' || c == ' '; }),
        "a header's name is in lower case");
    hosts += name == "host" ? 1 : 0;
    lengths += name == "content-length" ? 1 : 0;
    codings += name == "transfer-encoding" ? 1 : 0;
  }
  require(hosts <= 1 && lengths + codings <= 1, "there is one host and one framing");
  require(length ? request.body.size() == *length : codings == 1, "the body is as long as it was announced");
  require(request.content_type().find(';') == std::string::npos, "a media type has no parameters");
}

/// All requests of `bytes`, whose pieces are as long as `next_length` says; the last outcome may be half of one.
std::vector<Outcome> read(std::string_view bytes, const std::function<size_t()>& next_length) {
  std::vector<Outcome> outcomes;
  bool goes_on = true;
  while (goes_on) {
    auto parser = std::make_unique<RequestParser>(kLimits);
    Outcome& outcome = outcomes.emplace_back();
    while (!bytes.empty() || parser->state() == State::head_ready) {
      if (parser->state() == State::head_ready) {
        outcome.is_head_request = parser->is_head_request();
        outcome.is_http_1_0 = parser->is_http_1_0();
        outcome.keeps_alive = parser->keeps_alive();
        outcome.expects_continue = parser->expects_continue();
        outcome.content_length = parser->content_length();
        parser->read_body();
        continue;
      }
      if (parser->state() != State::head && parser->state() != State::body) break;
      std::string_view piece = bytes.substr(0, next_length());
      const size_t size = piece.size();
      const std::string copy(piece);  // so that the sanitizer sees a look behind the piece
      const size_t taken = parser->feed(copy);
      require(taken <= size, "no more is taken than was given");
      const bool ends = parser->state() != State::head && parser->state() != State::body;
      require(taken == size || ends, "all is taken until head or body end");
      require(parser->body_bytes() <= kLimits.body_bytes, "the body stays within its limit");
      bytes.remove_prefix(taken);
    }
    outcome.state = parser->state();
    outcome.body_bytes = parser->body_bytes();
    if (outcome.state == State::refused) {
      const amae::http::Refusal& refusal = parser->refusal();
      outcome.status = refusal.status;
      outcome.code = refusal.code;
      outcome.message = refusal.message;
      require(refusal.status >= 400 && refusal.status < 600 && !refusal.message.empty(), "a refusal says why");
      require(nlohmann::json::accept(amae::http::error_json(refusal.code, refusal.message)), "an error is JSON");
    }
    goes_on = outcome.state == State::complete && outcome.keeps_alive && !bytes.empty();
    if (outcome.state != State::complete) continue;
    Request request = parser->take();
    check_request(request, outcome.content_length);
    outcome.method = request.method;
    outcome.path = request.path;
    outcome.query = request.query;
    outcome.headers = request.headers;
    outcome.body = request.body;
  }
  return outcomes;
}

}  // namespace

AMAE_FUZZ_TARGET(http)(const uint8_t* data, size_t size) {
  const std::string_view input = amae::fuzz::text_of(data, size);
  const std::string_view lengths = input.substr(0, input.find('\n'));
  const std::string_view bytes = input.substr(std::min(lengths.size() + 1, size));
  size_t at = 0;
  const auto next_length = [&]() -> size_t {
    return lengths.empty() ? 7 : static_cast<unsigned char>(lengths[at++ % lengths.size()]) % 64 + 1;
  };
  const std::vector<Outcome> whole = read(bytes, [&] { return bytes.size(); });
  require(whole == read(bytes, [] { return size_t{1}; }), "byte by byte the same is read");
  require(whole == read(bytes, next_length), "in pieces the same is read");
  require(nlohmann::json::accept(amae::http::error_json("X", std::string(bytes), std::string(lengths))),
          "any text in an error makes JSON");
  return 0;
}

#include "http/request_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>
#include <limits>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "http/characters.h"
#include "http/target.h"

namespace amae::http {
namespace {

constexpr size_t kFirstBodyBytes = size_t{1} << 20U;  // what a client may make us set aside by announcing it

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

uint64_t parse_length(std::string_view text) {
  uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size()) refuse("got a bad Content-Length, expected a number");
  return length;
}

bool is_host(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_visible(c) && std::string_view("/\\?#@,\"<>^`{|}").find(c) == std::string_view::npos;
  });
}

}  // namespace

size_t RequestParser::feed(std::string_view bytes) {
  try {
    if (state_ == State::body) return feed_body(bytes);
    if (state_ != State::head) return 0;
    const size_t taken = scanner_.feed(bytes);
    if (scanner_.is_done()) {
      read_head();
      state_ = State::head_ready;
    }
    return taken;
  } catch (Refusal& refusal) {
    refusal_ = std::move(refusal);
    state_ = State::refused;
    request_ = {};
    return bytes.size();
  }
}

void RequestParser::read_head() {
  namespace beast = boost::beast::http;
  const std::string& head = scanner_.head();
  is_head_request_ = head.starts_with("HEAD ");
  beast::request_parser<beast::empty_body> parser;
  parser.skip(true);  // the body is read here
  parser.header_limit(std::numeric_limits<uint32_t>::max());
  boost::system::error_code error;
  parser.put(boost::asio::buffer(head), error);
  if (error) refuse(fmt::format("got a head that is no HTTP: {}", error.message()));
  if (!parser.is_done()) refuse("got a head that is no HTTP");

  Target target = parse_target(scanner_.target());
  request_.method = is_head_request_ ? "GET" : std::string(parser.get().method_string());
  request_.path = std::move(target.path);
  request_.query = std::move(target.query);
  for (const auto& field : parser.get()) request_.headers.emplace_back(lowered(field.name_string()), field.value());
  is_http_1_0_ = parser.get().version() == 10;
  keeps_alive_ = parser.keep_alive();
  read_host(target.authority);
  read_framing();
  read_expectation();
}

size_t RequestParser::count(std::string_view name) const {
  return static_cast<size_t>(std::count_if(request_.headers.begin(), request_.headers.end(),
                                           [&](const auto& header) { return header.first == name; }));
}

void RequestParser::read_host(const std::string& authority) {
  const size_t hosts = count("host");
  if (hosts > 1 || (hosts == 0 && !is_http_1_0_)) refuse(fmt::format("got {} Host headers, expected one", hosts));
  if (!is_host(request_.header("host")) || !is_host(authority)) refuse("got a bad host, expected HOST or HOST:PORT");
  if (authority.empty()) return;
  // An absolute target rules over the header (RFC 9112, 3.2.2), also for who checks the header.
  std::erase_if(request_.headers, [](const auto& header) { return header.first == "host"; });
  request_.headers.emplace_back("host", authority);
}

void RequestParser::read_framing() {
  const size_t lengths = count("content-length"), codings = count("transfer-encoding");
  if (lengths > 0 && codings > 0) refuse("got Content-Length and Transfer-Encoding, expected one of them");
  if (lengths > 1) refuse("got more than one Content-Length, expected one");
  if (codings > 1) refuse("got more than one Transfer-Encoding, expected one");
  if (codings == 1) {
    if (is_http_1_0_) refuse("got Transfer-Encoding with HTTP/1.0, expected Content-Length");
    const std::string coding = lowered(request_.header("transfer-encoding"));
    if (coding.empty() || coding == "chunked, chunked") refuse("got a bad Transfer-Encoding, expected chunked");
    if (coding != "chunked") refuse(501, "REQUEST", "got an unknown Transfer-Encoding, expected chunked");
    content_length_.reset();
  } else if (lengths == 1) {
    content_length_ = parse_length(request_.header("content-length"));
  }
  for (const auto& [name, value] : request_.headers) {
    if (name == "content-encoding" && !value.empty() && lowered(value) != "identity")
      refuse(415, "TYPE", "got a Content-Encoding, expected plain content");
  }
  if (content_length_.value_or(0) > limits_.body_bytes) {
    refuse(
        413, "SIZE",
        fmt::format("got a body over {}, expected a smaller one", bytes_text(static_cast<double>(limits_.body_bytes))));
  }
}

void RequestParser::read_expectation() {
  if (count("expect") == 0) return;
  if (count("expect") > 1 || lowered(request_.header("expect")) != "100-continue")
    refuse(417, "REQUEST", "got an unknown Expect, expected 100-continue");
  expects_continue_ = !is_http_1_0_;  // RFC 9110, 10.1.1
}

void RequestParser::read_body() {
  if (state_ != State::head_ready) return;
  if (content_length_)
    request_.body.reserve(static_cast<size_t>(std::min<uint64_t>(*content_length_, kFirstBodyBytes)));
  state_ = content_length_ == 0U ? State::complete : State::body;
}

size_t RequestParser::feed_body(std::string_view bytes) {
  if (!content_length_) {
    const size_t taken = chunks_.feed(bytes, request_.body);
    if (chunks_.is_done()) state_ = State::complete;
    return taken;
  }
  const std::string_view part = bytes.substr(0, static_cast<size_t>(*content_length_) - request_.body.size());
  request_.body.append(part);
  if (request_.body.size() == *content_length_) state_ = State::complete;
  return part.size();
}

}  // namespace amae::http

#include "http/answer_head.h"

#include <fmt/format.h>

#include <iterator>

#include "http/characters.h"

namespace amae::http {
namespace {

// Source: RFC 9110, section 15; RFC 6585.
const char* reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

void add(std::string& head, const std::string& name, const std::string& value) {
  head += name;
  head += ": ";
  for (const char c : value) head += is_value_character(c) ? c : ' ';  // a line end would begin another header
  head += "\r\n";
}

}  // namespace

std::string answer_head(const Response& response, Framing framing, bool keeps_alive) {
  std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\nServer: amae\r\nX-Content-Type-Options: nosniff\r\n"
      "Cross-Origin-Resource-Policy: same-origin\r\n",
      response.status, reason_of(response.status));
  if (!response.type.empty()) add(head, "Content-Type", response.type);
  if (framing == Framing::chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (framing == Framing::length && response.status != 204 && response.status != 304) {
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", response.body.size());
  }
  // The word matters to clients of HTTP/1.0, where closing is the rule.
  head += keeps_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
  for (const auto& [name, value] : response.headers) add(head, name, value);
  return head + "\r\n";
}

}  // namespace amae::http

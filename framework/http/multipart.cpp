#include "http/multipart.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "http/bad_request.h"
#include "http/characters.h"

namespace amae::http {
namespace {

constexpr size_t kMaxBoundaryBytes = 70;
constexpr size_t kMaxParameters = 16;  // of a header

bool is_space(char c) { return c == ' ' || c == '\t'; }

std::string lower_text(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

/// Source: RFC 2046, section 5.1.1, bcharsnospace. Without quotes some writers use more than the letters of a token.
bool is_boundary_char(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
         (c != '\0' && std::string_view("'()+_,-./:=?").find(c) != std::string_view::npos);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// `form-data; name="audio"; filename="a.wav"`: a word and parameters.
class HeaderValue {
 public:
  /// `what` names the header in messages.
  HeaderValue(std::string_view text, std::string what) : rest_(trimmed(text)), what_(std::move(what)) {
    const size_t end = rest_.find(';');
    word_ = lower_text(trimmed(rest_.substr(0, end)));
    rest_.remove_prefix(std::min(end, rest_.size()));
    while (!rest_.empty()) read_parameter();
  }

  [[nodiscard]] const std::string& word() const { return word_; }  ///< in lower case
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const {
    for (const auto& [own_name, value] : parameters_) {
      if (own_name == name) return value;
    }
    return std::nullopt;
  }

 private:
  [[noreturn]] void refuse(const std::string& message) const { throw BadRequest("", message + " in " + what_); }

  void read_parameter() {
    rest_.remove_prefix(1);  // the semicolon
    rest_ = trimmed(rest_);
    if (rest_.empty() || rest_.front() == ';') return;  // some writers end with one
    const auto end =
        static_cast<size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_token_character) - rest_.begin());
    std::string name = lower_text(rest_.substr(0, end));
    if (name.empty() || end == rest_.size() || rest_[end] != '=')
      refuse("got " + shown(rest_) + ", expected a parameter NAME=VALUE");
    rest_.remove_prefix(end + 1);
    if (parameter(name)) refuse("got " + shown(name) + " twice, expected it once");
    if (parameters_.size() == kMaxParameters)
      refuse("got more than " + std::to_string(kMaxParameters) + " parameters, expected at most as many");
    parameters_.emplace_back(std::move(name), rest_.starts_with('"') ? quoted() : plain());
    rest_ = trimmed(rest_);
    if (!rest_.empty() && rest_.front() != ';') refuse("got " + shown(rest_) + ", expected a semicolon");
  }

  std::string plain() {
    const size_t end = std::min(rest_.find_first_of("; \t"), rest_.size());
    std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return value;
  }

  /// A backslash is an escape only before a quote or another one: browsers of old send paths of Windows as they are.
  std::string quoted() {
    std::string value;
    size_t at = 1;
    for (; at < rest_.size() && rest_[at] != '"'; ++at) {
      if (rest_[at] == '\\' && at + 1 < rest_.size() && (rest_[at + 1] == '"' || rest_[at + 1] == '\\')) ++at;
      value += rest_[at];
    }
    if (at >= rest_.size()) refuse("got no closing quote, expected one");
    rest_.remove_prefix(at + 1);
    return value;
  }

  std::string_view rest_;
  std::string what_;
  std::string word_;
  std::vector<std::pair<std::string, std::string>> parameters_;
};

std::string boundary_of(std::string_view content_type) {
  const HeaderValue value(content_type, "Content-Type");
  if (value.word() != "multipart/form-data")
    throw BadRequest::unsupported_type("got " + (value.word().empty() ? "no Content-Type" : shown(value.word())) +
                                       ", expected multipart/form-data");
  std::optional<std::string> boundary = value.parameter("boundary");
  if (!boundary) throw BadRequest("", "got no boundary in Content-Type, expected multipart/form-data; boundary=TEXT");
  const bool is_right =
      !boundary->empty() && boundary->size() <= kMaxBoundaryBytes && boundary->back() != ' ' &&
      std::all_of(boundary->begin(), boundary->end(), [](char c) { return c == ' ' || is_boundary_char(c); });
  if (!is_right)
    throw BadRequest("", "got " + (boundary->empty() ? "an empty text" : shown(*boundary)) +
                             " as boundary, expected 1 to 70 letters, digits or any of '()+_,-./:=?");
  return *std::move(boundary);
}

class MultipartReader {
 public:
  MultipartReader(const std::string& boundary, std::string_view body) : delimiter_("\r\n--" + boundary), body_(body) {}

  std::vector<Part> read() {
    at_ = first_delimiter();
    while (!take_delimiter()) {
      if (parts_.size() == kMaxParts)
        refuse("got more than " + std::to_string(kMaxParts) + " parts, expected at most as many", at_);
      const size_t begin = at_ + 2;  // the delimiter's line ended there
      const size_t end = find_delimiter(at_);
      if (end < begin) refuse("got a part without headers, expected Content-Disposition", at_);
      if (end == std::string_view::npos)
        refuse("got a part without the boundary behind it, expected the last one", at_);
      read_part(begin, body_.substr(begin, end - begin));
      at_ = end + delimiter_.size();
    }
    return std::move(parts_);
  }

 private:
  [[noreturn]] static void refuse(const std::string& message, size_t at) {
    throw BadRequest("", message + "; at byte " + std::to_string(at) + " of the body");
  }

  /// Linear, whatever the body: a try that fails has compared up to the next carriage return at most, since the
  /// delimiter has only the one that it begins with.
  [[nodiscard]] size_t find_delimiter(size_t from) const { return body_.find(delimiter_, from); }

  /// Behind it.
  [[nodiscard]] size_t first_delimiter() const {
    const std::string_view line = std::string_view(delimiter_).substr(2);  // at the beginning no line break is needed
    if (body_.starts_with(line)) return line.size();
    const size_t found = find_delimiter(0);
    if (found == std::string_view::npos)
      throw BadRequest("", "got a body without the line " + shown(line) + ", expected the boundary of Content-Type");
    if (found > kMaxAroundParts) refuse("got the first boundary late, expected it at the beginning", found);
    return found + delimiter_.size();
  }

  /// Of the last delimiter true. Stands on the line break else: that one may begin the next delimiter.
  bool take_delimiter() {
    const bool is_last = body_.substr(at_, 2) == "--";
    if (is_last) at_ += 2;
    while (at_ < body_.size() && is_space(body_[at_])) ++at_;
    if (is_last && at_ == body_.size()) return true;
    if (body_.substr(at_, 2) != "\r\n")
      refuse(at_ < body_.size() ? "got text behind a boundary, expected the end of the line"
                                : "got the end of the body, expected the last boundary and -- behind it",
             at_);
    if (is_last && body_.size() - at_ > kMaxAroundParts)
      refuse("got more text behind the last boundary, expected the end of the body", at_);
    return is_last;
  }

  void read_part(size_t begin, std::string_view text) {
    const size_t limit = kMaxPartHeaderBytes + 4;  // with the empty line
    const size_t end = text.substr(0, limit).find("\r\n\r\n");
    if (end == std::string_view::npos)
      refuse(text.size() < limit
                 ? "got a part without an empty line, expected one behind its headers"
                 : "got longer headers of a part, expected at most " + std::to_string(kMaxPartHeaderBytes) + " bytes",
             begin);
    Part part;
    part.body = text.substr(end + 4);
    std::vector<std::string> seen;
    for (size_t at = 0; at < end;) {
      const size_t line_end = std::min(text.find("\r\n", at), end);
      read_header(begin + at, text.substr(at, line_end - at), part, seen);
      at = line_end + 2;
    }
    if (std::find(seen.begin(), seen.end(), "content-disposition") == seen.end())
      refuse("got a part without Content-Disposition, expected form-data; name=\"...\"", begin);
    parts_.push_back(std::move(part));
  }

  static void read_header(size_t at, std::string_view line, Part& part, std::vector<std::string>& seen) {
    if (seen.size() == kMaxPartHeaders)
      refuse("got more headers of a part, expected at most " + std::to_string(kMaxPartHeaders), at);
    const size_t colon = line.find(':');
    std::string name = lower_text(line.substr(0, colon));
    if (colon == std::string_view::npos || name.empty() || !std::all_of(name.begin(), name.end(), is_token_character))
      refuse("got " + shown(line) + ", expected a header NAME: VALUE", at);
    if (const auto wrong = std::find_if_not(line.begin(), line.end(), is_value_character); wrong != line.end())
      refuse("got " + shown(std::string_view(wrong, 1)) + " in a header, expected text",
             at + static_cast<size_t>(wrong - line.begin()));
    const std::string_view value = trimmed(line.substr(colon + 1));
    const bool is_known =
        name == "content-disposition" || name == "content-type" || name == "content-transfer-encoding";
    if (is_known && std::find(seen.begin(), seen.end(), name) != seen.end())
      refuse("got " + name + " twice in a part, expected it once", at);
    if (name == "content-disposition") read_disposition(at, value, part);
    if (name == "content-type") part.type = value;
    if (name == "content-transfer-encoding") {  // of the days of mail, without meaning in HTTP
      const std::string encoding = lower_text(value);
      if (encoding != "binary" && encoding != "8bit" && encoding != "7bit")
        refuse("got Content-Transfer-Encoding " + shown(value) + ", expected none or binary", at);
    }
    seen.push_back(std::move(name));
  }

  static void read_disposition(size_t at, std::string_view text, Part& part) {
    const HeaderValue value(text, "Content-Disposition; at byte " + std::to_string(at) + " of the body");
    if (value.word() != "form-data")
      refuse("got Content-Disposition " + shown(value.word()) + ", expected form-data", at);
    const std::optional<std::string> name = value.parameter("name");
    if (!name) refuse("got a part without a name, expected form-data; name=\"...\"", at);
    part.name = *name;
    part.filename = value.parameter("filename").value_or("");
  }

  std::string delimiter_;  // with the line break before it, which belongs to no part
  std::string_view body_;
  size_t at_ = 0;
  std::vector<Part> parts_;
};

}  // namespace

std::vector<Part> parse_multipart(std::string_view content_type, std::string_view body) {
  return MultipartReader(boundary_of(content_type), body).read();
}

}  // namespace amae::http

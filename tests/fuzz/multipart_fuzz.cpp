// Forms, and the clips in them: up to the first line break the input is a Content-Type, what follows is the body. A
// form that is taken has parts within its body, in order, and is read the same when it is put together anew.
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "amae/error.h"
#include "http/clip_request.h"
#include "http/multipart.h"
#include "target.h"

namespace {

using amae::fuzz::require;
using amae::http::Part;

bool lies_within(std::string_view part, std::string_view whole) {
  return std::less_equal<>()(whole.data(), part.data()) &&
         std::less_equal<>()(part.data() + part.size(), whole.data() + whole.size());
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool occurs(const std::string& boundary, const std::vector<Part>& parts) {
  for (const Part& part : parts) {
    if (part.body.find(boundary) != std::string_view::npos) return true;
  }
  return false;
}

void check_parts(std::string_view body, const std::vector<Part>& parts) {
  require(parts.size() <= amae::http::kMaxParts, "the number of parts is limited");
  const char* end = body.data();
  for (const Part& part : parts) {
    require(lies_within(part.body, body), "a part lies within the body");
    require(!std::less<>()(part.body.data(), end), "parts follow each other");
    end = part.body.data() + part.body.size();
  }

  std::string boundary = "x";
  while (occurs(boundary, parts)) boundary += static_cast<char>('0' + boundary.size() % 10);
  if (boundary.size() > 70) return;
  std::string again;
  for (const Part& part : parts) {
    if (part.name.size() + part.filename.size() + part.type.size() > 3'000) return;  // with escapes it may be too long
    again += "--" + boundary + "\r\nContent-Disposition: form-data; name=" + quoted(part.name);
    if (!part.filename.empty()) again += "; filename=" + quoted(part.filename);
    if (!part.type.empty()) again += "\r\nContent-Type: " + part.type;
    again += "\r\n\r\n";
    again += part.body;
    again += "\r\n";
  }
  again += "--" + boundary + "--\r\n";
  const std::vector<Part> same = amae::http::parse_multipart("multipart/form-data; boundary=" + boundary, again);
  require(same.size() == parts.size(), "as many parts are read again");
  for (size_t i = 0; i < parts.size(); ++i) {
    require(same[i].name == parts[i].name && same[i].filename == parts[i].filename && same[i].type == parts[i].type &&
                same[i].body == parts[i].body,
            "the same parts are read again");
  }
}

void check_clip(const amae::http::ClipRequest& clip, size_t size) {
  require(!clip.bytes.empty() != clip.row.has_value(), "there is a clip or a row");
  require(clip.bytes.size() + clip.second.size() <= size, "no bytes are made up");
  require(clip.name.size() <= 4 * 64 && clip.name.find('/') == std::string::npos, "the name is short");
  require(clip.returns.size() <= 6 && clip.where.size() <= 32, "lists are limited");
  require(clip.top_k.value_or(1) >= 1 && clip.top_k.value_or(1) <= 1000, "top_k is in range");
  require(clip.mask_ratio.value_or(0.5) >= 0.05 && clip.mask_ratio.value_or(0.5) <= 0.95, "mask_ratio is in range");
}

}  // namespace

AMAE_FUZZ_TARGET(multipart)(const uint8_t* data, size_t size) {
  const std::string_view input = amae::fuzz::text_of(data, size);
  const std::string_view type = input.substr(0, input.find('\n'));
  const std::string_view body = input.substr(std::min(type.size() + 1, size));
  try {
    check_parts(body, amae::http::parse_multipart(type, body));
  } catch (const amae::Error&) {  // refused
  }
  try {
    amae::http::Request request = {.method = "POST", .path = "/v1/predict", .query = {}, .headers = {}, .body = {}};
    request.headers.emplace_back("content-type", type);
    request.body = body;
    const amae::http::ClipRules rules = {.options = {"top_k", "return", "mask_ratio", "k", "where"}, .row = true};
    check_clip(amae::http::read_clip_request(std::move(request), rules), body.size());
  } catch (const amae::Error& refused) {
    const amae::Problem& problem = refused.problems().at(0);
    require(problem.message.size() < 1'000 && problem.field.size() < 10'000, "messages are short");
    for (const char c : problem.message + problem.field)
      require(static_cast<unsigned char>(c) >= 0x20, "messages are one line");
  }
  return 0;
}

#include "http/target.h"

#include <algorithm>

#include "http/characters.h"
#include "http/refusal.h"

namespace amae::http {
namespace {

std::string decoded(std::string_view text, bool plus_is_blank) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += plus_is_blank && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) refuse("got a target with a bare %, expected two hexadecimal digits behind it");
    const char byte = static_cast<char>(high * 16 + low);
    if (byte == '\0') refuse("got a target with %00, expected none");
    result += byte;
    i += 2;
  }
  return result;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

/// Cuts the scheme and the authority off an absolute target.
std::string take_authority(std::string_view& text) {
  constexpr std::string_view kScheme = "http://";
  const bool is_absolute = text.size() > kScheme.size() && std::equal(kScheme.begin(), kScheme.end(), text.begin(),
                                                                      [](char a, char b) { return a == lower(b); });
  if (!is_absolute) refuse("got another target than a path, expected one that begins with /");
  text.remove_prefix(kScheme.size());
  std::string authority(text.substr(0, text.find_first_of("/?")));
  text.remove_prefix(authority.size());
  if (authority.empty() || authority.find_first_of("@,\\") != std::string::npos)
    refuse("got a target without a plain host, expected http://HOST/PATH");
  return authority;
}

}  // namespace

Target parse_target(std::string_view text) {
  if (text.find('#') != std::string_view::npos) refuse("got a target with a fragment, expected none");
  Target target;
  if (text.empty() || text.front() != '/') target.authority = take_authority(text);
  const auto mark = std::min(text.find('?'), text.size());
  target.path = decoded(text.substr(0, mark), false);
  if (std::any_of(target.path.begin(), target.path.end(), is_control))
    refuse("got a path with a control character, expected none");
  if (target.path.empty()) target.path = "/";  // http://host?query
  text.remove_prefix(std::min(mark + 1, text.size()));
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    target.query.emplace_back(decoded(pair.substr(0, equals), true),
                              decoded(pair.substr(std::min(equals + 1, pair.size())), true));
  }
  return target;
}

}  // namespace amae::http

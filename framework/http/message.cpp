#include "http/message.h"

#include <algorithm>
#include <cctype>

namespace amae::http {

const std::string& Request::header(const std::string& name) const {
  static const std::string none;
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& pair) { return pair.first == name; });
  return found == headers.end() ? none : found->second;
}

std::string Request::content_type() const {
  std::string type = header("content-type");
  type.resize(std::min(type.find(';'), type.size()));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  for (char& c : type) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return type;
}

}  // namespace amae::http

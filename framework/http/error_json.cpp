#include <nlohmann/json.hpp>

#include "http/server.h"

namespace amae::http {

std::string error_json(const std::string& code, const std::string& message, const std::string& field,
                       const std::string& hint) {
  nlohmann::ordered_json error = {{"code", code}, {"message", message}};
  if (!field.empty()) error["field"] = field;
  if (!hint.empty()) error["hint"] = hint;
  return nlohmann::ordered_json{{"error", error}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace amae::http

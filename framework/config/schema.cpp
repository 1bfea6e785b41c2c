#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "base/text.h"
#include "config/nesting.h"
#include "config/read.h"
#include "config/units.h"

namespace amae::config {
namespace {

using Json = nlohmann::ordered_json;

/// A bound as an integer where it is one, so that the schema says 100000 and not 100000.0.
Json bound_json(double bound) {
  constexpr double kPlainIntegers = 1e15;
  if (std::abs(bound) < kPlainIntegers && bound == std::trunc(bound)) return static_cast<int64_t>(bound);
  return bound;
}

Json number_schema(const Field& field, const char* type) {
  Json number{{"type", type}};
  if (std::isfinite(field.minimum)) number["minimum"] = bound_json(field.minimum);
  if (std::isfinite(field.maximum)) number["maximum"] = bound_json(field.maximum);
  std::vector<std::string> suffixes;
  for (const Suffix& suffix : suffixes_of(field.unit_name)) suffixes.emplace_back(suffix.text);
  if (suffixes.empty()) return number;
  std::string pattern = R"(^-?([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)? ?()";
  pattern += join(suffixes, "|") + ")$";
  return {{"anyOf", Json::array({number, Json{{"type", "string"}, {"pattern", pattern}}})}};
}

template <class Value>
Json type_schema(const Field& field) {
  if constexpr (std::is_same_v<Value, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::is_same_v<Value, int64_t>) {
    return number_schema(field, "integer");
  } else if constexpr (std::is_same_v<Value, double>) {
    return number_schema(field, "number");
  } else if constexpr (std::is_same_v<Value, std::string>) {
    Json text{{"type", "string"}};
    if (!field.allowed.empty()) text["enum"] = field.allowed;
    return text;
  } else if constexpr (std::is_same_v<Value, Component>) {
    return {{"$ref", "#/$defs/" + (field.component_kind.empty() ? "component" : field.component_kind)}};
  } else {  // a list; one scalar is a list of one
    const Json item = type_schema<typename Value::value_type>(field);
    return {{"anyOf", Json::array({Json{{"type", "array"}, {"items", item}}, item})}};
  }
}

/// False for what JSON has no word for: a default that is not finite, a component that is not set.
bool has_default(const Json& value) {
  if (!value.is_array()) return !value.is_null();
  for (const Json& item : value) {
    if (item.is_null()) return false;
  }
  return true;
}

Json field_schema(const Field& field) {
  Json schema = std::visit(
      [&](const auto* value) { return type_schema<std::remove_cv_t<std::remove_pointer_t<decltype(value)>>>(field); },
      field.value);
  std::string description = field.doc;
  if (!field.unit_name.empty()) description += " [" + field.unit_name + "]";
  schema["description"] = description;
  const Json value = value_json(field);
  if (!field.is_required && has_default(value)) schema["default"] = value;
  return schema;
}

/// An object of these keys; required when a key below it is and has no default section to fall back on.
Json object_schema(const std::vector<Nest>& nests) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Nest& nest : nests) {
    properties[nest.key] = nest.field != nullptr ? field_schema(*nest.field) : object_schema(nest.children);
    const bool is_required =
        nest.field != nullptr ? nest.field->is_required : properties[nest.key].contains("required");
    if (is_required) required.push_back(nest.key);
  }
  Json schema{{"type", "object"}, {"properties", properties}};
  if (!required.empty()) schema["required"] = required;
  schema["additionalProperties"] = false;
  return schema;
}

Json to_json(bool value) { return value; }
Json to_json(int64_t value) { return value; }
Json to_json(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
Json to_json(const std::string& value) { return value; }
Json to_json(const Component& value) { return value.name.empty() ? Json(nullptr) : Json(value.name); }

template <class Value>
Json to_json(const std::vector<Value>& values) {
  Json array = Json::array();
  for (const Value& value : values) array.push_back(to_json(value));
  return array;
}

}  // namespace

nlohmann::ordered_json json_schema(const Fields& fields) { return object_schema(nest(fields)); }

nlohmann::ordered_json value_json(const Field& field) {
  return std::visit([](const auto* value) { return to_json(*value); }, field.value);
}

}  // namespace amae::config

#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "base/text.h"
#include "config/emit.h"
#include "config/nesting.h"
#include "config/read.h"
#include "config/walk.h"

namespace amae::config {
namespace {

/// Origins of values as comments. `has_comments` stays on below places that the origin tree does not have.
struct Origin {
  const Node* node = nullptr;
  bool has_comments = false;

  [[nodiscard]] Origin child(const std::string& part) const {
    if (node == nullptr) return {nullptr, has_comments};
    if (node->kind == Node::Kind::scalar && (part == "name" || part == "0")) return *this;  // a bare component name
    return {child_of(*node, part).get(), has_comments};  // kept alive by its parent in the tree
  }
  [[nodiscard]] Origin item(size_t position) const {
    if (node == nullptr || node->kind != Node::Kind::list) return child(std::to_string(position));
    return {position < node->list.size() ? node->list[position].get() : nullptr, has_comments};
  }
  [[nodiscard]] std::string comment() const {
    if (!has_comments) return "";
    return node == nullptr ? "  # default" : "  # " + printable(node->mark.text());
  }
};

std::string value_text(bool value) { return value ? "true" : "false"; }
std::string value_text(int64_t value) { return std::to_string(value); }
std::string value_text(double value) { return number_text(value); }
std::string value_text(const std::string& value) { return yaml_text(value); }

template <class Value>
std::string value_text(const std::vector<Value>& values) {
  std::vector<std::string> words;
  for (const Value& value : values) words.push_back(value_text(value));
  std::string text = "[";
  text += join(words, ", ");
  return text + "]";
}

/// No YAML number says "not finite": such a default is left out, and reading keeps it.
template <class Value>
bool is_writable(const Value& /*value*/) {
  return true;
}
bool is_writable(double value) { return std::isfinite(value); }
bool is_writable(const std::vector<double>& values) {
  for (const double value : values) {
    if (!std::isfinite(value)) return false;
  }
  return true;
}

std::vector<std::string> fields_lines(const Fields& fields, const Origin& origin);

std::vector<std::string> component_lines(const Component& component, const Origin& origin) {
  std::vector<std::string> lines{"name: " + yaml_text(component.name) + origin.child("name").comment()};
  if (!component.id.empty() && component.id != component.name) {
    lines.push_back("id: " + yaml_text(component.id) + origin.child("id").comment());
  }
  std::vector<std::string> options;
  if (component.options != nullptr) {
    Fields fields;
    component.options->describe(fields);
    options = fields_lines(fields, origin);
  } else if (component.node != nullptr) {
    options = yaml_block(*component.node, {"name", "id"});
  }
  lines.insert(lines.end(), options.begin(), options.end());
  return lines;
}

template <class Value>
std::vector<std::string> entry_lines(const std::string& key, const Value& value, const Origin& origin) {
  if (!is_writable(value)) return {};
  return {key + ": " + value_text(value) + origin.comment()};
}

std::vector<std::string> entry_lines(const std::string& key, const Component& component, const Origin& origin) {
  if (component.name.empty()) return {key + ": ~" + origin.comment()};
  std::vector<std::string> lines{key + ":"};
  append_indented(lines, component_lines(component, origin));
  return lines;
}

std::vector<std::string> entry_lines(const std::string& key, const std::vector<Component>& components,
                                     const Origin& origin) {
  if (components.empty()) return {key + ": []" + origin.comment()};
  std::vector<std::string> lines{key + ":"};
  std::vector<std::string> items;
  for (size_t i = 0; i < components.size(); ++i) append_item(items, component_lines(components[i], origin.item(i)));
  append_indented(lines, items);
  return lines;
}

std::vector<std::string> nest_lines(const std::vector<Nest>& nests, const Origin& origin) {
  std::vector<std::string> lines;
  for (const Nest& nest : nests) {
    const std::string key = yaml_key(nest.key);
    const Origin below = origin.child(nest.key);
    std::vector<std::string> inner;
    if (nest.field != nullptr) {
      inner = std::visit([&](const auto* value) { return entry_lines(key, *value, below); }, nest.field->value);
      lines.insert(lines.end(), inner.begin(), inner.end());
      continue;
    }
    inner = nest_lines(nest.children, below);
    if (inner.empty()) continue;
    lines.push_back(key + ":");
    append_indented(lines, inner);
  }
  return lines;
}

std::vector<std::string> fields_lines(const Fields& fields, const Origin& origin) {
  return nest_lines(nest(fields), origin);
}

}  // namespace

std::string to_yaml(const Fields& fields, const Node* origins) {
  std::string text;
  for (const std::string& line : fields_lines(fields, {origins, origins != nullptr})) text += line + "\n";
  return text.empty() ? "{}\n" : text;
}

}  // namespace amae::config

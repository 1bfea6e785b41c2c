#include "config/read.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "config/scalar.h"
#include "config/walk.h"

namespace amae::config {
namespace {

/// One call of read_fields().
class Reader {
 public:
  Reader(const Fields& fields, const std::vector<std::string>& ignored, std::vector<Problem>& problems)
      : fields_(fields), ignored_(ignored), problems_(problems) {}

  /// Reads the map of the fields whose names begin with `prefix` ("" or "train."); `path` is where it stands.
  void read_map(const Node* node, const std::string& prefix, const std::string& path, const Mark& parent) {
    if (node != nullptr && node->kind != Node::Kind::map && node->kind != Node::Kind::null) {
      const Mark& mark = node->kind == Node::Kind::scalar || parent.source.empty() ? node->mark : parent;
      add("CFG-TYPE", mark, path, "got " + shown(*node) + ", expected a map");
      return;
    }
    std::set<std::string> given;
    if (node != nullptr) {
      for (const Entry& entry : node->map) {
        given.insert(entry.key);
        read_entry(entry, prefix, path);
      }
    }
    for (const std::string& key : keys_of(prefix)) {
      if (given.count(key) > 0) continue;
      if (const Field* field = field_of(prefix + key)) {
        if (field->is_required) add_missing(*field, join_path(path, key), parent);
      } else {
        read_map(nullptr, prefix + key + ".", join_path(path, key), parent);  // for what is required in there
      }
    }
  }

 private:
  void add(const char* code, const Mark& mark, const std::string& path, const std::string& message) {
    problems_.push_back({code, mark.text(), path, message});
  }
  void add_missing(const Field& field, const std::string& path, const Mark& mark) {
    add("CFG-MISSING", mark, path, "got no value, expected " + expected_text(field));
  }

  [[nodiscard]] const Field* field_of(const std::string& name) const {
    for (const Field& field : fields_.all()) {
      if (field.name == name) return &field;
    }
    return nullptr;
  }

  /// The keys that the map at `prefix` may hold, as declared.
  [[nodiscard]] std::vector<std::string> keys_of(const std::string& prefix) const {
    std::vector<std::string> keys;
    for (const Field& field : fields_.all()) {
      if (field.name.compare(0, prefix.size(), prefix) != 0) continue;
      std::string key = field.name.substr(prefix.size());
      key = key.substr(0, key.find('.'));
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
    return keys;
  }

  void read_entry(const Entry& entry, const std::string& prefix, const std::string& path) {
    const bool is_top = prefix.empty();
    if (is_top && std::find(ignored_.begin(), ignored_.end(), entry.key) != ignored_.end()) return;
    const std::vector<std::string> keys = keys_of(prefix);
    const std::string entry_path = join_path(path, printable(entry.key));
    if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) {
      refuse_key(entry, prefix, keys, entry_path);
    } else if (const Field* field = field_of(prefix + entry.key)) {
      std::visit([&](auto* value) { read_value(entry, *field, entry_path, *value); }, field->value);
    } else {
      read_map(entry.value.get(), prefix + entry.key + ".", entry_path, entry.mark);
    }
  }

  void refuse_key(const Entry& entry, const std::string& prefix, const std::vector<std::string>& keys,
                  const std::string& path) {
    std::vector<std::string> candidates = keys;
    if (prefix.empty()) candidates.insert(candidates.end(), ignored_.begin(), ignored_.end());
    std::string near = nearest(entry.key, candidates);
    for (const Field& field : fields_.all()) {  // the right key in the wrong map
      if (!near.empty()) break;
      const size_t dot = field.name.rfind('.');
      if (dot != std::string::npos && field.name.substr(dot + 1) == entry.key) near = field.name;
      if (dot != std::string::npos && field.name == entry.key) near = "nested maps for " + field.name;
    }
    add("CFG-KEY", entry.mark, path,
        "got unknown key, expected " + (keys.empty() ? "none" : "one of " + list_text(keys)) +
            (near.empty() ? "" : "; did you mean " + near + "?"));
  }

  template <class Value>
  void read_value(const Entry& entry, const Field& field, const std::string& path, Value& out) {
    if (field.is_required && entry.value->kind == Node::Kind::null) {
      add_missing(field, path, entry.mark);
    } else if (const auto mistake = read_scalar(*entry.value, field, out)) {
      add(mistake->code.c_str(), shown_mark(entry), path, mistake->message);
    }
  }

  template <class Value>
  void read_value(const Entry& entry, const Field& field, const std::string& path, std::vector<Value>& out) {
    const Node& node = *entry.value;
    if (node.kind != Node::Kind::list && node.kind != Node::Kind::scalar) {
      refuse_list(entry, field, path);
      return;
    }
    const std::vector<NodePtr> items = node.kind == Node::Kind::list ? node.list : std::vector<NodePtr>{entry.value};
    std::vector<Value> values;
    bool is_good = true;
    for (size_t i = 0; i < items.size(); ++i) {
      Value value{};
      if (const auto mistake = read_scalar(*items[i], field, value)) {
        const std::string item_path = node.kind == Node::Kind::list ? join_path(path, std::to_string(i)) : path;
        add(mistake->code.c_str(), items[i]->mark, item_path, mistake->message);
        is_good = false;
      }
      values.push_back(std::move(value));
    }
    if (is_good) out = std::move(values);
  }

  void refuse_list(const Entry& entry, const Field& field, const std::string& path) {
    if (field.is_required && entry.value->kind == Node::Kind::null) {
      add_missing(field, path, entry.mark);
      return;
    }
    add("CFG-TYPE", entry.mark, path,
        "got " + shown(*entry.value) + ", expected " + expected_text(field) +
            (entry.value->kind == Node::Kind::null ? "; write [] for an empty one" : ""));
  }

  void read_value(const Entry& entry, const Field& field, const std::string& path, Component& out) {
    if (entry.value->kind != Node::Kind::null) {
      read_component(entry.value, shown_mark(entry), field, path, out);
    } else if (field.is_required) {
      add_missing(field, path, entry.mark);
    } else {
      out = {};  // `ema: ~` takes back what a file below had set
    }
  }

  void read_value(const Entry& entry, const Field& field, const std::string& path, std::vector<Component>& out) {
    const NodePtr& node = entry.value;
    if (node->kind != Node::Kind::list && node->kind != Node::Kind::scalar) {
      refuse_list(entry, field, path);
      return;
    }
    const std::vector<NodePtr> items = node->kind == Node::Kind::list ? node->list : std::vector<NodePtr>{node};
    std::vector<Component> components;
    std::set<std::string> ids;
    bool is_good = true;
    for (size_t i = 0; i < items.size(); ++i) {
      const std::string item_path = join_path(path, std::to_string(i));
      Component& component = components.emplace_back();
      is_good = read_component(items[i], items[i]->mark, field, item_path, component) && is_good;
      if (!component.id.empty() && !ids.insert(component.id).second) {
        add("CFG-DUPLICATE", items[i]->find("id")->value->mark, join_path(item_path, "id"),
            "got " + printable(component.id) + " twice in one list, expected each id once");
        is_good = false;
      }
    }
    if (is_good) out = std::move(components);
  }

  bool read_component(const NodePtr& node, const Mark& mark, const Field& field, const std::string& path,
                      Component& out) {
    const std::string kind = field.component_kind.empty() ? "component" : field.component_kind;
    if (node->kind != Node::Kind::map && node->kind != Node::Kind::scalar) {
      add("CFG-TYPE", mark, path, "got " + shown(*node) + ", expected the name of a " + kind + " or a map with a name");
      return false;
    }
    Component component;
    component.node = node->kind == Node::Kind::map ? node : as_named_map(*node);
    const Entry* name = component.node->find("name");
    if (name == nullptr || name->value->kind != Node::Kind::scalar || name->value->scalar.empty()) {
      const bool is_absent = name == nullptr || name->value->kind == Node::Kind::null;
      add(is_absent ? "CFG-MISSING" : "CFG-TYPE", name == nullptr ? mark : shown_mark(*name), join_path(path, "name"),
          "got " + (is_absent ? "no name" : shown(*name->value)) + ", expected the name of a " + kind);
      return false;
    }
    component.name = name->value->scalar;
    if (const Entry* id = component.node->find("id")) {
      if (id->value->kind != Node::Kind::scalar || id->value->scalar.find('.') != std::string::npos) {
        add("CFG-TYPE", shown_mark(*id), join_path(path, "id"),
            "got " + shown(*id->value) + ", expected text without dots");
        return false;
      }
      component.id = id->value->scalar;
    }
    out = std::move(component);
    return true;
  }

  const Fields& fields_;
  const std::vector<std::string>& ignored_;
  std::vector<Problem>& problems_;
};

}  // namespace

void read_fields(const Node* node, const Fields& fields, const std::string& path, const Mark& parent,
                 const std::vector<std::string>& ignored, std::vector<Problem>& problems) {
  Reader(fields, ignored, problems).read_map(node, "", path, parent);
}

Mark mark_of(const Node& root, const std::string& path) {
  Mark mark = root.mark;
  const Node* node = &root;
  for (const std::string& part : split_path(path)) {
    if (const Entry* entry = node->find(part)) {
      mark = shown_mark(*entry);
      node = entry->value.get();
      continue;
    }
    const NodePtr child = child_of(*node, part);
    if (child == nullptr) return mark;
    mark = child->mark;
    node = child.get();  // kept alive by its parent in the tree
  }
  return mark;
}

}  // namespace amae::config

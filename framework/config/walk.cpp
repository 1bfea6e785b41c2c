#include "config/walk.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace amae::config {
namespace {

constexpr size_t kShownCharacters = 60;
constexpr size_t kShownWords = 8;

const std::string* scalar_of(const Node& map, std::string_view key) {
  const Entry* entry = map.find(key);
  return entry != nullptr && entry->value->kind == Node::Kind::scalar ? &entry->value->scalar : nullptr;
}

const std::string* name_of(const Node& item) {
  return item.kind == Node::Kind::scalar ? &item.scalar : scalar_of(item, "name");
}

}  // namespace

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  if (path.empty()) return parts;
  size_t start = 0;
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', start)) {
    parts.emplace_back(path.substr(start, dot - start));
    start = dot + 1;
  }
  parts.emplace_back(path.substr(start));
  return parts;
}

std::string join_path(const std::string& parent, const std::string& key) {
  return parent.empty() ? key : parent + "." + key;
}

ItemMatch find_item(const Node& list, std::string_view handle) {
  ItemMatch by_id;
  ItemMatch by_name;
  for (size_t i = 0; i < list.list.size(); ++i) {
    const std::string* id = scalar_of(*list.list[i], "id");
    const std::string* name = name_of(*list.list[i]);
    if (id != nullptr && *id == handle) by_id = {i, by_id.matches + 1};
    if (name != nullptr && *name == handle) by_name = {i, by_name.matches + 1};
  }
  for (ItemMatch match : {by_id, by_name}) {
    if (match.matches > 1) match.index.reset();
    if (match.matches > 0) return match;
  }
  size_t position = 0;
  const char* end = handle.data() + handle.size();
  const auto [stop, error] = std::from_chars(handle.data(), end, position);
  if (error != std::errc() || stop != end || position >= list.list.size()) return {};
  return {position, 1};
}

std::vector<std::string> item_handles(const Node& list) {
  std::vector<std::string> handles;
  for (size_t i = 0; i < list.list.size(); ++i) {
    const std::string* id = scalar_of(*list.list[i], "id");
    const std::string* name = name_of(*list.list[i]);
    handles.push_back(id != nullptr ? *id : name != nullptr ? *name : std::to_string(i));
  }
  return handles;
}

NodePtr child_of(const Node& node, std::string_view part) {
  if (const Entry* entry = node.find(part)) return entry->value;
  if (node.kind != Node::Kind::list) return nullptr;
  const ItemMatch match = find_item(node, part);
  return match.index ? node.list[*match.index] : nullptr;
}

NodePtr as_named_map(const Node& scalar) {
  auto map = std::make_shared<Node>();
  map->kind = Node::Kind::map;
  map->mark = scalar.mark;
  map->map.push_back({"name", scalar.mark, scalar.copy()});
  return map;
}

const Mark& shown_mark(const Entry& entry) {
  return entry.value->kind == Node::Kind::scalar ? entry.value->mark : entry.mark;
}

std::string shown(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return node.scalar.empty() ? "nothing" : node.scalar;
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
    case Node::Kind::scalar:
      break;
  }
  std::string text = node.scalar;
  if (text.size() > kShownCharacters) {
    size_t cut = kShownCharacters;
    while (cut > 0 && (static_cast<uint8_t>(text[cut]) & 0xC0) == 0x80) --cut;  // not inside a character
    text = text.substr(0, cut) + "…";
  }
  text = printable(text);
  return node.quoted ? "\"" + text + "\"" : text;
}

std::string list_text(const std::vector<std::string>& words) {
  if (words.size() <= kShownWords) return join(words, ", ");
  return join({words.begin(), words.begin() + kShownWords}, ", ") + ", …";
}

size_t count_nodes(const Node& node, size_t limit) {
  size_t count = 1;
  for (const Entry& entry : node.map) {
    if (count > limit) return count;
    count += count_nodes(*entry.value, limit);
  }
  for (const NodePtr& item : node.list) {
    if (count > limit) return count;
    count += count_nodes(*item, limit);
  }
  return count;
}

size_t depth_of(const Node& node) {
  if (node.kind != Node::Kind::map && node.kind != Node::Kind::list) return 0;
  size_t inner = 0;
  for (const Entry& entry : node.map) inner = std::max(inner, depth_of(*entry.value));
  for (const NodePtr& item : node.list) inner = std::max(inner, depth_of(*item));
  return inner + 1;
}

}  // namespace amae::config

// Finding one's way in a tree: dotted paths, list items by id, name or position, and values as the user wrote them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/tree.h"

namespace amae::config {

/// "a.b.0" -> {"a", "b", "0"}; "" -> {}. Empty parts stay in, for the caller to refuse.
std::vector<std::string> split_path(std::string_view path);

/// "a" and "b" -> "a.b"; an empty parent adds no dot.
std::string join_path(const std::string& parent, const std::string& key);

/// Place of the item that `handle` names in a list: by `id`, else by `name` (or the text of a bare scalar), else by
/// 0-based position. `matches` counts the items of that id or name.
struct ItemMatch {
  std::optional<size_t> index;  ///< empty when there is none or it is ambiguous
  size_t matches = 0;
};
ItemMatch find_item(const Node& list, std::string_view handle);

/// The id, else the name, else the position of each item: what overrides may use.
std::vector<std::string> item_handles(const Node& list);

/// The child that one part of a dotted path names, or null.
NodePtr child_of(const Node& node, std::string_view part);

/// A bare component name as the map that it stands for: {name: TEXT}, same mark.
NodePtr as_named_map(const Node& scalar);

/// Where to point for an entry: at a scalar itself, else at its key (a block map begins on the next line).
const Mark& shown_mark(const Entry& entry);

/// The value as written, for messages: `010`, `"5"` with its quotes, `a map`, `a list`, `nothing`. One short line.
std::string shown(const Node& node);

/// "a, b, c"; more than 8 are cut with "…".
std::string list_text(const std::vector<std::string>& words);

/// Values in the tree: maps, lists and scalars. Stops counting above `limit`.
size_t count_nodes(const Node& node, size_t limit);

/// Nested maps and lists: 0 for a scalar, 1 for a flat list.
size_t depth_of(const Node& node);

}  // namespace amae::config

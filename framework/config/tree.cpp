#include "config/tree.h"

#include <algorithm>

namespace amae::config {

std::string Mark::text() const {
  if (line <= 0) return source;
  return source + ":" + std::to_string(line) + ":" + std::to_string(column);
}

const Entry* Node::find(std::string_view key) const {
  if (kind != Kind::map) return nullptr;
  const auto found = std::find_if(map.begin(), map.end(), [&](const Entry& entry) { return entry.key == key; });
  return found == map.end() ? nullptr : &*found;
}

NodePtr Node::copy() const {
  auto result = std::make_shared<Node>(*this);
  for (Entry& entry : result->map) entry.value = entry.value->copy();
  for (NodePtr& item : result->list) item = item->copy();
  return result;
}

}  // namespace amae::config

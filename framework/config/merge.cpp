#include "config/merge.h"

#include "base/text.h"
#include "config/walk.h"

namespace amae::config {
namespace {

void add(std::vector<Problem>& problems, const char* code, const Mark& mark, const std::string& path,
         const std::string& message) {
  problems.push_back({code, mark.text(), path, message});
}

/// `over` where nothing stood before: its tags have nothing to act on.
NodePtr settle(const NodePtr& over, const std::string& path, std::vector<Problem>& problems) {
  if (over->tag == "!patch") {
    add(problems, "CFG-KEY", over->mark, path, "got !patch, expected a list to patch; there is none below this file");
  }
  auto result = std::make_shared<Node>(*over);
  result->tag.clear();
  for (Entry& entry : result->map) entry.value = merge(nullptr, entry.value, join_path(path, entry.key), problems);
  for (size_t i = 0; i < result->list.size(); ++i) {
    result->list[i] = merge(nullptr, result->list[i], join_path(path, std::to_string(i)), problems);
  }
  return result;
}

NodePtr merge_maps(const NodePtr& base, const NodePtr& over, const std::string& path, std::vector<Problem>& problems) {
  auto result = std::make_shared<Node>(*base);
  result->mark = over->mark;
  for (const Entry& entry : over->map) {
    Entry* target = nullptr;
    for (Entry& candidate : result->map) {
      if (candidate.key == entry.key) target = &candidate;
    }
    if (target == nullptr) target = &result->map.emplace_back(Entry{entry.key, entry.mark, nullptr});
    const bool says_nothing = entry.value->kind == Node::Kind::null && entry.value->scalar.empty();
    if (!says_nothing || target->value == nullptr || target->value->kind != Node::Kind::map) target->mark = entry.mark;
    target->value = merge(target->value, entry.value, join_path(path, entry.key), problems);
  }
  return result;
}

/// The base of a list tag as a list: a scalar counts as a list of one, nothing as an empty list.
NodePtr base_list(const NodePtr& base, const NodePtr& over, const std::string& path, std::vector<Problem>& problems) {
  if (base->kind == Node::Kind::list) return base;
  auto list = std::make_shared<Node>();
  list->kind = Node::Kind::list;
  list->mark = over->mark;
  if (base->kind == Node::Kind::scalar) list->list.push_back(base);
  if (base->kind == Node::Kind::map) {
    add(problems, "CFG-TYPE", over->mark, path,
        "got " + over->tag + " on a map (" + base->mark.text() + "), expected a list below it");
  }
  return list;
}

NodePtr join_lists(const NodePtr& base, const NodePtr& over, const std::string& path, std::vector<Problem>& problems) {
  NodePtr added = std::make_shared<Node>(*over);
  added->tag.clear();
  added = settle(added, path, problems);
  auto result = std::make_shared<Node>(*base_list(base, over, path, problems));
  result->mark = over->mark;
  const auto place = over->tag == "!append" ? result->list.end() : result->list.begin();
  result->list.insert(place, added->list.begin(), added->list.end());
  return result;
}

NodePtr patch_list(const NodePtr& base, const NodePtr& over, const std::string& path, std::vector<Problem>& problems) {
  auto result = std::make_shared<Node>(*base_list(base, over, path, problems));
  for (size_t i = 0; i < over->list.size(); ++i) {
    const Node& patch = *over->list[i];
    const std::string item_path = join_path(path, std::to_string(i));
    const Entry* handle = patch.find("id") != nullptr ? patch.find("id") : patch.find("name");
    if (handle == nullptr || handle->value->kind != Node::Kind::scalar) {
      add(problems, "CFG-TYPE", patch.mark, item_path,
          "got " + shown(patch) + ", expected a map with the id or name of the item to patch");
      continue;
    }
    const ItemMatch match = find_item(*result, handle->value->scalar);
    if (!match.index) {
      const std::vector<std::string> handles = item_handles(*result);
      const std::string near = nearest(handle->value->scalar, handles);
      add(problems, "CFG-KEY", handle->value->mark, item_path,
          "got " + shown(*handle->value) +
              (match.matches > 1 ? ", which several items are called, expected an id"
                                 : ", expected one of " + list_text(handles)) +
              (near.empty() || match.matches > 1 ? "" : "; did you mean " + near + "?"));
      continue;
    }
    NodePtr& item = result->list[*match.index];
    if (item->kind == Node::Kind::scalar) item = as_named_map(*item);
    item = merge(item, over->list[i], item_path, problems);
  }
  return result;
}

}  // namespace

NodePtr merge(const NodePtr& base, const NodePtr& over, const std::string& path, std::vector<Problem>& problems) {
  if (base == nullptr || over->tag == "!replace") return settle(over, path, problems);
  if (over->tag == "!append" || over->tag == "!prepend") return join_lists(base, over, path, problems);
  if (over->tag == "!patch") return patch_list(base, over, path, problems);
  const bool base_is_map = base->kind == Node::Kind::map;
  if (base_is_map && over->kind == Node::Kind::map) return merge_maps(base, over, path, problems);
  if (base_is_map && over->kind == Node::Kind::null && over->scalar.empty()) return base;
  return settle(over, path, problems);
}

}  // namespace amae::config

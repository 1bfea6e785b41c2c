#include "config/override.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "config/limits.h"
#include "config/merge.h"
#include "config/walk.h"

namespace amae::config {
namespace {

Problem refusal(const std::string& source, const std::string& path, const std::string& message) {
  return {"CFG-OVERRIDE", source, path, message};
}

Problem no_such_item(const std::string& source, const std::string& path, const Node& list, const std::string& part,
                     const ItemMatch& match) {
  const std::vector<std::string> handles = item_handles(list);
  if (match.matches > 1) {
    return refusal(source, path,
                   "got " + printable(part) + ", which " + std::to_string(match.matches) +
                       " items are called, expected an id or a position from 0 to " +
                       std::to_string(list.list.size() - 1));
  }
  if (handles.empty()) return refusal(source, path, "got " + printable(part) + ", expected no item: the list is empty");
  const std::string near = nearest(part, handles);
  return refusal(source, path,
                 "got no item " + printable(part) + ", expected one of " + list_text(handles) +
                     " or a position from 0" + (near.empty() ? "" : "; did you mean " + near + "?"));
}

/// The place that `path` names, made where maps allow it (a fresh place holds a null pointer); or null with a Problem.
NodePtr* find_place(NodePtr& root, const std::vector<std::string>& parts, const std::string& source,
                    std::vector<Problem>& problems) {
  NodePtr* place = &root;
  std::string walked;
  for (const std::string& part : parts) {
    walked = join_path(walked, part);
    if (*place == nullptr || (*place)->kind == Node::Kind::null) {
      *place = std::make_shared<Node>();
      (*place)->kind = Node::Kind::map;
      (*place)->mark = {source, 0, 0};
    }
    if ((*place)->kind == Node::Kind::scalar) *place = as_named_map(**place);
    Node& node = **place;
    if (node.kind == Node::Kind::list) {
      const ItemMatch match = find_item(node, part);
      if (!match.index) {
        problems.push_back(no_such_item(source, walked, node, part, match));
        return nullptr;
      }
      place = &node.list[*match.index];
      continue;
    }
    auto entry = std::find_if(node.map.begin(), node.map.end(), [&](const Entry& e) { return e.key == part; });
    if (entry == node.map.end()) entry = node.map.insert(node.map.end(), Entry{part, {source, 0, 0}, nullptr});
    place = &entry->value;
  }
  return place;
}

/// A value for `+=`: what it adds to a list.
NodePtr as_appended(const NodePtr& value) {
  auto list = std::make_shared<Node>();
  if (value->kind == Node::Kind::list) {
    *list = *value;
  } else {
    list->kind = Node::Kind::list;
    list->mark = value->mark;
    list->list.push_back(value);
  }
  list->tag = "!append";
  return list;
}

}  // namespace

void apply_override(NodePtr& root, std::string_view argument, const std::string& source, const ReadFile& read_file,
                    std::vector<Problem>& problems) {
  const size_t equals = argument.find('=');
  if (equals == std::string_view::npos) {
    problems.push_back(
        refusal(source, "", "got `" + printable(argument) + "`, expected KEY=VALUE, KEY+=VALUE or KEY=@FILE"));
    return;
  }
  std::string_view key = argument.substr(0, equals);
  const bool appends = !key.empty() && key.back() == '+';
  if (appends) key.remove_suffix(1);
  const std::vector<std::string> parts = split_path(key);
  const bool has_gap = std::find(parts.begin(), parts.end(), "") != parts.end();
  // A key with other characters than a file may hold could not be written into the saved config.
  const bool is_odd = key.find(' ') != std::string_view::npos || printable(key) != key;
  if (parts.empty() || has_gap || is_odd) {
    problems.push_back(refusal(
        source, "", "got `" + printable(argument) + "`, expected a key such as train.epochs before the equals sign"));
    return;
  }
  if (parts.front() == "extends") {
    problems.push_back(refusal(source, "extends", "got an override, expected `extends` in a file; use KEY=@FILE"));
    return;
  }
  if (parts.size() > kMaxDepth) {
    problems.push_back(limit_problem(source, "", std::to_string(parts.size()), kMaxDepth, "parts in a path"));
    return;
  }

  const std::string_view text = argument.substr(equals + 1);
  NodePtr value;
  if (!text.empty() && text.front() == '@') {
    value = read_file(std::string(text.substr(1)), {source, 0, 0});
    if (value == nullptr) return;
  } else {
    try {
      value = parse_value(text, source);
    } catch (const InputError& error) {
      for (Problem problem : error.problems()) {
        problem.field = problem.field.empty() ? std::string(key) : join_path(std::string(key), problem.field);
        problems.push_back(std::move(problem));
      }
      return;
    }
  }

  NodePtr* place = find_place(root, parts, source, problems);
  if (place == nullptr) return;
  const bool merges = appends || !value->tag.empty();
  *place = merge(merges ? *place : nullptr, appends ? as_appended(value) : value, std::string(key), problems);
}

}  // namespace amae::config

#include "config/interpolate.h"

#include <cstdlib>
#include <map>
#include <string_view>

#include "base/text.h"
#include "config/bytes.h"
#include "config/limits.h"
#include "config/walk.h"

namespace amae::config {
namespace {

class Resolver {
 public:
  Resolver(Node& root, std::vector<Problem>& problems) : root_(root), problems_(problems) {}

  void resolve_all(Node& node, const std::string& path) {
    if (node.kind == Node::Kind::scalar) resolve(node, path);
    for (Entry& entry : node.map) resolve_all(*entry.value, join_path(path, entry.key));
    for (size_t i = 0; i < node.list.size(); ++i) resolve_all(*node.list[i], join_path(path, std::to_string(i)));
  }

 private:
  enum class State { open, done, failed };

  void add(const char* code, const Node& node, const std::string& path, const std::string& message) {
    problems_.push_back({code, node.mark.text(), path, message});
  }

  /// False when the value could not be resolved; the Problem is noted once, at the place where it is.
  bool resolve(Node& node, const std::string& path) {
    if (node.kind != Node::Kind::scalar) return true;
    const auto known = states_.find(&node);
    if (known != states_.end()) {
      if (known->second == State::open) {
        add("CFG-CYCLE", node, path, "got " + shown(node) + ", which leads back to itself, expected an end");
      }
      return known->second == State::done;
    }
    if (node.scalar.find("${") == std::string::npos) return states_[&node] = State::done, true;
    if (depth_ >= kMaxChain) {
      problems_.push_back(limit_problem(node.mark.text(), path, "a longer chain", kMaxChain, "references in a row"));
      return false;
    }
    states_[&node] = State::open;
    ++depth_;
    const bool ok = expand(node, path);
    --depth_;
    states_[&node] = ok ? State::done : State::failed;
    return ok;
  }

  bool expand(Node& node, const std::string& path) {
    const std::string text = node.scalar;
    std::string result;
    for (size_t at = 0; at < text.size();) {
      if (text.compare(at, 3, "$${") == 0) {
        result += "${";
        at += 3;
        continue;
      }
      if (text.compare(at, 2, "${") != 0) {
        result += text[at++];
        continue;
      }
      const size_t end = text.find('}', at);
      const std::string name = text.substr(at + 2, end == std::string::npos ? end : end - at - 2);
      if (end == std::string::npos || name.empty() || name.find("${") != std::string::npos) {
        add("CFG-REF", node, path,
            "got " + shown(node) + ", expected ${path.to.key} or ${env:NAME,default}; write $${ for the text ${");
        return false;
      }
      Node value;
      if (!look_up(node, path, name, value)) return false;
      if (at == 0 && end + 1 == text.size()) {
        node.kind = value.kind;
        node.scalar = value.scalar;
        node.quoted = value.quoted;
        return fits(node, path, value.scalar.size());
      }
      if (value.kind == Node::Kind::null) {
        add("CFG-REF", node, path, "got ${" + printable(name) + "} which has no value, expected text to put in");
        return false;
      }
      result += value.scalar;
      if (!fits(node, path, value.scalar.size())) return false;
      at = end + 1;
    }
    node.scalar = result;
    return true;
  }

  /// References to references can double the text at each step.
  bool fits(const Node& node, const std::string& path, size_t added) {
    expanded_ += added;
    if (expanded_ <= kMaxBytes) return true;
    problems_.push_back(
        limit_problem(node.mark.text(), path, std::to_string(expanded_), kMaxBytes, "bytes put in by references"));
    return false;
  }

  bool look_up(const Node& node, const std::string& path, const std::string& name, Node& value) {
    constexpr std::string_view kEnvironment = "env:";
    if (name.compare(0, kEnvironment.size(), kEnvironment) == 0) {
      return look_up_environment(node, path, name.substr(kEnvironment.size()), value);
    }
    // Held by the tree: nothing is added or removed while references are resolved.
    Node* target = &root_;
    for (const std::string& part : split_path(name)) {
      const NodePtr child = child_of(*target, part);
      if (child == nullptr) {
        std::vector<std::string> known;
        for (const Entry& entry : target->map) known.push_back(entry.key);
        const std::string near = nearest(part, known);
        add("CFG-REF", node, path,
            "got ${" + printable(name) + "}, expected a key of this config or env:NAME" +
                (near.empty() ? "" : "; did you mean " + near + " for " + printable(part) + "?"));
        return false;
      }
      target = child.get();
    }
    if (target->kind == Node::Kind::map || target->kind == Node::Kind::list) {
      add("CFG-REF", node, path, "got ${" + printable(name) + "} which is " + shown(*target) + ", expected a value");
      return false;
    }
    if (!resolve(*target, name)) return false;
    value.kind = target->kind;
    value.scalar = target->scalar;
    value.quoted = target->quoted;
    return true;
  }

  bool look_up_environment(const Node& node, const std::string& path, const std::string& words, Node& value) {
    const size_t comma = words.find(',');
    const std::string name = words.substr(0, comma);
    value.kind = Node::Kind::scalar;
    const char* found = name.empty() ? nullptr : std::getenv(name.c_str());
    if (found == nullptr && (comma == std::string::npos || name.empty())) {
      add("CFG-REF", node, path,
          "got ${env:" + printable(name) + "} which is not set, expected the environment variable or a default as in " +
              "${env:NAME,default}");
      return false;
    }
    value.scalar = found != nullptr ? found : words.substr(comma + 1);
    if (check_bytes(value.scalar, "", false).empty()) return true;
    add("CFG-REF", node, path, "got ${env:" + printable(name) + "} = " + shown(value) + ", expected UTF-8 text");
    return false;
  }

  Node& root_;
  std::vector<Problem>& problems_;
  std::map<const Node*, State> states_;
  size_t expanded_ = 0;
  int depth_ = 0;
};

}  // namespace

void interpolate(Node& root, std::vector<Problem>& problems) { Resolver(root, problems).resolve_all(root, ""); }

std::string escape_references(const std::string& text) {
  std::string result;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text.compare(at, 2, "${") == 0) result += '$';
    result += text[at];
  }
  return result;
}

}  // namespace amae::config

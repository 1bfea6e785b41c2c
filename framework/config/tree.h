// A YAML file as a tree in which every key and value remembers where it stood.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "amae/error.h"

namespace amae::config {

/// Where something was written. Lines and columns count from 1.
struct Mark {
  std::string source;  ///< file path, "<argument 2>" or "<default>"
  int line = 0;        ///< 0: the source has no lines
  int column = 0;
  [[nodiscard]] std::string text() const;  ///< "file:line:col" or the source alone
};

struct Node;
using NodePtr = std::shared_ptr<Node>;

struct Entry {
  std::string key;
  Mark mark;  ///< of the key
  NodePtr value;
};

struct Node {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string scalar;      ///< text as written, quotes removed
  bool quoted = false;     ///< a quoted scalar is always text
  std::string tag;         ///< "!append" etc., or empty
  std::vector<Entry> map;  ///< in written order
  std::vector<NodePtr> list;
  Mark mark;

  [[nodiscard]] const Entry* find(std::string_view key) const;  ///< null when absent or not a map
  [[nodiscard]] NodePtr copy() const;                           ///< deep
};

/// Parses one YAML document strictly. `source` names it in marks and messages. Refused, each with line and column:
/// syntax errors, tabs as indentation, NUL, invalid UTF-8, duplicate keys (both lines), several documents, `<<`,
/// unknown tags, keys that are not plain text, more than 10,000 nodes after alias expansion, alias cycles, depth over
/// 64, more than 1 MiB. Throws InputError with all that was found. An empty document gives a null node.
NodePtr parse_yaml(std::string_view text, const std::string& source);

/// One flow value as in `key=value` ("3e-4", "[1, 2]", "{name: gain}", "text").
NodePtr parse_value(std::string_view text, const std::string& source);

}  // namespace amae::config

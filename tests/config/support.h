// A small vocabulary for tests of the config folder.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "config/tree.h"
#include "tests/problems.h"

namespace amae::config {

/// All problems of a document, one "CODE WHERE FIELD MESSAGE" each, for INFO.
inline std::string text_of(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& p : problems) text += p.code + " | " + p.where + " | " + p.field + " | " + p.message + "\n";
  return text;
}

/// Config files in a folder of their own.
class ConfigFolder {
 public:
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
    return at(name);
  }
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_.path() / name).string(); }

 private:
  TemporaryFolder folder_;
};

/// The scalar at the end of keys and list positions; "?" when it is not there.
inline std::string scalar_at(const Node& node, const std::vector<std::string>& keys) {
  const Node* at = &node;
  for (const std::string& key : keys) {
    if (at->kind == Node::Kind::list) {
      const size_t position = std::stoul(key);
      if (position >= at->list.size()) return "?";
      at = at->list[position].get();
    } else {
      const Entry* entry = at->find(key);
      if (entry == nullptr) return "?";
      at = entry->value.get();
    }
  }
  return at->kind == Node::Kind::scalar ? at->scalar : "?";
}

}  // namespace amae::config

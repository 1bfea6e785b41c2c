// Lines of YAML that read back as what they were written from.
#pragma once

#include <string>
#include <vector>

#include "config/tree.h"

namespace amae::config {

/// Text as one scalar: plain when nothing could take it for something else, else in double quotes.
std::string yaml_text(const std::string& text);

/// A key; unlike values, keys hold no references that would need escaping.
std::string yaml_key(const std::string& key);

/// A node on one line: `[a, {b: 1}]`.
std::string yaml_flow(const Node& node);

/// The entries of a map as lines of block style, without those in `left_out`.
std::vector<std::string> yaml_block(const Node& map, const std::vector<std::string>& left_out = {});

/// `key: value` on one line, or `key:` and the lines below it.
std::vector<std::string> yaml_entry(const std::string& key, const Node& value);

void append_indented(std::vector<std::string>& lines, const std::vector<std::string>& inner);

/// The lines of a map as a list item: the first behind "- ", the others below it.
void append_item(std::vector<std::string>& lines, const std::vector<std::string>& item);

}  // namespace amae::config

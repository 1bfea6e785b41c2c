#include "compliance/examples.h"

#include "base/file.h"

namespace amae::compliance {
namespace {

void add(std::vector<Example>& examples, const config::NodePtr& node, const std::string& key) {
  if (node->kind != config::Node::Kind::map)
    throw InputError("CFG-TYPE", node->mark.text(), key, "got no map of options, expected one or a list of them");
  examples.push_back(node);
}

}  // namespace

Examples examples_beside(const std::filesystem::path& library) {
  std::filesystem::path path = library;
  path.replace_extension(".examples.yaml");
  if (!std::filesystem::exists(path)) return {};
  const config::NodePtr root = config::parse_yaml(read_file(path, 1 << 20), path.string());
  if (root->kind != config::Node::Kind::map)
    throw InputError("CFG-TYPE", root->mark.text(), "", "got no map, expected the components' keys and their options");
  Examples result;
  for (const config::Entry& entry : root->map) {
    std::vector<Example>& examples = result[entry.key];
    if (entry.value->kind != config::Node::Kind::list) {
      add(examples, entry.value, entry.key);
      continue;
    }
    for (const config::NodePtr& item : entry.value->list) add(examples, item, entry.key);
  }
  return result;
}

}  // namespace amae::compliance

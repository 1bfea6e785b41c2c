#include "table_options.h"

#include <filesystem>

#include "amae/error.h"
#include "base/text.h"

namespace amae {

TableRules TableOptions::rules(const std::string& code) const {
  namespace fs = std::filesystem;
  TableRules rules;
  rules.root = root.empty() ? fs::path(file).parent_path() : fs::path(root);
  if (rules.root.empty()) rules.root = ".";
  std::error_code ignored;
  if (!fs::is_directory(rules.root, ignored)) {
    throw InputError(
        "DATA-FILE", "", root.empty() ? "file" : "root",
        "got " + printable(rules.root.string()) + ", which is no folder, expected that of the sound files");
  }
  rules.source = file;
  rules.code = code;
  rules.path = path, rules.label = label, rules.fold = fold, rules.group = group, rules.start = start, rules.end = end;
  rules.classes = classes;
  rules.columns = columns;
  rules.has_labels = !label.empty();
  rules.labels_are_numbers = labels == "numbers";
  rules.skips_bad = on_bad_sample == "skip";
  return rules;
}

}  // namespace amae

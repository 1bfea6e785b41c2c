// Dotted field names ("train.epochs") as the nested maps that they stand for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "amae/options.h"

namespace amae::config {

/// A key with either its field or the keys below it.
struct Nest {
  std::string key;
  const Field* field = nullptr;
  std::vector<Nest> children;
};

/// In declared order; a section stands where its first field was declared. Points into `fields`.
inline std::vector<Nest> nest(const Fields& fields) {
  std::vector<Nest> top;
  for (const Field& field : fields.all()) {
    std::vector<Nest>* level = &top;
    std::string_view rest = field.name;
    for (size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
      Nest* section = nullptr;
      for (Nest& known : *level) {
        if (known.field == nullptr && known.key == rest.substr(0, dot)) section = &known;
      }
      if (section == nullptr) section = &level->emplace_back(Nest{std::string(rest.substr(0, dot)), nullptr, {}});
      level = &section->children;
      rest.remove_prefix(dot + 1);
    }
    level->push_back({std::string(rest), &field, {}});
  }
  return top;
}

}  // namespace amae::config

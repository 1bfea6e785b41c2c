#include "amae/options.h"

#include <type_traits>

namespace amae {

OptionsBase::~OptionsBase() = default;

std::string Field::type_name() const {
  return std::visit(
      [](const auto* pointer) -> std::string {
        using T = std::remove_cvref_t<decltype(*pointer)>;
        if constexpr (std::is_same_v<T, bool>) return "bool";
        if constexpr (std::is_same_v<T, int64_t>) return "int";
        if constexpr (std::is_same_v<T, double>) return "number";
        if constexpr (std::is_same_v<T, std::string>) return "text";
        if constexpr (std::is_same_v<T, std::vector<int64_t>>) return "list of int";
        if constexpr (std::is_same_v<T, std::vector<double>>) return "list of number";
        if constexpr (std::is_same_v<T, std::vector<std::string>>) return "list of text";
        if constexpr (std::is_same_v<T, Component>) return "component";
        return "list of component";
      },
      value);
}

}  // namespace amae

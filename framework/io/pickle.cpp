#include "io/pickle.h"

#include <fmt/format.h>

#include <utility>

#include "amae/error.h"
#include "base/text.h"
#include "io/pickle_machine.h"

namespace amae {

Pickle::Pickle(std::string bytes, std::string where, std::string field, PickleRules rules)
    : where_(std::move(where)), field_(std::move(field)), rules_(std::move(rules)) {
  root_ = PickleMachine(*this, PickleSource(std::move(bytes))).read();
}

Pickle::Pickle(const RegularFile& file, PickleRules rules) : where_(file.where()), rules_(std::move(rules)) {
  root_ = PickleMachine(*this, PickleSource(file)).read();
}

void Pickle::refuse(const std::string& message) const { throw InputError(rules_.code, where_, field_, message); }

void Pickle::refuse(const std::string& field, const std::string& message) const {
  throw InputError(rules_.code, where_, field_.empty() ? field : field_ + ", " + field, message);
}

const char* kind_text(Pickle::Kind kind) {
  switch (kind) {
    case Pickle::Kind::none:
      return "None";
    case Pickle::Kind::boolean:
      return "a bool";
    case Pickle::Kind::integer:
      return "an int";
    case Pickle::Kind::real:
      return "a float";
    case Pickle::Kind::text:
      return "a text";
    case Pickle::Kind::bytes:
      return "bytes";
    case Pickle::Kind::tuple:
      return "a tuple";
    case Pickle::Kind::list:
      return "a list";
    case Pickle::Kind::dict:
      return "a dict";
    case Pickle::Kind::storage:
      return "a storage";
    case Pickle::Kind::tensor:
      return "a tensor";
    case Pickle::Kind::array:
      return "an array";
    case Pickle::Kind::dtype:
      return "a dtype";
    case Pickle::Kind::name:
      return "a name";
    case Pickle::Kind::inert:
      return "another object";
  }
  return "";
}

}  // namespace amae

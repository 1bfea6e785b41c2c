#include "compliance/check.h"

#include <algorithm>
#include <stdexcept>

#include "compliance/catalogue.h"
#include "compliance/option_checks.h"

namespace amae::compliance {
namespace {

std::vector<const std::vector<NamedCheck>*> lists_of(const std::string& kind) {
  if (kind == "model") return {&description_checks(), &model_checks(), &autoencoder_checks(), &fuzz_checks()};
  if (kind == "dataset") return {&description_checks(), &dataset_checks(), &fuzz_checks()};
  return {&description_checks(), &transform_checks(), &fuzz_checks()};
}

}  // namespace

std::vector<Check> checks_of(const ComponentInfo& info, int highest_level) {
  std::vector<Check> checks;
  for (const auto* list : lists_of(info.kind)) {
    for (const NamedCheck& named : *list) checks.push_back(named.check);
  }
  for (Check& check : option_checks(info)) checks.push_back(std::move(check));
  std::erase_if(checks, [&](const Check& check) { return check.level > highest_level; });
  std::stable_sort(checks.begin(), checks.end(), [](const Check& a, const Check& b) { return a.level < b.level; });
  return checks;
}

void run_check(const Subject& subject, const std::string& id) {
  for (const auto* list : lists_of(subject.info->kind)) {
    for (const NamedCheck& named : *list) {
      if (named.check.id == id) return named.run(subject);
    }
  }
  if (!run_option_check(subject, id)) throw std::invalid_argument("no check is called " + id);
}

}  // namespace amae::compliance

#include "compliance/catalogue.h"

#include <set>

#include "base/file.h"
#include "tests/base/support.h"

namespace amae::compliance {
namespace {

std::vector<NamedCheck> all_checks() {
  std::vector<NamedCheck> all;
  for (const auto* list : {&description_checks(), &model_checks(), &autoencoder_checks(), &dataset_checks(),
                           &transform_checks(), &fuzz_checks()})
    all.insert(all.end(), list->begin(), list->end());
  return all;
}

TEST_CASE("docs/compliance.md has a line for each check, with its level and its claim") {
  const std::string page = read_file(AMAE_SOURCE_DIR "/docs/compliance.md");
  for (const auto& [check, run] : all_checks()) {
    INFO(check.id);
    CHECK(contains(page, "\n| " + std::to_string(check.level) + " | `" + check.id + "` | "));
    CHECK(contains(page, " | " + check.claim + " |\n"));
  }
}

TEST_CASE("the checks of a kind have names of their own and levels from 1 to 10") {
  for (const char* kind : {"model", "dataset", "transform"}) {
    ComponentInfo info;
    info.kind = kind;
    info.make_options = [] { return std::make_unique<OptionsHolder<NoOptions>>(); };
    std::set<std::string> ids;
    int before = 1;
    for (const Check& check : checks_of(info)) {
      INFO(kind << " " << check.id);
      CHECK(ids.insert(check.id).second);
      CHECK(check.level >= before);  // mildest first
      CHECK(check.level <= kHighestLevel);
      before = check.level;
    }
    CHECK(checks_of(info, 1).size() < checks_of(info, 2).size());
  }
}

}  // namespace
}  // namespace amae::compliance

#include "tests/compliance/generated/passes.h"

#include "base/child_process.h"
#include "compliance/check.h"
#include "plugin/loader.h"

namespace amae::compliance {
namespace {

const Registry& registry() {
  static const Registry plugins = [] {
    // A number beyond reason is std::bad_alloc, and not a machine that swaps.
    limit_memory(uint64_t{12} << 30);
    return load_plugins({AMAE_BUILD_DIR "/plugins", AMAE_SOURCE_DIR "/plugins"});
  }();
  return plugins;
}

}  // namespace

void passes(const std::string& kind, const std::string& key, const std::string& id) {
  Subject subject;
  subject.registry = &registry();
  subject.info = &registry().find(kind, key);
  subject.seed = 20261129;
  const Examples examples = examples_beside(subject.info->plugin->path);
  if (const auto own = examples.find(key); own != examples.end()) subject.examples = own->second;
  try {
    run_check(subject, id);
    SUCCEED();
  } catch (const Skipped& skipped) {
    SKIP(skipped.what());
  } catch (const CheckFailed& failure) {
    FAIL(failure.problems().front().message);
  }
}

}  // namespace amae::compliance

#include "tests/compliance/generated/passes.h"

#include <sys/resource.h>

#include "compliance/check.h"
#include "plugin/loader.h"

namespace amae::compliance {
namespace {

const Registry& registry() {
  static const Registry plugins = [] {
    // A number beyond reason is std::bad_alloc, and not a machine that swaps.
    const rlimit limit{uint64_t{12} << 30, uint64_t{12} << 30};
    ::setrlimit(RLIMIT_AS, &limit);
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

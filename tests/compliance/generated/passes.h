// What the sources in tests/generated are made of.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <string>

namespace amae::compliance {

/// Makes one check of compliance/check.h on the component of this name, among the plugins of the build and of the
/// checkout's plugins/; a failed Catch2 case when it fails, a skipped one when it cannot be made.
void passes(const std::string& kind, const std::string& key, const std::string& id);

}  // namespace amae::compliance

// Doing something dangerous in another process first.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace amae {

struct RehearsalLimits {
  uint64_t memory_bytes = uint64_t{1} << 30;  ///< beyond what this process has now
  uint64_t cpu_s = 60;
};

/// Calls `action` in a forked child under limits, and returns when it ended there. Throws InputError with the child's
/// problem when it threw one (where = `where`), and one of its own (code `code`) when it died: a crash, memory or time
/// beyond the limits. Throws Stopped when a stop is asked for meanwhile.
///
/// The child has this thread only: `action` may allocate memory but must take no lock that another thread could hold,
/// start no thread and use no LibTorch operator. What it changes in memory is lost.
void rehearse(const std::string& code, const std::string& where, const RehearsalLimits& limits,
              const std::function<void()>& action);

}  // namespace amae

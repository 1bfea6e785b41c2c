// How much memory a piece of work takes at most, and how long it takes.
#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>

namespace amae::bench {

/// A line of /proc/self/status in bytes: "VmRSS", "VmHWM".
inline int64_t status_bytes(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key + ":")) return std::stoll(line.substr(key.size() + 1)) * 1024;
  }
  return 0;
}

struct Cost {
  double seconds = 0;
  double before_mb = 0;  ///< resident before it
  double peak_mb = 0;    ///< most that was resident during it
};

template <class Work>
Cost cost_of(const Work& work) {
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts anew
  Cost cost;
  cost.before_mb = static_cast<double>(status_bytes("VmRSS")) / 1e6;
  const auto start = std::chrono::steady_clock::now();
  work();
  cost.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  cost.peak_mb = static_cast<double>(status_bytes("VmHWM")) / 1e6;
  return cost;
}

}  // namespace amae::bench

// What GET /metrics says: counts since the start, in Prometheus' text format. (no LibTorch)
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "http/server.h"

namespace amae::serve {

/// Thread-safe.
class Statistics {
 public:
  void answered(const std::string& route, int status, double seconds);
  /// One batch through the model.
  void computed(int64_t clips, double seconds);
  void heard(double audio_seconds);
  void dropped();  ///< work whose client had gone

  /// Source: Prometheus, "Exposition formats", text format 0.0.4.
  [[nodiscard]] std::string text(const http::ServerCounts& counts, int64_t in_flight, int64_t waiting) const;

 private:
  struct Histogram {
    static constexpr std::array<double, 11> kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5};
    std::array<int64_t, kBounds.size()> below{};
    int64_t count = 0;
    double sum = 0;
    void add(double value);
    void write(std::string& text, const std::string& name, const std::string& labels) const;
  };

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, int64_t> requests_;
  std::map<std::string, Histogram> seconds_;
  Histogram inference_;
  int64_t batches_ = 0, clips_ = 0, dropped_ = 0;
  double audio_seconds_ = 0;
};

}  // namespace amae::serve

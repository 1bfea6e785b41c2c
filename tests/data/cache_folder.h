// A folder of cached features for tests, and rows whose numbers are known without a pipeline.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "data/cache.h"
#include "tests/data/support.h"

namespace amae {

constexpr int64_t kRows = 7;
inline const std::string kFront = "[{name: add, value: 0.5}, jitter]";

/// A cache folder of its own, and what was warned about while it was used.
class CacheFolder {
 public:
  CacheFolder() { log::set_level(log::Level::error); }
  ~CacheFolder() { log::set_level(log::Level::info); }

  [[nodiscard]] FeatureCache open(const std::shared_ptr<Ramps>& data, const std::string& mode = "disk",
                                  const std::string& front = kFront, double ram_limit = 1e9) const {
    const auto pipeline = std::make_shared<const Pipeline>(pipeline_of(front));
    return {data, pipeline, {.mode = mode, .ram_limit = ram_limit, .folder = path().string()}, 2, {}};
  }
  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "cache"; }
  [[nodiscard]] std::vector<std::filesystem::path> entries() const {
    std::vector<std::filesystem::path> paths;
    for (const auto& name : names_in(path() / "features")) paths.push_back(path() / "features" / name);
    return paths;
  }
  [[nodiscard]] std::string warnings() const { return read_file(folder_.path() / "log"); }

 private:
  TemporaryFolder folder_;
  log::File log_{folder_.path() / "log"};
};

inline std::shared_ptr<Ramps> ramps(int64_t rows = kRows) { return std::make_shared<Ramps>(rows); }

/// Row r with 0.5 added, worked out without a pipeline.
inline at::Tensor expected(const std::vector<int64_t>& rows) {
  return at::tensor(rows).to(at::kFloat).mul(10).view({-1, 1, 1}) + at::arange(4, at::kFloat) + 0.5;
}

inline void check_rows(const FeatureCache& cache) {
  for (const std::vector<int64_t>& rows : {std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6}, {5}, {3, 0, 3}}) {
    const Batch batch = cache.rows(rows);
    CHECK(batch.x.equal(expected(rows)));
    CHECK(batch.ids == rows);
    CHECK(batch.rate_hz == 8000);
  }
}

}  // namespace amae

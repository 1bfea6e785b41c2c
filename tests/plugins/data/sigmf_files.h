// SigMF recordings that tests write themselves, good and bad.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "plugins/data/sigmf/sigmf.h"
#include "tests/problems.h"

namespace amae {

/// A folder of recordings of complex float32 samples: sample n of each is n + 1000 (n + 1)i, in thousandths.
class SigMfFolder {
 public:
  using Json = nlohmann::json;

  /// Metadata of a recording with two annotations, to be changed at will.
  static Json metadata() {
    return {{"global", {{"core:datatype", "cf32_le"}, {"core:version", "1.2.5"}, {"core:sample_rate", 1e6}}},
            {"captures", {{{"core:sample_start", 0}}}},
            {"annotations",
             {{{"core:sample_start", 0}, {"core:sample_count", 40}, {"core:label", "BPSK"}},
              {{"core:sample_start", 40}, {"core:sample_count", 60}, {"core:label", "QPSK"}}}}};
  }
  static std::string samples(int64_t count) {
    std::string bytes;
    for (int64_t n = 0; n < count; ++n) {
      const float iq[] = {static_cast<float>(n) / 1000, static_cast<float>(n + 1)};
      bytes.append(reinterpret_cast<const char*>(iq), sizeof(iq));
    }
    return bytes;
  }

  void write(const std::string& name, const Json& metadata, int64_t count = 100) const {
    write_text(name, metadata.dump(), samples(count));
  }
  void write_text(const std::string& name, const std::string& metadata, const std::string& data) const {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    write_file(folder_.path() / (name + ".sigmf-meta"), metadata);
    write_file(folder_.path() / (name + ".sigmf-data"), data);
  }
  [[nodiscard]] std::string path(const std::string& name = "") const { return (folder_.path() / name).string(); }

  [[nodiscard]] SigMfOptions options(const std::string& name = "") const {
    SigMfOptions options;
    options.path = path(name);
    return options;
  }
  /// The one problem with a recording of this metadata: "FIELD: MESSAGE".
  std::string refused(const Json& metadata, int64_t count = 100) const {
    return refused_text(metadata.dump(), samples(count));
  }
  std::string refused_text(const std::string& metadata, const std::string& data) const {
    write_text("bad", metadata, data);
    const auto problems = problems_of([&] { const SigMf opened(options("bad.sigmf-meta")); });
    CHECK(problems.size() == 1);
    return problems.empty() ? "" : problems[0].field + ": " + problems[0].message;
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace amae

#include "data/load_row.h"

#include <limits>
#include <stdexcept>

#include "data/cache.h"
#include "tests/data/support.h"

namespace amae {
namespace {

/// One row, audio [1, 4], given by a function.
class OneRow final : public Dataset {
 public:
  explicit OneRow(std::function<at::Tensor()> give) : give_(std::move(give)) {}
  [[nodiscard]] int64_t size() const override { return 1; }
  [[nodiscard]] std::string id(int64_t /*row*/) const override { return "the row"; }
  [[nodiscard]] Signal load(int64_t /*row*/) const override { return {give_(), 8000, Domain::audio}; }
  [[nodiscard]] Spec spec() const override { return {Domain::audio, {1, 4}, 8000}; }
  [[nodiscard]] bool skips_bad_rows() const override { return true; }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return classes_; }
  [[nodiscard]] at::Tensor labels() const override { return {}; }
  [[nodiscard]] std::string content_hash(int64_t /*row*/) const override { return "0"; }

 private:
  std::function<at::Tensor()> give_;
  std::vector<std::string> classes_;
};

const Origin kOrigin{"dataset", "one_row", "/plugins/one_row.so", "data"};

std::string told(const std::function<at::Tensor()>& give) {
  const OneRow data(give);
  const Problem problem = refusal([&] { load_row(data, 0, kOrigin); });
  CHECK(problem.code == "PLUGIN");
  CHECK(problem.where == "/plugins/one_row.so");
  CHECK(problem.field == "data");
  return problem.message;
}

TEST_CASE("a data set that gives something else than it announces is named with its library and the row") {
  CHECK(told([] {
          return at::zeros({1, 4}, at::kDouble);
        }) == "dataset 'one_row' gave double [1, 4] for row the row, announced as audio [1, 4] at 8000 Hz of float");
  CHECK(contains(told([] { return at::zeros({4}); }), "gave float [4] for"));
  CHECK(contains(told([] { return at::zeros({1, 5}); }), "gave float [1, 5] for"));
  CHECK(contains(told([] { return at::Tensor(); }), "gave nothing for"));
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    CHECK(told([value] {
            return at::tensor({0.F, 1.F, 2.F, value}).view({1, 4});
          }) == "dataset 'one_row' gave samples that are not finite for row the row");
  }
  CHECK(told([]() -> at::Tensor { throw std::runtime_error("no\nmore"); }) ==
        "dataset 'one_row' failed to load row the row: no");
}

TEST_CASE("what a data set refuses itself stays its own words, and sound samples are passed on") {
  const OneRow bad([]() -> at::Tensor { throw InputError("DATA-FILE", "a.wav", "", "is cut off"); });
  CHECK(refusal([&] { load_row(bad, 0, kOrigin); }).line() == "error[DATA-FILE]: a.wav: is cut off");
  const at::Tensor largest = at::full({4, 1}, std::numeric_limits<float>::max()).t();  // finite, not contiguous
  const OneRow good([&] { return largest; });
  CHECK(load_row(good, 0, kOrigin).samples.equal(largest));
}

TEST_CASE("a plugin's fault is no bad row to be left out") {
  for (const std::string mode : {"ram", "off"}) {
    const auto data = std::make_shared<OneRow>([]() -> at::Tensor { throw std::runtime_error("no more"); });
    const auto pipeline = std::make_shared<Pipeline>(pipeline_of("[]"));
    CacheOptions options;
    options.mode = mode;
    const Problem problem = refusal([&] { FeatureCache(data, pipeline, options, 1, {}, "", kOrigin); });
    CHECK(problem.where == "/plugins/one_row.so");
  }
}

}  // namespace
}  // namespace amae

#include "data/bad_rows.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/log.h"
#include "data/cache.h"
#include "tests/data/support.h"

namespace amae {
namespace {

/// Rows 2 and 5 of eight cannot be loaded.
class SomeBad {
 public:
  SomeBad() { log::set_level(log::Level::error); }
  ~SomeBad() { log::set_level(log::Level::info); }

  static std::shared_ptr<Ramps> data(std::vector<int64_t> bad = {2, 5}) {
    auto ramps = std::make_shared<Ramps>(8);
    ramps->skips = true;
    ramps->on_load = [bad](int64_t row) {
      if (std::find(bad.begin(), bad.end(), row) != bad.end()) {
        throw InputError("AUDIO", "row" + std::to_string(row) + ".wav", "", "is broken");
      }
    };
    return ramps;
  }
  [[nodiscard]] FeatureCache open(const std::shared_ptr<Ramps>& data, const std::string& mode,
                                  const std::string& front = "[{name: add, value: 0.5}]") const {
    const auto pipeline = std::make_shared<const Pipeline>(pipeline_of(front));
    return {data, pipeline, {.mode = mode, .folder = folder_.path().string()}, 2, {}};
  }

 private:
  TemporaryFolder folder_;
};

const BadRows kBoth = {{2, "error[AUDIO]: row2.wav: is broken"}, {5, "error[AUDIO]: row5.wav: is broken"}};

TEST_CASE_METHOD(SomeBad, "bad rows are found whatever the cache, and the others are served") {
  for (const std::string mode : {"ram", "disk", "off"}) {
    INFO(mode);
    const auto cache = open(data(), mode);
    CHECK(cache.bad_rows() == kBoth);
    CHECK(numbers(cache.rows({1, 3}).x) == std::vector<float>{10.5, 11.5, 12.5, 13.5, 30.5, 31.5, 32.5, 33.5});
    CHECK(open(data({}), mode).bad_rows().empty());
  }
}

TEST_CASE_METHOD(SomeBad, "a disk entry remembers its bad rows, and looks at them alone again") {
  { const auto first = open(data(), "disk"); }
  const auto again = data();
  const auto cache = open(again, "disk");
  CHECK(again->loads == 2);
  CHECK(cache.bad_rows() == kBoth);
}

TEST_CASE_METHOD(SomeBad, "a disk entry is computed anew when one of its bad rows can be loaded by now") {
  { const auto first = open(data(), "disk"); }
  const auto better = data({5});
  const auto cache = open(better, "disk");
  CHECK(cache.bad_rows().size() == 1);
  CHECK(numbers(cache.rows({2}).x) == std::vector<float>{20.5, 21.5, 22.5, 23.5});
  const auto third = data({5});
  { const auto kept = open(third, "disk"); }
  CHECK(third->loads == 1);
}

TEST_CASE_METHOD(SomeBad,
                 "a data set that does not skip gets the error, also from a disk entry that was made with skip") {
  { const auto first = open(data(), "disk"); }
  for (const std::string mode : {"ram", "disk"}) {
    const auto strict = data();
    strict->skips = false;
    CHECK(refusal([&] { (void)open(strict, mode); }).where == "row2.wav");
  }
}

TEST_CASE_METHOD(SomeBad, "an error of the transforms is no bad sample") {
  const auto ramps = std::make_shared<Ramps>(20);
  ramps->skips = true;
  CHECK_THROWS(open(ramps, "ram", "[{name: unlucky}]"));
}

TEST_CASE("bad rows are told, listed and taken out of a split") {
  Ramps data(30);
  BadRows bad;
  for (int64_t row = 3; row < 15; ++row) bad[row] = "is \x01 broken";
  CHECK(bad_rows_text(data, {{3, "is broken"}}) == "1 of 30 samples cannot be read and is left out: row3");
  CHECK(bad_rows_text(data, bad) ==
        "12 of 30 samples cannot be read and are left out: row3, row4, row5, row6, row7, row8, row9, row10, row11, "
        "row12, …");
  const auto json = bad_rows_json(data, bad);
  CHECK(json.at("count") == 12);
  CHECK(json.at("list").size() == 12);
  CHECK(json.at("list").at(0).dump() == R"({"id":"row3","problem":"is \\x01 broken"})");
  CHECK(without({1, 20, 3, 14, 2}, bad) == std::vector<int64_t>{1, 20, 2});
}

}  // namespace
}  // namespace amae

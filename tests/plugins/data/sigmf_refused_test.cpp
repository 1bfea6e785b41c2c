// Metadata and samples that do not hold together, and what is said of them.
#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "sigmf_files.h"
#include "tests/io/tar_bytes.h"

namespace amae {

TEST_CASE_METHOD(SigMfFolder, "fields that break the standard are refused with a pointer to them and their value") {
  using Edit = std::function<void(Json&)>;
  const auto with = [&](const Edit& edit) {
    Json json = metadata();
    edit(json);
    return refused(json);
  };
  CHECK(with([](Json& j) { j.erase("global"); }) == "/global: got nothing, expected an object");
  CHECK(with([](Json& j) { j["captures"] = 3; }) == "/captures: got 3, expected a list");
  CHECK(with([](Json& j) { j.erase("annotations"); }) == "/annotations: got nothing, expected a list");
  CHECK(contains(with([](Json& j) { j = Json::array(); }), ": got a file that starts with \"[]\", expected SigMF"));
  for (const char* type : {"cf8", "cf32", "cf32_xe", "ci8_le", "xf32_le", "c", "cd32_le", "cf128_le", "ri24_le", ""}) {
    INFO(type);
    CHECK(contains(with([&](Json& j) { j["global"]["core:datatype"] = type; }),
                   std::string("/global/core:datatype: got \"") + type + "\", expected (r|c)(f|i|u)"));
  }
  CHECK(contains(with([](Json& j) { j["global"]["core:datatype"] = 5; }), "core:datatype: got 5, expected text"));
  CHECK(contains(with([](Json& j) { j["global"].erase("core:version"); }), "/global/core:version: got \"\""));
  CHECK(contains(with([](Json& j) { j["global"]["core:version"] = "2.0.0"; }), "got \"2.0.0\""));
  CHECK(contains(with([](Json& j) { j["global"]["core:sample_rate"] = -1; }), "core:sample_rate: got -1"));
  CHECK(contains(with([](Json& j) { j["global"]["core:num_channels"] = 0; }), "core:num_channels: got 0"));
  CHECK(
      contains(with([](Json& j) { j["global"]["core:num_channels"] = 1 << 20; }), "got 1048576, expected 1 to 65536"));
  CHECK(contains(with([](Json& j) { j["global"]["core:sha512"] = "abc"; }), "core:sha512: got \"abc\""));
  for (const char* name : {"../x", "/etc/passwd", "..", "a\\b"})
    CHECK(contains(with([&](Json& j) { j["global"]["core:dataset"] = name; }), "/global/core:dataset: got "));
  CHECK(contains(with([](Json& j) { j["global"]["core:metadata_only"] = true; }), "core:metadata_only: got metadata"));
  CHECK(contains(with([](Json& j) {
                   j["global"]["core:extensions"] = {{{"name", "zip"}, {"version", "1.0.0"}, {"optional", false}}};
                 }),
                 "got the extension \"zip\""));
  CHECK(contains(with([](Json& j) { j["captures"][0]["core:sample_start"] = -1; }),
                 "/captures/0/core:sample_start: got -1"));
  CHECK(contains(with([](Json& j) { j["captures"][0]["core:sample_start"] = 1.5; }), "got 1.5"));
  CHECK(contains(with([](Json& j) { j["captures"][0] = "x"; }), "/captures/0: got \"x\", expected an object"));
  CHECK(contains(with([](Json& j) {
                   j["captures"] = {{{"core:sample_start", 50}}, {{"core:sample_start", 40}}};
                 }),
                 "/captures/1/core:sample_start: got 40, expected at least 50"));
  CHECK(contains(with([](Json& j) { j["captures"][0]["core:header_bytes"] = 801; }), "samples: got 800 bytes from"));
  CHECK(contains(with([](Json& j) { j["captures"][0]["core:header_bytes"] = 800; }), "samples: got 800 bytes and no"));
  CHECK(contains(with([](Json& j) { j["global"]["core:trailing_bytes"] = 801; }), "core:trailing_bytes"));
  CHECK(contains(with([](Json& j) { j["global"]["core:offset"] = 5; }),
                 "/captures/0/core:sample_start: got 0, expected"));
  CHECK(contains(with([](Json& j) { j["annotations"][1].erase("core:sample_start"); }),
                 "/annotations/1/core:sample_start: got nothing"));
  CHECK(contains(with([](Json& j) { j["annotations"] = Json::array(); }), "rows: got no annotations"));
}

TEST_CASE_METHOD(SigMfFolder, "annotations outside the recording are all told, with both numbers") {
  Json json = metadata();
  json["annotations"].push_back({{"core:sample_start", 90}, {"core:sample_count", 11}, {"core:label", "x"}});
  json["annotations"].push_back({{"core:sample_start", 100}, {"core:label", "x"}});
  json["annotations"].push_back({{"core:sample_start", 5}, {"core:sample_count", 0}, {"core:label", "x"}});
  json["annotations"].push_back(
      {{"core:sample_start", uint64_t{1} << 60U}, {"core:sample_count", uint64_t{1} << 60U}, {"core:label", "x"}});
  write("a", json);
  const auto problems = problems_of([&] { const SigMf bad(options()); });
  REQUIRE(problems.size() == 4);
  CHECK(problems[0].field == "/annotations/2");
  CHECK(problems[0].message ==
        "got 11 samples from 90 on, expected at least one and all within 0 to 99, the samples of the recording");
  CHECK(problems[3].field == "/annotations/5");
}

TEST_CASE_METHOD(SigMfFolder, "hostile JSON is refused and costs little") {
  const std::string data = samples(10);
  CHECK(contains(refused_text("", data), "got a file that starts with \"\""));
  CHECK(contains(refused_text("no JSON", data), "expected SigMF metadata (JSON) or an archive (tar)"));
  CHECK(contains(refused_text("{\"global\": {", data), "got no JSON from byte"));
  CHECK(contains(refused_text("{\"global\": {\"core:version\": \"1.0.0\", \"core:version\": \"1.0.1\"}}", data),
                 "got the key \"core:version\" twice"));
  CHECK(contains(refused_text("{\"a\": NaN}", data), "got no JSON from byte"));
  CHECK(contains(refused_text("{\"a\": 1e999}", data), "out of range"));
  CHECK(contains(refused_text("{\"a\": \"\xff\"}", data), "got no JSON from byte"));
  std::string deep = "{\"a\": ";
  deep += std::string(10'000, '[') + std::string(10'000, ']') + "}";
  CHECK(contains(refused_text(deep, data), "nested deeper than 32"));
  Json json = metadata();
  for (int i = 0; i < 300; ++i) json["annotations"][0]["my:f" + std::to_string(i)] = i;
  CHECK(contains(refused(json), "got more than 256 fields"));
}

TEST_CASE_METHOD(SigMfFolder, "samples that are cut, missing or not finite are refused with their file") {
  CHECK(contains(refused_text(metadata().dump(), samples(100) + "x"),
                 "samples: got 801 bytes of samples, expected whole samples of 8 bytes"));
  CHECK(contains(refused_text(metadata().dump(), ""), "samples: got 0 bytes and no sample"));
  write("a", metadata());
  std::filesystem::remove(path("a.sigmf-data"));
  CHECK(problems_of([&] { const SigMf bad(options("a.sigmf-meta")); }).at(0).where == path("a.sigmf-data"));

  std::string data = samples(100);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  data.replace(8 * 45 + 4, 4, reinterpret_cast<const char*>(&nan), 4);
  write_text("n", metadata().dump(), data);
  const SigMf spoilt(options("n.sigmf-meta"));
  CHECK(spoilt.load(0).samples.size(1) == 40);
  const auto problems = problems_of([&] { static_cast<void>(spoilt.load(1)); });
  REQUIRE(problems.size() == 1);
  CHECK(contains(problems[0].message, "got sample 5 of 60, which is not finite (nan)"));
  CHECK(problems[0].field == "samples 40 to 99");

  std::filesystem::resize_file(path("n.sigmf-data"), 100);
  CHECK(contains(problems_of([&] { static_cast<void>(spoilt.load(0)); }).at(0).message, "changed"));
}

TEST_CASE_METHOD(SigMfFolder,
                 "archives without a recording or without its samples, and folders without any, are refused") {
  const auto refused_tar = [&](const std::string& bytes) {
    write_file(path("x.sigmf"), bytes);
    return problems_of([&] { const SigMf bad(options("x.sigmf")); }).at(0).message;
  };
  CHECK(contains(refused_tar(tar_entry("readme", "text") + tar_end()),
                 "got an archive of 1 files without a *.sigmf-meta"));
  CHECK(contains(refused_tar(tar_entry("a.sigmf-meta", metadata().dump()) + tar_end()),
                 "got no a.sigmf-data in the archive"));
  CHECK(contains(refused_tar(tar_entry("a.sigmf-meta", metadata().dump())), "truncated file"));
  std::filesystem::remove(path("x.sigmf"));
  CHECK(contains(problems_of([&] { const SigMf bad(options()); }).at(0).message, "got a folder without"));
  CHECK(contains(problems_of([&] { const SigMf bad(options("nowhere")); }).at(0).message, "no such file"));

  write("c", metadata());
  Json real = metadata();
  real["global"]["core:datatype"] = "rf32_le";
  write("r", real);
  CHECK(contains(problems_of([&] { const SigMf bad(options()); }).at(0).message,
                 "got complex samples in c and real ones in r"));
}

TEST_CASE_METHOD(SigMfFolder, "options that do not go together, and frames longer than anything, are refused") {
  write("a", metadata());
  SigMfOptions wanted = options();
  wanted.frame = 64;
  CHECK(problems_of([&] { const SigMf bad(wanted); }).at(0).message ==
        "got 64 samples, but none of 2 annotations is as long");
  wanted.frame = 0;
  wanted.hop = 4;
  CHECK(problems_of([&] { wanted.check(); }).at(0).field == "hop");
  wanted.hop = 0;
  wanted.snr = wanted.label;
  CHECK(problems_of([&] { wanted.check(); }).at(0).field == "snr");
}

TEST_CASE_METHOD(SigMfFolder, "no byte of a metadata file, however changed, is anything but refused or read") {
  const std::string good = metadata().dump(), data = samples(100);
  for (size_t at = 0; at < good.size(); ++at) {
    for (const char byte : {'9', '"', '{', '\xff'}) {
      std::string bad = good;
      bad[at] = byte;
      write_text("m", bad, data);
      try {
        const SigMf opened(options("m.sigmf-meta"));
        for (int64_t row = 0; row < opened.size(); ++row) static_cast<void>(opened.load(row));
      } catch (const InputError& error) {
        CHECK_FALSE(error.problems().empty());
      }
    }
  }
}

}  // namespace amae

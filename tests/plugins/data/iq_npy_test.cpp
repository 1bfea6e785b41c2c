#include "plugins/data/iq_npy/iq_npy.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <fstream>
#include <limits>

#include "base/file.h"
#include "io/npy.h"
#include "io/safetensors.h"
#include "tests/problems.h"

namespace amae {
namespace {

const std::string kIqNpy = AMAE_TEST_DATA "/iq_npy/";

class NpyFrames {
 public:
  std::string array(const std::string& name, const at::Tensor& values) const {
    write_npy(path(name), values);
    return path(name);
  }
  std::string table(const std::string& content) const {
    write_file(path("labels.csv"), content);
    return path("labels.csv");
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  /// The problems of four frames with this table: "FIELD: MESSAGE" of the first.
  std::string refused_table(const std::string& content) const {
    IqNpyOptions options;
    options.files = {kIqNpy + "first.npy"};
    options.labels = table(content);
    const auto problems = problems_of([&] { const IqNpy bad(options); });
    REQUIRE_FALSE(problems.empty());
    return problems[0].field + ": " + problems[0].message;
  }

 private:
  TemporaryFolder folder_;
};

IqNpy opened(std::vector<std::string> files, const std::string& layout = "auto", const std::string& array = "") {
  IqNpyOptions options;
  options.files = std::move(files);
  options.layout = layout;
  options.array = array;
  return IqNpy(options);
}

at::Tensor all_of(const IqNpy& data) {
  std::vector<at::Tensor> rows;
  for (int64_t row = 0; row < data.size(); ++row) rows.push_back(data.load(row).samples);
  return at::stack(rows);
}

}  // namespace

TEST_CASE("arrays of every type and byte order are read to exactly the numbers that NumPy wrote") {
  const TensorDict values = read_safetensors(kIqNpy + "values.safetensors");
  int64_t seen = 0;
  for (const auto& [name, expected] : values) {
    if (name == "frames") continue;
    INFO(name);
    const IqNpy data = opened({kIqNpy + "types.npz"}, "auto", name);
    CHECK(data.spec().text() == "iq [2, 5]");
    CHECK(all_of(data).equal(expected));
    ++seen;
  }
  CHECK(seen == 24);
}

TEST_CASE("[N, 2, L], [N, L, 2] and complex [N, L] of the same frames are the same data set") {
  const at::Tensor expected = read_safetensors(kIqNpy + "values.safetensors").at("frames");
  const IqNpy first = opened({kIqNpy + "first.npy"});
  for (const char* name : {"first.npy", "last.npy", "complex.npy"}) {
    const IqNpy data = opened({kIqNpy + name});
    INFO(name);
    CHECK(all_of(data).equal(expected));
    CHECK(data.content_hash(2) == first.content_hash(2));
    CHECK(data.id(3) == std::string(name) + "#3");
    CHECK_FALSE(data.labels().defined());
  }
}

TEST_CASE_METHOD(NpyFrames, "two axes that could both be I and Q are an error that names the option; it decides") {
  const auto problems = problems_of([] { opened({kIqNpy + "two.npy"}); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].code == "NPY");
  CHECK(problems[0].where == kIqNpy + "two.npy");
  CHECK(problems[0].field == "shape");
  CHECK(problems[0].message ==
        "got (4, 2, 2) of real numbers, where two axes could be I and Q; set layout: channels_first for [N, 2, L] or "
        "channels_last for [N, L, 2]");
  const at::Tensor frames = read_npy(kIqNpy + "two.npy");
  CHECK(all_of(opened({kIqNpy + "two.npy"}, "channels_first")).equal(frames));
  CHECK(all_of(opened({kIqNpy + "two.npy"}, "channels_last")).equal(frames.transpose(1, 2)));

  const auto refused = [&](const at::Tensor& values, const std::string& layout = "auto") {
    return problems_of([&] { opened({array("a.npy", values)}, layout); }).at(0).message;
  };
  const std::string expected = "expected [N, 2, L] or [N, L, 2] of real numbers or [N, L] of complex ones";
  for (const auto& shape : std::vector<std::vector<int64_t>>{{2, 128}, {7}, {4, 3, 128}, {2, 2, 2, 2}, {}})
    CHECK(contains(refused(at::zeros(shape)), expected));
  CHECK(contains(refused(at::zeros({4, 2, 6}), "channels_last"), "expected [N, L, 2] as layout: channels_last says"));
  CHECK(contains(refused(at::zeros({0, 2, 6})), "got no frame"));
  CHECK(contains(refused(at::zeros({3, 2, 0})), "got frames of 0 samples"));
}

TEST_CASE_METHOD(NpyFrames, "several files follow one another, with one table for all") {
  IqNpyOptions options;
  options.files = {kIqNpy + "first.npy", array("more.npy", at::arange(0, 24, at::kFloat).view({2, 2, 6}))};
  options.labels = table(
      "modulation,snr,rig,fold,group,note\n"
      "QPSK,10,A,1,x,\nBPSK,-4.5,A,1,x,good\nQPSK,10,B,1,y,\nQPSK,0,A,1,x,\n"
      "\"8PSK\",1e1,A,2,z,bad\nBPSK,,B,2,z,\n");
  options.rate = 1e6;
  const IqNpy data(options);
  REQUIRE(data.size() == 6);
  CHECK(data.id(3) == "first.npy#3");
  CHECK(data.id(5) == "more.npy#1");
  CHECK(data.load(5).samples.equal(at::arange(12, 24, at::kFloat).view({2, 6})));
  CHECK(data.load(5).rate_hz == 1e6);
  CHECK(data.classes() == std::vector<std::string>{"8PSK", "BPSK", "QPSK"});
  CHECK(data.labels().equal(at::tensor({2, 1, 2, 2, 0, 1}, at::kLong)));
  CHECK(data.folds() == std::vector<int64_t>{1, 1, 1, 1, 2, 2});
  CHECK(data.groups() == std::vector<int64_t>{0, 0, 1, 0, 2, 2});
  const auto numbers = data.columns();
  REQUIRE(numbers.size() == 1);
  CHECK(std::vector<double>(numbers.at("snr").begin(), numbers.at("snr").begin() + 5) ==
        std::vector<double>{10, -4.5, 10, 0, 10});
  CHECK(std::isnan(numbers.at("snr")[5]));
  const auto texts = data.text_columns();
  REQUIRE(texts.size() == 3);
  CHECK(texts.at("modulation").values == std::vector<std::string>{"QPSK", "BPSK", "8PSK"});
  CHECK(texts.at("modulation").index == std::vector<int32_t>{0, 1, 0, 0, 2, 1});
  CHECK(texts.at("rig").index == std::vector<int32_t>{0, 0, 1, 0, 0, 1});
  CHECK(texts.at("note").index == std::vector<int32_t>{-1, 0, -1, -1, 1, -1});

  options.files[1] = array("longer.npy", at::zeros({2, 2, 9}));
  CHECK(IqNpy(options).spec().shape == std::vector<int64_t>{2, -1});
  CHECK(IqNpy(options).row_spec(4).shape == std::vector<int64_t>{2, 9});
  options.files[1] = options.files[0];
  CHECK(problems_of([&] { const IqNpy bad(options); }).at(0).field == "files");
}

TEST_CASE_METHOD(NpyFrames, "a table that does not fit the frames is refused with line, column and value") {
  const std::string rows = "a,1\nb,2\na,3\nb,4\n";
  CHECK(contains(refused_table("modulation,snr\na,1\nb,2\n"), "got only 2 rows, expected 4"));
  CHECK(contains(refused_table("modulation,snr\n" + rows + rows), "got at least 5 rows, expected 4"));
  CHECK(contains(refused_table("class,snr\n" + rows), "modulation"));
  CHECK(contains(refused_table("modulation,snr\na,1\n,2\na,3\nb,4\n"), "modulation: got an empty label"));
  CHECK(contains(refused_table("modulation,fold\na,1\nb,x\na,3\nb,4\n"), "fold: got \"x\""));
  CHECK(contains(refused_table("modulation,group\na,1\nb,\na,3\nb,4\n"), "group: got an empty cell"));
  IqNpyOptions options;
  options.files = {kIqNpy + "first.npy"};
  options.labels = table("modulation\nQPSK\nQPSX\nBPSK\nx\n");
  options.classes = {"BPSK", "QPSK"};
  const auto problems = problems_of([&] { const IqNpy bad(options); });
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].where == options.labels + ":3");
  CHECK(contains(problems[0].message, "did you mean QPSK?"));
  options.classes = {"BPSK", "BPSK"};
  CHECK(problems_of([&] { const IqNpy bad(options); }).at(0).field == "classes");
  options.label = "";
  options.classes = {};
  CHECK(IqNpy(options).text_columns().at("modulation").values.size() == 4);
}

TEST_CASE_METHOD(NpyFrames, "samples that are not finite are refused with file, frame and place") {
  at::Tensor frames = at::zeros({3, 2, 8});
  frames[1][1][6] = std::numeric_limits<float>::infinity();
  const IqNpy data = opened({array("a.npy", frames)});
  CHECK(data.load(0).samples.abs().max().item<double>() == 0);
  const auto problems = problems_of([&] { static_cast<void>(data.load(1)); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].where == path("a.npy"));
  CHECK(problems[0].field == "frame 1");
  CHECK(contains(problems[0].message, "got sample 6 of 8, which is not finite (inf)"));
}

}  // namespace amae

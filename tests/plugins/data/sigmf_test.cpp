#include "plugins/data/sigmf/sigmf.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <thread>

#include "io/safetensors.h"
#include "io/tar_reader.h"
#include "sigmf_files.h"
#include "tests/io/tar_bytes.h"

namespace amae {
namespace {

const std::string kSigMf = AMAE_TEST_DATA "/sigmf/";

SigMfOptions captures_of(const std::string& path) {
  SigMfOptions options;
  options.path = path;
  options.rows = "captures";
  return options;
}

SigMf annotated(int64_t frame = 0, int64_t hop = 0) {
  SigMfOptions options;
  options.path = kSigMf + "plain/annotated.sigmf-meta";
  options.frame = frame;
  options.hop = hop;
  return SigMf(options);
}

}  // namespace

TEST_CASE("every datatype of the standard, in either byte order, is read to exactly the numbers that NumPy wrote") {
  const TensorDict values = read_safetensors(kSigMf + "values.safetensors");
  // An archive that is a data set holds samples of one kind; here its recordings are opened one by one.
  const auto archive = std::make_shared<ReopenedFile>(kSigMf + "types.sigmf", "TEST");
  std::map<std::string, std::shared_ptr<Stretch>> files;
  for (const TarEntry& entry : read_tar(RegularFile(kSigMf + "types.sigmf", "TEST")))
    files[entry.name] = std::make_shared<Stretch>(archive, entry.offset, entry.size, entry.name);
  CHECK(files.size() == 2 * 40);
  for (const auto& [name, file] : files) {
    if (!name.ends_with(".sigmf-meta")) continue;
    const std::string datatype = name.substr(0, name.size() - 11);
    INFO(datatype);
    std::string text(file->size(), '\0');
    file->read(0, text.data(), text.size());
    const SigMfRecording recording(datatype, SigMfMetadata(text, name), files.at(datatype + ".sigmf-data"));
    CHECK(recording.end() == 5);
    CHECK(recording.read(0, 5, 0).equal(values.at(datatype)));
    CHECK(recording.read(2, 2, 0).equal(values.at(datatype).slice(1, 2, 4)));
  }
}

TEST_CASE("a recording in an archive of GNU's or POSIX's format is read to the written numbers") {
  const TensorDict values = read_safetensors(kSigMf + "values.safetensors");
  for (const char* form : {"gnu", "posix"}) {
    INFO(form);
    const SigMf data(captures_of(kSigMf + "long_" + form + ".sigmf"));
    REQUIRE(data.size() == 1);
    CHECK(data.id(0).starts_with("long/recording-of-a-long-name-"));
    CHECK(data.id(0).ends_with("-end#captures/0"));
    const Signal signal = data.load(0);
    CHECK(signal.domain == Domain::iq);
    CHECK(signal.rate_hz == 1e6);
    const std::string name = data.id(0).substr(5, data.id(0).find('#') - 5);
    CHECK(signal.samples.equal(values.at(name)));
    CHECK_FALSE(data.labels().defined());
    CHECK(data.classes().empty());
  }
}

TEST_CASE("annotations are rows with their labels and fields, those of their capture among them") {
  const SigMf data = annotated();
  const TensorDict values = read_safetensors(kSigMf + "values.safetensors");
  const at::Tensor& all = values.at("annotated");
  REQUIRE(data.size() == 4);
  CHECK(data.classes() == std::vector<std::string>{"BPSK", "QPSK", "noise"});
  CHECK(data.labels().equal(at::tensor({0, 1, 0, 2}, at::kLong)));
  CHECK(data.id(1) == "annotated#annotations/1");
  CHECK(data.load(0).samples.equal(all.slice(1, 0, 20)));
  CHECK(data.load(1).samples.equal(all.slice(1, 10, 42)));
  CHECK(data.load(2).samples.equal(all.slice(1, 50, 60)));  // no sample_count: to the end of the capture
  CHECK(data.load(3).samples.equal(all.slice(1, 70, 100)));
  CHECK(data.spec().text() == "iq [2, ?] at 200000 Hz");
  CHECK(data.row_spec(1).shape == std::vector<int64_t>{2, 32});
  CHECK(data.groups() == std::vector<int64_t>{0, 0, 0, 0});

  const auto numbers = data.columns();
  CHECK(numbers.at("frequency") == std::vector<double>{915e6, 915e6, 915e6, 433.5e6});
  CHECK(numbers.at("freq_lower_edge")[0] == 914.9e6);
  CHECK(std::isnan(numbers.at("freq_lower_edge")[1]));
  CHECK(numbers.at("test:snr")[1] == -4.5);
  CHECK(std::isnan(numbers.at("test:snr")[2]));
  CHECK(numbers.at("signal:detail.order")[1] == 4);
  CHECK(numbers.count("sample_start") == 0);
  const auto texts = data.text_columns();
  CHECK(texts.at("modulation").values == std::vector<std::string>{"BPSK", "QPSK", "noise"});
  CHECK(texts.at("modulation").index == std::vector<int32_t>{0, 1, 0, 2});
  CHECK(texts.at("comment").values == std::vector<std::string>{"overlaps, \u00e9"});
  CHECK(texts.at("comment").index == std::vector<int32_t>{-1, 0, -1, -1});
  CHECK(texts.at("signal:detail.mod_class").index == std::vector<int32_t>{-1, 0, -1, -1});
  CHECK(texts.at("test:checked").values == std::vector<std::string>{"true"});
  CHECK(texts.count("label") == 0);
}

TEST_CASE("frames are cut from annotations or captures, whole ones only, with the hop that is asked for") {
  const SigMf data = annotated(16);  // of 20, 32, 10 and 30 samples: 1, 2, 0 and 1 frames
  REQUIRE(data.size() == 4);
  CHECK(data.id(2) == "annotated#annotations/1@26");
  CHECK(data.labels().equal(at::tensor({0, 1, 1, 2}, at::kLong)));
  CHECK(data.text_columns().at("modulation").index == std::vector<int32_t>{0, 1, 1, 2});
  CHECK(data.columns().at("test:snr")[2] == -4.5);
  CHECK(data.spec().shape == std::vector<int64_t>{2, 16});
  CHECK(annotated(16, 4).size() == 2 + 5 + 4);
  CHECK(annotated(16, 4).load(3).samples.equal(annotated(32).load(0).samples.slice(1, 4, 20)));

  SigMfOptions options = captures_of(kSigMf + "plain/annotated.sigmf-meta");
  options.frame = 32;
  options.hop = 8;
  options.group = "segment";
  const SigMf frames(options);  // captures of 60 and 40 samples
  REQUIRE(frames.size() == 4 + 2);
  CHECK(frames.groups() == std::vector<int64_t>{0, 0, 0, 0, 1, 1});
  CHECK(frames.id(4) == "annotated#captures/1@60");
  const TensorDict values = read_safetensors(kSigMf + "values.safetensors");
  for (int64_t row = 0; row < 6; ++row) {
    const int64_t start = row < 4 ? 8 * row : 60 + 8 * (row - 4);
    CHECK(frames.load(row).samples.equal(values.at("annotated").slice(1, start, start + 32)));
  }
  CHECK(frames.content_hash(0) != frames.content_hash(1));
  CHECK_THROWS_AS(frames.load(6), std::out_of_range);
  options.group = "none";
  CHECK(SigMf(options).groups().empty());
}

TEST_CASE("header bytes, trailing bytes, offsets and channels are honoured") {
  const TensorDict values = read_safetensors(kSigMf + "values.safetensors");
  const SigMf headers(captures_of(kSigMf + "plain/headers.sigmf-meta"));
  REQUIRE(headers.size() == 2);  // the third capture lies beyond the file
  CHECK(headers.load(0).samples.equal(values.at("headers").slice(1, 0, 25)));
  CHECK(headers.load(1).samples.equal(values.at("headers").slice(1, 25, 40)));

  SigMfOptions options;
  options.path = kSigMf + "plain/offset.sigmf-meta";
  const SigMf offset(options);
  CHECK(offset.spec().text() == "audio [1, 5] at 8000 Hz");  // real samples are a waveform
  CHECK(offset.load(0).samples.equal(values.at("offset").slice(1, 10, 15)));

  for (const int64_t channel : {0, 1, 2}) {
    options = captures_of(kSigMf + "plain/channels.sigmf-meta");
    options.channel = channel;
    const std::string name = channel == 0 ? "channels" : "channels/" + std::to_string(channel);
    CHECK(SigMf(options).load(0).samples.equal(values.at(name)));
  }
  options.channel = 3;
  CHECK(problems_of([&] { const SigMf bad(options); }).at(0).field == "/global/core:num_channels");
}

TEST_CASE("samples across header bytes are read as one stretch") {
  const TensorDict values = read_safetensors(kSigMf + "values.safetensors");
  const SigMfMetadata metadata(read_file(kSigMf + "plain/headers.sigmf-meta"), "headers");
  const SigMfRecording recording("headers", metadata,
                                 std::make_shared<ReopenedFile>(kSigMf + "plain/headers.dat", "T"));
  CHECK(recording.read(20, 12, 0).equal(values.at("headers").slice(1, 20, 32)));
  CHECK(recording.read(0, 40, 0).equal(values.at("headers")));
}

TEST_CASE_METHOD(SigMfFolder, "a folder's recordings and archives are one data set, in order of their names") {
  write("b", metadata());
  write("sub/a", metadata());
  const std::string text = metadata().dump(), data = samples(100);
  write_file(path("c.sigmf"), tar_entry("in/x.sigmf-meta", text) + tar_entry("in/x.sigmf-data", data) + tar_end());
  write_file(path(".hidden.sigmf-meta"), "no metadata");
  write_file(path("other.txt"), "no recording");
  const SigMf all(options());
  REQUIRE(all.size() == 6);
  CHECK(all.id(0) == "b#annotations/0");
  CHECK(all.id(2) == "c.sigmf/in/x#annotations/0");
  CHECK(all.id(5) == "sub/a#annotations/1");
  CHECK(all.groups() == std::vector<int64_t>{0, 0, 1, 1, 2, 2});
  CHECK(all.load(3).samples.equal(all.load(5).samples));
  CHECK(all.content_hash(3) == all.content_hash(5));

  // Content decides: an archive and metadata under other names, and the samples' own file.
  std::filesystem::rename(path("c.sigmf"), path("archive.bin"));
  std::filesystem::copy_file(path("b.sigmf-meta"), path("renamed.json"));
  std::filesystem::copy_file(path("b.sigmf-data"), path("renamed.sigmf-data"));
  for (const char* name : {"archive.bin", "renamed.json", "b.sigmf-data"}) {
    INFO(name);
    CHECK(SigMf(options(name)).load(1).samples.equal(all.load(1).samples));
  }
}

TEST_CASE_METHOD(SigMfFolder, "labels come from the field that is named, of the capture or the recording too") {
  auto json = metadata();
  json["global"]["my:kind"] = "beacon";
  json["captures"][0]["my:snr"] = 12;
  json["annotations"][1].erase("core:label");
  write("a", json);
  SigMfOptions wanted = options("a.sigmf-meta");
  const auto problems = problems_of([&] { const SigMf bad(wanted); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].field == "/annotations/1/core:label");
  CHECK(contains(problems[0].message, "skip_unlabelled: true"));
  wanted.skip_unlabelled = true;
  wanted.snr = "my:snr";
  const SigMf labelled(wanted);
  CHECK(labelled.size() == 1);
  CHECK(labelled.columns().at("snr") == std::vector<double>{12});

  wanted.label = "my:kind";
  const SigMf beacons(wanted);
  CHECK(beacons.size() == 2);
  CHECK(beacons.classes() == std::vector<std::string>{"beacon"});
  CHECK(beacons.text_columns().at("label").values == std::vector<std::string>{"BPSK"});
  wanted.snr = "my:nothing";
  CHECK(problems_of([&] { const SigMf bad(wanted); }).at(0).field == "snr");
  wanted.snr = "";
  wanted.label = "my:other";
  CHECK(problems_of([&] { const SigMf bad(wanted); }).at(0).field == "label");
  wanted.label = "";
  CHECK_FALSE(SigMf(wanted).labels().defined());

  wanted = options("a.sigmf-meta");
  wanted.skip_unlabelled = true;
  wanted.classes = {"QPSK", "BPSK"};
  CHECK(SigMf(wanted).labels().item<int64_t>() == 1);
  wanted.classes = {"QAM16", "BPSX"};
  CHECK(contains(problems_of([&] { const SigMf bad(wanted); }).at(0).message, "did you mean BPSX?"));
}

TEST_CASE_METHOD(SigMfFolder, "fields that would share a column have one each") {
  auto json = metadata();
  json["captures"][0]["my:snr"] = 12;
  for (auto& annotation : json["annotations"])
    annotation.update({{"snr", 1}, {"modulation", "old"}, {"core:freq", 5}, {"freq", 6}});
  write("a", json);
  SigMfOptions wanted = options("a.sigmf-meta");
  wanted.snr = "my:snr";
  const SigMf opened(wanted);
  CHECK(opened.columns().at("snr") == std::vector<double>{12, 12});
  CHECK(opened.columns().at("field:snr") == std::vector<double>{1, 1});
  CHECK(opened.columns().at("freq") == std::vector<double>{5, 5});
  CHECK(opened.columns().at("field:freq") == std::vector<double>{6, 6});
  CHECK(opened.text_columns().at("modulation").values == std::vector<std::string>{"BPSK", "QPSK"});
  CHECK(opened.text_columns().at("field:modulation").values == std::vector<std::string>{"old"});

  json["annotations"][1]["my:snr"] = "n/a";
  write("a", json);
  const auto problems = problems_of([&] { const SigMf bad(wanted); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].field == "snr");
}

TEST_CASE_METHOD(SigMfFolder, "core:sha512 is compared where that is asked for") {
  SigMfOptions wanted;
  wanted.path = kSigMf + "plain/annotated.sigmf-meta";
  wanted.verify = true;
  CHECK(SigMf(wanted).size() == 4);
  std::string data = read_file(kSigMf + "plain/annotated.sigmf-data");
  data[100] ^= 1;
  write_text("a", read_file(kSigMf + "plain/annotated.sigmf-meta"), data);
  wanted.path = path("a.sigmf-meta");
  const auto problems = problems_of([&] { const SigMf bad(wanted); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].where == path("a.sigmf-data"));
  CHECK(problems[0].field == "core:sha512");
  wanted.verify = false;
  CHECK(SigMf(wanted).size() == 4);
}

TEST_CASE_METHOD(SigMfFolder, "more recordings than a process may hold open are read") {
  for (int i = 0; i < 60; ++i) write("r" + std::to_string(i), metadata());
  const size_t before = static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator()));
  const SigMf data(options());
  const auto after = static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator()));
  CHECK(after == before);
  CHECK(data.size() == 120);
  std::vector<std::jthread> threads;
  std::vector<int> wrong(4, 0);
  for (size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int64_t row = 0; row < data.size(); ++row)
        wrong[t] += data.load(row).samples[1][0].item<double>() == (row % 2 == 0 ? 1 : 41) ? 0 : 1;
    });
  }
  threads.clear();
  CHECK(wrong == std::vector<int>(4, 0));
}

}  // namespace amae

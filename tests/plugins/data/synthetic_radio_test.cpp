#include "plugins/data/synthetic_radio/synthetic_radio.h"

#include <catch2/catch_test_macros.hpp>
#include <set>
#include <thread>

#include "tests/problems.h"

namespace amae {
namespace {

SyntheticRadioOptions few_frames(const std::string& mode = "clean") {
  SyntheticRadioOptions options;
  options.mode = mode;
  options.frames_per_cell = 3;
  options.snr = {-10, 0, 10};
  return options;
}

TEST_CASE("a radio frame is the same in every object and on every thread, whatever the order") {
  for (const char* mode : {"clean", "rml2016a_faithful"}) {
    const SyntheticRadio once(few_frames(mode)), again(few_frames(mode));
    std::vector<at::Tensor> frames;
    for (int64_t row = 0; row < once.size(); ++row) frames.push_back(once.load(row).samples);
    std::vector<int64_t> different(8, 0);
    std::vector<std::thread> threads;
    for (size_t t = 0; t < different.size(); ++t) {
      threads.emplace_back([&, t] {
        for (int64_t k = 0; k < again.size(); ++k) {
          const int64_t row = t % 2 == 0 ? k : again.size() - 1 - k;
          if (!again.load(row).samples.equal(frames[static_cast<size_t>(row)])) ++different[t];
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(different == std::vector<int64_t>(8, 0));
  }
}

TEST_CASE(
    "radio classes are RML2016.10a's in its order unless others are asked for, and rows cover the cells in turn") {
  const SyntheticRadio data(few_frames());
  CHECK(data.classes() == std::vector<std::string>{"8PSK", "AM-DSB", "AM-SSB", "BPSK", "CPFSK", "GFSK", "PAM4", "QAM16",
                                                   "QAM64", "QPSK", "WBFM"});
  CHECK(data.size() == 3 * 3 * 11);
  CHECK(data.id(0) == "8PSK/-10/0000");
  CHECK(data.id(11 * 3 + 11 + 9) == "QPSK/0/0001");
  const auto columns = data.columns();
  const auto texts = data.text_columns();
  const TextColumn& modulation = texts.at("modulation");
  std::set<std::string> ids;
  std::map<std::pair<int64_t, double>, int> count;
  for (int64_t row = 0; row < data.size(); ++row) {
    const auto r = static_cast<size_t>(row);
    const auto label = data.labels()[row].item<int64_t>();
    CHECK(modulation.values[static_cast<size_t>(modulation.index[r])] == data.classes()[static_cast<size_t>(label)]);
    CHECK(data.id(row).starts_with(data.classes()[static_cast<size_t>(label)] + "/"));
    ++count[{label, columns.at("snr")[r]}];
    ids.insert(data.id(row));
  }
  CHECK(ids.size() == 99);
  CHECK(count.size() == 33);
  for (const auto& [cell, rows] : count) CHECK(rows == 3);

  auto options = few_frames();
  options.classes = {"256QAM", "FM", "OOK"};
  CHECK(SyntheticRadio(options).classes() == options.classes);
}

TEST_CASE("every radio frame is IQ as the spec says, and finite") {
  for (const char* mode : {"clean", "rml2016a_faithful"}) {
    auto options = few_frames(mode);
    options.frames_per_cell = 2;
    if (options.mode == "clean") {
      options.length = 200;
      options.classes.clear();
      for (const Modulation& m : modulations()) options.classes.push_back(m.name);
    }
    const SyntheticRadio data(options);
    for (int64_t row = 0; row < data.size(); ++row) {
      const Signal frame = data.load(row);
      INFO(data.id(row));
      CHECK(frame.domain == Domain::iq);
      CHECK(frame.rate_hz == 200e3);
      CHECK(frame.samples.sizes() == at::IntArrayRef(data.spec().shape));
      CHECK(frame.samples.scalar_type() == at::kFloat);
      CHECK(at::isfinite(frame.samples).all().item<bool>());
      CHECK(frame.samples.abs().max().item<double>() > 0.005);
    }
  }
}

TEST_CASE("what changes a radio frame changes its content hash, and a frame's other name does not") {
  const SyntheticRadio data(few_frames());
  std::set<std::string> hashes;
  for (int64_t row = 0; row < data.size(); ++row) hashes.insert(data.content_hash(row));
  CHECK(hashes.size() == 99);
  const auto is_new = [&](const auto& change) {
    auto options = few_frames();
    change(options);
    const SyntheticRadio other(options);
    return !hashes.contains(other.content_hash(5)) && !other.load(5).samples.equal(data.load(5).samples);
  };
  CHECK(is_new([](auto& o) { o.seed = 1; }));
  CHECK(is_new([](auto& o) { o.mode = "rml2016a_faithful"; }));
  CHECK(is_new([](auto& o) { o.length = 256; }));
  CHECK(is_new([](auto& o) { o.fading = "none"; }));
  CHECK(is_new([](auto& o) { o.samples_per_symbol = 4; }));
  CHECK(is_new([](auto& o) { o.snr = {-9, 0, 10}; }));
  CHECK(is_new([](auto& o) { o.path_gains = {1, 0.5, 0.1}; }));
  auto named = few_frames();
  named.classes[7] = "16QAM";
  CHECK(SyntheticRadio(named).content_hash(7) == data.content_hash(7));
  CHECK(SyntheticRadio(named).load(7).samples.equal(data.load(7).samples));
}

TEST_CASE("frames of other options have other symbols, also where only the SNR differs") {
  auto options = few_frames();
  options.snr = {100};
  const SyntheticRadio one(options);
  options.snr = {99};
  const SyntheticRadio other(options);
  CHECK((one.load(3).samples - other.load(3).samples).abs().max().item<float>() > 0.1F);
}

TEST_CASE("more radio frames leave the earlier ones as they are") {
  for (const char* mode : {"clean", "rml2016a_faithful"}) {
    auto more = few_frames(mode);
    more.frames_per_cell = 90;
    const SyntheticRadio small(few_frames(mode)), large(more);
    for (const int64_t row : {int64_t{0}, int64_t{17}, small.size() - 1}) {
      CHECK(large.id(row) == small.id(row));
      CHECK(large.content_hash(row) == small.content_hash(row));
      CHECK(large.load(row).samples.equal(small.load(row).samples));
    }
  }
}

TEST_CASE("radio options that make no sense are refused by name") {
  const auto refused = [](const auto& change) {
    auto options = few_frames();
    change(options);
    const auto problems = problems_of([&] { SyntheticRadio{options}; });
    return problems.size() == 1 ? problems[0].field + ": " + problems[0].message : std::string("accepted");
  };
  CHECK(contains(refused([](auto& o) { o.classes = {"QPSK", "16QAN"}; }), "classes: got '16QAN', expected some of"));
  CHECK(contains(refused([](auto& o) { o.classes = {"QPSK", "16QAN"}; }), "did you mean 16QAM?"));
  CHECK(contains(refused([](auto& o) { o.classes = {"QAM16", "16QAM"}; }), "classes: got '16QAM' twice"));
  CHECK(contains(refused([](auto& o) { o.classes = {}; }), "classes: got none"));
  CHECK(contains(refused([](auto& o) { o.snr = {}; }), "snr: got none"));
  CHECK(contains(refused([](auto& o) { o.snr = {1, 2, 1}; }), "snr: got a value twice"));
  CHECK(contains(refused([](auto& o) { o.path_gains = {1, 1}; }), "path_gains: got 2 gains for 3 path_delays"));
  CHECK(contains(refused([](auto& o) { o.path_gains = {0, 0, 0}; }), "path_gains: got no gain above 0"));
  CHECK(contains(refused([](auto& o) {
                   o.fading = "none", o.path_gains = {1, 0.5, 0.2};
                 }),
                 "path_gains: got a value, which has no meaning with fading: none"));
  CHECK(
      contains(refused([](auto& o) { o.fading = "rayleigh", o.rician_k = 2; }), "rician_k: got a value, which has no"));
  const auto faithful = [&](const auto& change) {
    return refused([&](auto& o) {
      o.mode = "rml2016a_faithful";
      change(o);
    });
  };
  CHECK(contains(faithful([](auto& o) {
                   o.classes = {"QPSK", "GMSK"};
                 }),
                 "classes: got 'GMSK', which RML2016.10a lacks"));
  CHECK(contains(faithful([](auto& o) { o.length = 1024; }), "length: got a value in mode rml2016a_faithful"));
  CHECK(contains(faithful([](auto& o) { o.path_delays = {0, 1, 2}; }), "path_delays: got a value in mode"));
  CHECK(faithful([](auto& o) { o.seed = 9; }) == "accepted");
}

TEST_CASE("a row outside the computed radio data is an error, not a frame") {
  const SyntheticRadio data(few_frames());
  CHECK_THROWS(data.load(-1));
  CHECK_THROWS(data.load(data.size()));
  CHECK_THROWS(data.id(data.size()));
  CHECK_THROWS(data.content_hash(data.size()));
}

}  // namespace
}  // namespace amae

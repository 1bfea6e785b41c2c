#include "task/data_synth.h"

#include "data_testing.h"
#include "tests/problems.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

const std::vector<fs::path> kSynthPlugins = {AMAE_BUILD_DIR "/plugins"};

DataTarget opened_for_synth(const std::string& name, const std::vector<std::string>& options) {
  return open_data_target(name, options, kSynthPlugins, BadFiles::as_configured);
}

/// Frames in memory whose columns are free to choose.
class ToyRadio final : public Dataset {
 public:
  TextColumn modulation{{"A", "B"}, {0, 1, 0}};
  std::vector<double> snr = {2, 2, 2};
  std::vector<int64_t> lengths = {8, 8, 8};
  bool has_modulation = true, has_snr = true;
  Spec promised{Domain::iq, {2, 8}, 0};

  [[nodiscard]] int64_t size() const override { return 3; }
  [[nodiscard]] std::string id(int64_t row) const override { return "frame" + std::to_string(row); }
  [[nodiscard]] Signal load(int64_t row) const override {
    return {at::full({2, lengths.at(static_cast<size_t>(row))}, row, at::kFloat), 0, Domain::iq};
  }
  [[nodiscard]] Spec spec() const override { return promised; }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return modulation.values; }
  [[nodiscard]] at::Tensor labels() const override { return {}; }
  [[nodiscard]] std::map<std::string, std::vector<double>> columns() const override {
    return has_snr ? std::map<std::string, std::vector<double>>{{"snr", snr}}
                   : std::map<std::string, std::vector<double>>{};
  }
  [[nodiscard]] std::map<std::string, TextColumn> text_columns() const override {
    return has_modulation ? std::map<std::string, TextColumn>{{"modulation", modulation}}
                          : std::map<std::string, TextColumn>{};
  }
  [[nodiscard]] std::string content_hash(int64_t row) const override { return id(row); }
};

}  // namespace

TEST_CASE("a synthesized RadioML pickle is read back to the same frames, labels and SNRs") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "synth.pkl";
  for (const char* mode : {"clean", "rml2016a_faithful"}) {
    const DataTarget from =
        opened_for_synth("synthetic_radio", {"frames_per_cell=2", "snr=[-4, 6]", std::string("mode=") + mode});
    const Synthesized done = synth_radioml(from, file);
    CHECK(done.rows == 44);
    CHECK(done.cells == 22);
    CHECK(done.bytes == static_cast<double>(fs::file_size(file)));
    const DataTarget to = opened_for_synth("radioml", {"file=" + file.string()});
    REQUIRE(to.dataset->size() == 44);
    CHECK(to.dataset->classes() == from.dataset->classes());
    std::map<std::string, int64_t> rows;
    for (int64_t row = 0; row < 44; ++row) rows[to.dataset->id(row)] = row;
    const auto snr_from = from.dataset->columns().at("snr"), snr_to = to.dataset->columns().at("snr");
    for (int64_t row = 0; row < 44; ++row) {
      INFO(from.dataset->id(row));
      REQUIRE(rows.count(from.dataset->id(row)) == 1);
      const int64_t other = rows[from.dataset->id(row)];
      CHECK(to.dataset->load(other).samples.equal(from.dataset->load(row).samples));
      CHECK(to.label_of(other) == from.label_of(row));
      CHECK(snr_to[static_cast<size_t>(other)] == snr_from[static_cast<size_t>(row)]);
    }
  }
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("data that a RadioML pickle cannot hold is refused, and no file is left") {
  const TemporaryFolder folder;
  const auto refused = [&](const auto& change) {
    auto toy = std::make_shared<ToyRadio>();
    change(*toy);
    const auto problems = problems_of([&] { synth_radioml(target_of(toy), folder.path() / "no.pkl"); });
    return problems.empty() ? std::string("accepted") : problems[0].field + ": " + problems[0].message;
  };
  CHECK(contains(refused([](auto& toy) { toy.has_modulation = false; }), "modulation: got a data set without"));
  CHECK(contains(refused([](auto& toy) { toy.has_snr = false; }), "snr: got a data set without"));
  CHECK(contains(refused([](auto& toy) { toy.snr[1] = 2.5; }), "snr: got 2.5 for frame1, expected whole decibels"));
  CHECK(contains(refused([](auto& toy) { toy.snr[1] = std::nan(""); }), "snr: got nan for frame1"));
  CHECK(contains(refused([](auto& toy) { toy.modulation.index[2] = -1; }), "modulation: got none for frame2"));
  CHECK(contains(refused([](auto& toy) { toy.modulation.values[0] = "A'"; }), "modulation: got 'A'', expected plain"));
  CHECK(contains(refused([](auto& toy) { toy.lengths[2] = 9; }), "data: got 9 samples in frame2, expected 8"));
  CHECK(contains(refused([](auto& toy) { toy.promised.domain = Domain::audio; }), "data: got audio"));
  CHECK(contains(refused([](auto& toy) { toy.promised.shape[1] = -1; }), "data: got iq"));
  CHECK(fs::is_empty(folder.path()));
  CHECK(refused([](auto&) {}) == "accepted");
}

TEST_CASE("the data set that makes frames is found by what it offers") {
  CHECK(frame_maker(*load_registry(kSynthPlugins)) == "synthetic_radio");
  const auto problems = problems_of([] { frame_maker(Registry()); });
  REQUIRE(problems.size() == 1);
  CHECK(contains(problems[0].message, "no plugin offers"));
}

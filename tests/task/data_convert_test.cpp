#include "task/data_convert.h"

#include <cmath>
#include <limits>

#include "data_testing.h"
#include "io/csv.h"
#include "tests/base/support.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

const std::vector<fs::path> kPlugins = {AMAE_BUILD_DIR "/plugins"};

DataTarget opened(const std::string& name, const std::vector<std::string>& options) {
  return open_data_target(name, options, kPlugins, BadFiles::as_configured);
}

/// Ids aside, two data sets say the same of every row; `tolerance` of samples.
void check_same(const DataTarget& a, const DataTarget& b, double tolerance) {
  REQUIRE(a.dataset->size() == b.dataset->size());
  CHECK(a.folds == b.folds);
  for (int64_t row = 0; row < a.dataset->size(); ++row) {
    const Signal x = a.dataset->load(row), y = b.dataset->load(row);
    INFO(row);
    CHECK(a.label_of(row) == b.label_of(row));
    CHECK(x.rate_hz == y.rate_hz);
    CHECK(x.domain == y.domain);
    REQUIRE(x.samples.sizes() == y.samples.sizes());
    CHECK((x.samples - y.samples).abs().max().item<double>() <= tolerance);
  }
}

/// True when two rows share a group in `a` exactly where they do in `b`.
bool same_groups(const DataTarget& a, const DataTarget& b) {
  for (size_t i = 0; i < a.groups.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if ((a.groups[i] == a.groups[j]) != (b.groups[i] == b.groups[j])) return false;
    }
  }
  return a.groups.size() == b.groups.size();
}

}  // namespace

TEST_CASE("a store gives back every row to the last bit, with ids, labels, folds and groups") {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "store";
  const DataTarget from = opened("synthetic_sounds", {"clips_per_class=3", "duration=0.5"});
  const Converted done = convert_data(from, ConvertTo::store, out);
  CHECK(done.rows == 30);
  CHECK(done.seconds == 15);
  CHECK(names_in(out) == std::vector<std::string>{"index.safetensors", "samples.bin"});
  CHECK(names_in(folder.path()) == std::vector<std::string>{"store"});  // no temporary folder is left

  const DataTarget to = opened("signal_store", {"root=" + out.string()});
  check_same(from, to, 0);
  CHECK(from.groups == to.groups);
  CHECK(from.dataset->classes() == to.dataset->classes());
  CHECK(from.dataset->columns() == to.dataset->columns());
  CHECK(to.dataset->spec().shape == from.dataset->spec().shape);
  for (int64_t row = 0; row < 30; ++row) CHECK(from.dataset->id(row) == to.dataset->id(row));
  CHECK(to.dataset->content_hash(0) != to.dataset->content_hash(1));
}

TEST_CASE("FLAC and its table hold the same sound, labels, folds and groups as the WAV files they came from") {
  PlantedFolder wav;
  wav.add("take_2_of_8.wav", 2, 0, "source8");
  write_wav(wav.file("take_2_of_8.wav"), PlantedFolder::noise(108), 8000);
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "flac";
  const DataTarget from = wav.open();
  const Converted done = convert_data(from, ConvertTo::flac, out);
  CHECK(done.rows == 21);
  CHECK(done.rounded_rows == 0);
  CHECK(done.clipped_samples == 0);
  CHECK(fs::exists(out / "audio" / "clip0.flac"));
  CHECK(read_file(out / "data.csv", 1 << 16).starts_with("path,label,fold,group"));

  const DataTarget to = opened("audio_csv", {"file=" + (out / "data.csv").string()});
  check_same(from, to, 0);
  CHECK(same_groups(from, to));
}

TEST_CASE("a store holds 16 bits where these are exact, IQ, several labels, and rows of any size") {
  const TemporaryFolder folder;
  auto toy = clean_toy();
  for (size_t row = 0; row < toy->signals.size(); ++row) {
    toy->signals[row] = {at::randn({2, 100 + static_cast<int64_t>(row)}), 0, Domain::iq};
  }
  toy->signals[1].samples = at::randint(-32768, 32768, {2, 50}).to(at::kFloat) / 32768;
  toy->label_column = at::zeros({12, 2});
  toy->label_column[0].fill_(1);
  const DataTarget from = target_of(toy);
  convert_data(from, ConvertTo::store, folder.path() / "store");
  int64_t bytes = 0;
  for (size_t row = 0; row < 12; ++row) bytes += (row == 1 ? 2 : 4) * toy->signals[row].samples.numel();
  CHECK(static_cast<int64_t>(fs::file_size(folder.path() / "store" / "samples.bin")) == bytes);
  const DataTarget to = opened("signal_store", {"root=" + (folder.path() / "store").string()});
  check_same(from, to, 0);
  CHECK(to.dataset->spec().shape == std::vector<int64_t>{2, -1});
  CHECK(to.label_of(0) == "cat+dog");
  CHECK(to.label_of(1).empty());
}

TEST_CASE("IQ frames with numeric and text columns come back from a store to the last bit") {
  const TemporaryFolder folder;
  const auto toy = iq_toy();
  toy->number_columns["snr"][3] = std::numeric_limits<double>::quiet_NaN();
  toy->texts["modulation"].index[5] = -1;
  const DataTarget from = target_of(toy);
  CHECK(convert_data(from, ConvertTo::store, folder.path() / "store").rows == 12);
  const DataTarget to = opened("signal_store", {"root=" + (folder.path() / "store").string()});
  check_same(from, to, 0);
  CHECK(to.dataset->spec().text() == "iq [2, 128] at 200000 Hz");
  CHECK(to.dataset->text_columns().at("modulation").values == toy->texts["modulation"].values);
  CHECK(to.dataset->text_columns().at("modulation").index == toy->texts["modulation"].index);
  const auto snr = to.dataset->columns().at("snr");
  CHECK(std::isnan(snr[3]));
  CHECK(snr[11] == 2);
}

TEST_CASE("text columns stand in FLAC's table too") {
  const TemporaryFolder folder;
  auto toy = clean_toy();
  toy->texts["place"] = {{"roof, north", "cellar"}, {0, 1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0}};
  convert_data(target_of(toy), ConvertTo::flac, folder.path() / "flac");
  CsvReader table(folder.path() / "flac" / "data.csv");
  std::vector<std::string> places;
  while (table.next()) places.emplace_back(table.cells()[table.column("place")]);
  CHECK(std::vector<std::string>(places.begin(), places.begin() + 3) ==
        std::vector<std::string>{"roof, north", "cellar", ""});
}

TEST_CASE("bad rows stop the work and leave nothing, or are left out where the data set skips them") {
  const TemporaryFolder folder;
  auto toy = clean_toy();
  toy->signals[5].samples = at::Tensor();
  for (const ConvertTo to : {ConvertTo::flac, ConvertTo::store}) {
    toy->skips = false;
    CHECK(contains(text_of(problems_of([&] { convert_data(target_of(toy), to, folder.path() / "out"); })), "row5"));
    CHECK(names_in(folder.path()).empty());
    toy->skips = true;
    const Converted done = convert_data(target_of(toy), to, folder.path() / "out");
    CHECK(done.rows == 11);
    REQUIRE(done.left_out.size() == 1);
    CHECK(done.left_out[0].field == "row5");
    const DataTarget back = to == ConvertTo::flac
                                ? opened("audio_csv", {"file=" + (folder.path() / "out" / "data.csv").string()})
                                : opened("signal_store", {"root=" + (folder.path() / "out").string()});
    CHECK(back.dataset->size() == 11);
    CHECK(back.label_of(5) == "cat");  // row 6 of the toy
    fs::remove_all(folder.path() / "out");
  }
}

TEST_CASE("a folder that is in use is refused and stays as it is") {
  const TemporaryFolder folder;
  write_file(folder.path() / "mine.txt", "kept");
  const auto problems = problems_of([&] { convert_data(target_of(clean_toy()), ConvertTo::store, folder.path()); });
  CHECK(contains(text_of(problems), "is in use"));
  CHECK(names_in(folder.path()) == std::vector<std::string>{"mine.txt"});
  fs::create_directory(folder.path() / "empty");
  CHECK(convert_data(target_of(clean_toy()), ConvertTo::store, folder.path() / "empty").rows == 12);
}

TEST_CASE("what FLAC cannot hold is refused, and what it rounds or clips is counted") {
  const TemporaryFolder folder;
  auto toy = clean_toy();
  const auto refused = [&] {
    return text_of(problems_of([&] { convert_data(target_of(toy), ConvertTo::flac, folder.path() / "out"); }));
  };
  toy->signals[3].rate_hz = 8000.5;
  CHECK(contains(refused(), "row3: --to: got 8000.5 Hz"));
  toy->signals[3] = {at::zeros({9, 100}), 8000, Domain::audio};
  CHECK(contains(refused(), "got 9 channels"));
  toy->signals[3] = {at::zeros({1, 0}), 8000, Domain::audio};
  CHECK(contains(refused(), "got no samples"));
  toy->signals[3] = {at::zeros({2, 100}), 8000, Domain::iq};
  CHECK(contains(refused(), "got iq"));
  CHECK(names_in(folder.path()).empty());

  toy->signals[3] = {at::full({1, 1000}, 0.3), 8000, Domain::audio};  // needs more than 24 bits
  toy->signals[4] = {at::full({1, 1000}, 2.0), 8000, Domain::audio};
  for (const size_t row : {0U, 1U, 2U, 5U, 6U, 7U, 8U, 9U, 10U, 11U})
    toy->signals[row].samples = at::full({1, 1000}, 1.0 / 8388608);  // the last of 24 bits
  const Converted done = convert_data(target_of(toy), ConvertTo::flac, folder.path() / "out");
  CHECK(done.rounded_rows == 1);
  CHECK(done.clipped_samples == 1000);
  const Signal last = read_audio(folder.path() / "out" / "audio" / "row0.flac");
  CHECK(last.samples.equal(toy->signals[0].samples));
}

TEST_CASE("ids that lead to one file name get names of their own, within the folder") {
  struct Odd final : Dataset {
    [[nodiscard]] int64_t size() const override { return 4; }
    [[nodiscard]] std::string id(int64_t row) const override {
      return std::vector<std::string>{"a/b.wav", "a_b.wav", "../../a b.flac", "a_b.wav-3"}[static_cast<size_t>(row)];
    }
    [[nodiscard]] Signal load(int64_t row) const override {
      return {at::full({1, 100}, 0.125 * static_cast<double>(row)), 8000, Domain::audio};
    }
    [[nodiscard]] Spec spec() const override { return {Domain::audio, {1, 100}, 8000}; }
    [[nodiscard]] const std::vector<std::string>& classes() const override { return none; }
    [[nodiscard]] at::Tensor labels() const override { return {}; }
    [[nodiscard]] std::string content_hash(int64_t row) const override { return std::to_string(row); }
    std::vector<std::string> none;
  };
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  convert_data(target_of(std::make_shared<Odd>()), ConvertTo::flac, out);
  CHECK(names_in(out / "audio").size() == 4);
  const DataTarget back = opened("audio_csv", {"file=" + (out / "data.csv").string(), "label="});
  for (int64_t row = 0; row < 4; ++row) {
    CHECK(back.dataset->load(row).samples[0][0].item<double>() == 0.125 * static_cast<double>(row));
  }
}

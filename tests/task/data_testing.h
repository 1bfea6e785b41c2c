// Data sets for the tests of `amae data`: one in memory whose columns are free to choose, one on disk with planted
// faults.
#pragma once

#include <fstream>

#include "io/audio.h"
#include "task/data_target.h"
#include "testing.h"

namespace amae {

/// Rows in memory: noise of their own at 8 kHz unless a test sets something else.
class Toy final : public Dataset {
 public:
  std::vector<Signal> signals;
  std::vector<std::string> contents;  ///< content hashes
  std::vector<std::string> names = {"cat", "dog"};
  at::Tensor label_column;
  std::vector<int64_t> fold_column, group_column;
  std::map<std::string, std::vector<double>> number_columns;
  std::map<std::string, TextColumn> texts;
  bool skips = false;

  void add(int64_t label, int64_t fold = 1, int64_t group = -1) {
    const auto row = static_cast<int64_t>(signals.size());
    auto generator = at::globalContext().defaultGenerator(at::kCPU).clone();
    generator.set_current_seed(static_cast<uint64_t>(row) + 1);
    signals.push_back({at::rand({1, 4000}, generator, at::kFloat) - 0.5, 8000, Domain::audio});
    contents.push_back("content" + std::to_string(row));
    labels_.push_back(label);
    label_column = at::tensor(labels_);
    fold_column.push_back(fold);
    group_column.push_back(group < 0 ? 1000 + row : group);
  }

  [[nodiscard]] int64_t size() const override { return static_cast<int64_t>(signals.size()); }
  [[nodiscard]] std::string id(int64_t row) const override { return "row" + std::to_string(row); }
  [[nodiscard]] Signal load(int64_t row) const override {
    const Signal& signal = signals.at(static_cast<size_t>(row));
    if (!signal.samples.defined()) throw InputError("AUDIO", id(row), "", "got nothing, expected sound");
    return signal;
  }
  [[nodiscard]] Spec spec() const override { return {signals[0].domain, {1, -1}, 0}; }
  [[nodiscard]] Spec row_spec(int64_t row) const override {
    const Signal signal = load(row);
    return {signal.domain, signal.samples.sizes().vec(), signal.rate_hz};
  }
  [[nodiscard]] bool skips_bad_rows() const override { return skips; }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return names; }
  [[nodiscard]] at::Tensor labels() const override { return label_column; }
  [[nodiscard]] std::vector<int64_t> folds() const override { return fold_column; }
  [[nodiscard]] std::vector<int64_t> groups() const override { return group_column; }
  [[nodiscard]] std::map<std::string, std::vector<double>> columns() const override { return number_columns; }
  [[nodiscard]] std::map<std::string, TextColumn> text_columns() const override { return texts; }
  [[nodiscard]] std::string content_hash(int64_t row) const override { return contents.at(static_cast<size_t>(row)); }

 private:
  std::vector<int64_t> labels_;
};

/// Two classes in two folds, `each` rows of every pair, each from a source of its own.
inline std::shared_ptr<Toy> clean_toy(int64_t each = 3) {
  auto toy = std::make_shared<Toy>();
  for (int64_t i = 0; i < each; ++i) {
    for (int64_t fold = 1; fold <= 2; ++fold) toy->add(0, fold), toy->add(1, fold);
  }
  return toy;
}

/// The same rows as frames of IQ, 128 samples at 200 kHz, with SNRs from -20 dB on and their class as a text.
inline std::shared_ptr<Toy> iq_toy() {
  auto toy = clean_toy();
  toy->names = {"BPSK", "QPSK"};
  toy->texts["modulation"].values = toy->names;
  for (size_t row = 0; row < toy->signals.size(); ++row) {
    toy->signals[row] = {toy->signals[row].samples.slice(1, 0, 256).reshape({2, 128}), 200e3, Domain::iq};
    toy->number_columns["snr"].push_back(-20 + 2 * static_cast<double>(row));
    toy->texts["modulation"].index.push_back(toy->label_column[static_cast<int64_t>(row)].item<int32_t>());
  }
  return toy;
}

inline DataTarget target_of(std::shared_ptr<const Dataset> dataset) {
  return data_target("toy", std::make_shared<Registry>(), std::move(dataset), std::nullopt, "");
}

/// A data set in ESC-50's layout: five clips of each of two classes in each of two folds, all sound; then faults.
class PlantedFolder {
 public:
  PlantedFolder() {
    std::filesystem::create_directories(root() / "audio");
    std::filesystem::create_directories(root() / "meta");
    for (int i = 0; i < 20; ++i) {
      const int fold = 1 + i % 2, target = (i / 2) % 2;
      add("clip" + std::to_string(i) + ".wav", fold, target, "source" + std::to_string(i));
      write_wav(file("clip" + std::to_string(i) + ".wav"), noise(i), 8000);
    }
  }

  [[nodiscard]] std::filesystem::path root() const { return folder_.path() / "set"; }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return root() / "audio" / name; }

  /// Half a second of noise, other for each seed.
  [[nodiscard]] static at::Tensor noise(int seed, int64_t samples = 4000) {
    auto generator = at::globalContext().defaultGenerator(at::kCPU).clone();
    generator.set_current_seed(static_cast<uint64_t>(seed) + 1);
    return at::rand({1, samples}, generator, at::kFloat) * 0.8 - 0.4;
  }

  /// A row of the table; its file is the caller's to write.
  void add(const std::string& name, int fold, int target, const std::string& source) {
    rows_ += name + "," + std::to_string(fold) + "," + std::to_string(target) + "," + (target == 0 ? "dog" : "rain") +
             ",True," + source + ",A\n";
    write_file(root() / "meta" / "esc50.csv", "filename,fold,target,category,esc10,src_file,take\n" + rows_);
  }

  /// The eight faults of the issue, each on an item of its own.
  void plant_eight_faults() {
    write_file(file("clip0.wav"), "this is no sound at all, whatever its name says");  // unreadable
    write_wav(file("clip1.wav"), at::zeros({1, 4000}), 8000);                          // silent
    write_wav(file("clip2.wav"), (noise(2) * 10).clamp(-1, 1), 8000);                  // clipped
    write_float_wav(file("clip3.wav"));                                                // not finite
    write_wav(file("clip4.wav"), noise(4, 11'025), 22'050);                            // rate
    add("copy_of_5.wav", 2, 0, "source100");                                           // clip5 is in fold 2: duplicate
    std::filesystem::copy_file(file("clip5.wav"), file("copy_of_5.wav"));
    add("copy_of_6.wav", 2, 1, "source101");  // clip6 is in fold 1: clip in two folds
    std::filesystem::copy_file(file("clip6.wav"), file("copy_of_6.wav"));
    add("take_2_of_8.wav", 2, 0, "source8");  // clip8 is a dog in fold 1: source in two folds
    write_wav(file("take_2_of_8.wav"), noise(108), 8000);
  }

  [[nodiscard]] DataTarget open() const {
    return open_data_target("esc50", {"root=" + root().string()}, {AMAE_BUILD_DIR "/plugins"}, BadFiles::tolerate);
  }

 private:
  /// 32-bit float samples, one of them not a number.
  static void write_float_wav(const std::filesystem::path& path) {
    at::Tensor samples = noise(3);
    samples[0][1234] = std::numeric_limits<float>::quiet_NaN();
    const auto le = [](uint32_t value, int count) {
      std::string bytes;
      for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFFU));
      return bytes;
    };
    const uint32_t data = 4 * 4000;
    std::string bytes = "RIFF" + le(36 + data, 4) + "WAVEfmt " + le(16, 4) + le(3, 2) + le(1, 2) + le(8000, 4) +
                        le(32'000, 4) + le(4, 2) + le(32, 2) + "data" + le(data, 4);
    bytes.append(reinterpret_cast<const char*>(samples.const_data_ptr<float>()), data);
    write_file(path, bytes);
  }

  TemporaryFolder folder_;
  std::string rows_;
};

}  // namespace amae

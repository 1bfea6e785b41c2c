#include "task/data_preview.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "data/loader.h"
#include "data/pipeline.h"
#include "data_testing.h"
#include "io/npy.h"
#include "task/session.h"
#include "tests/base/support.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

const std::string kData = "data: {name: synthetic_sounds, clips_per_class: 10, duration: 0.5, rate: 8 kHz}\n";
const std::string kRest = "model: {name: resnet, depths: [1], width: 8}\nseed: 3\n";
/// Random on sound, on spectrograms, and mixing.
const std::string kRandom = kData +
                            "transforms:\n"
                            "  - {name: gain, max_db: 20}\n"
                            "  - {name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}\n"
                            "  - {name: mixup, p: 1, alpha: 1}\n"
                            "  - {name: log}\n"
                            "  - {name: standardize}\n" +
                            kRest;

class Target {
 public:
  explicit Target(const std::string& text)
      : target(open_data_target(configs.write("config.yaml", text), {}, {AMAE_BUILD_DIR "/plugins"},
                                BadFiles::as_configured)) {}
  Configs configs;
  DataTarget target;
};

std::vector<std::string> names(const Preview& preview) {
  std::vector<std::string> ids;
  for (const PreviewItem& item : preview.items) ids.push_back(item.id);
  return ids;
}

bool notes_say(const Preview& preview, const std::string& text) {
  for (const std::string& note : preview.notes) {
    if (contains(note, text)) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a preview shows so many items of each class, and the same ones for the same seed") {
  const Target t(kRandom);
  const Preview all = make_preview(t.target, {.items = 2});
  CHECK(all.items.size() == 20);
  CHECK(all.seed == 3);
  for (size_t i = 0; i < 20; ++i) CHECK(all.items[i].label == t.target.dataset->classes()[i / 2]);
  CHECK(names(make_preview(t.target, {.items = 2})) == names(all));
  CHECK(names(make_preview(t.target, {.items = 2, .seed = 4})) != names(all));

  const std::string one = t.target.dataset->classes()[4];
  const Preview few = make_preview(t.target, {.items = 3, .classes = {one}});
  REQUIRE(few.items.size() == 3);
  for (const PreviewItem& item : few.items) CHECK(item.label == one);
  CHECK(few.items[0].id == all.items[8].id);  // what else is shown changes no class's choice

  const auto problems = problems_of([&] { make_preview(t.target, {.classes = {one + "x"}}); });
  CHECK(contains(text_of(problems), "did you mean " + one));
}

TEST_CASE("what a preview shows after augmentation is what training draws for the same rows") {
  const Target t(kRandom);
  const Preview preview = make_preview(t.target, {.items = 1, .epoch = 5});
  CHECK(preview.features.shape == std::vector<int64_t>{1, 16, 32});

  // Training's own way over the same batch: front, fit, random part.
  const auto pipeline = make_pipeline(*t.target.plan, *t.target.dataset);
  Batch batch;
  std::vector<at::Tensor> fronts;
  for (const PreviewItem& item : preview.items) {
    fronts.push_back(pipeline->run_front(t.target.dataset->load(item.row), item.row).x);
    batch.ids.push_back(item.row);
  }
  batch.x = at::cat(fronts);
  batch.rate_hz = 8000;
  batch.y = targets_of(*t.target.dataset, batch.ids);
  pipeline->fit(1, [&](size_t) { return batch; });
  Batch plain = batch;
  pipeline->run_eval(plain, 0, 1);
  pipeline->run_train(batch, {3, 5, t.target.plan->config.train.epochs, 0});
  for (size_t i = 0; i < preview.items.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    CHECK(preview.items[i].features.equal(plain.x[row]));
    CHECK(preview.items[i].augmented.equal(batch.x[row]));
    CHECK_FALSE(preview.items[i].augmented.equal(preview.items[i].features));
    CHECK(contains(preview.items[i].augmented_label, " %"));
    // The sound is the original with the drawn gain: one factor over all samples.
    const at::Tensor ratio = preview.items[i].augmented_signal.samples / preview.items[i].original.samples;
    const at::Tensor finite = ratio.masked_select(ratio.isfinite());
    CHECK((finite.max() - finite.min()).item<double>() < 1e-3 * finite.max().item<double>());
    CHECK(preview.items[i].augmented_signal.rate_hz == 8000);
  }
  CHECK(notes_say(preview, "fitted on these 10 items"));
  const Preview other = make_preview(t.target, {.items = 1, .epoch = 6});
  CHECK_FALSE(other.items[0].augmented.equal(preview.items[0].augmented));
}

TEST_CASE("where random transforms act on features only, or there are none, the preview says so") {
  const Target features(kData + "transforms: [{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}, roll]\n" +
                        kRest);
  const Preview rolled = make_preview(features.target, {.items = 1});
  CHECK(notes_say(rolled, "there is no augmented sound"));
  CHECK_FALSE(rolled.items[0].augmented_signal.samples.defined());
  CHECK(rolled.items[0].augmented.defined());
  CHECK(rolled.items[0].augmented_label.empty());

  const Target none(kData + "transforms: [{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}]\n" + kRest);
  const Preview same = make_preview(none.target, {.items = 1});
  CHECK(notes_say(same, "no random transforms"));
  CHECK_FALSE(same.items[0].augmented.defined());

  const Preview bare = make_preview(target_of(clean_toy()), {.items = 1});
  CHECK(notes_say(bare, "only the waveform"));
  CHECK(bare.items.size() == 2);
  CHECK(draw_preview(bare).width() < draw_preview(same).width());
}

TEST_CASE("IQ is previewed with its SNR, and after random transforms that act on it") {
  const DataTarget toy = target_of(iq_toy());
  const Preview bare = make_preview(toy, {.items = 1});
  REQUIRE(bare.items.size() == 2);
  CHECK(contains(bare.items[0].facts, "snr "));
  CHECK_FALSE(contains(bare.items[0].facts, "modulation"));  // the label says it already
  CHECK(draw_preview(bare).height() > 0);

  const TemporaryFolder folder;
  const std::string array = (folder.path() / "iq.npy").string();
  write_npy(array, at::randn({8, 2, 64}, at::globalContext().defaultGenerator(at::kCPU)));
  const Target t("data: {name: iq_npy, files: [" + array + "]}\ntransforms: [phase_rotation, iq_spectrogram]\n" +
                 kRest);
  const Preview preview = make_preview(t.target, {.items = 2});
  REQUIRE(preview.items.size() == 2);
  const PreviewItem& item = preview.items[0];
  CHECK(item.augmented_signal.domain == Domain::iq);
  CHECK(at::allclose(item.augmented_signal.samples.square().sum(0), item.original.samples.square().sum(0), 1e-4, 1e-6));
  CHECK_FALSE(item.augmented_signal.samples.allclose(item.original.samples, 1e-3, 1e-3));
  CHECK(item.augmented.dim() == 3);
  Preview written = preview;
  const auto files = write_preview(written, folder.path() / "out");
  CHECK(names_in(folder.path() / "out") == std::vector<std::string>{"preview.json", "preview.png"});  // no WAV of IQ
}

TEST_CASE("of many columns of IQ a preview tells three, the SNR first") {
  auto toy = iq_toy();
  for (const char* name : {"beta", "cfo", "delay"}) toy->number_columns[name].assign(12, 0.5);
  toy->number_columns["snr"].assign(12, 10);
  toy->texts["rig"] = {{"A"}, std::vector<int32_t>(12, 0)};
  const auto facts = [&] { return make_preview(target_of(toy), {.items = 1}).items[0].facts; };
  CHECK(facts() == "snr 10, beta 0.5, cfo 0.5");
  toy->number_columns["cfo"].assign(12, std::numeric_limits<double>::quiet_NaN());
  toy->number_columns.erase("delay");
  CHECK(facts() == "snr 10, beta 0.5, rig A");
}

TEST_CASE("clips of several sizes are previewed one by one, bad rows are passed over, the sheet has an end") {
  auto toy = clean_toy();
  for (int64_t row = 0; row < 12; row += 4) toy->signals[static_cast<size_t>(row)].samples = at::Tensor();
  Preview preview = make_preview(target_of(toy), {.items = 6});
  CHECK(preview.items.size() == 3 + 6);
  CHECK(notes_say(preview, "3 items cannot be read"));

  const Target t(kData + "transforms: [{name: gain, max_db: 6}]\n" + kRest);
  auto sizes = clean_toy();
  sizes->signals[0].samples = at::rand({1, 2000});
  DataTarget mixed = target_of(sizes);
  mixed.plan = t.target.plan;
  preview = make_preview(mixed, {.items = 6});
  CHECK(preview.items.size() == 12);
  CHECK(notes_say(preview, "differ in size"));
  for (const PreviewItem& item : preview.items) CHECK(item.augmented.sizes() == item.original.samples.sizes());

  auto many = std::make_shared<Toy>();
  for (int64_t k = 0; k < 200; ++k) many->add(k);
  many->names.clear();
  for (int k = 0; k < 200; ++k) many->names.push_back("class" + std::to_string(k));
  preview = make_preview(target_of(many), {.items = 1});
  CHECK(static_cast<int64_t>(preview.items.size()) == kPreviewItems);
  CHECK(notes_say(preview, "120 of 200 classes"));
  CHECK(draw_preview(preview).height() < 30'000);
}

TEST_CASE("a preview's files replace those of an earlier one and never any other") {
  const Target t(kRandom);
  const fs::path out = t.configs.path() / "out";
  Preview preview = make_preview(t.target, {.items = 1});
  const auto files = write_preview(preview, out);
  CHECK(files.size() == 2 + 2 * 10);  // list, sheet, two sounds an item
  for (const std::string& name : files) CHECK(fs::file_size(out / name) > 0);
  CHECK(names_in(out).size() == files.size());
  const auto list = nlohmann::json::parse(read_file(out / "preview.json"));
  CHECK(list.at("items")[0].at("original") == files[2]);
  CHECK(read_audio(out / files[3]).rate_hz == 8000);

  write_file(out / "mine.txt", "kept");
  Preview fewer = make_preview(t.target, {.items = 1, .classes = {t.target.dataset->classes()[1]}});
  CHECK(write_preview(fewer, out).size() == 4);
  CHECK(names_in(out).size() == 4 + 1);
  CHECK(read_file(out / "mine.txt") == "kept");

  const fs::path other = t.configs.path() / "other";
  fs::create_directory(other);
  write_file(other / "preview.png", "a picture of mine");
  const auto problems = problems_of([&] { write_preview(fewer, other); });
  CHECK(contains(text_of(problems), "other/preview.png"));
  CHECK(read_file(other / "preview.png") == "a picture of mine");
  CHECK(names_in(other).size() == 1);

  // A list that names files elsewhere does not get them removed.
  write_file(t.configs.path() / "victim.txt", "kept");
  const fs::path trap = t.configs.path() / "trap";
  fs::create_directory(trap);
  write_file(trap / "preview.json", R"({"amae_preview": 1, "files": ["../victim.txt", "..", "."]})");
  write_preview(fewer, trap);
  CHECK(read_file(t.configs.path() / "victim.txt") == "kept");
}

TEST_CASE("sounds beyond full scale are turned down, not clipped") {
  const TemporaryFolder folder;
  auto toy = clean_toy();
  for (Signal& signal : toy->signals) signal.samples = signal.samples * 8;  // noise within +-4
  Preview preview = make_preview(target_of(toy), {.items = 1});
  const auto files = write_preview(preview, folder.path() / "out");
  CHECK(notes_say(preview, "2 sounds go beyond full scale"));
  const at::Tensor heard = read_audio(folder.path() / "out" / files[2]).samples;
  const at::Tensor wanted = preview.items[0].original.samples;
  // 16 bits: half a step of rounding, and a step where the peak meets the end of the range.
  CHECK((heard - wanted / wanted.abs().max()).abs().max().item<double>() <= 1.0 / 32768);
}

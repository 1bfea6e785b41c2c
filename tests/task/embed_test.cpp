#include "task/embed.h"

#include <numeric>

#include "base/log.h"
#include "io/audio.h"
#include "task/finetune.h"
#include "testing.h"
#include "tests/io/sound_bytes.h"
#include "train/features.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

/// All that embed_items() gives, at once.
struct Embeddings {
  torch::Tensor vectors;  ///< [rows, D]
  struct Row {
    std::string file;
    double start_s = 0, end_s = 0;
  };
  std::vector<Row> rows;
  std::vector<Problem> problems;
  int64_t chunks = 0;
};

/// A run of one epoch over clips of 0.5 s at 8 kHz, and sounds of any length.
class Embedding {
 public:
  explicit Embedding(const std::vector<std::string>& overrides = {}) {
    log::set_level(log::Level::error);
    Plan plan = configs.plan(kSmall, overrides);
    plan.config.train.epochs = 1;
    finetune(plan, {{"test"}, "cpu"}, [&] { return configs.path() / "run"; });
    registry = plan.registry;
    bundle = load_bundle(bundle_folder(configs.path() / "run"), *registry);
    const auto dataset = registry->make_dataset(plan.config.data);
    std::vector<torch::Tensor> clips;
    for (int64_t row = 0; row < 8; ++row) clips.push_back(dataset->load(row).samples);
    sound = torch::cat(clips, 1);
    log::set_level(log::Level::warning);
  }
  /// The sound's samples `begin` to `end` - 1 as a file of 8 kHz.
  [[nodiscard]] std::string file(const std::string& name, int64_t begin, int64_t end) const {
    write_wav(configs.path() / name, sound.slice(1, begin, end), 8000);
    return (configs.path() / name).string();
  }
  [[nodiscard]] Embeddings embed(const std::vector<std::string>& files, const EmbedOptions& options = {}) const {
    const auto source = file_source(files);
    std::vector<int64_t> numbers(files.size());
    std::iota(numbers.begin(), numbers.end(), 0);
    Embeddings all;
    std::vector<torch::Tensor> vectors = {torch::empty({0, bundle.model->encoder().width()})};
    EmbedCount count =
        embed_items(bundle, *registry, *source, numbers, options, torch::kCPU, [&](const EmbeddedItem& item) {
          vectors.push_back(item.vectors);
          for (size_t i = 0; i < item.start_s.size(); ++i)
            all.rows.push_back({source->item(item.number).id, item.start_s[i], item.end_s[i]});
        });
    all.vectors = torch::cat(vectors);
    all.problems = std::move(count.problems);
    all.chunks = count.chunks;
    return all;
  }
  /// Features of samples, by the front end as a whole.
  [[nodiscard]] torch::Tensor features(const torch::Tensor& samples) const {
    const Batch front = bundle.pipeline->run_front({samples.contiguous(), 8000, Domain::audio}, 0);
    return features_of(*bundle.model, *bundle.pipeline, front, torch::kCPU)[0];
  }
  /// The samples of a file as they are read back: 16 bits.
  [[nodiscard]] static torch::Tensor samples_of(const std::string& file) { return read_audio(file).samples; }

  Configs configs;
  std::shared_ptr<const Registry> registry;
  Bundle bundle;
  torch::Tensor sound;  ///< [1, 32000]
};

bool same_vectors(const torch::Tensor& a, const torch::Tensor& b) {
  return a.sizes() == b.sizes() && (a - b).abs().max().item<double>() <= 1e-5 * b.abs().max().item<double>();
}

std::vector<std::pair<double, double>> times(const Embeddings& embeddings) {
  std::vector<std::pair<double, double>> result;
  for (const Embeddings::Row& row : embeddings.rows) result.emplace_back(row.start_s, row.end_s);
  return result;
}

using Times = std::vector<std::pair<double, double>>;

}  // namespace

TEST_CASE("a clip of the training has the features that its encoder gives it") {
  const Embedding embedding;
  CHECK(chunk_length(embedding.bundle, *embedding.registry) == 0.5);
  const std::string clip = embedding.file("clip.wav", 0, 4000);
  const Embeddings embeddings = embedding.embed({clip});
  REQUIRE(embeddings.vectors.sizes() == torch::IntArrayRef({1, 8}));
  CHECK(same_vectors(embeddings.vectors[0], embedding.features(Embedding::samples_of(clip))));
  CHECK(embeddings.rows.front().file == clip);
  CHECK(times(embeddings) == Times{{0, 0.5}});
  CHECK(embeddings.vectors.std().item<double>() > 1e-3);  // something to compare
}

TEST_CASE("timestamps: a row for each chunk, none more where the length divides") {
  const Embedding embedding;
  const std::string whole = embedding.file("whole.wav", 0, 12000), more = embedding.file("more.wav", 0, 12800);
  EmbedOptions options;
  options.timestamps = true;
  CHECK(times(embedding.embed({whole}, options)) == Times{{0, 0.5}, {0.5, 1}, {1, 1.5}});
  CHECK(times(embedding.embed({more}, options)) == Times{{0, 0.5}, {0.5, 1}, {1, 1.5}, {1.5, 1.6}});
  options.hop_s = 0.25;
  CHECK(times(embedding.embed({whole}, options)) == Times{{0, 0.5}, {0.25, 0.75}, {0.5, 1}, {0.75, 1.25}, {1, 1.5}});
  options.chunk_s = 1;
  options.hop_s = 0;
  CHECK(times(embedding.embed({whole}, options)) == Times{{0, 1}, {1, 1.5}});
  options.chunk_s = 0.1;
  options.hop_s = 0.6;  // with gaps
  CHECK(times(embedding.embed({whole}, options)) == Times{{0, 0.1}, {0.6, 0.7}, {1.2, 1.3}});
}

TEST_CASE("a row is what its part of the file gives, a last short one repeated to its full length") {
  const Embedding embedding;
  const std::string file = embedding.file("more.wav", 0, 13000);
  const torch::Tensor samples = Embedding::samples_of(file);
  for (const double hop : {0.5, 0.3, 0.75}) {
    EmbedOptions options;
    options.timestamps = true;
    options.hop_s = hop;
    const Embeddings embeddings = embedding.embed({file}, options);
    for (size_t i = 0; i < embeddings.rows.size(); ++i) {
      const auto begin = static_cast<int64_t>(std::lround(embeddings.rows[i].start_s * 8000));
      const auto end = static_cast<int64_t>(std::lround(embeddings.rows[i].end_s * 8000));
      const torch::Tensor part = samples.slice(1, begin, end).repeat({1, 8}).slice(1, 0, 4000);
      CHECK(same_vectors(embeddings.vectors[static_cast<int64_t>(i)], embedding.features(part)));
    }
  }
}

TEST_CASE("a file's vector is the mean of its chunks by their durations") {
  const Embedding embedding;
  const std::string whole = embedding.file("whole.wav", 0, 12000), more = embedding.file("more.wav", 0, 12800);
  for (const std::string& file : {whole, more}) {
    EmbedOptions options;
    const Embeddings mean = embedding.embed({file}, options);
    options.timestamps = true;
    const Embeddings parts = embedding.embed({file}, options);
    REQUIRE(mean.rows.size() == 1);
    CHECK(mean.rows[0].end_s == parts.rows.back().end_s);
    CHECK(mean.chunks == static_cast<int64_t>(parts.rows.size()));
    std::vector<float> durations;
    for (const Embeddings::Row& row : parts.rows) durations.push_back(static_cast<float>(row.end_s - row.start_s));
    const torch::Tensor weights = torch::tensor(durations).unsqueeze(1);
    CHECK(same_vectors(mean.vectors[0], (parts.vectors * weights).sum(0) / weights.sum()));
    if (file == whole) CHECK(same_vectors(mean.vectors[0], parts.vectors.mean(0)));
  }
}

TEST_CASE("a file has the same vector alone, beside others and in batches of any size") {
  const Embedding embedding;
  std::vector<std::string> files;
  for (int64_t i = 0; i < 5; ++i) {
    files.push_back(embedding.file(std::to_string(i) + ".wav", 2000 * i, 2000 * i + 3000 + 4000 * i));
  }
  EmbedOptions options;
  const Embeddings all = embedding.embed(files, options);
  REQUIRE(all.rows.size() == 5);
  CHECK(torch::equal(embedding.embed(files, options).vectors, all.vectors));
  for (int64_t i = 0; i < 5; ++i) {
    CHECK(same_vectors(embedding.embed({files[static_cast<size_t>(i)]}, options).vectors[0], all.vectors[i]));
  }
  options.timestamps = true;
  const Embeddings parts = embedding.embed(files, options);
  for (const int64_t size : {1, 2, 3, 1000}) {
    options.batch_size = size;
    options.workers = 3;
    const Embeddings other = embedding.embed(files, options);
    CHECK(same_vectors(other.vectors, parts.vectors));
    CHECK(times(other) == times(parts));
  }
}

TEST_CASE("the length of a chunk comes from the training") {
  const std::string mel = "{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}, {name: log}";
  const Embedding cropped({"transforms=[" + mel + ", {name: crop, frames: 20}]"});
  CHECK(clip_length(cropped.bundle, *cropped.registry) == 0);
  CHECK(chunk_length(cropped.bundle, *cropped.registry) == 20 * 128 / 8000.0);

  const Embedding fixed({"transforms=[{name: fixed_length, duration: 1 s}, " + mel + "]"});
  CHECK(clip_length(fixed.bundle, *fixed.registry) == 1);
  CHECK(chunk_length(fixed.bundle, *fixed.registry) == 1);
  EmbedOptions options;
  options.timestamps = true;
  // The front end fills up with silence what the file's end cuts short; repeating would be another sound.
  const std::string file = fixed.file("file.wav", 0, 10000);
  const Embeddings parts = fixed.embed({file}, options);
  CHECK(times(parts) == Times{{0, 1}, {1, 1.25}});
  const torch::Tensor rest = torch::constant_pad_nd(Embedding::samples_of(file).slice(1, 8000), {0, 6000});
  CHECK(same_vectors(parts.vectors[1], fixed.features(rest)));
  options.chunk_s = 2;  // half of each would be cut off
  CHECK(contains(text_of(problems_of([&] { static_cast<void>(fixed.embed({file}, options)); })),
                 "--chunk: got 2 s, expected at most 1 s"));
}

TEST_CASE("a length that is fixed behind a random transform is that of every chunk") {
  const std::string mel = "{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}, {name: log}";
  for (const std::string chain : {"{name: speed}, {name: fixed_length, duration: 0.5}, ",
                                  "{name: channels}, {name: crop, frames: 4000, eval: center}, "}) {
    INFO(chain);
    const Embedding embedding({"transforms=[" + chain + mel + "]"});
    CHECK(clip_length(embedding.bundle, *embedding.registry) == 0.5);
    const std::string file = embedding.file("file.wav", 0, 9000);
    EmbedOptions options;
    options.timestamps = true;
    const Embeddings parts = embedding.embed({file}, options);
    CHECK(times(parts) == Times{{0, 0.5}, {0.5, 1}, {1, 1.125}});
    CHECK(same_vectors(parts.vectors[2], embedding.features(Embedding::samples_of(file).slice(1, 8000))));
  }
}

TEST_CASE("a chunk is no longer than what evaluation crops from the spectrogram") {
  const std::string chain =
      "{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}, {name: log}, "
      "{name: crop, frames: 20, eval: center}]";
  const double crop_s = 20 * 128 / 8000.0;
  const Embedding cropped({"transforms=[" + chain});
  CHECK(clip_length(cropped.bundle, *cropped.registry) == crop_s);
  CHECK(chunk_length(cropped.bundle, *cropped.registry) == crop_s);
  const Embedding fixed({"transforms=[{name: fixed_length, duration: 2 s}, " + chain});
  CHECK(chunk_length(fixed.bundle, *fixed.registry) == crop_s);
  const std::string file = fixed.file("file.wav", 0, 2560 + 1000);
  EmbedOptions options;
  options.timestamps = true;
  const Embeddings parts = fixed.embed({file}, options);
  CHECK(times(parts) == Times{{0, crop_s}, {crop_s, 0.445}});
  // The center of two seconds holds the chunk's sound, not the silence behind it.
  const torch::Tensor samples = Embedding::samples_of(file);
  CHECK(same_vectors(parts.vectors[0], fixed.features(samples.slice(1, 0, 2560).repeat({1, 7}).slice(1, 0, 16000))));
  CHECK(same_vectors(parts.vectors[1], fixed.features(samples.slice(1, 2560).repeat({1, 16}))));
  options.chunk_s = 0.5;
  CHECK(contains(text_of(problems_of([&] { static_cast<void>(fixed.embed({file}, options)); })),
                 "--chunk: got 0.5 s, expected at most 0.32 s"));

  const Embedding nearly({"transforms=[{name: fixed_length, duration: 0.34 s}, " + chain});
  CHECK(chunk_length(nearly.bundle, *nearly.registry) == 0.34);  // a frame less is no cut
}

TEST_CASE("a file that cannot be embedded is told, and the others are embedded") {
  const Embedding embedding;
  const std::string good = embedding.file("good.wav", 0, 9000), better = embedding.file("better.wav", 500, 5000);
  write_file(embedding.configs.path() / "text.wav", "this is a text");
  write_wav(embedding.configs.path() / "fast.wav", embedding.sound, 16000);
  std::string samples;  // float32; the last is not a number, far behind the first batch
  for (int n = 0; n < 20000; ++n)
    samples += sounds::le(n + 1 < 20000 ? 0x3D000000U + static_cast<unsigned>(n) : 0x7FC00000U, 4);
  write_file(embedding.configs.path() / "broken.wav", sounds::wav(3, 1, 8000, 32, samples));
  const auto path = [&](const char* name) { return (embedding.configs.path() / name).string(); };
  for (const bool timestamps : {false, true}) {
    EmbedOptions options;
    options.batch_size = 2;
    options.timestamps = timestamps;
    const Embeddings alone = embedding.embed({good, better}, options);
    const Embeddings embeddings = embedding.embed(
        {good, path("text.wav"), path("broken.wav"), path("fast.wav"), "/nowhere.wav", better}, options);
    const std::string text = text_of(embeddings.problems);
    INFO(text);
    CHECK(embeddings.problems.size() == 4);
    for (const char* name : {"text.wav", "broken.wav", "fast.wav", "/nowhere.wav"}) CHECK(contains(text, name));
    CHECK(times(embeddings) == times(alone));
    CHECK(same_vectors(embeddings.vectors, alone.vectors));
  }
  samples.replace(0, 4, sounds::le(0x7FC00000U, 4));
  write_file(embedding.configs.path() / "early.wav", sounds::wav(3, 1, 8000, 32, samples.substr(0, 4 * 19999)));
  EmbedOptions single;
  single.batch_size = 1;  // its first chunk fails, the next ones do not
  const Embeddings late = embedding.embed({path("early.wav"), good}, single);
  CHECK(late.problems.size() == 1);
  CHECK(same_vectors(late.vectors, embedding.embed({good}, single).vectors));
  const Embeddings none = embedding.embed({path("text.wav")});
  CHECK(none.vectors.sizes() == torch::IntArrayRef({0, 8}));
  CHECK(none.rows.empty());
}

TEST_CASE("what an encoder leaves behind a clip is no chunk of its own") {
  const Embedding embedding;
  EmbedOptions options;
  options.timestamps = true;
  CHECK(times(embedding.embed({embedding.file("tail.wav", 0, 4039)}, options)) == Times{{0, 0.5}});
  CHECK(times(embedding.embed({embedding.file("more.wav", 0, 4040)}, options)) == Times{{0, 0.5}, {0.5, 0.505}});
  CHECK(times(embedding.embed({embedding.file("short.wav", 0, 30)}, options)) == Times{{0, 0.00375}});
}

TEST_CASE("a folder stands for the sound files below it, in the order of their names") {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "b.wav");  // a folder, whatever it is called
  for (const char* name : {"c.WAV", "a.flac", "b.wav/x.ogg", "notes.txt"}) write_file(folder.path() / name, "");
  const auto path = [&](const char* name) { return (folder.path() / name).string(); };
  CHECK(sound_files({"/else.mp3", folder.path().string()}) ==
        std::vector<std::string>{"/else.mp3", path("a.flac"), path("b.wav/x.ogg"), path("c.WAV")});
  fs::create_directories(folder.path() / "empty");
  CHECK(contains(text_of(problems_of([&] { (void)sound_files({path("empty")}); })), "expected at least one"));
}

#include "task/embed.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include "base/file.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/stop.h"
#include "base/text.h"
#include "data/loader.h"
#include "io/audio.h"
#include "io/csv.h"
#include "io/npy.h"
#include "task/chunks.h"
#include "train/features.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

/// How much of a chunk the front end lets reach the model.
struct Reach {
  double clip_s = 0;   ///< seconds of every clip that reach the model; 0: all
  double whole_s = 0;  ///< seconds to which it lengthens a clip ahead of cutting that out; 0: it does not
};

/// Nothing is computed: the transforms say what they would give for clips of 30 s and of 60 s.
Reach reach_of(const Bundle& bundle, const Registry& registry) {
  Spec spec = bundle.info.input;
  if (spec.shape[0] < 1) spec.shape[0] = 1;
  if (!(spec.rate_hz > 0)) spec.rate_hz = 16000;
  const auto front_end = [&](double seconds) {
    spec.shape.back() = frames_of(seconds, spec.rate_hz);
    return front_end_for(bundle, registry, spec, "a clip");
  };
  const Pipeline one = front_end(30), other = front_end(60);
  Reach reach;
  double longest_s = 0;
  for (size_t i = 0; i < one.size(); ++i) {
    const Spec& now = one.after(i, Mode::eval);
    const int64_t length = now.shape.back();
    if (length <= 0 || length != other.after(i, Mode::eval).shape.back() || !(now.rate_hz > 0)) continue;
    const double seconds = static_cast<double>(length) / now.rate_hz;
    // The frames of a spectrogram may span a little less than the signal that they were made of.
    const double loss = now.domain == Domain::spectrogram ? 0.9 : 1;
    if (reach.clip_s == 0 || seconds < loss * reach.clip_s) reach = {seconds, longest_s};
    longest_s = std::max(longest_s, seconds);
  }
  return reach;
}

/// A file to embed.
struct Source {
  std::string path;
  double rate_hz;
  int64_t length, hop;  ///< frames
  int64_t filled;       ///< frames up to which a shorter chunk is repeated; 0: the front end fills it up
  Chunks chunks;
  std::shared_ptr<const Pipeline> pipeline;
  int64_t first;  ///< number of its first chunk among those of all files
};

/// Neighbouring chunks of one source: what is decoded in one go.
struct Piece {
  size_t source;
  int64_t first, count;
};

class Embedder {
 public:
  Embedder(const Bundle& bundle, const Registry& registry, const EmbedOptions& options, torch::Device device)
      : bundle_(bundle), registry_(registry), options_(options), device_(device) {
    const double clip_s = clip_length(bundle, registry);
    result_.chunk_s = options.chunk_s > 0 ? options.chunk_s : chunk_length(bundle, registry);
    result_.hop_s = options.hop_s > 0 ? options.hop_s : result_.chunk_s;
    if (clip_s > 0 && result_.chunk_s > clip_s) {
      throw InputError("EMBED", "", "--chunk",
                       fmt::format("got {} s, expected at most {} s, to which this bundle's front end cuts every clip",
                                   result_.chunk_s, clip_s));
    }
    if (clip_s > 0 && result_.chunk_s < clip_s) {
      log::warning("chunks of {} s are filled up to {} s by this bundle's front end", result_.chunk_s, clip_s);
    }
    // Where it takes clips as they are; and where it cuts from a longer clip, of which the rest might be silence.
    filled_s_ = clip_s > 0 ? reach_of(bundle, registry).whole_s : result_.chunk_s;
  }

  Embeddings run(const std::vector<std::string>& files) {
    for (const std::string& file : files) add(file);
    const std::vector<std::vector<Piece>> batches = batches_of_pieces();
    vectors_ = {torch::empty({0, encoder().width()})};
    const EvalMode eval_mode(encoder());
    Progress progress("embed", total_);
    Loader loader(0, batches.size(), options_.workers, [&](size_t number) { return prepare(batches[number]); });
    for (size_t number = 0; auto batch = loader.next(); ++number) {
      throw_if_stopped();
      if (batch->size() == 0) continue;  // none of its chunks could be read
      collect(batch->ids, features_of(encoder(), batch->x, device_));
      progress.update(batch->ids.back() + 1);
    }
    return finish();
  }

 private:
  [[nodiscard]] Encoder& encoder() const { return bundle_.model->encoder(); }

  void add(const std::string& file) {
    try {
      const AudioInfo info = audio_info(file);
      const int64_t length = frames_of(result_.chunk_s, info.rate_hz), hop = frames_of(result_.hop_s, info.rate_hz);
      const int64_t filled = filled_s_ > 0 ? frames_of(filled_s_, info.rate_hz) : 0;
      Source source{file, info.rate_hz, length, hop, filled, {info.frames, length, hop}, nullptr, total_};
      auto& pipeline = pipelines_[{info.channels, info.rate_hz}];
      if (!pipeline) {
        const Spec spec{Domain::audio, {info.channels, std::max(length, filled)}, info.rate_hz};
        pipeline = std::make_shared<Pipeline>(front_end_for(bundle_, registry_, spec, file));
      }
      source.pipeline = pipeline;
      total_ += source.chunks.count();
      sources_.push_back(std::move(source));
    } catch (const InputError& error) {
      for (const Problem& problem : error.problems()) result_.problems.push_back(problem);
    }
  }

  /// At most batch_size chunks each; one pipeline each, so that all have one shape.
  [[nodiscard]] std::vector<std::vector<Piece>> batches_of_pieces() const {
    std::vector<std::vector<Piece>> batches;
    int64_t room = 0;
    for (size_t s = 0; s < sources_.size(); ++s) {
      const int64_t count = sources_[s].chunks.count();
      for (int64_t first = 0; first < count;) {
        if (room == 0 || sources_[batches.back().front().source].pipeline != sources_[s].pipeline) {
          batches.emplace_back();
          room = options_.batch_size;
        }
        const int64_t taken = std::min(room, count - first);
        batches.back().push_back({s, first, taken});
        first += taken;
        room -= taken;
      }
    }
    return batches;
  }

  /// What the model gets of the chunks that can be read; ids are their numbers. Each chunk goes through the whole front
  /// end alone: what gives all one length may stand behind its front. Called from the workers.
  Batch prepare(const std::vector<Piece>& pieces) {
    Batch batch;
    std::vector<torch::Tensor> parts;
    for (const Piece& piece : pieces) {
      const Source& source = sources_[piece.source];
      try {
        std::vector<torch::Tensor> own;
        for (torch::Tensor& samples : read(source, piece)) {
          Batch chunk = source.pipeline->run_front({std::move(samples), source.rate_hz, Domain::audio}, 0);
          source.pipeline->run_eval(chunk, 0, 1);
          batch.rate_hz = chunk.rate_hz;
          own.push_back(std::move(chunk.x));
        }
        for (int64_t i = 0; i < piece.count; ++i) batch.ids.push_back(source.first + piece.first + i);
        parts.insert(parts.end(), own.begin(), own.end());
      } catch (const InputError& error) {
        const std::lock_guard lock(failed_mutex_);
        failed_.emplace(piece.source, error.problems());
      }
    }
    if (!parts.empty()) batch.x = torch::cat(parts);
    return batch;
  }

  /// Samples [C, frames] of each chunk.
  [[nodiscard]] std::vector<torch::Tensor> read(const Source& source, const Piece& piece) const {
    const bool has_gaps = source.hop > source.length;  // what lies in them is not worth decoding
    const Chunk first = source.chunks[piece.first], last = source.chunks[piece.first + piece.count - 1];
    torch::Tensor all;
    if (!has_gaps) all = read_audio(source.path, first.begin, last.begin + last.frames - first.begin).samples;
    std::vector<torch::Tensor> result;
    for (int64_t i = 0; i < piece.count; ++i) {
      const Chunk chunk = source.chunks[piece.first + i];
      torch::Tensor samples = has_gaps ? read_audio(source.path, chunk.begin, chunk.frames).samples
                                       : all.narrow(1, chunk.begin - first.begin, chunk.frames);
      if (chunk.frames < source.filled) {
        const int64_t times = (source.filled - 1) / chunk.frames + 1;
        samples = samples.repeat({1, times}).narrow(1, 0, source.filled);
      }
      result.push_back(samples.contiguous());
    }
    return result;
  }

  void collect(const std::vector<int64_t>& numbers, const torch::Tensor& features) {
    for (size_t i = 0; i < numbers.size(); ++i) {
      const auto behind = std::upper_bound(sources_.begin(), sources_.end(), numbers[i],
                                           [](int64_t number, const Source& source) { return number < source.first; });
      const auto s = static_cast<size_t>(behind - sources_.begin()) - 1;
      const Source& source = sources_[s];
      const int64_t number = numbers[i] - source.first;
      const Chunk chunk = source.chunks[number];
      const torch::Tensor vector = features[static_cast<int64_t>(i)];
      ++result_.chunks;
      if (options_.timestamps) {
        add_row(s, vector.clone(), chunk);
        continue;
      }
      if (!sum_.defined() || s != summed_) {  // not always its chunk 0, which may have been unreadable
        sum_ = torch::zeros({vector.size(0)}, torch::kDouble);
        frames_ = 0;
        summed_ = s;
      }
      sum_.add_(vector, static_cast<double>(chunk.frames));
      frames_ += chunk.frames;
      if (number + 1 == source.chunks.count()) {
        add_row(s, (sum_ / static_cast<double>(frames_)).to(torch::kFloat), {0, chunk.begin + chunk.frames});
      }
    }
  }

  void add_row(size_t s, const torch::Tensor& vector, const Chunk& part) {
    const Source& source = sources_[s];
    vectors_.push_back(vector.unsqueeze(0));
    row_sources_.push_back(s);
    result_.rows.push_back({source.path, static_cast<double>(part.begin) / source.rate_hz,
                            static_cast<double>(part.begin + part.frames) / source.rate_hz});
  }

  /// A file of which a part could not be read has no row.
  Embeddings finish() {
    for (const auto& [source, problems] : failed_)
      result_.problems.insert(result_.problems.end(), problems.begin(), problems.end());
    Embeddings result = std::move(result_);
    std::vector<torch::Tensor> vectors = {vectors_[0]};
    std::vector<EmbeddedPart> rows;
    for (size_t i = 0; i < row_sources_.size(); ++i) {
      if (failed_.count(row_sources_[i]) > 0) continue;
      vectors.push_back(vectors_[i + 1]);
      rows.push_back(std::move(result.rows[i]));
    }
    result.rows = std::move(rows);
    result.vectors = torch::cat(vectors);
    return result;
  }

  const Bundle& bundle_;
  const Registry& registry_;
  const EmbedOptions& options_;
  torch::Device device_;
  double filled_s_ = 0;                                                              // see Source::filled
  std::map<std::pair<int64_t, double>, std::shared_ptr<const Pipeline>> pipelines_;  // by channels and rate
  std::vector<Source> sources_;
  int64_t total_ = 0;  // chunks
  std::map<size_t, std::vector<Problem>> failed_;
  std::mutex failed_mutex_;
  std::vector<torch::Tensor> vectors_;  // [0, D], then [1, D] for each row
  std::vector<size_t> row_sources_;
  torch::Tensor sum_;  // of the file whose chunks are coming in
  size_t summed_ = 0;  // which one that is
  int64_t frames_ = 0;
  Embeddings result_;
};

void require_audio(const Bundle& bundle) {
  if (bundle.info.input.domain == Domain::audio) return;
  throw InputError(
      "EMBED", "", "",
      fmt::format("got a bundle of {} signals, expected one of audio", to_string(bundle.info.input.domain)));
}

bool named_as_sound(const fs::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return ending == ".wav" || ending == ".flac" || ending == ".ogg" || ending == ".oga" || ending == ".opus";
}

}  // namespace

double clip_length(const Bundle& bundle, const Registry& registry) {
  require_audio(bundle);
  return reach_of(bundle, registry).clip_s;
}

double chunk_length(const Bundle& bundle, const Registry& registry) {
  if (const double clip_s = clip_length(bundle, registry); clip_s > 0) return clip_s;
  const Spec &data = bundle.info.input, &model = bundle.info.model_input;
  const bool saw_whole_clips = bundle.pipeline->output(Mode::eval).shape.back() == model.shape.back();
  if (saw_whole_clips && data.shape.back() > 0 && data.rate_hz > 0)
    return static_cast<double>(data.shape.back()) / data.rate_hz;
  if (model.shape.back() > 0 && model.rate_hz > 0) return static_cast<double>(model.shape.back()) / model.rate_hz;
  throw InputError("EMBED", "", "--chunk",
                   "got none for a model that was trained on clips of varying length, expected a length such as 2s");
}

Embeddings embed_files(const Bundle& bundle, const Registry& registry, const std::vector<std::string>& files,
                       const EmbedOptions& options, torch::Device device) {
  return Embedder(bundle, registry, options, device).run(files);
}

fs::path write_embeddings(const fs::path& npy_file, const Embeddings& embeddings) {
  fs::path table = npy_file;
  table.replace_extension(".csv");
  std::string csv = csv_line({"file", "start_s", "end_s"});
  for (const EmbeddedPart& row : embeddings.rows)
    csv += csv_line({row.file, number_text(row.start_s), number_text(row.end_s)});
  write_npy(npy_file, embeddings.vectors);
  write_file(table, csv);
  return table;
}

std::vector<std::string> sound_files(const std::vector<std::string>& files_and_folders) {
  std::vector<std::string> files;
  for (const std::string& word : files_and_folders) {
    std::error_code ignored;
    if (!fs::is_directory(word, ignored)) {
      files.push_back(word);
      continue;
    }
    const size_t before = files.size();
    try {
      for (const auto& entry : fs::recursive_directory_iterator(word)) {
        if (named_as_sound(entry.path()) && !entry.is_directory()) files.push_back(entry.path().string());
      }
    } catch (const fs::filesystem_error& error) {
      throw InputError("EMBED", printable(word), "",
                       fmt::format("cannot be listed: {}, expected a folder of sound files", error.code().message()));
    }
    if (files.size() == before) {
      throw InputError("EMBED", printable(word), "",
                       "got a folder without any .wav, .flac, .ogg, .oga or .opus file, expected at least one");
    }
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());  // a listing's order is the disk's
  }
  return files;
}

}  // namespace amae

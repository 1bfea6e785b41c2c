#include "task/embed.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/log.h"
#include "base/progress.h"
#include "base/stop.h"
#include "base/text.h"
#include "data/loader.h"
#include "task/chunks.h"
#include "task/data_target.h"
#include "train/features.h"

namespace amae {
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

/// An item to embed.
struct ItemPlan {
  int64_t number;  ///< within the source
  double rate_hz;  ///< 0: unknown, of IQ
  Domain domain;
  int64_t filled;  ///< frames up to which a shorter chunk is repeated; 0: the front end fills it up
  Chunks chunks;
  std::shared_ptr<const Pipeline> pipeline;
  int64_t first;  ///< number of its first chunk among those of all items
};

/// Neighbouring chunks of one item: what is decoded in one go.
struct Piece {
  size_t item;
  int64_t first, count;
};

class Embedder {
 public:
  Embedder(const Bundle& bundle, const Registry& registry, const EmbedSource& source, const EmbedOptions& options,
           torch::Device device, const std::function<void(const EmbeddedItem&)>& take)
      : bundle_(bundle), registry_(registry), source_(source), options_(options), device_(device), take_(take) {
    if (bundle.info.input.domain != Domain::audio) return;  // goes through whole
    const double clip_s = clip_length(bundle, registry);
    chunk_s_ = options.chunk_s > 0 ? options.chunk_s : chunk_length(bundle, registry);
    hop_s_ = options.hop_s > 0 ? options.hop_s : chunk_s_;
    if (clip_s > 0 && chunk_s_ > clip_s) {
      throw InputError("EMBED", "", "--chunk",
                       fmt::format("got {} s, expected at most {} s, to which this bundle's front end cuts every clip",
                                   chunk_s_, clip_s));
    }
    if (clip_s > 0 && chunk_s_ < clip_s)
      log::warning("chunks of {} s are filled up to {} s by this bundle's front end", chunk_s_, clip_s);
    // Where it takes clips as they are; and where it cuts from a longer clip, of which the rest might be silence.
    filled_s_ = clip_s > 0 ? reach_of(bundle, registry).whole_s : chunk_s_;
  }

  EmbedCount run(const std::vector<int64_t>& numbers) {
    for (const int64_t number : numbers) {
      throw_if_stopped();
      plan(number);
    }
    const std::vector<std::vector<Piece>> batches = batches_of_pieces();
    const EvalMode eval_mode(encoder());
    Progress progress("embed", total_);
    const int workers = options_.workers > 0 ? static_cast<int>(options_.workers) : data_threads();
    Loader loader(0, batches.size(), workers, [&](size_t number) { return prepare(batches[number]); });
    while (auto batch = loader.next()) {
      throw_if_stopped();
      if (batch->size() == 0) continue;  // none of its chunks could be read
      collect(batch->ids, features_of(*bundle_.model, batch->x, device_));
      progress.update(batch->ids.back() + 1);
    }
    finish_item();
    for (const auto& [item, problems] : failed_)
      result_.problems.insert(result_.problems.end(), problems.begin(), problems.end());
    return std::move(result_);
  }

 private:
  [[nodiscard]] Encoder& encoder() const { return bundle_.model->encoder(); }

  void plan(int64_t number) {
    const std::string name = source_.item(number).id;
    try {
      const Spec spec = source_.spec(number);
      const bool is_audio = spec.domain == Domain::audio;
      if (spec.domain != bundle_.info.input.domain) {
        throw InputError("EMBED", printable(name), "",
                         fmt::format("got {}, expected {} as this bundle does", to_string(spec.domain),
                                     to_string(bundle_.info.input.domain)));
      }
      const int64_t frames = spec.shape.back();
      if (frames < 1) throw InputError("EMBED", printable(name), "", "got a signal of unknown or no length");
      const int64_t length = is_audio ? frames_of(chunk_s_, spec.rate_hz) : frames;
      const int64_t hop = is_audio ? frames_of(hop_s_, spec.rate_hz) : frames;
      const int64_t filled = is_audio && filled_s_ > 0 ? frames_of(filled_s_, spec.rate_hz) : 0;
      // What encoders leave behind a clip, a millisecond or so, is no chunk of its own.
      const int64_t rest = frames > length ? (frames - length) % hop : 0;
      const int64_t used = 100 * rest < length ? frames - rest : frames;
      ItemPlan item{number, spec.rate_hz, spec.domain, filled, {used, length, hop}, nullptr, total_};
      const int64_t longest = is_audio ? std::max(length, filled) : frames;
      auto& pipeline = pipelines_[{{spec.shape[0], longest}, spec.rate_hz}];
      if (!pipeline) {
        const Spec input{spec.domain, {spec.shape[0], longest}, spec.rate_hz};
        pipeline = std::make_shared<Pipeline>(front_end_for(bundle_, registry_, input, name));
      }
      item.pipeline = pipeline;
      total_ += item.chunks.count();
      items_.push_back(std::move(item));
    } catch (const InputError& error) {
      for (const Problem& problem : error.problems()) result_.problems.push_back(problem);
    }
  }

  /// At most batch_size chunks each; one pipeline each, so that all have one shape.
  [[nodiscard]] std::vector<std::vector<Piece>> batches_of_pieces() const {
    std::vector<std::vector<Piece>> batches;
    int64_t room = 0;
    for (size_t i = 0; i < items_.size(); ++i) {
      const int64_t count = items_[i].chunks.count();
      for (int64_t first = 0; first < count;) {
        if (room == 0 || items_[batches.back().front().item].pipeline != items_[i].pipeline) {
          batches.emplace_back();
          room = options_.batch_size;
        }
        const int64_t taken = std::min(room, count - first);
        batches.back().push_back({i, first, taken});
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
      const ItemPlan& item = items_[piece.item];
      try {
        std::vector<torch::Tensor> own;
        for (torch::Tensor& samples : read(item, piece)) {
          Batch chunk = item.pipeline->run_front({std::move(samples), item.rate_hz, item.domain}, 0);
          item.pipeline->run_eval(chunk, 0, 1);
          batch.rate_hz = chunk.rate_hz;
          own.push_back(std::move(chunk.x));
        }
        for (int64_t i = 0; i < piece.count; ++i) batch.ids.push_back(item.first + piece.first + i);
        parts.insert(parts.end(), own.begin(), own.end());
      } catch (const InputError& error) {
        const std::lock_guard lock(failed_mutex_);
        failed_.emplace(piece.item, error.problems());
      }
    }
    if (!parts.empty()) batch.x = torch::cat(parts);
    return batch;
  }

  /// Samples [C, frames] of each chunk.
  [[nodiscard]] std::vector<torch::Tensor> read(const ItemPlan& item, const Piece& piece) const {
    const Chunk first = item.chunks[piece.first], last = item.chunks[piece.first + piece.count - 1];
    // What lies in gaps between chunks is not worth decoding.
    const bool has_gaps = piece.count > 1 && item.chunks[piece.first + 1].begin > first.begin + first.frames;
    torch::Tensor all;
    if (!has_gaps) all = source_.read(item.number, first.begin, last.begin + last.frames - first.begin).samples;
    std::vector<torch::Tensor> result;
    for (int64_t i = 0; i < piece.count; ++i) {
      const Chunk chunk = item.chunks[piece.first + i];
      torch::Tensor samples = has_gaps ? source_.read(item.number, chunk.begin, chunk.frames).samples
                                       : all.narrow(1, chunk.begin - first.begin, chunk.frames);
      if (item.domain == Domain::iq && !torch::isfinite(samples).all().item<bool>())  // of sound the decoder asks it
        throw InputError("EMBED", printable(source_.item(item.number).id), "", "got samples that are not finite");
      if (chunk.frames < item.filled) {
        const int64_t times = (item.filled - 1) / chunk.frames + 1;
        samples = samples.repeat({1, times}).narrow(1, 0, item.filled);
      }
      result.push_back(samples.contiguous());
    }
    return result;
  }

  void collect(const std::vector<int64_t>& numbers, const torch::Tensor& features) {
    for (size_t i = 0; i < numbers.size(); ++i) {
      const auto behind = std::upper_bound(items_.begin(), items_.end(), numbers[i],
                                           [](int64_t number, const ItemPlan& item) { return number < item.first; });
      const auto at = static_cast<size_t>(behind - items_.begin()) - 1;
      if (!current_ || *current_ != at) {
        finish_item();
        current_ = at;
      }
      const Chunk chunk = items_[at].chunks[numbers[i] - items_[at].first];
      const torch::Tensor vector = features[static_cast<int64_t>(i)];
      ++result_.chunks;
      ++chunks_;
      if (options_.timestamps) {
        add_row(vector.clone(), chunk.begin, chunk.begin + chunk.frames);
        continue;
      }
      if (!sum_.defined()) sum_ = torch::zeros({vector.size(0)}, torch::kDouble);
      sum_.add_(vector, static_cast<double>(chunk.frames));
      frames_ += chunk.frames;
      end_ = chunk.begin + chunk.frames;
    }
  }

  void add_row(const torch::Tensor& vector, int64_t begin, int64_t end) {
    const double rate = items_[*current_].rate_hz > 0 ? items_[*current_].rate_hz : 1;  // IQ of unknown rate: samples
    embedded_.start_s.push_back(static_cast<double>(begin) / rate);
    embedded_.end_s.push_back(static_cast<double>(end) / rate);
    rows_.push_back(vector.unsqueeze(0));
  }

  /// Hands the current item over when all of it could be read.
  void finish_item() {
    if (!current_) return;
    const ItemPlan& item = items_[*current_];
    if (chunks_ == item.chunks.count()) {
      if (sum_.defined()) add_row((sum_ / static_cast<double>(frames_)).to(torch::kFloat), 0, end_);
      embedded_.number = item.number;
      embedded_.vectors = torch::cat(rows_);
      take_(embedded_);
      ++result_.items;
    }
    current_.reset();
    embedded_ = {};
    rows_.clear();
    sum_ = torch::Tensor();
    chunks_ = frames_ = end_ = 0;
  }

  const Bundle& bundle_;
  const Registry& registry_;
  const EmbedSource& source_;
  const EmbedOptions& options_;
  torch::Device device_;
  const std::function<void(const EmbeddedItem&)>& take_;
  double chunk_s_ = 0, hop_s_ = 0;
  double filled_s_ = 0;  // see ItemPlan::filled
  // By channels, frames and rate.
  std::map<std::pair<std::pair<int64_t, int64_t>, double>, std::shared_ptr<const Pipeline>> pipelines_;
  std::vector<ItemPlan> items_;
  int64_t total_ = 0;  // chunks
  std::map<size_t, std::vector<Problem>> failed_;
  std::mutex failed_mutex_;
  // The item whose chunks are coming in.
  std::optional<size_t> current_;
  EmbeddedItem embedded_;
  std::vector<torch::Tensor> rows_;
  torch::Tensor sum_;
  int64_t chunks_ = 0, frames_ = 0, end_ = 0;
  EmbedCount result_;
};

}  // namespace

void EmbedOptions::describe(Fields& f) {
  f.add("chunk", chunk_s, "length of a chunk; 0: a clip of the training").unit("s").range(0, 86400);
  f.add("hop", hop_s, "from one chunk to the next; 0: the length of a chunk").unit("s").range(0, 86400);
  f.add("timestamps", timestamps, "a vector for each chunk instead of one for each item");
  f.add("type", type, "of the numbers in embeddings.npy").choices({"float32", "float16"});
  f.add("batch_size", batch_size, "chunks that go through the encoder together").range(1, 65536);
  f.add("workers", workers, "threads that decode and run the front end; 0: one for each core").range(0, 1024);
}

double clip_length(const Bundle& bundle, const Registry& registry) { return reach_of(bundle, registry).clip_s; }

double chunk_length(const Bundle& bundle, const Registry& registry) {
  if (bundle.info.input.domain != Domain::audio) return 0;
  if (const double clip_s = clip_length(bundle, registry); clip_s > 0) return clip_s;
  const Spec &data = bundle.info.input, &model = bundle.info.model_input;
  const bool saw_whole_clips = bundle.pipeline->output(Mode::eval).shape.back() == model.shape.back();
  if (saw_whole_clips && data.shape.back() > 0 && data.rate_hz > 0)
    return static_cast<double>(data.shape.back()) / data.rate_hz;
  if (model.shape.back() > 0 && model.rate_hz > 0) return static_cast<double>(model.shape.back()) / model.rate_hz;
  throw InputError("EMBED", "", "--chunk",
                   "got none for a model that was trained on clips of varying length, expected a length such as 2s");
}

EmbedCount embed_items(const Bundle& bundle, const Registry& registry, const EmbedSource& source,
                       const std::vector<int64_t>& numbers, const EmbedOptions& options, torch::Device device,
                       const std::function<void(const EmbeddedItem&)>& take) {
  return Embedder(bundle, registry, source, options, device, take).run(numbers);
}

}  // namespace amae

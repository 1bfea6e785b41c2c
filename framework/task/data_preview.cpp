#include "task/data_preview.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"
#include "data/loader.h"
#include "data/pipeline.h"
#include "data/streams.h"
#include "task/session.h"

namespace amae {
namespace {

/// Classes to show, as indices; {-1} where rows have no labels.
std::vector<int64_t> wanted_classes(const DataTarget& target, const PreviewOptions& options) {
  const std::vector<std::string>& names = target.dataset->classes();
  std::vector<int64_t> wanted;
  for (const std::string& name : options.classes) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      const std::string guess = nearest(name, names);
      throw InputError(
          "DATA", "", "--classes",
          fmt::format("got unknown class '{}', expected {}{}", printable(name),
                      names.size() <= 20 ? "one of " + join(names, ", ") : fmt::format("one of {}", names.size()),
                      guess.empty() ? "" : "; did you mean " + guess + "?"));
    }
    wanted.push_back(found - names.begin());
  }
  if (!wanted.empty()) return wanted;
  if (names.empty() || !target.labels.defined()) return {-1};
  for (size_t k = 0; k < names.size(); ++k) wanted.push_back(static_cast<int64_t>(k));
  return wanted;
}

/// The rows of each wanted class; of all classes under -1.
std::map<int64_t, std::vector<int64_t>> rows_by_class(const DataTarget& target, const std::vector<int64_t>& wanted) {
  std::map<int64_t, std::vector<int64_t>> rows;
  for (const int64_t k : wanted) rows[k];
  for (int64_t row = 0; row < target.dataset->size(); ++row) {
    for (const int64_t k : wanted[0] < 0 ? std::vector<int64_t>{-1} : target.classes_of(row)) {
      if (const auto found = rows.find(k); found != rows.end()) found->second.push_back(row);
    }
  }
  return rows;
}

/// Loads the first `count` of class k's rows that can be read, in an order drawn for the class.
void load_class(const DataTarget& target, int64_t k, const std::vector<int64_t>& rows, int64_t count, Preview& preview,
                int64_t& unreadable) {
  Draw draw(preview.seed, 0, static_cast<uint64_t>(k), kPreviewStream);
  int64_t loaded = 0;
  for (const int64_t i : draw.permutation(static_cast<int64_t>(rows.size()))) {
    if (loaded == count) break;
    throw_if_stopped();
    const int64_t row = rows[static_cast<size_t>(i)];
    const auto shown = [row](const PreviewItem& item) { return item.row == row; };
    if (std::any_of(preview.items.begin(), preview.items.end(), shown)) continue;  // under another of its labels
    try {
      PreviewItem item;
      item.row = row;
      item.id = target.dataset->id(row);
      item.label = target.label_of(row);
      item.original = target.dataset->load(row);
      preview.items.push_back(std::move(item));
      ++loaded;
    } catch (const InputError&) {
      ++unreadable;
    }
  }
}

/// Tells of each item of IQ what a few columns say, its SNR first. The label is told already.
void tell_columns(const DataTarget& target, Preview& preview) {
  constexpr size_t kTold = 3;
  const auto numbers = target.dataset->columns();
  const auto texts = target.dataset->text_columns();
  for (PreviewItem& item : preview.items) {
    if (item.original.domain != Domain::iq) continue;
    const auto row = static_cast<size_t>(item.row);
    std::vector<std::string> facts;
    for (const auto& [name, values] : numbers) {
      if (std::isnan(values[row])) continue;
      facts.insert(name == "snr" ? facts.begin() : facts.end(), name + " " + number_text(values[row]));
    }
    for (const auto& [name, column] : texts) {
      if (column.index[row] < 0) continue;
      const std::string& text = column.values[static_cast<size_t>(column.index[row])];
      if (text != item.label) facts.push_back(name + " " + text);
    }
    if (facts.size() > kTold) facts.resize(kTold);
    item.facts = join(facts, ", ");
  }
}

/// "dog 63 %, rain 37 %" when `y` [K] is another label than `before`; the three heaviest classes.
std::string mixed_label(const std::vector<std::string>& classes, const at::Tensor& before, const at::Tensor& y) {
  if (!y.defined() || at::allclose(before, y, 0, 1e-3)) return "";
  const auto [weights, order] = y.sort(0, true);
  std::vector<std::string> parts;
  for (int64_t i = 0; i < std::min<int64_t>(3, y.numel()); ++i) {
    const double weight = weights[i].item<double>();
    if (weight >= 0.01)
      parts.push_back(fmt::format("{} {:.0f} %", classes[static_cast<size_t>(order[i].item<int64_t>())], 100 * weight));
  }
  return parts.size() < 2 ? "" : join(parts, ", ");  // smoothed labels alone are not worth a word
}

/// Runs the transforms of a config over a preview's items.
class Showing {
 public:
  Showing(const DataTarget& target, Preview& preview)
      : target_(target), preview_(preview), pipeline_(make_pipeline(*target.plan, *target.dataset)) {
    for (PreviewItem& item : preview.items) fronts_.push_back(pipeline_->run_front(item.original, item.row));
    // Items of one size make one batch, as in training; else each stands alone, also as in training.
    const bool alike = std::all_of(fronts_.begin(), fronts_.end(), [&](const Batch& b) {
      return b.x.sizes() == fronts_[0].x.sizes() && b.rate_hz == fronts_[0].rate_hz;
    });
    for (size_t i = 0; i < fronts_.size(); ++i) {
      if (i == 0 || !alike) groups_.emplace_back();
      groups_.back().push_back(i);
    }
    fit();
    tell();
  }

  void run() {
    preview_.features = pipeline_->output(Mode::eval);
    for (size_t i = 0; i < fronts_.size(); ++i) {
      Batch batch = fronts_[i];
      pipeline_->run_eval(batch, 0, 1);
      preview_.items[i].features = batch.x[0];
    }
    if (!has_random(pipeline_->size())) return;
    preview_.augmented = pipeline_->output(Mode::train);
    const size_t signal_end = transforms_on_signal();
    const Stage stage{preview_.seed, preview_.epoch, std::max(target_.plan->config.train.epochs, preview_.epoch + 1),
                      0};
    for (const std::vector<size_t>& group : groups_) {
      throw_if_stopped();
      Batch batch = stacked(group);
      const at::Tensor labels = batch.y;
      pipeline_->run(batch, pipeline_->front_size(), std::max(signal_end, pipeline_->front_size()), &stage);
      if (has_random(signal_end)) {
        for (size_t i = 0; i < group.size(); ++i) {
          preview_.items[group[i]].augmented_signal = {batch.x[static_cast<int64_t>(i)], batch.rate_hz,
                                                       pipeline_->input().domain};
        }
      }
      pipeline_->run(batch, std::max(signal_end, pipeline_->front_size()), pipeline_->size(), &stage);
      for (size_t i = 0; i < group.size(); ++i) {
        PreviewItem& item = preview_.items[group[i]];
        const auto at = static_cast<int64_t>(i);
        item.augmented = batch.x[at];
        if (labels.defined()) item.augmented_label = mixed_label(target_.dataset->classes(), labels[at], batch.y[at]);
      }
    }
  }

 private:
  void fit() {
    if (!pipeline_->needs_fit()) return;
    pipeline_->fit(groups_.size(), [this](size_t number) { return stacked(groups_[number]); });
    preview_.notes.push_back(fmt::format("transforms that learn from the training split were fitted on these {} items",
                                         preview_.items.size()));
  }

  void tell() {
    std::vector<std::string> names;
    for (size_t i = 0; i < pipeline_->size(); ++i) {
      const std::string& path = pipeline_->path(i);
      names.push_back(path.substr(path.find('.') + 1) + (pipeline_->transform(i).random() ? "*" : ""));
    }
    preview_.chain = join(names, ", ");
    if (!has_random(pipeline_->size())) {
      preview_.notes.emplace_back("the config has no random transforms: training sees what evaluation sees");
    } else if (!has_random(transforms_on_signal())) {
      preview_.notes.push_back(fmt::format("there is no augmented {}: the random transforms (*) act on features only",
                                           pipeline_->input().domain == Domain::audio ? "sound" : "signal"));
    }
    if (groups_.size() > 1) preview_.notes.emplace_back("the items differ in size, so that none is mixed with another");
  }

  [[nodiscard]] bool has_random(size_t end) const {
    for (size_t i = 0; i < end; ++i) {
      if (pipeline_->transform(i).random()) return true;
    }
    return false;
  }

  /// How many transforms at the beginning give sound for sound, or IQ for IQ.
  [[nodiscard]] size_t transforms_on_signal() const {
    size_t end = 0;
    const Domain domain = pipeline_->input().domain;
    if (domain == Domain::spectrogram) return 0;
    while (end < pipeline_->size() && pipeline_->after(end, Mode::train).domain == domain) ++end;
    return end;
  }

  [[nodiscard]] Batch stacked(const std::vector<size_t>& group) const {
    Batch batch;
    std::vector<at::Tensor> parts;
    for (const size_t i : group) {
      parts.push_back(fronts_[i].x);
      batch.ids.push_back(preview_.items[i].row);
      batch.rate_hz = fronts_[i].rate_hz;
    }
    batch.x = at::cat(parts);
    batch.y = targets_of(*target_.dataset, batch.ids);
    return batch;
  }

  const DataTarget& target_;
  Preview& preview_;
  std::shared_ptr<Pipeline> pipeline_;
  std::vector<Batch> fronts_;
  std::vector<std::vector<size_t>> groups_;
};

}  // namespace

Preview make_preview(const DataTarget& target, const PreviewOptions& options) {
  Preview preview;
  preview.dataset = target.name;
  preview.seed = options.seed ? *options.seed : target.plan ? static_cast<uint64_t>(target.plan->config.seed) : 0;
  preview.epoch = options.epoch;
  std::vector<int64_t> classes = wanted_classes(target, options);
  const int64_t each = std::min(options.items, kPreviewItems);
  if (const auto fit = static_cast<size_t>(kPreviewItems / each); classes.size() > fit) {
    preview.notes.push_back(fmt::format("{} of {} classes are shown; --classes chooses others", fit, classes.size()));
    classes.resize(fit);
  }
  int64_t unreadable = 0;
  for (const auto& [k, rows] : rows_by_class(target, classes)) load_class(target, k, rows, each, preview, unreadable);
  if (preview.items.empty()) throw InputError("DATA", "", "data", "got no item that can be read; try amae data check");
  tell_columns(target, preview);
  if (unreadable > 0)
    preview.notes.push_back(fmt::format("{} items cannot be read; amae data check names them", unreadable));
  if (target.plan && !target.plan->config.transforms.empty()) {
    Showing(target, preview).run();
  } else {
    preview.notes.emplace_back("no transforms, so that only the waveform is shown; name a config to see its features");
  }
  return preview;
}

}  // namespace amae

#include "task/embed_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <set>
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "index/store.h"
#include "io/signal_file.h"
#include "task/data_target.h"
#include "train/bundle.h"

namespace amae {
namespace fs = std::filesystem;
using nlohmann::ordered_json;

EmbedSource::~EmbedSource() = default;

namespace {

class DatasetSource final : public EmbedSource {
 public:
  DatasetSource(std::shared_ptr<const Dataset> dataset, std::string data)
      : dataset_(std::move(dataset)),
        data_(std::move(data)),
        labels_(dataset_->labels()),
        folds_(dataset_->folds()),
        numbers_(dataset_->columns()),
        texts_(dataset_->text_columns()) {
    const auto add = [&](const std::string& name) {
      const auto& taken = item_columns();
      columns_.push_back(std::find(taken.begin(), taken.end(), name) == taken.end() ? name : "data." + name);
    };
    for (const auto& [name, values] : numbers_) add(name);
    for (const auto& [name, values] : texts_) add(name);
    if (labels_.defined()) labels_ = labels_.contiguous();
  }

  [[nodiscard]] int64_t size() const override { return dataset_->size(); }
  [[nodiscard]] const std::vector<std::string>& columns() const override { return columns_; }
  [[nodiscard]] std::string content(int64_t row) const override { return dataset_->content_hash(row); }
  [[nodiscard]] Spec spec(int64_t row) const override { return dataset_->row_spec(row); }
  [[nodiscard]] bool skips_bad_items() const override { return dataset_->skips_bad_rows(); }
  [[nodiscard]] std::string data() const override { return data_; }

  [[nodiscard]] EmbedItem item(int64_t row) const override {
    const auto i = static_cast<size_t>(row);
    EmbedItem item{dataset_->id(row), dataset_->path(row), label_of(row), "", {}};
    if (!item.path.empty()) item.path = fs::absolute(item.path).lexically_normal().string();
    if (!folds_.empty()) item.fold = std::to_string(folds_[i]);
    for (const auto& [name, values] : numbers_)
      item.cells.push_back(std::isnan(values[i]) ? "" : number_text(values[i]));
    for (const auto& [name, column] : texts_) {
      const int32_t text = column.index[i];
      item.cells.push_back(text < 0 ? "" : column.values[static_cast<size_t>(text)]);
    }
    return item;
  }

  [[nodiscard]] Signal read(int64_t row, int64_t begin, int64_t frames) const override {
    const bool is_whole = begin == 0 && frames == dataset_->row_spec(row).shape.back();
    Signal signal = is_whole ? dataset_->load(row) : long_row(row);
    if (begin + frames > signal.samples.size(1)) {
      throw InputError(
          "EMBED", dataset_->id(row), "",
          fmt::format("got {} frames, expected {} as its header says", signal.samples.size(1), begin + frames));
    }
    signal.samples = signal.samples.narrow(1, begin, frames);
    return signal;
  }

 private:
  /// A row that is read piece by piece is decoded once.
  [[nodiscard]] Signal long_row(int64_t row) const {
    const std::lock_guard lock(long_mutex_);
    if (long_number_ != row) {
      long_row_ = dataset_->load(row);
      long_number_ = row;
    }
    return long_row_;
  }

  [[nodiscard]] std::string label_of(int64_t row) const {
    const std::vector<std::string>& classes = dataset_->classes();
    if (!labels_.defined()) return "";
    if (labels_.dim() == 1) return classes[static_cast<size_t>(labels_.const_data_ptr<int64_t>()[row])];
    std::vector<std::string> names;
    for (int64_t k = 0; k < labels_.size(1); ++k) {
      if (labels_[row][k].item<double>() > 0) names.push_back(classes[static_cast<size_t>(k)]);
    }
    return join(names, "+");
  }

  std::shared_ptr<const Dataset> dataset_;
  std::string data_;
  at::Tensor labels_;
  std::vector<int64_t> folds_;
  std::map<std::string, std::vector<double>> numbers_;
  std::map<std::string, TextColumn> texts_;
  std::vector<std::string> columns_;
  mutable std::mutex long_mutex_;
  mutable int64_t long_number_ = -1;
  mutable Signal long_row_;
};

class FileSource final : public EmbedSource {
 public:
  explicit FileSource(std::vector<std::string> files) : files_(std::move(files)) {}

  [[nodiscard]] int64_t size() const override { return std::ssize(files_); }
  [[nodiscard]] const std::vector<std::string>& columns() const override { return columns_; }
  [[nodiscard]] EmbedItem item(int64_t number) const override {
    return {file(number), fs::absolute(file(number)).lexically_normal().string(), "", "", {}};
  }
  [[nodiscard]] std::string content(int64_t number) const override { return xxh3_file(file(number)); }
  [[nodiscard]] Spec spec(int64_t number) const override { return SignalFile(file(number)).spec(); }
  [[nodiscard]] Signal read(int64_t number, int64_t begin, int64_t frames) const override {
    return SignalFile(file(number)).read(begin, frames);
  }

 private:
  [[nodiscard]] const std::string& file(int64_t number) const { return files_.at(static_cast<size_t>(number)); }

  std::vector<std::string> files_, columns_;
};

}  // namespace

std::unique_ptr<EmbedSource> dataset_source(std::shared_ptr<const Dataset> dataset, const Component& component) {
  ordered_json json = component_json(component);
  Fields fields;
  component.options->describe(fields);
  for (const Field& field : fields.all()) {  // it will be opened again from another folder
    auto* const text = std::get_if<std::string*>(&field.value);
    if (field.is_path && text != nullptr && !(**text).empty())
      json[field.name] = fs::absolute(**text).lexically_normal().string();
  }
  return std::make_unique<DatasetSource>(std::move(dataset), json.dump());
}

std::unique_ptr<EmbedSource> file_source(const std::vector<std::string>& files_and_folders) {
  std::vector<std::string> files;
  std::set<std::string> seen;
  for (const std::string& file : sound_files(files_and_folders)) {
    if (seen.insert(file).second) files.push_back(file);
  }
  return std::make_unique<FileSource>(std::move(files));
}

std::unique_ptr<EmbedSource> source_of_words(const std::vector<std::string>& words,
                                             const std::vector<fs::path>& plugin_path) {
  std::error_code ignored;
  const std::string& first = words.front();
  const std::string ending = fs::path(first).extension().string();
  const bool is_config = ending == ".yaml" || ending == ".yml";
  const bool may_be_name = first.find_first_of("/.") == std::string::npos && !fs::exists(first, ignored);
  if (!is_config && !may_be_name) return file_source(words);
  const DataTarget target =
      open_data_target(first, {words.begin() + 1, words.end()}, plugin_path, BadFiles::as_configured);
  return dataset_source(target.dataset, target.component);
}

std::unique_ptr<EmbedSource> open_source(const std::string& data, const Registry& registry) {
  const auto json = ordered_json::parse(data, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) throw InputError("STORE", "", "data", "cannot be read");
  Component component = component_from(json, "the store's data");
  std::vector<Problem> problems;
  registry.resolve(component, "dataset", "data", problems);
  if (!problems.empty()) throw InputError(problems);
  return dataset_source(registry.make_dataset(component), component);
}

bool named_as_sound(const fs::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return ending == ".wav" || ending == ".flac" || ending == ".ogg" || ending == ".oga" || ending == ".opus";
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

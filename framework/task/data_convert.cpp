#include "task/data_convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <set>

#include "base/file.h"
#include "base/stop.h"
#include "base/text.h"
#include "data/threads.h"
#include "io/csv.h"
#include "io/signal_store.h"
#include "io/write_flac.h"

namespace amae {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLabelSeparator = ";";

void check_free(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(folder))) return;
  if (!fs::is_directory(folder) || !fs::is_empty(folder, error)) {
    throw InputError("CONVERT", folder.string(), "",
                     "is in use; choose a folder that does not exist or is empty with -o");
  }
}

/// The signal of a row, or none where the data set skips bad rows and this is one.
class Source {
 public:
  Source(const DataTarget& target, Converted& result) : data_(*target.dataset), result_(result) {}

  /// Thread-safe.
  bool load(int64_t row, Signal& signal) {
    try {
      signal = data_.load(row);
    } catch (const InputError& error) {
      if (!data_.skips_bad_rows()) throw;
      Problem problem = error.problems().front();
      problem.field = data_.id(row);
      const std::lock_guard lock(mutex_);
      bad_.emplace(row, std::move(problem));
      return false;
    }
    const std::lock_guard lock(mutex_);
    if (signal.rate_hz > 0) result_.seconds += static_cast<double>(signal.samples.size(-1)) / signal.rate_hz;
    return true;
  }

  [[nodiscard]] bool is_bad(int64_t row) const { return bad_.count(row) > 0; }

  void finish() {
    for (auto& [row, problem] : bad_) result_.left_out.push_back(problem);
    result_.rows = data_.size() - static_cast<int64_t>(bad_.size());
    if (result_.rows == 0) throw InputError("CONVERT", "", "data", "got no row that can be read");
  }

 private:
  const Dataset& data_;
  Converted& result_;
  std::mutex mutex_;
  std::map<int64_t, Problem> bad_;
};

/// A file name of its own for each row, made of its id, with the row's number only where two would be equal.
std::vector<std::string> names_of(const Dataset& data) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (int64_t row = 0; row < data.size(); ++row) {
    std::string name = file_name_part(data.id(row));
    while (!taken.insert(name).second) name += fmt::format("-{}", row);
    names.push_back(name + ".flac");
  }
  return names;
}

void check_fits_flac(const Signal& signal, const std::string& id) {
  const auto refuse = [&](const std::string& got, const char* expected) {
    throw InputError("CONVERT", id, "--to", fmt::format("got {}, expected {} for FLAC; try --to store", got, expected));
  };
  if (signal.domain != Domain::audio) refuse(to_string(signal.domain), "audio");
  const int64_t channels = signal.samples.size(0), frames = signal.samples.size(1);
  if (channels < 1 || channels > 8) refuse(fmt::format("{} channels", channels), "1 to 8");
  if (frames < 1) refuse("no samples", "at least one");
  if (!(signal.rate_hz >= 1'000 && signal.rate_hz <= 655'350) || signal.rate_hz != std::nearbyint(signal.rate_hz))
    refuse(fmt::format("{} Hz", number_text(signal.rate_hz)), "a whole number from 1000 to 655350 Hz");
  if (!at::isfinite(signal.samples).all().item<bool>()) refuse("samples that are not finite", "numbers");
}

/// True when 24-bit integers say exactly what the samples are.
bool fits_24_bits(const at::Tensor& samples) {
  const at::Tensor scaled = samples.to(at::kDouble) * 8388608;
  return scaled.eq(scaled.round().clamp(-8388608, 8388607)).all().item<bool>();
}

void write_table(const DataTarget& target, const Source& source, const std::vector<std::string>& names,
                 const fs::path& path) {
  const auto columns = target.dataset->columns();
  const auto texts = target.dataset->text_columns();
  std::vector<std::string> header = {"path"};
  if (target.labels.defined()) header.emplace_back("label");
  if (!target.folds.empty()) header.emplace_back("fold");
  if (!target.groups.empty()) header.emplace_back("group");
  for (const auto& [name, values] : columns) header.push_back(name);
  for (const auto& [name, column] : texts) header.push_back(name);
  std::string text = csv_line(header);
  for (int64_t row = 0; row < target.dataset->size(); ++row) {
    if (source.is_bad(row)) continue;
    const auto i = static_cast<size_t>(row);
    std::vector<std::string> cells = {"audio/" + names[i]};
    if (target.labels.defined()) {
      std::vector<std::string> labels;
      for (const int64_t k : target.classes_of(row))
        labels.push_back(target.dataset->classes()[static_cast<size_t>(k)]);
      cells.push_back(join(labels, kLabelSeparator));
    }
    if (!target.folds.empty()) cells.push_back(std::to_string(target.folds[i]));
    if (!target.groups.empty()) cells.push_back(std::to_string(target.groups[i]));
    for (const auto& [name, values] : columns) cells.push_back(std::isnan(values[i]) ? "" : number_text(values[i]));
    for (const auto& [name, column] : texts)
      cells.push_back(column.index[i] < 0 ? "" : column.values[static_cast<size_t>(column.index[i])]);
    text += csv_line(cells);
  }
  write_file(path, text);
}

void to_flac(const DataTarget& target, Source& source, const fs::path& folder, const DataProgress& progress,
             Converted& result) {
  const Dataset& data = *target.dataset;
  const auto check_name = [](const std::string& name) {
    for (const char* own : {"path", "label", "fold", "group", "start", "end"}) {
      if (name == own)
        throw InputError("CONVERT", "", "--to",
                         fmt::format("got a column named {}, expected another name: data.csv uses it; try --to store",
                                     printable(name)));
    }
  };
  for (const auto& [name, values] : data.columns()) check_name(name);
  for (const auto& [name, texts] : data.text_columns()) check_name(name);
  if (target.labels.defined() && target.labels.dim() == 2) {
    for (const std::string& name : data.classes()) {
      if (name.find(kLabelSeparator) != std::string::npos)
        throw InputError(
            "CONVERT", "", "--to",
            fmt::format("got class '{}', expected no '{}' in a name: it parts the labels in data.csv; try --to store",
                        printable(name), kLabelSeparator));
    }
  }
  const std::vector<std::string> names = names_of(data);
  fs::create_directory(folder / "audio");
  std::mutex mutex;
  parallel_rows(
      data.size(), data_threads(),
      [&](int64_t row) {
        Signal signal;
        if (!source.load(row, signal)) return;
        check_fits_flac(signal, data.id(row));
        const fs::path path = folder / "audio" / names[static_cast<size_t>(row)];
        const WrittenFlac written = write_flac(path, signal.samples, signal.rate_hz);
        const bool exact = written.bits == 16 || written.clipped > 0 || fits_24_bits(signal.samples);
        const std::lock_guard lock(mutex);
        result.clipped_samples += written.clipped;
        result.rounded_rows += exact ? 0 : 1;
        result.bytes += static_cast<double>(fs::file_size(path));
      },
      progress);
  source.finish();
  write_table(target, source, names, folder / "data.csv");
  result.bytes += static_cast<double>(fs::file_size(folder / "data.csv"));
}

/// Rows that are decoded side by side and then written in order: enough to be worth starting threads for, few enough to
/// be held in memory.
int64_t rows_at_a_time(const Dataset& data) {
  constexpr int64_t kNumbers = int64_t{1} << 22, kMostRows = 4096;
  int64_t numbers = 1;
  for (const int64_t size : data.spec().shape) {
    if (size < 0 || size > kNumbers) return data_threads();
    numbers *= std::max<int64_t>(size, 1);
    if (numbers > kNumbers) return data_threads();
  }
  return std::clamp<int64_t>(kNumbers / numbers, data_threads(), kMostRows);
}

void to_store(const DataTarget& target, Source& source, const fs::path& folder, const DataProgress& progress,
              Converted& result) {
  const Dataset& data = *target.dataset;
  const int64_t block = rows_at_a_time(data);
  StoreWriter writer(folder);
  StoreColumns columns;
  std::vector<int64_t> rows;
  for (int64_t begin = 0; begin < data.size(); begin += block) {
    const int64_t count = std::min(block, data.size() - begin);
    std::vector<Signal> signals(static_cast<size_t>(count));
    parallel_rows(count, data_threads(), [&](int64_t i) { source.load(begin + i, signals[static_cast<size_t>(i)]); });
    for (int64_t i = 0; i < count; ++i) {
      const Signal& signal = signals[static_cast<size_t>(i)];
      if (!signal.samples.defined()) continue;
      writer.add(signal);
      columns.domain = signal.domain;
      rows.push_back(begin + i);
    }
    if (progress) progress(begin + count, data.size());
  }
  source.finish();
  columns.classes = data.classes();
  if (target.labels.defined()) {
    columns.labels = target.labels.index_select(0, at::tensor(rows));
    if (columns.labels.dim() == 2) columns.labels = columns.labels.to(at::kFloat);
  }
  const auto chosen = [&](const auto& all) {
    std::decay_t<decltype(all)> some;
    for (const int64_t row : rows) some.push_back(all[static_cast<size_t>(row)]);
    return some;
  };
  for (const int64_t row : rows) columns.ids.push_back(data.id(row));
  if (!target.folds.empty()) columns.folds = chosen(target.folds);
  if (!target.groups.empty()) columns.groups = chosen(target.groups);
  for (const auto& [name, values] : data.columns()) columns.columns[name] = chosen(values);
  for (const auto& [name, texts] : data.text_columns()) columns.texts[name] = {texts.values, chosen(texts.index)};
  writer.finish(columns);
  for (const auto& entry : fs::directory_iterator(folder)) result.bytes += static_cast<double>(entry.file_size());
}

}  // namespace

Converted convert_data(const DataTarget& target, ConvertTo to, const fs::path& folder, const DataProgress& progress) {
  check_free(folder);
  Converted result;
  Source source(target, result);
  AtomicFolder atomic(folder);
  if (to == ConvertTo::flac) {
    to_flac(target, source, atomic.path(), progress, result);
  } else {
    to_store(target, source, atomic.path(), progress, result);
  }
  throw_if_stopped();
  check_free(folder);  // someone may have filled it meanwhile
  atomic.commit();
  return result;
}

}  // namespace amae

// What every data set must keep: stable rows, sound columns, loads that repeat from any thread.
#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "compliance/catalogue.h"
#include "compliance/trial.h"
#include "data/columns.h"
#include "data/split.h"

namespace amae::compliance {
namespace of_datasets {  // several files go to one call of the compiler

constexpr int64_t kMostRows = 48;  ///< that are loaded

/// Rows spread over the whole data set.
std::vector<int64_t> some_rows(const Dataset& dataset) {
  const int64_t rows = dataset.size(), count = std::min(rows, kMostRows);
  std::vector<int64_t> result;
  for (int64_t i = 0; i < count; ++i) result.push_back(i * rows / count);
  return result;
}

/// load() with its own exceptions told as failures. Null for a row that the data set says may be left out.
std::unique_ptr<Signal> load(const Subject& subject, const Dataset& dataset, int64_t row) {
  try {
    return std::make_unique<Signal>(dataset.load(row));
  } catch (const InputError& error) {
    if (dataset.skips_bad_rows()) return nullptr;
    fail(subject, fmt::format("row {} ({}) is refused: {}", row, dataset.id(row), error.problems().front().line()));
  } catch (const std::exception& error) {
    fail(subject, fmt::format("row {} ({}) threw: {}", row, dataset.id(row), error.what()));
  }
}

void has_rows(const Subject& subject) {
  const DatasetTrial trial = dataset_trial(subject);
  expect(subject, trial.dataset->size() > 0, "has {} rows", trial.dataset->size());
}

void has_sound_columns(const Subject& subject) {
  const DatasetTrial trial = dataset_trial(subject);
  try {
    check_columns(*trial.dataset, subject.info->plugin->path.string());
  } catch (const InputError& error) {
    fail(subject, error.problems().front().message);
  }
  std::set<std::string> classes;
  for (const std::string& name : trial.dataset->classes())
    expect(subject, !name.empty() && classes.insert(name).second, "has class '{}' twice or without a name", name);
}

void has_unique_ids(const Subject& subject) {
  const DatasetTrial trial = dataset_trial(subject);
  std::map<std::string, int64_t> seen;
  for (int64_t row = 0; row < trial.dataset->size(); ++row) {
    const std::string id = trial.dataset->id(row);
    expect(subject, !id.empty(), "row {} has an empty id", row);
    const auto [first, is_new] = seen.emplace(id, row);
    expect(subject, is_new, "rows {} and {} have the same id {}", first->second, row, printable(id));
  }
}

void loads_what_it_announces(const Subject& subject) {
  const DatasetTrial trial = dataset_trial(subject);
  const Dataset& dataset = *trial.dataset;
  for (const int64_t row : some_rows(dataset)) {
    const auto signal = load(subject, dataset, row);
    if (signal == nullptr) continue;
    const at::Tensor& x = signal->samples;
    expect(subject, x.defined() && x.dim() == 2 && x.scalar_type() == at::kFloat && x.is_contiguous() && x.numel() > 0,
           "row {} is {}, expected contiguous float32 [C, N]", dataset.id(row),
           x.defined() ? fmt::format("{} [{}]", x.toString(), fmt::join(x.sizes(), ", ")) : "undefined");
    expect(subject, x.isfinite().all().item<bool>(), "row {} has samples that are not finite", dataset.id(row));
    for (const Spec& spec : {dataset.spec(), dataset.row_spec(row)}) {
      const bool fits = spec.domain == signal->domain && spec.shape.size() == 2 &&
                        (spec.shape[0] < 0 || spec.shape[0] == x.size(0)) &&
                        (spec.shape[1] < 0 || spec.shape[1] == x.size(1)) &&
                        (spec.rate_hz <= 0 || spec.rate_hz == signal->rate_hz);
      expect(subject, fits, "row {} is {} [{}, {}] at {} Hz, announced as {}", dataset.id(row),
             to_string(signal->domain), x.size(0), x.size(1), signal->rate_hz, spec.text());
    }
  }
}

void repeats(const Subject& subject) {
  const DatasetTrial trial = dataset_trial(subject);
  const auto again = make_dataset(subject, trial.options);
  expect(subject, again->size() == trial.dataset->size(), "has {} rows, and {} when opened again",
         trial.dataset->size(), again->size());
  for (const int64_t row : some_rows(*trial.dataset)) {
    const auto first = load(subject, *trial.dataset, row), second = load(subject, *trial.dataset, row),
               third = load(subject, *again, row);
    if (first == nullptr || second == nullptr || third == nullptr) continue;
    expect(subject, at::equal(first->samples, second->samples), "row {} is another one when loaded twice", row);
    expect(subject, at::equal(first->samples, third->samples), "row {} is another one when opened again", row);
  }
}

void has_stable_ids(const Subject& subject) {
  const DatasetTrial trial = dataset_trial(subject);
  const auto again = make_dataset(subject, trial.options);
  expect(subject, again->size() == trial.dataset->size() && again->classes() == trial.dataset->classes(),
         "has other rows or classes when opened again");
  for (int64_t row = 0; row < again->size(); ++row) {
    const std::string id = trial.dataset->id(row);
    expect(subject, id == trial.dataset->id(row) && id == again->id(row),
           "row {} is called {}, and {} when opened again", row, printable(id), printable(again->id(row)));
  }
}

void has_hashes_of_its_content(const Subject& subject) {
  const DatasetTrial trial = dataset_trial(subject);
  const auto again = make_dataset(subject, trial.options);
  std::map<std::string, std::pair<int64_t, at::Tensor>> seen;
  for (const int64_t row : some_rows(*trial.dataset)) {
    const std::string hash = trial.dataset->content_hash(row);
    expect(subject, !hash.empty() && printable(hash) == hash, "row {} has content hash '{}'", row, printable(hash));
    expect(subject, hash == again->content_hash(row), "row {} has another content hash when opened again", row);
    const auto signal = load(subject, *trial.dataset, row);
    if (signal == nullptr) continue;
    const auto [first, is_new] = seen.emplace(hash, std::pair(row, signal->samples));
    expect(subject, is_new || at::equal(first->second.second, signal->samples),
           "rows {} and {} have other samples and the same content hash: one would be taken for the other from a cache",
           first->second.first, row);
  }
}

void loads_from_many_threads(const Subject& subject) {
  const DatasetTrial trial = dataset_trial(subject);
  const std::vector<int64_t> rows = some_rows(*trial.dataset);
  std::vector<std::unique_ptr<Signal>> expected;
  for (const int64_t row : rows) expected.push_back(load(subject, *trial.dataset, row));
  constexpr size_t kThreads = 8;
  std::vector<std::exception_ptr> failures(kThreads);
  std::atomic<size_t> waiting{kThreads};
  std::vector<std::thread> threads;
  for (size_t number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      --waiting;
      while (waiting > 0) std::this_thread::yield();  // all at once, or the first is done before the last begins
      try {
        for (size_t i = 0; i < 4 * rows.size(); ++i) {
          const size_t at = (i * (2 * number + 1) + number) % rows.size();  // each thread in another order
          const auto signal = load(subject, *trial.dataset, rows[at]);
          const bool same = signal == nullptr
                                ? expected[at] == nullptr
                                : expected[at] != nullptr && at::equal(signal->samples, expected[at]->samples);
          expect(subject, same, "row {} is another one when {} threads load at once", rows[at], kThreads);
        }
      } catch (...) {
        failures[number] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

/// The core keeps folds apart; it cannot know of one recording that the data set puts into two.
void keeps_folds_apart(const Subject& subject) {
  const DatasetTrial trial = dataset_trial(subject);
  const Dataset& dataset = *trial.dataset;
  const std::vector<int64_t> folds = dataset.folds(), groups = dataset.groups();
  if (folds.empty()) throw Skipped("publishes no folds");
  const at::Tensor labels = dataset.labels();
  const int64_t rows = std::min<int64_t>(dataset.size(), 20'000);  // a hash may read the row's file
  std::map<std::string, int64_t> by_content;
  std::map<std::pair<int64_t, int64_t>, int64_t> by_group;
  for (int64_t row = 0; row < rows; ++row) {
    const auto at = static_cast<size_t>(row);
    const auto content = by_content.emplace(dataset.content_hash(row), row).first->second;
    expect(subject, folds[static_cast<size_t>(content)] == folds[at],
           "rows {} and {} hold the same and are in folds {} and {}", dataset.id(content), dataset.id(row),
           folds[static_cast<size_t>(content)], folds[at]);
    if (groups.empty() || !labels.defined() || labels.dim() != 1) continue;
    const auto group = by_group.emplace(std::pair(groups[at], labels[row].item<int64_t>()), row).first->second;
    expect(subject, folds[static_cast<size_t>(group)] == folds[at],
           "rows {} and {} come from one recording, have one class, and are in folds {} and {}", dataset.id(group),
           dataset.id(row), folds[static_cast<size_t>(group)], folds[at]);
  }
  SplitOptions options;
  options.test = {folds.front()};
  Split split;
  try {
    split = make_split(dataset, options, "");
  } catch (const InputError& error) {
    throw Skipped("cannot be split by its first fold: " + error.problems().front().message);
  }
  expect(subject, split.train.size() + split.test.size() == static_cast<size_t>(dataset.size()),
         "its folds do not cover all rows");
}

void tells_what_is_missing(const Subject& subject) {
  const DatasetTrial trial = dataset_trial(subject);
  Fields fields;
  trial.options.options->describe(fields);
  bool has_path = false;
  for (const Field& field : fields.all()) {
    const auto* path = std::get_if<std::string*>(&field.value);
    if (!field.is_path || path == nullptr || (**path).empty()) continue;
    has_path = true;
    const TemporaryFolder folder;
    const std::string missing = (folder.path() / "not" / "there").string();
    for (const Example& base : bases_of(subject)) {
      try {
        static_cast<void>(make_dataset(subject, options_for(subject, base, {field.name + "=" + missing})));
      } catch (const InputError& error) {
        const std::string line = error.problems().front().line();
        expect(subject, error.problems().size() == 1, "tells {} times that {} is missing", error.problems().size(),
               field.name);
        expect(subject, line.find(missing) != std::string::npos || line.find(field.name) != std::string::npos,
               "does not name what is missing: {}", line);
        continue;
      }
      fail(subject, fmt::format("opens with {} = {}, where nothing is", field.name, missing));
    }
  }
  if (!has_path) throw Skipped("reads no files");
}

}  // namespace of_datasets

const std::vector<NamedCheck>& dataset_checks() {
  using namespace of_datasets;
  static const std::vector<NamedCheck> checks = {
      {{"missing_data", "data that is not there is one clear error", 4}, tells_what_is_missing},
      {{"rows", "it has rows", 5}, has_rows},
      {{"columns", "labels, folds, groups and columns fit the rows, labels the classes", 5}, has_sound_columns},
      {{"unique_ids", "no two rows have the same id", 5}, has_unique_ids},
      {{"samples", "rows are finite float32 [C, N] as announced", 5}, loads_what_it_announces},
      {{"repeatable", "a row loads as the same samples, also when opened again", 6}, repeats},
      {{"stable_ids", "ids and classes are the same when opened again", 6}, has_stable_ids},
      {{"content_hash", "hashes are stable, and differ where samples do", 6}, has_hashes_of_its_content},
      {{"threads", "eight threads load the same samples as one", 7}, loads_from_many_threads},
      {{"folds_apart", "no content and no recording of one class is in two folds", 8}, keeps_folds_apart},
  };
  return checks;
}

}  // namespace amae::compliance

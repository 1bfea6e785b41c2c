// The half of session.h about weights from elsewhere: where they are, what became of them, which rows they know.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "config/read.h"
#include "task/session.h"
#include "train/weights.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

const std::string kFold = "{fold}";

[[noreturn]] void refuse_option(const Plan& plan, const std::string& option, const std::string& message) {
  throw InputError("CFG-RULE", config::mark_of(*plan.tree, option).text(), option, message);
}

}  // namespace

std::string with_fold(std::string text, const std::vector<int64_t>& fold) {
  if (fold.empty()) return text;
  for (size_t at = 0; (at = text.find(kFold, at)) != std::string::npos;)
    text.replace(at, kFold.size(), std::to_string(fold.front()));
  return text;
}

void check_names(const Plan& plan) {
  const RunConfig& config = plan.config;
  const auto names_fold = [](const std::string& text) { return text.find(kFold) != std::string::npos; };
  if (config.folds.empty() && names_fold(config.init_from))
    refuse_option(plan, "init_from", "got {fold} in a config without folds, expected a path, or folds");
  if (config.folds.empty() && names_fold(config.save_as))
    refuse_option(plan, "save_as", "got {fold} in a config without folds, expected a name, or folds");
  if (config.save_as.empty()) return;
  if (!config.folds.empty() && !names_fold(config.save_as))
    refuse_option(
        plan, "save_as",
        fmt::format("got one name for the bundles of all folds, expected a name with {0}; for example {1}_{0}", kFold,
                    printable(config.save_as)));
  if (config.save_as.find('/') != std::string::npos || config.save_as.starts_with("."))
    refuse_option(plan, "save_as",
                  fmt::format("got '{}', expected a plain name of a folder in {}", printable(config.save_as),
                              checkpoints_folder().string()));
}

fs::path init_path(const Plan& plan, const std::vector<int64_t>& fold) {
  const std::string from = with_fold(plan.config.init_from, fold);
  return from.empty() ? fs::path() : named_path(from);
}

void initialise(const Plan& plan, Classifier& model, const std::vector<int64_t>& fold) {
  const fs::path from = init_path(plan, fold);
  if (from.empty()) return;
  const Transfer transfer = transfer_weights(model, model.encoder(), read_weights(from),
                                             read_weight_rules(plan.config.init_rules), from.string());
  log::info("init   {} from {}", transfer.summary(), from.string());
  for (const TransferRow& row : transfer.rows) {
    if (row.state == TransferRow::State::misfit)
      log::warning("{} stays as it was: got shape {}, expected {}", row.name, fmt::join(row.foreign_shape, "x"),
                   fmt::join(row.shape, "x"));
  }
}

RowMarks rows_behind(const fs::path& from) {
  if (from.empty() || !fs::is_directory(from)) return {};
  return read_trained_on(bundle_folder(from));
}

void refuse_leak(const Plan& plan, const Dataset& dataset, const std::vector<int64_t>& test_rows,
                 const std::string& from, const std::vector<int64_t>& train_rows) {
  const RowMarks marks = rows_behind(from.empty() ? fs::path() : named_path(from));
  if (count_marked(dataset, test_rows, marks) == 0) return;
  std::vector<int64_t> known;
  for (const int64_t row : test_rows) {
    if (count_marked(dataset, {row}, marks) > 0) known.push_back(row);
  }
  constexpr size_t kShown = 3;
  std::vector<std::string> ids;
  for (size_t i = 0; i < std::min(kShown, known.size()); ++i) ids.push_back(printable(dataset.id(known[i])));
  const auto count = static_cast<int64_t>(known.size());
  const bool twins = count_marked(dataset, known, marks_of(dataset, train_rows)) == count;
  throw InputError(
      "LEAK", from, "",
      fmt::format("got {} of {} test rows among those that trained it ({}{}), expected none; {}", count,
                  test_rows.size(), join(ids, ", "), known.size() > kShown ? ", …" : "",
                  twins                       ? "the data set holds these clips twice, in train and in test"
                  : plan.config.folds.empty() ? "train it with the same split, or test on other rows"
                                              : "train it with the same folds, and name each fold's own with {fold}"));
}

}  // namespace amae

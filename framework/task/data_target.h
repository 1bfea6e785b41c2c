// What the `amae data` commands work on: the data set of a config, or one named with its options.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "task/run_config.h"

namespace amae {

/// A data set with its columns read once and checked.
struct DataTarget {
  std::string name;     ///< of the data set, as in a config
  Component component;  ///< that made it; none for a data set that was at hand
  std::shared_ptr<const Registry> registry;
  std::shared_ptr<const Dataset> dataset;  ///< has rows; labels, folds and groups fit them
  std::optional<Plan> plan;                ///< of a config; none for a data set that was named
  at::Tensor labels;                       ///< as Dataset::labels
  std::vector<int64_t> folds, groups;      ///< as Dataset's, possibly empty

  /// Classes of a row: none, one or several.
  [[nodiscard]] std::vector<int64_t> classes_of(int64_t row) const;
  /// "dog", "dog+rain", or "" for a row without a label.
  [[nodiscard]] std::string label_of(int64_t row) const;
};

/// What to do about files that cannot be read, where the data set leaves the choice to an option `on_bad_sample`.
enum class BadFiles {
  as_configured,  ///< the option stays as it is
  tolerate,       ///< its value is `skip`: opening succeeds, row_spec() and load() tell which are bad
};

/// `target` is a config's path, with `words` as key=value over it, or the name of a data set, with `words` as its
/// options. Throws InputError as load_plan and the data set do; code DATA when it has no row.
DataTarget open_data_target(const std::string& target, const std::vector<std::string>& words,
                            const std::vector<std::filesystem::path>& plugin_path, BadFiles bad_files);

/// The same over a data set that is at hand.
DataTarget data_target(std::string name, std::shared_ptr<const Registry> registry,
                       std::shared_ptr<const Dataset> dataset, std::optional<Plan> plan, const std::string& where);

/// Threads for work on rows: one for each core.
int data_threads();

/// A part of a file name that a row's id or a class gives: letters, digits and "._-", at most 60, without the extension
/// of a sound file; never empty, never hidden.
std::string file_name_part(const std::string& text);

}  // namespace amae

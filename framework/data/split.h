// Which rows train, which validate, which test.
#pragma once

#include <string>
#include <vector>

#include "amae/dataset.h"
#include "amae/options.h"

namespace amae {

struct SplitOptions {
  std::string by = "fold";
  std::vector<int64_t> test = {};  // folds
  std::vector<int64_t> val = {};   // folds
  double test_ratio = 0;
  double val_ratio = 0;
  int64_t seed = 0;
  std::vector<std::string> stratify = {};  // columns
  double labels = 1;
  int64_t labels_seed = 0;

  void describe(Fields& fields);

  /// Throws InputError (code SPLIT) when val and test share a fold, when the ratios leave nothing to train on, or when
  /// an option is set that `by` or `labels` does not use (it would be ignored in silence).
  void check() const;
};

/// Rows of each part, in rising order. No row is in two parts; together they are the whole data set.
struct Split {
  std::vector<int64_t> train, val, test;
  std::vector<int64_t> unlabelled = {};  ///< would train, but their labels are left out (with_label_share)
};

/// Splits by
///   fold   rows of the folds named in `test` and `val` go there, all others train;
///   ratio  round(rows * ratio) rows, drawn at random within each cell, the cells' shares by largest remainder
///          (stratify.h), so each class and each cell differs from its exact share by less than one row; a class's last
///          row always trains;
///   group  groups in order of size, ties in random order, each whole into the part that is least filled in its cells
///          and over all, in proportion to the part's ratio (Sainte-Laguë's rule).
/// A cell is a class, or with `stratify` the rows of a class that have the same values in those columns. Rows with
/// several labels, or none, are one class here. The result depends on the data set's rows, the options and nothing
/// else; no row is in `unlabelled` yet.
///
/// `where` names the place of the options in messages ("file:line:column"). Throws InputError (code SPLIT; field = an
/// option's name): the data set has no folds or groups; a fold that does not exist (those that do are listed with their
/// counts); a part that was asked for is empty; a class has no row to train on (all of them, with their counts). Code
/// COLUMN: a column of `stratify` that cannot be used (column_values).
Split make_split(const Dataset& dataset, const SplitOptions& options, const std::string& where);

/// The split whose training rows keep their labels only in part: of `train`, the share `labels` stays, drawn at random
/// within each cell as above by `labels_seed`, but at least one row of every class; the rest moves to `unlabelled`. A
/// row's place in the draw depends on its cell's rows in `train` alone, so a larger share holds the rows of a smaller
/// one wherever every cell's count grows with the share. The split itself with labels = 1.
Split with_label_share(const Dataset& dataset, Split split, const SplitOptions& options, const std::string& where);

/// What make_split checks of its result; once more for a split that rows were taken out of.
void check_split(const Dataset& dataset, const Split& split, const SplitOptions& options, const std::string& where);

/// The folds that exist, rising, each once; empty without folds.
std::vector<int64_t> fold_numbers(const Dataset& dataset);

/// Number of groups that have rows of one class both in train and in val or test; 0 without groups. Where it is not 0,
/// a model can score by knowing the recording.
int64_t leaking_groups(const Dataset& dataset, const Split& split);

}  // namespace amae

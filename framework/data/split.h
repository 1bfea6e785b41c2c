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

  void describe(Fields& fields);

  /// Throws InputError (code SPLIT) when val and test share a fold, when the ratios leave nothing to train on, or when
  /// an option is set that `by` does not use (it would be ignored in silence).
  void check() const;
};

/// Rows of each part, in rising order. No row is in two parts; together they are the whole data set.
struct Split {
  std::vector<int64_t> train, val, test;
};

/// Splits by
///   fold   rows of the folds named in `test` and `val` go there, all others train;
///   ratio  round(rows * ratio) rows, drawn at random within each class, the classes' shares by largest remainder, so
///          each class differs from its exact share by less than one row (rows with several labels, or none, are one
///          class here); a class's last row always trains;
///   group  groups in order of size, ties in random order, each whole into the part that is least filled in its classes
///          and over all, in proportion to the part's ratio (Sainte-Laguë's rule).
/// The result depends on the data set's rows, the options and nothing else.
///
/// `where` names the place of the options in messages ("file:line:column"). Throws InputError (code SPLIT; field = an
/// option's name): the data set has no folds or groups; a fold that does not exist (those that do are listed with their
/// counts); a part that was asked for is empty; a class has no row to train on (all of them, with their counts).
Split make_split(const Dataset& dataset, const SplitOptions& options, const std::string& where);

/// What make_split checks of its result; once more for a split that rows were taken out of.
void check_split(const Dataset& dataset, const Split& split, const SplitOptions& options, const std::string& where);

/// The folds that exist, rising, each once; empty without folds.
std::vector<int64_t> fold_numbers(const Dataset& dataset);

/// Number of groups that have rows of one class both in train and in val or test; 0 without groups. Where it is not 0,
/// a model can score by knowing the recording.
int64_t leaking_groups(const Dataset& dataset, const Split& split);

}  // namespace amae

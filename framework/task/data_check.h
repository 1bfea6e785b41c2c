// Looks at every row of a data set for what spoils training or flatters its result.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "task/data_info.h"

namespace amae {

/// Where a finding begins.
struct CheckLimits {
  double silence_db = -80;       ///< a clip whose peak lies below this is silent (full scale = 0 dB)
  double clipped_share = 0.001;  ///< a clip with this share of its samples at full scale is clipped
  double shortest_s = 0.1;       ///< a shorter clip is short
  double balance = 0.1;          ///< a class with less than this share of the largest class's rows is out of balance
};

/// One thing found. Codes, which stay:
///   unreadable           the row cannot be loaded
///   not_finite           a sample is NaN or infinite
///   silent               nothing above CheckLimits::silence_db (IQ: nothing but zeros)
///   clipped              audio that stays at full scale (|x| >= 0.9999)
///   short                audio under CheckLimits::shortest_s; no sample at all
///   rate                 another sample rate than most rows
///   duplicate            the content of an earlier row of the same fold, or of a data set without folds
///   clip_in_two_folds    the content of an earlier row of another fold
///   source_in_two_folds  a source recording with clips of one class in two folds
///   class_balance        a class far smaller than the largest
///   class_missing        a class without a row in one of the folds
struct Finding {
  std::string code;
  std::string item;                ///< the row's id, or the class
  std::string message;             ///< for people
  nlohmann::ordered_json numbers;  ///< by name
};

struct CheckReport {
  static constexpr size_t kListed = 10'000;  ///< findings of one code that are kept; all are counted

  std::string name;
  int64_t rows = 0;
  std::vector<Finding> findings;          ///< in the order of the codes above, each in the order of rows
  std::map<std::string, int64_t> counts;  ///< of all codes, 0 too
  bool has_folds = false, has_groups = false;
  int64_t sources = 0;            ///< distinct groups
  int64_t sources_elsewhere = 0;  ///< groups in two folds, but with no class twice: no leak within a class

  void add(Finding finding);
  [[nodiscard]] bool leaks() const { return counts.at("clip_in_two_folds") + counts.at("source_in_two_folds") > 0; }
  /// What can be said about leaks, in one or two sentences.
  [[nodiscard]] std::string leak_text() const;
};

/// Loads every row once, some at a time: memory holds one clip a thread and about a hundred bytes a row.
CheckReport check_data(const DataTarget& target, const CheckLimits& limits, const DataProgress& progress = {});

nlohmann::ordered_json to_json(const CheckReport& report);

}  // namespace amae

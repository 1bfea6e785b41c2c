// amae transform diff: two chains over one file, stage by stage, and where they part.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/canvas.h"
#include "task/transform_chain.h"

namespace amae {

/// Mean differences over bins first … last (of a spectrogram) or samples first … last (of a waveform), in parts of the
/// peak.
struct RangeDifference {
  int64_t first = 0, last = 0;
  double mean = 0;      ///< of B - A
  double mean_abs = 0;  ///< of |B - A|
};

/// Two outputs. Differences are relative to `peak`, the largest finite |value| of both; equal infinities and two NaN in
/// one place do not differ, any other value that is not finite differs by infinity.
struct Comparison {
  std::string form;         ///< how domain, shape or rate differ; empty when they agree
  bool has_values = false;  ///< the values could be compared; where only the lengths differ, over the common part
  double peak = 0;
  double largest = 0;                   ///< largest |B - A| / peak
  std::vector<int64_t> where;           ///< of the largest: [channel, bin, frame] or [channel, sample]
  double a = 0, b = 0;                  ///< the two values there
  std::vector<RangeDifference> ranges;  ///< up to eight equal parts of the bins or samples

  /// Equal in form, and in every value up to `tolerance` of the peak.
  [[nodiscard]] bool agrees(double tolerance) const { return form.empty() && largest <= tolerance; }
};

Comparison compare(const StageOutput& a, const StageOutput& b);

/// One row of the two chains side by side: places in each, or -1 where the other has a transform of its own.
struct StagePair {
  int64_t a = -1, b = -1;
  std::optional<Comparison> comparison;  ///< where both have one
};

struct ChainDiff {
  std::vector<StageOutput> a, b;
  std::vector<StagePair> pairs;  ///< in order; paired by the transforms' names (longest common subsequence)
  Comparison output;             ///< of what the two chains give in the end
  std::optional<size_t> parted;  ///< first of `pairs` that does not agree
};

ChainDiff diff_chains(const Chain& a, const Chain& b, const Signal& signal, const std::string& from, double tolerance);

/// The outputs of both chains in one shade and, where they can be compared, |A - B|.
Canvas picture_of(const ChainDiff& diff);

}  // namespace amae

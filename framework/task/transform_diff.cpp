#include "task/transform_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "task/transform_picture.h"

namespace amae {
namespace {

std::string shape_text(const Spec& spec) { return fmt::format("[{}]", fmt::join(spec.shape, ", ")); }

/// Rates are quotients of the same numbers, in an order that may differ.
bool same_rate(const Spec& a, const Spec& b) {
  return std::abs(a.rate_hz - b.rate_hz) <= 1e-9 * std::max(std::abs(a.rate_hz), std::abs(b.rate_hz));
}

std::string form_difference(const Spec& a, const Spec& b) {
  if (a.domain != b.domain) return fmt::format("{} and {}", to_string(a.domain), to_string(b.domain));
  if (a.shape != b.shape) return fmt::format("shapes {} and {}", shape_text(a), shape_text(b));
  if (!same_rate(a, b)) return fmt::format("rates {:.6g} and {:.6g} Hz", a.rate_hz, b.rate_hz);
  return "";
}

/// Equal but for the length, so that the values stand for the same things from the start on.
bool differ_in_length_only(const Spec& a, const Spec& b) {
  return a.domain == b.domain && same_rate(a, b) && a.shape.size() == b.shape.size() &&
         std::equal(a.shape.begin(), a.shape.end() - 1, b.shape.begin());
}

double finite_peak(const at::Tensor& x) {
  const at::Tensor finite = x.masked_select(at::isfinite(x));
  return finite.numel() > 0 ? finite.abs().max().item<double>() : 0;
}

/// Pairs of equal names by the longest common subsequence, everything else alone; in the order of both chains.
std::vector<StagePair> align(const std::vector<StageOutput>& a, const std::vector<StageOutput>& b) {
  const size_t rows = a.size(), columns = b.size();
  std::vector<std::vector<size_t>> common(rows + 1, std::vector<size_t>(columns + 1, 0));  // of what follows (i, j)
  for (size_t i = rows; i-- > 0;) {
    for (size_t j = columns; j-- > 0;) {
      common[i][j] = a[i].name == b[j].name ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::vector<StagePair> pairs;
  size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    StagePair pair;
    const bool both = i < rows && j < columns && a[i].name == b[j].name;
    const bool only_a = !both && i < rows && (j == columns || common[i + 1][j] >= common[i][j + 1]);
    if (both || only_a) pair.a = static_cast<int64_t>(i++);
    if (both || !only_a) pair.b = static_cast<int64_t>(j++);
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

std::vector<StageOutput> outputs_of(const Chain& chain, const Signal& signal, const std::string& from) {
  std::vector<StageOutput> outputs;
  run_chain(chain, signal, from, [&](const StageOutput& output) { outputs.push_back(output); });
  return outputs;
}

/// Eight parts of an axis (fewer when it is shorter): mean of B - A and |B - A| in each.
std::vector<RangeDifference> ranges_of(const at::Tensor& difference, int64_t axis, double peak) {
  constexpr int64_t kParts = 8;
  std::vector<RangeDifference> ranges;
  const int64_t size = difference.size(axis), parts = std::min(kParts, size);
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = size * part / parts, end = size * (part + 1) / parts;
    const at::Tensor d = difference.narrow(axis, first, end - first);
    const double scale = peak > 0 ? 1 / peak : 0;
    ranges.push_back({first, end - 1, d.mean().item<double>() * scale, d.abs().mean().item<double>() * scale});
  }
  return ranges;
}

}  // namespace

Comparison compare(const StageOutput& a, const StageOutput& b) {
  Comparison result;
  result.form = form_difference(a.spec, b.spec);
  if (!result.form.empty() && a.spec.shape != b.spec.shape && !differ_in_length_only(a.spec, b.spec)) return result;
  if (a.spec.domain != b.spec.domain) return result;
  const int64_t length = std::min(a.x.size(-1), b.x.size(-1));
  const at::Tensor x = a.x.narrow(-1, 0, length).to(at::kDouble), y = b.x.narrow(-1, 0, length).to(at::kDouble);
  if (x.numel() == 0) return result;
  result.has_values = true;
  result.peak = std::max(finite_peak(x), finite_peak(y));
  const at::Tensor same = x.eq(y).logical_or(x.isnan().logical_and(y.isnan()));
  const double infinity = std::numeric_limits<double>::infinity();
  const at::Tensor difference = (y - x).masked_fill(same, 0).nan_to_num(infinity, infinity, -infinity);
  const at::Tensor size = difference.abs();
  int64_t place = size.argmax().item<int64_t>();
  const double largest = size.flatten()[place].item<double>();
  result.largest = largest > 0 ? largest / result.peak : 0;
  result.a = x.flatten()[place].item<double>();
  result.b = y.flatten()[place].item<double>();
  result.where.resize(static_cast<size_t>(x.dim()));
  for (int64_t axis = x.dim() - 1; axis >= 0; --axis) {
    result.where[static_cast<size_t>(axis)] = place % x.size(axis);
    place /= x.size(axis);
  }
  result.ranges = ranges_of(difference, 1, result.peak);
  return result;
}

ChainDiff diff_chains(const Chain& a, const Chain& b, const Signal& signal, const std::string& from, double tolerance) {
  ChainDiff diff{outputs_of(a, signal, from), outputs_of(b, signal, from), {}, {}, {}};
  diff.pairs = align(diff.a, diff.b);
  for (size_t i = 0; i < diff.pairs.size(); ++i) {
    StagePair& pair = diff.pairs[i];
    if (pair.a < 0 || pair.b < 0) continue;
    pair.comparison = compare(diff.a[static_cast<size_t>(pair.a)], diff.b[static_cast<size_t>(pair.b)]);
    if (!diff.parted && !pair.comparison->agrees(tolerance)) diff.parted = i;
  }
  diff.output = compare(diff.a.back(), diff.b.back());
  return diff;
}

Canvas picture_of(const ChainDiff& diff) {
  const StageOutput &a = diff.a.back(), &b = diff.b.back();
  const bool comparable = diff.output.has_values;
  const Domain domain = a.spec.domain;
  const Shade shade = Shade::over(comparable ? std::vector{a.x, b.x} : std::vector{a.x}, domain);
  const Shade shade_b = comparable ? shade : Shade::over({b.x}, b.spec.domain);
  std::vector<Panel> panels = {
      {fmt::format("A  {}: {}, {}", a.name, a.spec.text(), shade.text()), a.spec, a.x, shade},
      {fmt::format("B  {}: {}, {}", b.name, b.spec.text(), shade_b.text()), b.spec, b.x, shade_b}};
  if (comparable) {
    const int64_t length = std::min(a.x.size(-1), b.x.size(-1));
    const at::Tensor size = (a.x.narrow(-1, 0, length) - b.x.narrow(-1, 0, length)).abs();
    Spec spec = a.spec;
    spec.shape.back() = length;
    Shade own{0, finite_peak(size), false};
    if (own.high == 0) own.high = 1;  // equal: one colour
    panels.push_back({fmt::format("|A - B|  {}; at most {:.3g} of the peak {:.4g}", own.text(), diff.output.largest,
                                  diff.output.peak),
                      spec, size, own});
  }
  return picture_of(panels);
}

}  // namespace amae

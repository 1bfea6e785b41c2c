// The mean distance of a row u to the class with the sum S of its n rows is 1 - u . S / n, so that the silhouette and
// the alignment need the sums of the classes and no pairs. Only the uniformity looks at every pair.
#include "index/spread.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/stop.h"

namespace amae {
namespace {

constexpr int64_t kPairsAtATime = int64_t{1} << 22;  // 32 MiB
constexpr double kNoDistance = 1e-12;                // what rounding leaves of the distance of equal rows

struct ClassGroups {
  std::vector<int64_t> of_row;
  std::vector<double> sizes;
};

ClassGroups group_classes(const std::vector<int64_t>& labels) {
  ClassGroups groups;
  std::map<int64_t, int64_t> place;
  for (const int64_t label : labels) {
    const int64_t at = place.emplace(label, static_cast<int64_t>(place.size())).first->second;
    groups.of_row.push_back(at);
    groups.sizes.resize(place.size());
    groups.sizes[static_cast<size_t>(at)] += 1;
  }
  return groups;
}

// `toward` [C]: u . S of each class, `square`: |u|^2, which is 0 for a row of zeros.
double silhouette_of(const double* toward, double square, size_t own, const std::vector<double>& sizes) {
  if (sizes[own] < 2) return 0;
  double inside = 1 - (toward[own] - square) / (sizes[own] - 1), outside = std::numeric_limits<double>::max();
  for (size_t c = 0; c < sizes.size(); ++c) {
    if (c != own) outside = std::min(outside, 1 - toward[c] / sizes[c]);
  }
  inside = inside < kNoDistance ? 0 : inside;
  outside = outside < kNoDistance ? 0 : outside;
  const double larger = std::max(inside, outside);
  return larger == 0 ? 0 : (outside - inside) / larger;
}

}  // namespace

Spread spread_of(const at::Tensor& rows, const std::vector<int64_t>& labels) {
  Spread spread;
  const int64_t n = rows.size(0);
  TORCH_CHECK(rows.dim() == 2 && rows.scalar_type() == at::kDouble && static_cast<size_t>(n) == labels.size(),
              "spread_of: got rows ", rows.sizes(), " and ", labels.size(), " labels");
  if (n < 2) return spread;
  const ClassGroups groups = group_classes(labels);
  const auto classes = static_cast<int64_t>(groups.sizes.size());
  const at::Tensor own = at::tensor(at::ArrayRef<int64_t>(groups.of_row), at::kLong);
  const at::Tensor sums = at::zeros({classes, rows.size(1)}, at::kDouble).index_add_(0, own, rows);
  const at::Tensor squares = rows.square().sum(1).contiguous();
  const double* square = squares.const_data_ptr<double>();

  double silhouettes = 0, nearness = 0;
  const int64_t block = std::max<int64_t>(1, kPairsAtATime / n);
  for (int64_t begin = 0; begin < n; begin += block) {
    throw_if_stopped();
    const at::Tensor part = rows.narrow(0, begin, std::min(block, n - begin));
    // |u - v|^2 = |u|^2 + |v|^2 - 2 u . v
    at::Tensor near = part.matmul(rows.t()).mul_(4);
    near.sub_(2 * squares.narrow(0, begin, part.size(0)).unsqueeze(1)).sub_(2 * squares).exp_();
    nearness += near.sum().item<double>();
    if (classes < 2) continue;
    const at::Tensor toward = part.matmul(sums.t()).contiguous();
    for (int64_t i = 0; i < part.size(0); ++i) {
      silhouettes += silhouette_of(toward.const_data_ptr<double>() + i * classes, square[begin + i],
                                   static_cast<size_t>(groups.of_row[static_cast<size_t>(begin + i)]), groups.sizes);
    }
  }
  const auto count = static_cast<double>(n);
  spread.silhouette = silhouettes / count;
  spread.uniformity = std::log((nearness - count) / (count * (count - 1)));  // without each row's pair with itself

  // Over the pairs of n rows, the sum of |u - v|^2 is n times the sum of |u|^2 less |S|^2.
  double distances = 0, pairs = 0;
  const at::Tensor squares_of = at::zeros({classes}, at::kDouble).index_add_(0, own, squares);
  const at::Tensor square_of_sum = sums.square().sum(1);
  for (int64_t c = 0; c < classes; ++c) {
    const double size = groups.sizes[static_cast<size_t>(c)];
    distances += size * squares_of[c].item<double>() - square_of_sum[c].item<double>();
    pairs += size * (size - 1) / 2;
  }
  spread.alignment = pairs == 0 ? 0 : std::max(0.0, distances / pairs);
  return spread;
}

}  // namespace amae

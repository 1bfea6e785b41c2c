#include "index/umap.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "amae/draw.h"
#include "base/stop.h"

namespace amae {
namespace {

constexpr double kMapSize = 10, kShake = 1e-4;  // the side of the starting square and the noise on it
constexpr int32_t kNoPoint = std::numeric_limits<int32_t>::max();
constexpr float kClip = 4;            // of each component of a step, before the rate
constexpr double kLeastScale = 1e-3;  // sigma over the mean distance of a row, at least

/// Edges out of each point i: begin[i] .. begin[i + 1].
struct Edges {
  std::vector<int64_t> begin;
  std::vector<int32_t> to;
  std::vector<float> weight;
};

/// SplitMix64 (Steele, Lea, Flood 2014): a counter and a hash of it. Draw would take most of the layout's time.
class FastDraw {
 public:
  explicit FastDraw(uint64_t seed) : state_(seed) {}

  /// 0 <= n < limit < 2^31. Its bias of limit / 2^32 does not matter for a choice of what to keep away from.
  int64_t below(int64_t limit) { return static_cast<int64_t>((bits() >> 32) * static_cast<uint64_t>(limit) >> 32); }

 private:
  uint64_t bits() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  uint64_t state_;
};

void check(const KnnGraph& graph, const at::Tensor& start, const UmapOptions& options) {
  const int64_t n = graph.count, k = graph.k;
  TORCH_CHECK(n > 0 && n <= std::numeric_limits<int32_t>::max() && k >= 0, "umap_layout: ", n, " points, ", k,
              " neighbours each");
  TORCH_CHECK(static_cast<int64_t>(graph.neighbours.size()) == n * k && graph.distances.size() == size_t(n * k),
              "umap_layout: expected ", n, " x ", k, " neighbours and distances, got ", graph.neighbours.size(),
              " and ", graph.distances.size());
  for (size_t e = 0; e < graph.neighbours.size(); ++e) {
    const int64_t from = static_cast<int64_t>(e) / k, to = graph.neighbours[e];
    TORCH_CHECK(to >= -1 && to < n && to != from, "umap_layout: point ", from, " of ", n, " has neighbour ", to);
    TORCH_CHECK(to < 0 || (graph.distances[e] >= 0 && std::isfinite(graph.distances[e])), "umap_layout: point ", from,
                " has a neighbour at distance ", graph.distances[e]);
  }
  TORCH_CHECK(start.dim() == 2 && start.size(0) == n && start.size(1) == 2, "umap_layout: expected start [", n,
              ", 2], got ", start.sizes());
  TORCH_CHECK(start.isfinite().all().item<bool>(), "umap_layout: start has NaN or infinite numbers");
  TORCH_CHECK(
      options.epochs >= 0 && options.negatives >= 0 && options.learning_rate > 0 && options.learning_rate <= 100,
      "umap_layout: epochs = ", options.epochs, ", negatives = ", options.negatives,
      ", learning_rate = ", options.learning_rate);
}

/// What a point thinks of its neighbours: 1 for the nearest (rho away), falling with the scale sigma beyond it, so that
/// the sum over them is log2 of their number (section 3.1 of the paper, found by halving).
class Neighbourhood {
 public:
  explicit Neighbourhood(const std::vector<double>& distances) {
    double sum = 0, nearest = std::numeric_limits<double>::infinity();
    for (const double d : distances) {
      sum += d;
      if (d > 0) nearest = std::min(nearest, d);  // equal points do not count: they are as near as can be anyway
    }
    if (sum == 0) return;
    rho_ = nearest;
    const double mean = sum / static_cast<double>(distances.size()),
                 target = std::log2(static_cast<double>(distances.size()));
    double low = 0, high = std::numeric_limits<double>::infinity();
    sigma_ = mean;
    for (int step = 0; step < 64; ++step) {
      double total = 0;
      for (const double d : distances) total += weight(d);
      if (std::abs(total - target) < 1e-5) break;
      (total > target ? high : low) = sigma_;
      sigma_ = std::isinf(high) ? 2 * sigma_ : (low + high) / 2;
    }
    sigma_ = std::max(sigma_, kLeastScale * mean);
  }

  [[nodiscard]] double weight(double distance) const {
    return distance <= rho_ ? 1 : std::exp(-(distance - rho_) / sigma_);
  }

 private:
  double rho_ = 0, sigma_ = 1;
};

/// The neighbourhoods as edges, each row in the order of its neighbours' numbers.
Edges directed(const KnnGraph& graph) {
  Edges out;
  out.begin.push_back(0);
  out.to.reserve(graph.neighbours.size());
  out.weight.reserve(graph.neighbours.size());
  std::vector<std::pair<int32_t, double>> row;
  std::vector<double> distances;
  for (int64_t i = 0; i < graph.count; ++i) {
    row.clear();
    distances.clear();
    for (int64_t e = i * graph.k; e < (i + 1) * graph.k; ++e) {
      if (graph.neighbours[e] < 0) continue;
      row.emplace_back(graph.neighbours[e], graph.distances[e]);
      distances.push_back(graph.distances[e]);
    }
    const Neighbourhood around(distances);
    std::sort(row.begin(), row.end());
    for (size_t r = 0; r < row.size(); ++r) {
      TORCH_CHECK(r == 0 || row[r].first != row[r - 1].first, "umap_layout: point ", i, " has neighbour ", row[r].first,
                  " twice");
      out.to.push_back(row[r].first);
      out.weight.push_back(static_cast<float>(around.weight(row[r].second)));
    }
    out.begin.push_back(static_cast<int64_t>(out.to.size()));
  }
  return out;
}

/// All edges the other way round, again in order.
Edges reversed(const Edges& edges) {
  const size_t n = edges.begin.size() - 1;
  Edges out{std::vector<int64_t>(n + 1, 0), std::vector<int32_t>(edges.to.size()), std::vector<float>(edges.to.size())};
  for (const int32_t to : edges.to) ++out.begin[to + 1];
  for (size_t i = 0; i < n; ++i) out.begin[i + 1] += out.begin[i];
  std::vector<int64_t> next(out.begin.begin(), out.begin.end() - 1);
  for (size_t i = 0; i < n; ++i) {
    for (int64_t e = edges.begin[i]; e < edges.begin[i + 1]; ++e) {
      const int64_t at = next[edges.to[e]]++;
      out.to[at] = static_cast<int32_t>(i);
      out.weight[at] = edges.weight[e];
    }
  }
  return out;
}

/// Fuzzy union of both views of a pair, a + b - a b: every edge in both directions with one weight.
Edges united(const Edges& mine) {
  const Edges theirs = reversed(mine);
  Edges out;
  out.begin.push_back(0);
  out.to.reserve(2 * mine.to.size());
  out.weight.reserve(2 * mine.to.size());
  for (size_t i = 0; i + 1 < mine.begin.size(); ++i) {
    int64_t a = mine.begin[i], b = theirs.begin[i];
    while (a < mine.begin[i + 1] || b < theirs.begin[i + 1]) {
      const int32_t in_a = a < mine.begin[i + 1] ? mine.to[a] : kNoPoint,
                    in_b = b < theirs.begin[i + 1] ? theirs.to[b] : kNoPoint, to = std::min(in_a, in_b);
      const float one = in_a == to ? mine.weight[a++] : 0, two = in_b == to ? theirs.weight[b++] : 0;
      out.to.push_back(to);
      out.weight.push_back(one + two - one * two);
    }
    out.begin.push_back(static_cast<int64_t>(out.to.size()));
  }
  return out;
}

float largest_weight(const Edges& edges) {
  return edges.weight.empty() ? 1 : *std::max_element(edges.weight.begin(), edges.weight.end());
}

/// Leaves out the edges below `least`.
void drop_light(Edges& edges, float least) {
  size_t kept = 0;
  for (size_t i = 0; i + 1 < edges.begin.size(); ++i) {
    const int64_t begin = std::exchange(edges.begin[i], static_cast<int64_t>(kept));
    for (int64_t e = begin; e < edges.begin[i + 1]; ++e) {
      if (edges.weight[e] < least) continue;
      edges.to[kept] = edges.to[e];
      edges.weight[kept++] = edges.weight[e];
    }
  }
  edges.begin.back() = static_cast<int64_t>(kept);
  edges.to.resize(kept);
  edges.weight.resize(kept);
}

/// [N, 2] float32, row by row, where the layout begins.
std::vector<float> placed(const at::Tensor& start, uint64_t seed) {
  const at::Tensor from = start.to(at::kCPU, at::kDouble).contiguous();
  const at::Tensor low = from.amin({0}), range = from.amax({0}) - low;
  const at::Tensor scaled = (from - low) * (kMapSize / at::where(range > 0, range, at::ones_like(range)));
  const double* const values = scaled.const_data_ptr<double>();
  Draw draw(seed, 0, 0, 0);
  std::vector<float> out(static_cast<size_t>(from.numel()));
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(values[i] + kShake * draw.normal());
  return out;
}

/// The forces between two points of the map, as factors of their difference.
struct Forces {
  float a, b;
  [[nodiscard]] float attraction(float square) const {
    if (square == 0) return 0;
    const float power = std::pow(square, b);
    return -2 * a * b * power / (square * (a * power + 1));
  }
  [[nodiscard]] float repulsion(float square) const {
    if (square == 0) return 0;  // no direction
    return 2 * b / ((0.001F + square) * (a * std::pow(square, b) + 1));
  }
};

float clipped(float step) { return std::clamp(step, -kClip, kClip); }

/// One epoch: every edge that is due pulls its two ends together and pushes the first away from random points.
///
/// An edge of weight w is due in w / max of the epochs, evenly spread, and always with all its negatives. (umap-learn
/// keeps two clocks for each edge; counting anew from the epoch's number comes to the same and needs no memory.)
void run_epoch(std::vector<float>& map, const Edges& edges, float largest, const Forces& forces, int64_t epoch,
               int64_t negatives, float rate, FastDraw& draw) {
  const auto n = static_cast<int64_t>(edges.begin.size()) - 1;
  for (int64_t i = 0; i < n; ++i) {
    float* const mine = &map[2 * i];
    for (int64_t e = edges.begin[i]; e < edges.begin[i + 1]; ++e) {
      const double share = static_cast<double>(edges.weight[e]) / largest, now = static_cast<double>(epoch);
      if (static_cast<int64_t>((now + 1) * share) == static_cast<int64_t>(now * share)) continue;
      float* const other = &map[2 * int64_t{edges.to[e]}];
      float dx = mine[0] - other[0], dy = mine[1] - other[1];
      const float pull = forces.attraction(dx * dx + dy * dy);
      dx = rate * clipped(pull * dx), dy = rate * clipped(pull * dy);
      mine[0] += dx, mine[1] += dy;
      other[0] -= dx, other[1] -= dy;
      for (int64_t r = 0; r < negatives; ++r) {
        const float* const stranger = &map[2 * draw.below(n)];  // the point itself is at distance 0: no force
        dx = mine[0] - stranger[0], dy = mine[1] - stranger[1];
        const float push = forces.repulsion(dx * dx + dy * dy);
        mine[0] += rate * clipped(push * dx), mine[1] += rate * clipped(push * dy);
      }
    }
  }
}

}  // namespace

std::pair<double, double> umap_curve(double min_dist, double spread) {
  TORCH_CHECK(spread > 0 && std::isfinite(spread) && min_dist >= 0 && min_dist <= spread,
              "umap_curve: min_dist = ", min_dist, " must lie in 0..spread = ", spread);
  // In units of spread, where a = b = 1 is a good start whatever the scale. Levenberg-Marquardt in two parameters.
  constexpr int kPoints = 300, kSteps = 200;
  const double flat = min_dist / spread;
  struct Fit {
    double error = 0, aa = 0, ab = 0, bb = 0, ga = 0, gb = 0;  // squared error, J^T J and J^T residual
  };
  const auto fit = [&](double a, double b) {
    Fit out;
    for (int i = 0; i < kPoints; ++i) {
      const double d = 3.0 * i / (kPoints - 1), wish = d < flat ? 1 : std::exp(flat - d);
      const double power = std::pow(d, 2 * b), value = 1 / (1 + a * power), residual = wish - value;
      const double da = -power * value * value, db = d > 0 ? 2 * a * std::log(d) * da : 0;
      out.error += residual * residual;
      out.aa += da * da, out.ab += da * db, out.bb += db * db;
      out.ga += da * residual, out.gb += db * residual;
    }
    return out;
  };
  double a = 1, b = 1, damping = 1e-3;
  Fit best = fit(a, b);
  for (int step = 0; step < kSteps; ++step) {
    const double aa = best.aa * (1 + damping), bb = best.bb * (1 + damping), det = aa * bb - best.ab * best.ab;
    const double next_a = a + (bb * best.ga - best.ab * best.gb) / det,
                 next_b = b + (aa * best.gb - best.ab * best.ga) / det;
    const Fit next = next_a > 0 && next_b > 0 ? fit(next_a, next_b) : Fit{.error = best.error};
    if (next.error < best.error) {
      a = next_a, b = next_b, best = next;
      damping /= 10;
    } else {
      damping *= 10;
      if (damping > 1e12) break;  // no step helps any more: this is the minimum
    }
  }
  return {a / std::pow(spread, 2 * b), b};
}

at::Tensor umap_layout(const KnnGraph& graph, const at::Tensor& start, const UmapOptions& options,
                       const std::function<void(int64_t done, int64_t total)>& progress) {
  check(graph, start, options);
  const int64_t epochs = options.epochs > 0 ? options.epochs : graph.count < 10'000 ? 500 : 200;
  const auto [a, b] = umap_curve(options.min_dist, options.spread);
  const Forces forces{static_cast<float>(a), static_cast<float>(b)};
  Edges edges = united(directed(graph));
  const float largest = largest_weight(edges);
  drop_light(edges, largest / static_cast<float>(epochs));  // they would never be due
  std::vector<float> map = placed(start, options.seed);
  FastDraw draw(options.seed);
  for (int64_t epoch = 0; epoch < epochs; ++epoch) {
    throw_if_stopped();
    const double left = 1 - static_cast<double>(epoch) / static_cast<double>(epochs);
    run_epoch(map, edges, largest, forces, epoch, options.negatives, static_cast<float>(options.learning_rate * left),
              draw);
    if (progress) progress(epoch + 1, epochs);
  }
  return at::from_blob(map.data(), {graph.count, 2}, at::kFloat).clone();
}

at::Tensor pca_2d(const at::Tensor& x) {
  TORCH_CHECK(x.dim() == 2 && x.size(0) > 0 && x.size(1) > 0, "pca_2d: expected x [N, D], got ", x.sizes());
  const at::NoGradGuard no_grad;
  const int64_t n = x.size(0), d = x.size(1), rows = std::max<int64_t>(1, (int64_t{1} << 22) / d);  // 32 MiB a block
  const auto block = [&](int64_t begin) {
    return x.narrow(0, begin, std::min(rows, n - begin)).to(at::kCPU, at::kDouble);
  };
  at::Tensor mean = at::zeros({d}, at::kDouble), covariance = at::zeros({d, d}, at::kDouble);
  for (int64_t begin = 0; begin < n; begin += rows) mean += block(begin).sum(0);
  mean /= n;
  TORCH_CHECK(mean.isfinite().all().item<bool>(), "pca_2d: x has NaN or infinite numbers");
  for (int64_t begin = 0; begin < n; begin += rows) {
    const at::Tensor centred = block(begin) - mean;
    covariance.addmm_(centred.t(), centred);
  }
  const auto [values, vectors] = at::linalg_eigh(covariance / n);  // ascending
  const int64_t kept = std::min<int64_t>(2, d);
  at::Tensor axes = vectors.narrow(1, d - kept, kept).flip(1);
  axes = axes * at::where(axes.gather(0, axes.abs().argmax(0, /*keepdim=*/true)) < 0, -1.0, 1.0);
  at::Tensor out = at::zeros({n, 2}, at::kFloat);
  for (int64_t begin = 0; begin < n; begin += rows) {
    const at::Tensor part = (block(begin) - mean).matmul(axes);
    out.narrow(0, begin, part.size(0)).narrow(1, 0, kept).copy_(part);
  }
  return out;
}

double trustworthiness(const at::Tensor& x, const at::Tensor& y, int64_t k) {
  TORCH_CHECK(x.dim() == 2 && y.dim() == 2 && x.size(0) == y.size(0), "trustworthiness: got x ", x.sizes(), ", y ",
              y.sizes());
  const int64_t n = x.size(0);
  TORCH_CHECK(k > 0 && 2 * k < n, "trustworthiness: k = ", k, " must lie between 0 and half of ", n, " points");
  const at::NoGradGuard no_grad;
  const auto nearest_first = [](const at::Tensor& points) {
    const at::Tensor p = points.to(at::kCPU, at::kDouble);
    at::Tensor distance = at::cdist(p, p, 2.0, /*compute_mode=*/2);  // 2: no matrix product, which would cancel digits
    distance.fill_diagonal_(-1);                                     // oneself before equal points
    return distance.argsort(/*stable=*/true, 1, /*descending=*/false);
  };
  const at::Tensor order = nearest_first(x);
  const at::Tensor rank = at::empty_like(order).scatter_(1, order, at::arange(n).expand({n, n}));
  const at::Tensor beyond = (rank.gather(1, nearest_first(y).narrow(1, 1, k)) - k).clamp_min(0).sum();
  const auto total = static_cast<double>(n * k) * static_cast<double>(2 * n - 3 * k - 1);
  return 1 - 2 * beyond.item<double>() / total;
}

}  // namespace amae

// Maps: points of many dimensions laid out in the plane so that near ones stay near.
//
// N points, D features, k neighbours of each.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace amae {

/// The nearest neighbours of every point, itself not among them, each at most once.
struct KnnGraph {
  int64_t count = 0, k = 0;
  std::vector<int32_t> neighbours;  ///< [count * k]; -1: none
  std::vector<float> distances;     ///< [count * k] >= 0, ascending within a row; ignored where there is no neighbour
};

struct UmapOptions {
  double min_dist = 0.1;       ///< how close points may lie in the map; 0..spread
  double spread = 1.0;         ///< scale of the distances that the map tells apart, > 0
  int64_t epochs = 0;          ///< 0: 500 below 10,000 points, else 200
  int64_t negatives = 5;       ///< random points that each attraction is repelled from
  double learning_rate = 1.0;  ///< of the first epoch, falls to 0 along a line; at most 100
  uint64_t seed = 0;
};

/// UMAP layout of a neighbour graph: fuzzy union of the local neighbourhoods, then attraction along its edges and
/// repulsion from random points.
///
/// Source: McInnes, Healy, Melville 2018, arXiv:1802.03426; defaults and details as in umap-learn 0.5.
/// start [N, 2] where the points begin, such as pca_2d: each axis is stretched to 0..10 and shaken a little, so that
/// equal points can part. Returns [N, 2] float32 on the CPU. The same input and seed give the same bits on the same
/// machine: one thread, one order. About 40 bytes for each of the N k edges, most of them twice.
/// `progress` hears of every epoch. Throws c10::Error for a graph or options that make no sense, and Stopped (see
/// base/stop.h) between epochs.
at::Tensor umap_layout(const KnnGraph& graph, const at::Tensor& start, const UmapOptions& options,
                       const std::function<void(int64_t done, int64_t total)>& progress = {});

/// The a and b with which 1 / (1 + a d^(2b)) comes nearest to the wish behind min_dist and spread: 1 up to min_dist,
/// beyond it exp(-(d - min_dist) / spread). Least squares over 300 distances in 0..3 spread.
std::pair<double, double> umap_curve(double min_dist, double spread);

/// Projection on the first two principal axes. x [N, D], N, D > 0, finite -> [N, 2] float32 on the CPU. The largest
/// loading of an axis is positive. With D = 1 the second column is 0.
at::Tensor pca_2d(const at::Tensor& x);

/// How far the map can be trusted: 1 when the k nearest in y [N, M] are among the k nearest in x [N, D] for every
/// point, less by the ranks in x of those that are not; a random map has about 0.5.
///
/// Source: Venna & Kaski 2001, "Neighborhood preservation in nonlinear projection methods". Euclidean distances, ties
/// by number. 0 < k < N / 2. Takes some 60 N^2 bytes: for N of a few thousand.
double trustworthiness(const at::Tensor& x, const at::Tensor& y, int64_t k);

}  // namespace amae

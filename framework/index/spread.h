// How labelled vectors lie on the sphere, whatever they are searched for.
//
// n rows, D values a row, C classes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace amae {

struct Spread {
  double silhouette = 0;  ///< -1 to 1: mean over rows, higher is better
  double alignment = 0;   ///< 0 to 4: lower is better
  double uniformity = 0;  ///< -8 to 0: lower is better
};

/// rows [n, D] float64 of length 1 or 0 (unit_rows of index/postprocess.h), one label a row.
///
/// silhouette: mean of (b - a) / max(a, b), where a is a row's mean cosine distance (1 - cosine) to the other rows of
/// its class and b the least of its mean distances to another class; 0 for the only row of a class, and as a whole with
/// fewer than two classes. Source: Rousseeuw 1987.
/// alignment: mean of |u - v|^2 over all pairs of rows with the same label; 0 without one.
/// uniformity: log of the mean of exp(-2 |u - v|^2) over all pairs of rows; 0 without one.
/// Source of both: Wang & Isola 2020, arXiv:2005.10242, with alpha = 2, t = 2.
/// n^2 D operations in blocks of bounded memory; throws Stopped between them (base/stop.h).
Spread spread_of(const at::Tensor& rows, const std::vector<int64_t>& labels);

}  // namespace amae

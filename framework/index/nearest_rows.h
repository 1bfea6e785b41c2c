// Exact search: which rows of one matrix point most nearly the same way as a row of another.
//
// M queries, N gallery rows, D values a row.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace amae {

/// Rows on the CPU, without gradient. Throws std::invalid_argument when `rows` is not [N, D] of floats with D > 0, and
/// DivergenceError naming the first row with a value that is not finite. `name` stands before the message.
at::Tensor checked_rows(const std::string& name, const at::Tensor& rows);

struct NearRow {
  int64_t row = 0;       ///< in the gallery
  float similarity = 0;  ///< cosine, -1 to 1; 0 where either row is zero
};

/// Which item each row is of, such as the file that several chunks are of: rows of one item share what they are made
/// of, and are no neighbours of each other.
struct RowItems {
  std::vector<int64_t> queries{};  ///< M numbers, or empty: every row is an item of its own, in neither matrix twice
  std::vector<int64_t> gallery{};  ///< N, or empty with the other
};

/// Calls visit(query, nearest) for the queries 0 to M - 1 in order; `nearest` has the k most similar gallery rows that
/// are not of the query's item, or as many as there are, the most similar first, equally similar ones by lower row.
///
/// queries [M, D] and gallery [N, D] come from checked_rows; k > 0. All M N similarities are computed, in blocks of
/// about 128 MiB altogether, more only where k is many millions. Throws std::invalid_argument for numbers that do not
/// fit, Stopped between blocks (base/stop.h).
void nearest_rows(const at::Tensor& queries, const at::Tensor& gallery, int64_t k, const RowItems& items,
                  const std::function<void(int64_t query, const std::vector<NearRow>& nearest)>& visit);

}  // namespace amae

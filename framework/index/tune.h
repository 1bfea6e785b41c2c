// How hard an approximate index must try to find what an exact search finds.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "index/search_index.h"

namespace amae {

struct TuneOptions {
  int64_t k = 10;
  double target = 0.99;    ///< recall@k to reach
  int64_t queries = 1000;  ///< rows of the store, drawn; each is left out of its own neighbours
  int64_t seed = 0;
};

struct TuneStep {
  int64_t effort = 0;                  ///< ef_search or probes; 0 for an exact index
  double recall = 0;                   ///< mean share of the k exact neighbours that were found
  double single_ms = 0, batch_ms = 0;  ///< median time of a query by itself, and of one within a batch of 256
};

struct Tuned {
  std::vector<TuneStep> steps;  ///< efforts ascending
  int64_t chosen = -1;          ///< position in `steps` of the least effort that reaches the target; -1: none does
};

/// Leaves the index at the last effort that it tried. Tries powers of two until the recall is 1, until two steps beyond
/// the target, until twice the effort has gained less than 0.0005 twice (links, clusters or codes are too few), or
/// until nothing is left to try. Throws InputError when k leaves no neighbours.
Tuned tune_index(SearchIndex& index, const TuneOptions& options);

}  // namespace amae

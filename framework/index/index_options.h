// How an index is made and searched.
#pragma once

#include <cstdint>
#include <string>

#include "amae/options.h"
#include "index/post_options.h"

namespace amae {

struct IndexOptions {
  std::string type = "flat";      ///< flat, hnsw, ivf_flat or ivf_pq
  std::string factory = {};       ///< what faiss::index_factory takes; in place of `type`
  std::string metric = "cosine";  ///< cosine (with `post`), inner_product or l2 (of the vectors as they are)
  PostOptions post = {};
  int64_t links = 32;            ///< hnsw: of a node in each direction (M)
  int64_t ef_construction = 40;  ///< hnsw
  int64_t ef_search = 0;         ///< hnsw; 0: 64, or as an index that is updated has it
  int64_t lists = 0;             ///< ivf: clusters; 0: four times the square root of the rows
  int64_t probes = 0;            ///< ivf: clusters that a search looks into; 0: 16, or as above
  int64_t code_bytes = 0;        ///< ivf_pq: of a vector; 0: a number for four
  int64_t seed = 0;              ///< of the sample that it is trained and fitted on
  void describe(Fields& f);
};

}  // namespace amae

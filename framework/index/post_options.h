// What is done to embeddings before they are compared (postprocess.h).
#pragma once

#include <cstdint>

#include "amae/options.h"

namespace amae {

struct PostOptions {
  bool centre = true;   ///< subtract the mean of the rows that it was fitted on
  int64_t pca = 256;    ///< keep at most this many principal directions; 0: all, unrotated
  bool whiten = false;  ///< scale each kept direction to deviation 1
  bool l2 = true;       ///< scale each row to length 1
  void describe(Fields& f);
};

}  // namespace amae

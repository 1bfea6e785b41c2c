// Masked reconstruction as an objective.
#pragma once

#include <memory>

#include "amae/options.h"
#include "train/masking.h"
#include "train/objective.h"

namespace amae {

struct PretrainOptions {
  MaskOptions mask;
  double uniformity = 0;     ///< weight of the uniformity loss on the visible features (Wang & Isola 2020); 0: none
  double contrastive = 0;    ///< weight of the supervised contrastive loss (Khosla et al. 2020); needs labels; 0: none
  double temperature = 0.1;  ///< of the contrastive loss
  int64_t pictures = 4;      ///< clips whose reconstruction is drawn
  int64_t pictures_every = 20;  ///< epochs between pictures; 0: none
  int64_t knn_every = 10;       ///< epochs between probes by nearest neighbours; 0: none
  void describe(Fields& f);
};

}  // namespace amae

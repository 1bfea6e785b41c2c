#include "train/pretraining.h"

namespace amae {

void PretrainOptions::describe(Fields& f) {
  f.section("mask", mask);
  f.add("uniformity", uniformity, "weight of the uniformity loss on the features of the visible part; 0: none")
      .range(0, 1000);
  f.add("contrastive", contrastive,
        "weight of the supervised contrastive loss, which uses the labels; 0: none, training sees no label")
      .range(0, 1000);
  f.add("temperature", temperature, "of the contrastive loss").range(1e-3, 100);
  f.add("pictures", pictures, "clips whose reconstruction is drawn").range(0, 64);
  f.add("pictures_every", pictures_every, "epochs between pictures, the last epoch always has one; 0: none").min(0);
  f.add("knn_every", knn_every,
        "epochs between probes by nearest neighbours, the last epoch always has one; 0: none; they need labels, which "
        "training sees for pretrain.contrastive alone (then they need a validation split)")
      .min(0);
}

}  // namespace amae

// What an encoder knows of labels: the nearest neighbours of its features vote. Training never saw those labels, unless
// its loss used them (pretrain.contrastive) or it fine-tuned on them.
#pragma once

#include <vector>

#include "train/evaluate.h"
#include "train/features.h"
#include "train/knn.h"

namespace amae {

/// Where features come from.
struct FeatureSource {
  Classifier& model;
  const FeatureCache& cache;
  const Pipeline& pipeline;
  int64_t batch_size;
  int workers;
  torch::Device device;
};

/// Class scores of `rows` by their neighbours among the labelled rows `gallery`. Rows that are the gallery itself are
/// judged part by part, each by the neighbours in the other parts: the data set's folds where the gallery has several,
/// so that no clip is found through one of the same recording, else ten parts. Throws Stopped on a signal.
Scores knn_probe(const KnnOptions& options, const FeatureSource& source, const std::vector<int64_t>& gallery,
                 const std::vector<int64_t>& rows);

}  // namespace amae

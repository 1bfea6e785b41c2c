// amae predict: files through a bundle.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "train/bundle.h"

namespace amae {

struct ClassScore {
  std::string label;
  int64_t number = 0;  ///< of the class
  double score = 0;
  bool operator==(const ClassScore&) const = default;
};

struct Prediction {
  std::string path;
  std::vector<ClassScore> top;  ///< best first
};

/// Throws InputError (code PREDICT) for audio where the bundle takes IQ, and the other way round.
void check_domain(const Bundle& bundle, const Spec& spec, const std::string& where);

/// The `top_k` best of probabilities [K], or all where there are fewer.
std::vector<ClassScore> top_classes(const BundleInfo& info, const torch::Tensor& probabilities, int64_t top_k);

/// Scores of one file (io/signal_file.h), with the bundle's front end and evaluation views. Throws InputError naming
/// the file.
Prediction predict_file(const Bundle& bundle, const Registry& registry, const std::filesystem::path& file,
                        int64_t top_k, torch::Device device);

}  // namespace amae

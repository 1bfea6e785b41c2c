// amae predict: files through a bundle.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "train/bundle.h"

namespace amae {

struct Prediction {
  std::string path;
  std::vector<std::pair<std::string, double>> top;  ///< class and score, best first
};

/// Scores of one audio file, with the bundle's front end and evaluation views. Throws InputError naming the file.
Prediction predict_file(const Bundle& bundle, const Registry& registry, const std::filesystem::path& file,
                        int64_t top_k, torch::Device device);

}  // namespace amae

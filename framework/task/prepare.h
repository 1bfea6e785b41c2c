// What training and probing do the same way around the making of their model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "task/run_folder.h"
#include "task/session.h"

namespace amae {

/// The data set; what its columns and the chain of transforms have against the config is thrown now.
Data open_data(const Plan& plan, bool needs_labels);

/// Makes the cache unless an earlier fold has, and fits the pipeline on the training rows. Returns `split` without the
/// rows that could not be loaded, and keeps it in the run folder.
Split load_rows(const Plan& plan, RunFolder& folder, Data& data, const std::shared_ptr<Pipeline>& pipeline,
                const std::vector<int64_t>& fold, Split split);

/// Moves the model to the device and tells what runs, where; `about` is what the task says of it.
void place_model(const Plan& plan, RunFolder& folder, Classifier& model, const torch::Device& device,
                 const std::string& about);

}  // namespace amae

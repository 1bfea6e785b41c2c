// task: finetune. Trains a classifier, from scratch or from given weights, and evaluates it.
#pragma once

#include <filesystem>
#include <functional>

#include "task/session.h"

namespace amae {

/// Runs in the folder that `run_folder` gives, which is called once the data set has been found sound; when that holds
/// a checkpoint, goes on. Returns false when a signal stopped it (after saving).
bool finetune(Plan& plan, const RunRequest& request, const std::function<std::filesystem::path()>& run_folder);

}  // namespace amae

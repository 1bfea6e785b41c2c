// task: finetune. Trains a classifier, from scratch or from given weights, and evaluates it.
#pragma once

#include <filesystem>
#include <optional>

#include "task/session.h"

namespace amae {

/// Runs or, when `run` holds a checkpoint, goes on. Returns false when a signal stopped it (after saving).
bool finetune(Plan& plan, const RunRequest& request, const std::filesystem::path& run);

}  // namespace amae

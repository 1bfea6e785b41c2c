// task: pretrain. A masked autoencoder learns from sound without labels.
#pragma once

#include <filesystem>
#include <functional>

#include "task/session.h"

namespace amae {

/// Trains and leaves a run folder whose bundle is the encoder with its decoder. Each split that eval.splits names and
/// that has labels is judged by nearest neighbours among the training split's features (RUN/eval/SPLIT/): labels that
/// training never saw, but for those of the training split with pretrain.contrastive. With folds: one run a test fold,
/// which is kept out of the training. False when stopped.
bool pretrain(Plan& plan, const RunRequest& request, const std::function<std::filesystem::path()>& run_folder);

}  // namespace amae

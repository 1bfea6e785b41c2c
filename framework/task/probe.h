// task: probe. What frozen features know of the labels: nearest neighbours and a linear classifier.
#pragma once

#include <filesystem>
#include <functional>

#include "task/session.h"

namespace amae {

/// Features of every split by the frozen encoder, judged by each method of probe.methods: the training split is the
/// gallery. The encoder is config.model with the weights of init_from, or untrained without; it stays in evaluation
/// mode and gets no gradient. The front end is the config's, its fitted transforms fitted on the training split; where
/// init_from is a bundle behind another one, a warning says so. Rows that trained init_from must not test it
/// (refuse_leak).
///
/// Of the splits in eval.splits, "train" shows how well the gallery knows itself: each row is its own neighbour.
/// Writes RUN/eval/SPLIT/ for the first method, RUN/eval/SPLIT-METHOD/ for others and RUN/probe.json with the figures
/// of all; with folds these lie in RUN/folds/F, and RUN/probe.json has mean and deviation over the folds. False when
/// stopped.
bool probe(Plan& plan, const RunRequest& request, const std::function<std::filesystem::path()>& run_folder);

}  // namespace amae

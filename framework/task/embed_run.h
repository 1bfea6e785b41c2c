// task: embed.
#pragma once

#include <filesystem>
#include <functional>

#include "task/session.h"

namespace amae {

/// Embeds the config's data by the bundle of init_from (or by the config's own model as it is made, when that is empty)
/// into RUN/embeddings or embed.store, and indexes it. With folds, each fold's bundle embeds all rows into
/// RUN/folds/F/embeddings, and the rows of fold F are looked for among all others: RUN/folds/F/retrieval.json, and
/// RUN/retrieval.json and retrieval.csv over the folds. Rows that trained the bundle never are queries (code LEAK).
/// Returns false when stopped by a signal; `amae resume` goes on.
bool embed_run(Plan& plan, const RunRequest& request, const std::function<std::filesystem::path()>& run_folder);

}  // namespace amae

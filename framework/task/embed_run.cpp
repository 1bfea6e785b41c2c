#include "task/embed_run.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <chrono>

#include "base/log.h"
#include "config/read.h"
#include "index/search_index.h"
#include "io/csv.h"
#include "io/safetensors.h"
#include "report/metrics.h"
#include "task/crossval.h"
#include "task/embed_store.h"
#include "task/neighbours.h"
#include "train/ema.h"

namespace amae {
namespace fs = std::filesystem;
using nlohmann::ordered_json;
namespace {

using FoldFigures = std::vector<std::pair<std::string, RetrievalMetrics>>;

/// The whole config, or one fold of it.
class EmbeddingRun {
 public:
  EmbeddingRun(const Plan& plan, const RunRequest& request, const std::shared_ptr<const Dataset>& dataset,
               RunFolder& folder, const std::vector<int64_t>& fold)
      : plan_(plan),
        config_(plan.config),
        request_(request),
        dataset_(dataset),
        folder_(folder),
        path_(folder.path()),
        fold_(fold) {}

  void go(FoldFigures& figures) {
    const fs::path bundle = bundle_to_use();
    const auto source = dataset_source(dataset_, config_.data);
    const EmbedRequest embed{bundle, store_path(), config_.embed.options, false, request_.device};
    const EmbedReport report = update_store(embed, *source, {config_.plugins.begin(), config_.plugins.end()});
    log::info("embed  {} items as {} vectors of {} numbers: {} computed, {} taken up again, {} kept, {} removed",
              report.items, report.rows, report.dimension, report.computed, report.resumed, report.kept,
              report.removed);
    if (!report.problems.empty() && !source->skips_bad_items()) throw InputError(report.problems);
    for (const Problem& problem : report.problems) log::warning("left out: {}", problem.line());
    const EmbeddingStore store(embed.store);
    const IndexChange change = build_index(store, config_.index, false);
    log::info("index  {}: {} added, {} removed, {} kept", config_.index.type, change.added, change.removed,
              change.kept);
    ordered_json results{{"items", report.items}, {"dimension", report.dimension}};
    if (!fold_.empty() && dataset_->labels().defined()) {
      const std::string fold = std::to_string(fold_.front());
      figures.emplace_back(fold, evaluate_queries(store, {"fold=" + fold}, config_.index.post, {}));
      const ordered_json json = retrieval_json(figures.back().second);
      write_file(path_ / "retrieval.json", json.dump(2) + "\n");
      log::info("query  fold {}: hit@1 {:.4f}, P@10 {:.4f}, MAP@10 {:.4f}, mAP@R {:.4f}", fold,
                json.at("hit@1").at("value").get<double>(), json.at("precision@10").at("value").get<double>(),
                json.at("map@10").at("value").get<double>(), json.at("map@r").at("value").get<double>());
      results["retrieval"] = json;
    }
    folder_.note("results", results);
  }

 private:
  [[nodiscard]] fs::path store_path() const {
    return config_.embed.store.empty() ? path_ / "embeddings" : fs::path(with_fold(config_.embed.store, fold_));
  }

  fs::path bundle_to_use() {
    const fs::path from = init_path(plan_, fold_);
    if (from.empty()) return untrained_bundle();
    const fs::path bundle = bundle_folder(from);
    if (!config_.model.name.empty()) log::info("model  that of {}; the config's own is not used", bundle.string());
    if (!fold_.empty()) refuse_leak(plan_, *dataset_, rows_of_fold(), from.string());
    folder_.note("bundle", {{"path", bundle.string()}, {"id", bundle_identity(bundle).id}});
    return bundle;
  }

  [[nodiscard]] std::vector<int64_t> rows_of_fold() const {
    const std::vector<int64_t> folds = dataset_->folds();
    std::vector<int64_t> rows;
    for (size_t row = 0; row < folds.size(); ++row) {
      if (folds[row] == fold_.front()) rows.push_back(static_cast<int64_t>(row));
    }
    return rows;
  }

  /// The config's model as it is made, behind its transforms, fitted on the training split: RUN/checkpoints/last.
  fs::path untrained_bundle() {
    const fs::path target = path_ / "checkpoints/last";
    if (fs::exists(target / "bundle.json")) return target;  // of a run that was interrupted
    auto pipeline = make_pipeline(plan_, *dataset_);
    RowMarks marks;
    if (pipeline->needs_fit()) {
      const Split split = split_for(plan_, *dataset_, fold_);
      fit_pipeline(*pipeline, *make_cache(plan_, dataset_, pipeline), split.train);
      marks = marks_of(*dataset_, split.train);
    }
    Classifier model(make_encoder(plan_, *pipeline, /*reconstructs=*/false), 0, config_.head, model_origin(plan_));
    BundleInfo info;
    info.task = config_.task;
    info.input = pipeline->input();
    info.model = config_.model;
    info.transforms = config_.transforms;
    AtomicFolder folder(target);
    write_safetensors(folder.path() / info.weights, tensors_of(model));
    write_bundle_files(folder.path(), info, model, *pipeline);
    write_trained_on(folder.path(), marks);
    write_checksums(folder.path());
    folder.commit();
    log::info("model  {} as it is made, without training: {}", config_.model.name, target.string());
    return target;
  }

  const Plan& plan_;
  const RunConfig& config_;
  const RunRequest& request_;
  std::shared_ptr<const Dataset> dataset_;
  RunFolder& folder_;
  const fs::path& path_;              ///< of folder_
  const std::vector<int64_t>& fold_;  ///< or empty
};

/// RUN/retrieval.json and RUN/retrieval.csv.
void write_figures(const fs::path& run, const FoldFigures& figures) {
  ordered_json json{{"folds", ordered_json::object()}, {"mean", retrieval_means(figures)}};
  std::vector<std::string> header = {"fold"};
  for (const auto& [name, mean] : json["mean"].items()) header.push_back(name);
  std::string csv = csv_line(header);
  for (const auto& [fold, metrics] : figures) {
    const ordered_json one = retrieval_json(metrics);
    json["folds"][fold] = one;
    std::vector<std::string> cells = {fold};
    for (size_t i = 1; i < header.size(); ++i) {
      const ordered_json& figure = one.at(header[i]);
      cells.push_back(fmt::format("{:.6f}", (figure.is_object() ? figure.at("value") : figure).get<double>()));
    }
    csv += csv_line(cells);
  }
  write_file(run / "retrieval.json", json.dump(2) + "\n");
  write_file(run / "retrieval.csv", csv);
  const auto mean = [&](const char* name) { return json["mean"][name]["mean"].get<double>(); };
  log::info("mean   hit@1 {:.4f}, hit@5 {:.4f}, hit@10 {:.4f}, P@10 {:.4f}, MAP@10 {:.4f}, mAP@R {:.4f}, {} folds",
            mean("hit@1"), mean("hit@5"), mean("hit@10"), mean("precision@10"), mean("map@10"), mean("map@r"),
            figures.size());
}

}  // namespace

bool embed_run(Plan& plan, const RunRequest& request, const std::function<fs::path()>& run_folder) {
  const auto begin = std::chrono::steady_clock::now();
  check_names(plan);
  const std::shared_ptr<const Dataset> dataset = open_dataset(plan, /*needs_labels=*/false);
  static_cast<void>(folds_to_run(plan, *dataset));
  if (plan.config.init_from.empty()) static_cast<void>(make_pipeline(plan, *dataset));
  const fs::path run = run_folder();  // only now, so that a mistake in the data or the chain leaves no folder behind
  FoldFigures figures;
  const bool finished = carry_out(
      plan, request, run, *dataset,
      [&](RunFolder& folder, const auto& fold) { EmbeddingRun(plan, request, dataset, folder, fold).go(figures); },
      [&](RunFolder&, const auto&) {
        if (!figures.empty()) write_figures(run, figures);
      },
      /*again=*/true);  // of a fold that is done nothing is embedded again, but all of it is judged
  tell_end(finished, run, begin);
  return finished;
}

}  // namespace amae

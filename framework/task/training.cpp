#include "task/training.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "base/hash.h"
#include "base/log.h"
#include "base/stop.h"
#include "config/read.h"
#include "report/plots.h"
#include "task/crossval.h"
#include "task/eval_report.h"
#include "task/prepare.h"
#include "task/slices.h"
#include "train/trainer.h"

namespace amae {
namespace fs = std::filesystem;
using nlohmann::ordered_json;
namespace {

/// SVGs of what metrics.jsonl holds: one chart a figure (losses, accuracies, the learning rate), a curve a split.
void write_plots(const fs::path& folder, const std::vector<Metric>& metrics) {
  fs::create_directories(folder);
  std::map<std::string, std::map<std::string, Curve>> charts;  // figure -> split -> curve
  for (const Metric& metric : metrics) {
    const std::string figure = metric.name.substr(0, metric.name.find("_raw"));
    const auto is = [&](const char* kind) { return figure.find(kind) != std::string::npos; };
    if ((!is("loss") && !is("accuracy") && figure != "lr") || is("/")) continue;
    const std::string name = metric.split + (metric.name == figure ? "" : " (raw weights)");
    Curve& curve = charts[figure][name];
    curve.name = name;
    curve.x.push_back(static_cast<double>(metric.epoch + 1));
    curve.y.push_back(metric.value);
  }
  for (const auto& [figure, splits] : charts) {
    std::vector<Curve> curves;
    for (const auto& [name, curve] : splits) curves.push_back(curve);
    write_file(folder / (figure + ".svg"), line_chart_svg(figure + " over training", "epoch", figure, curves));
  }
}

/// What the data were: equal fingerprints, equal rows in equal order.
ordered_json dataset_identity(const Plan& plan, const Dataset& dataset) {
  std::string text;
  for (int64_t row = 0; row < dataset.size(); ++row) {
    text += dataset.id(row) + " " + row_hash(dataset, row) + "\n";
    if (text.size() > size_t{1} << 20U) text = sha256_hex(text) + "\n";  // a chain: millions of rows are hundreds of MB
  }
  return {{"name", plan.config.data.name}, {"items", dataset.size()}, {"sha256", sha256_hex(text)}};
}

/// `action`; what it refuses gets the place of the option in the config.
template <class Action>
auto with_places(const Plan& plan, const Action& action) {
  try {
    return action();
  } catch (const InputError& error) {
    std::vector<Problem> problems = error.problems();
    for (Problem& problem : problems) {
      if (problem.where.empty()) problem.where = config::mark_of(*plan.tree, problem.field).text();
    }
    throw InputError(std::move(problems));
  }
}

/// One run of a task: of the whole config, or of one fold.
class Run {
 public:
  Run(const Plan& plan, const RunRequest& request, TrainingTask& task, Data& data, RunFolder& folder,
      const std::vector<int64_t>& fold)
      : plan_(plan),
        config_(plan.config),
        request_(request),
        task_(task),
        data_(data),
        folder_(folder),
        path_(folder.path()),
        fold_(fold) {}

  void go() {
    const auto begin = std::chrono::steady_clock::now();
    const TrainingContext context = prepare();
    Trainer trainer = make_trainer(context);
    if (trainer.restore()) log::info("resume at epoch {}, step {}", trainer.state().epoch + 1, trainer.state().step);
    if (!trainer.run()) throw Stopped();
    write_plots(path_ / "plots", trainer.log().all());
    folder_.note("results", evaluate_splits(context, trainer));
    if (!config_.save_as.empty()) {
      const fs::path kept = checkpoints_folder() / with_fold(config_.save_as, fold_);
      keep_bundle(path_ / "checkpoints/last", kept);
      log::info("kept   {}", kept.string());
    }
    folder_.note("seconds", seconds_since(begin));
  }

 private:
  /// Data, pipeline and model, ready to train; the mistakes that cost nothing to find come first.
  TrainingContext prepare() {
    const torch::Device device = pick_device(request_.device);
    folder_.expect("dataset", dataset_identity(plan_, *data_.dataset));
    Split split = split_for(plan_, *data_.dataset, fold_);
    auto pipeline = make_pipeline(plan_, *data_.dataset);
    const fs::path last = path_ / "checkpoints/last";
    const bool resumes = fs::exists(last);
    auto model = task_.make_model(plan_, *data_.dataset, *pipeline, fold_, resumes);
    with_places(plan_, [&] { freeze_layers(*model, model->encoder(), config_.train.freeze); });
    if (!resumes) refuse_leak(plan_, *data_.dataset, split.test, init_path(plan_, fold_).string(), split.train);
    if (resumes) verify_checksums(last);  // before anything of it is read
    const RowMarks inherited = resumes ? read_trained_on(last) : rows_behind(init_path(plan_, fold_));
    split = load_rows(plan_, folder_, data_, pipeline, fold_, std::move(split));
    trained_on_ = united(inherited, marks_of(*data_.dataset, split.train));
    place_model(plan_, folder_, *model, device, "input " + pipeline->output(Mode::train).text());
    return {plan_, data_.dataset, data_.cache, pipeline, std::move(split), std::move(model), device, path_};
  }

  Trainer make_trainer(const TrainingContext& context) {
    TrainSetup setup;
    setup.options = config_.train;
    setup.optim = config_.optim;
    setup.schedule = config_.schedule;
    setup.seed = static_cast<uint64_t>(config_.seed);
    setup.objective = task_.make_objective(context);
    setup.pipeline = context.pipeline;
    setup.cache = context.cache;
    setup.train_rows = context.split.train;
    setup.validates = !context.split.val.empty();
    setup.device = context.device;
    setup.run = path_;
    setup.tensorboard = config_.log.tensorboard;

    BundleInfo info;
    info.task = config_.task;
    info.reconstructs = !context.model->has_head();  // what trains without a head learns by filling in
    if (context.model->has_head()) info.classes = context.dataset->classes();
    info.multi_label = context.model->has_head() && data_.multi_label;
    info.input = context.pipeline->input();
    info.model = config_.model;
    info.transforms = config_.transforms;
    info.head = config_.head;
    info.views = config_.eval.views;
    setup.write_bundle = [info, model = context.model, pipeline = context.pipeline, trained_on = trained_on_](
                             const fs::path& target, const std::string& weights) mutable {
      info.weights = weights;
      write_bundle_files(target, info, *model, *pipeline);
      write_trained_on(target, trained_on);
    };
    return with_places(plan_, [&] { return Trainer(std::move(setup)); });
  }

  /// The report of each split that eval.splits names; leaves the final weights in the model.
  ordered_json evaluate_splits(const TrainingContext& context, Trainer& trainer) {
    std::vector<std::pair<std::string, const std::vector<int64_t>*>> splits;
    const auto add = [&](const char* name, const std::vector<int64_t>& rows) {
      const auto& wanted = config_.eval.splits;
      if (context.dataset->labels().defined() && !rows.empty() &&
          std::find(wanted.begin(), wanted.end(), name) != wanted.end())
        splits.emplace_back(name, &rows);
    };
    add("train", context.split.train);
    add("val", context.split.val);
    add("test", context.split.test);

    std::map<std::string, double> raw;  // the weights before averaging, for comparison only
    const bool averages = config_.train.ema_decay > 0;
    for (const auto& [name, rows] : splits) {
      if (averages) raw[name] = accuracy(task_.scores(context, *rows, config_.eval.views), data_.multi_label);
    }
    trainer.use_final_weights();
    const std::vector<ColumnValues> slices =
        splits.empty() ? std::vector<ColumnValues>() : slice_columns(plan_, *context.dataset);
    ordered_json results = ordered_json::object();
    for (const auto& [name, rows] : splits) {
      ordered_json extra{{"weights", averages ? "ema of the last epoch" : "last epoch"}, {"views", config_.eval.views}};
      if (averages) extra["accuracy_raw_weights"] = raw[name];
      const Metrics metrics =
          write_eval_report(path_ / "eval" / name, *context.dataset, task_.scores(context, *rows, config_.eval.views),
                            data_.multi_label, slices, extra);
      results[name] = metrics_json(metrics);
      log::info("{:<5}  accuracy {:.4f} (95 % {:.3f} to {:.3f}), macro F1 {:.4f}, {} items", name, metrics.accuracy,
                metrics.accuracy_low, metrics.accuracy_high, metrics.macro_f1, metrics.count);
    }
    return results;
  }

  const Plan& plan_;
  const RunConfig& config_;
  const RunRequest& request_;
  TrainingTask& task_;
  Data& data_;
  RunFolder& folder_;
  const fs::path& path_;              ///< of folder_
  const std::vector<int64_t>& fold_;  ///< the test fold, or empty
  RowMarks trained_on_;               ///< by this run and by what it started from
};

}  // namespace

bool run_training(Plan& plan, const RunRequest& request, const std::function<fs::path()>& run_folder,
                  TrainingTask& task) {
  const auto begin = std::chrono::steady_clock::now();
  check_names(plan);
  Data data = open_data(plan, task.needs_labels());
  const fs::path run = run_folder();  // only now, so that a mistake in the data or the chain leaves no folder behind
  const bool finished = carry_out(
      plan, request, run, *data.dataset,
      [&](RunFolder& folder, const auto& fold) { Run(plan, request, task, data, folder, fold).go(); },
      [&](RunFolder& folder, const auto& folds) { cross_validate(folder, *data.dataset, folds); });
  tell_end(finished, run, begin, "saved; ");
  return finished;
}

}  // namespace amae

#include "task/finetune.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <chrono>
#include <map>

#include "base/hash.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"
#include "report/plots.h"
#include "task/crossval.h"
#include "task/eval_report.h"
#include "task/run_folder.h"

namespace amae {
namespace fs = std::filesystem;
using nlohmann::ordered_json;
namespace {

/// SVGs of what metrics.jsonl holds: one chart a figure, a curve a split.
void write_plots(const fs::path& folder, const std::vector<Metric>& metrics) {
  fs::create_directories(folder);
  std::map<std::string, std::map<std::string, Curve>> charts;  // figure -> split -> curve
  for (const Metric& metric : metrics) {
    const std::string figure = metric.name.substr(0, metric.name.find("_raw"));
    if (figure != "loss" && figure != "accuracy" && figure != "lr") continue;
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

/// Trains in `run` with the given test folds (none: the config's split); the data may be shared. False when stopped.
bool train_once(Plan& plan, const RunRequest& request, const fs::path& run, Data& data,
                const std::vector<int64_t>& test_folds) {
  RunFolder folder(run, plan, request.argv);
  const log::File log_file(run / "log.txt");
  const auto begin = std::chrono::steady_clock::now();
  const RunConfig& config = plan.config;
  try {
    const torch::Device device = pick_device(request.device);
    folder.expect("dataset", dataset_identity(plan, *data.dataset));
    Split split = split_for(plan, *data.dataset, test_folds);
    auto pipeline = make_pipeline(plan, *data.dataset);
    const bool resumes = fs::exists(run / "checkpoints/last");
    auto model =
        make_classifier(plan, *data.dataset, *pipeline, resumes);  // before the data is read: its mistakes come first
    if (!data.cache) {
      data.cache = make_cache(plan, data.dataset, pipeline);
      log::info("cache  {} ({})", data.cache->kind(), bytes_text(data.cache->bytes()));
    }
    if (data.dataset->skips_bad_rows()) {
      folder.note("bad_samples", bad_rows_json(*data.dataset, data.cache->bad_rows()));
      split = without_bad_rows(plan, *data.cache, test_folds, split);
    }
    fit_pipeline(*pipeline, *data.cache, split.train);
    model->to(device);
    int64_t parameters = 0;
    for (const torch::Tensor& p : model->parameters()) parameters += p.numel();
    log::info("model  {}, {} parameters, input {}, device {} ({} threads)", config.model.name,
              count_text(static_cast<double>(parameters)), pipeline->output(Mode::train).text(), device.str(),
              at::get_num_threads());
    log::info("run    {}", run.string());
    folder.note("device", device.str());
    folder.note("parameters", parameters);

    BundleInfo info{data.dataset->classes(), data.multi_label, pipeline->input(), {}, config.model,
                    config.transforms,       config.head,      config.eval.views, ""};
    TrainSetup setup{config.train,
                     config.optim,
                     config.schedule,
                     config.loss,
                     static_cast<uint64_t>(config.seed),
                     model,
                     pipeline,
                     data.cache,
                     split.train,
                     split.val,
                     device,
                     run,
                     config.log.tensorboard,
                     {}};
    setup.write_bundle = [info, model, pipeline](const fs::path& target, const std::string& weights) mutable {
      info.weights = weights;
      write_bundle_files(target, info, *model, *pipeline);
    };
    Trainer trainer(setup);
    if (trainer.restore()) log::info("resume at epoch {}, step {}", trainer.state().epoch + 1, trainer.state().step);
    if (!trainer.run()) {
      folder.finish("interrupted");
      return false;
    }
    write_plots(run / "plots", trainer.log().all());

    const auto scores_of = [&](const std::vector<int64_t>& rows, int64_t views) {
      return evaluate(*model, *data.cache, *pipeline, rows, config.train.eval_batch_size, views,
                      static_cast<int>(config.train.workers), data.multi_label, device);
    };
    std::map<std::string, double> raw;  // the weights before averaging, for comparison only
    const std::vector<std::pair<std::string, const std::vector<int64_t>*>> splits = {
        {"train", &split.train}, {"val", &split.val}, {"test", &split.test}};
    const auto wanted = [&](const std::string& name, const std::vector<int64_t>& rows) {
      return !rows.empty() &&
             std::find(config.eval.splits.begin(), config.eval.splits.end(), name) != config.eval.splits.end();
    };
    if (config.train.ema_decay > 0) {
      for (const auto& [name, rows] : splits) {
        if (wanted(name, *rows)) raw[name] = accuracy(scores_of(*rows, config.eval.views), data.multi_label);
      }
    }
    trainer.use_final_weights();
    ordered_json results;
    for (const auto& [name, rows] : splits) {
      if (!wanted(name, *rows)) continue;
      ordered_json extra{{"weights", config.train.ema_decay > 0 ? "ema of the last epoch" : "last epoch"},
                         {"views", config.eval.views}};
      if (raw.count(name) > 0) extra["accuracy_raw_weights"] = raw[name];
      const Metrics metrics = write_eval_report(run / "eval" / name, *data.dataset, scores_of(*rows, config.eval.views),
                                                data.multi_label, extra);
      results[name] = metrics_json(metrics);
      log::info("{:<5}  accuracy {:.4f} (95 % {:.3f} to {:.3f}), macro F1 {:.4f}, {} items", name, metrics.accuracy,
                metrics.accuracy_low, metrics.accuracy_high, metrics.macro_f1, metrics.count);
    }
    folder.note("results", results);
    folder.note("seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    folder.finish("finished");
    return true;
  } catch (const Stopped&) {
    folder.finish("interrupted");
    return false;
  } catch (...) {
    folder.finish_quietly("failed");
    throw;
  }
}

}  // namespace

bool finetune(Plan& plan, const RunRequest& request, const std::function<fs::path()>& run_folder) {
  Data data;
  data.dataset = open_dataset(plan);
  static_cast<void>(make_pipeline(plan, *data.dataset));
  const fs::path run = run_folder();  // only now, so that a mistake in the data or the chain leaves no folder behind
  data.multi_label = data.dataset->labels().dim() == 2;
  const auto begin = std::chrono::steady_clock::now();
  bool finished = false;
  if (plan.config.folds.empty()) {
    finished = train_once(plan, request, run, data, {});
  } else {
    finished = cross_validate(plan, request, run, *data.dataset, [&](const fs::path& fold_run, int64_t fold) {
      return train_once(plan, request, fold_run, data, {fold});
    });
  }
  if (finished) {
    log::info("done   {}  {}", run.string(),
              duration_text(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()));
  } else {
    log::info("stopped by signal {}; saved; go on with: amae resume {}", stop_signal(), run.string());
  }
  return finished;
}

}  // namespace amae

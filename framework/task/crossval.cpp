#include "task/crossval.h"

#include <fmt/format.h>

#include <charconv>

#include "base/log.h"
#include "base/stop.h"
#include "config/read.h"
#include "io/csv.h"
#include "report/metrics.h"
#include "report/plots.h"
#include "task/eval_report.h"
#include "task/fold_slices.h"

namespace amae {
namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::vector<int64_t> folds_to_run(const Plan& plan, const Dataset& dataset) {
  if (plan.config.folds.empty()) return {};
  const std::string where = config::mark_of(*plan.tree, "folds").text();
  const std::vector<int64_t> present = fold_numbers(dataset);
  if (present.size() < 2)
    throw InputError("SPLIT", where, "folds",
                     fmt::format("got a data set with {} folds, expected at least 2", present.size()));
  if (plan.config.folds == std::vector<std::string>{"all"}) return present;
  std::vector<int64_t> folds;
  for (const std::string& text : plan.config.folds) {
    int64_t fold = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fold);
    if (error != std::errc() || end != text.data() + text.size() ||
        std::find(present.begin(), present.end(), fold) == present.end()) {
      throw InputError("SPLIT", where, "folds",
                       fmt::format("got {}, expected all or some of {}", text, fmt::join(present, ", ")));
    }
    folds.push_back(fold);
  }
  return folds;
}

bool carry_out(Plan& plan, const RunRequest& request, const fs::path& run, const Dataset& dataset, const Work& work,
               const Work& conclude, bool again) {
  const auto work_in = [&](const fs::path& path, const std::vector<int64_t>& fold) {
    RunFolder folder(path, plan, request.argv);
    const log::File log_file(path / "log.txt");
    return folder.record([&] { work(folder, fold); });
  };
  const std::vector<int64_t> folds = folds_to_run(plan, dataset);
  if (folds.empty()) return work_in(run, {});
  RunFolder folder(run, plan, request.argv);
  return folder.record([&] {
    for (const int64_t fold : folds) {
      const fs::path path = run / "folds" / std::to_string(fold);
      const ordered_json before = read_run_json(path);
      if (!again && before.is_object() && before.value("state", "") == "finished") continue;
      log::info("fold   {} of {}", fold, fmt::join(folds, ", "));
      if (!work_in(path, {fold})) throw Stopped();
    }
    conclude(folder, folds);
  });
}

void cross_validate(RunFolder& folder, const Dataset& dataset, const std::vector<int64_t>& folds) {
  if (!dataset.labels().defined()) return;  // nothing was judged
  const fs::path& run = folder.path();
  const std::vector<std::string>& classes = dataset.classes();
  std::vector<std::vector<int64_t>> pooled(classes.size(), std::vector<int64_t>(classes.size()));
  ordered_json per_fold = ordered_json::array();
  std::string csv = csv_line({"fold", "count", "accuracy", "macro_f1", "loss"});
  std::vector<std::pair<std::string, ordered_json>> reports;
  std::vector<double> accuracies;
  int64_t right = 0, count = 0;
  bool has_confusion = false;
  for (const int64_t fold : folds) {
    const fs::path file = run / "folds" / std::to_string(fold) / "eval/test/metrics.json";
    auto metrics = ordered_json::parse(read_file(file, 64 << 20), nullptr, false);
    if (!metrics.is_object() || !metrics.contains("accuracy"))
      throw InputError("CV", file.string(), "", "cannot be read; remove the fold's folder and resume");
    accuracies.push_back(metrics.at("accuracy"));
    count += metrics.at("count").get<int64_t>();
    if (metrics.contains("confusion")) {
      const auto confusion = metrics.at("confusion").get<std::vector<std::vector<int64_t>>>();
      for (size_t i = 0; i < classes.size(); ++i) {
        for (size_t j = 0; j < classes.size(); ++j) pooled[i][j] += confusion.at(i).at(j);
        right += confusion[i][i];
      }
      metrics.erase("confusion");
      has_confusion = true;
    }
    csv +=
        csv_line({std::to_string(fold), std::to_string(metrics.at("count").get<int64_t>()),
                  fmt::format("{:.6f}", accuracies.back()), fmt::format("{:.6f}", metrics.at("macro_f1").get<double>()),
                  fmt::format("{:.6f}", metrics.at("loss").get<double>())});
    reports.emplace_back(std::to_string(fold), metrics);
    metrics.erase("slices");
    metrics["fold"] = fold;
    per_fold.push_back(metrics);
  }
  const auto [mean, deviation] = mean_and_deviation(accuracies);
  ordered_json cv{{"folds", folds}, {"mean_accuracy", mean}, {"sd_accuracy", deviation}, {"count", count}};
  if (has_confusion) {
    cv["pooled_accuracy"] = static_cast<double>(right) / static_cast<double>(count);
    write_file(run / "confusion.csv", confusion_csv(classes, pooled));
    write_file(run / "confusion.svg",
               confusion_svg(fmt::format("{} folds, mean accuracy {:.3f}", folds.size(), mean), classes, pooled));
  }
  if (ordered_json slices = write_fold_slices(run, reports); !slices.empty()) cv["slices"] = std::move(slices);
  cv["per_fold"] = per_fold;
  write_file(run / "cv.json", cv.dump(2) + "\n");
  write_file(run / "cv.csv", csv);
  std::string each;
  for (const double a : accuracies) each += fmt::format(" {:.4f}", a);
  log::info("cv     mean test accuracy {:.4f} over {} folds (s.d. {:.4f}; each{})", mean, folds.size(), deviation,
            each);
  folder.note("results", {{"mean_accuracy", mean}, {"sd_accuracy", deviation}});
}

}  // namespace amae

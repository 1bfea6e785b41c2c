#include "task/probe.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"
#include "config/read.h"
#include "data/loader.h"
#include "report/metrics.h"
#include "task/crossval.h"
#include "task/eval_report.h"
#include "task/prepare.h"
#include "task/slices.h"
#include "train/features.h"

namespace amae {
namespace fs = std::filesystem;
using nlohmann::ordered_json;
namespace {

/// What a bundle says of its transforms; nothing for weights of another kind.
std::optional<std::vector<Component>> transforms_behind(const fs::path& from, const Registry& registry) {
  if (!fs::is_directory(from)) return std::nullopt;
  const fs::path file = bundle_folder(from) / "bundle.json";
  const auto json = ordered_json::parse(read_file(file, 16 << 20), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("transforms") || !json.at("transforms").is_array()) return std::nullopt;
  std::vector<Component> transforms;
  for (const ordered_json& entry : json.at("transforms")) {
    Component& transform = transforms.emplace_back();
    transform.node = config::parse_yaml(entry.dump(), file.string());
    transform.name = entry.value("name", "");
    std::vector<Problem> problems;
    registry.resolve(transform, "transform", "transforms." + transform.name, problems);
    if (!problems.empty()) throw InputError(problems);
  }
  return transforms;
}

bool same_spec(const Spec& a, const Spec& b) {
  return a.domain == b.domain && a.shape == b.shape && a.rate_hz == b.rate_hz && a.level == b.level;
}

/// Names and options of what evaluation does to a signal: of random transforms those that change its spec, such as a
/// crop from the center; the others act in training only.
std::string evaluation_text(const std::vector<Component>& transforms, const Registry& registry, Spec spec) {
  std::string text;
  for (const Component& component : transforms) {
    const auto transform = registry.make_transform(component, "transforms." + component.name);
    const Spec before = spec;
    try {
      spec = transform->output(before, Mode::eval);
    } catch (const InputError&) {
      // A bundle's front end need not take this data; its own text tells that it is another one.
    }
    if (transform->random() && same_spec(before, spec)) continue;
    Fields fields;
    component.options->describe(fields);
    text += component.name + "\n" + config::to_yaml(fields);
  }
  return text;
}

void warn_of_other_front_end(const Plan& plan, const fs::path& from, const Spec& data) {
  try {
    const auto theirs = transforms_behind(from, *plan.registry);
    if (!theirs) return;
    const std::vector<Component>& ours = plan.config.transforms;
    if (evaluation_text(*theirs, *plan.registry, data) == evaluation_text(ours, *plan.registry, data)) return;
    const auto names = [](const std::vector<Component>& transforms) -> std::string {
      std::vector<std::string> list;
      for (const Component& transform : transforms) list.push_back(transform.name);
      return list.empty() ? "none" : join(list, ", ");
    };
    log::warning(
        "{} was trained behind other transforms than these ({}; here {}; or other options of them): its features may "
        "mean little here",
        from.string(), names(*theirs), names(ours));
  } catch (const InputError&) {
    // Its transforms cannot be made on this machine (a folder of noises is missing): there is nothing to compare.
  }
}

/// The probe of the whole config, or of one fold.
class Probing {
 public:
  Probing(const Plan& plan, const RunRequest& request, Data& data, RunFolder& folder, const std::vector<int64_t>& fold)
      : plan_(plan),
        config_(plan.config),
        request_(request),
        data_(data),
        folder_(folder),
        path_(folder.path()),
        fold_(fold) {}

  void go() {
    const auto begin = std::chrono::steady_clock::now();
    prepare();
    judge();
    folder_.note("seconds", seconds_since(begin));
  }

 private:
  /// Data, pipeline and encoder; the mistakes that cost nothing to find come first.
  void prepare() {
    device_ = pick_device(request_.device);
    from_ = init_path(plan_, fold_).string();
    folder_.note("data", {{"name", config_.data.name}, {"items", data_.dataset->size()}});
    split_ = split_for(plan_, *data_.dataset, fold_);
    pipeline_ = make_pipeline(plan_, *data_.dataset);
    model_ = std::make_shared<Classifier>(make_encoder(plan_, *pipeline_, /*reconstructs=*/false), 0, config_.head,
                                          model_origin(plan_));
    if (from_.empty()) {
      log::info("init   none: the encoder is probed untrained");
    } else {
      initialise(plan_, *model_, fold_);
      refuse_leak(plan_, *data_.dataset, split_.test, from_);
      warn_of_other_front_end(plan_, from_, pipeline_->input());
    }
    split_ = load_rows(plan_, folder_, data_, pipeline_, fold_, std::move(split_));
    model_->eval();
    place_model(plan_, folder_, *model_, device_, fmt::format("{} features", model_->encoder().width()));
    folder_.note("features", model_->encoder().width());
  }

  [[nodiscard]] torch::Tensor features(const std::vector<int64_t>& rows) const {
    return features_of(*model_, *data_.cache, *pipeline_, rows, config_.train.eval_batch_size,
                       static_cast<int>(config_.train.workers), device_);
  }

  [[nodiscard]] torch::Tensor scores(const std::string& method, const torch::Tensor& gallery,
                                     const torch::Tensor& targets, const torch::Tensor& queries) const {
    if (method == "knn") return knn_scores(config_.probe.knn, gallery, targets, queries);
    return linear_probe_scores(config_.probe.linear, gallery, targets, data_.multi_label, queries);
  }

  void judge() {
    const torch::Tensor gallery = features(split_.train), targets = targets_of(*data_.dataset, split_.train);
    const std::vector<ColumnValues> slices = slice_columns(plan_, *data_.dataset);
    std::map<std::string, ordered_json> methods;
    ordered_json results = ordered_json::object();
    for (const auto& [name, rows] : {std::pair<std::string, const std::vector<int64_t>&>("train", split_.train),
                                     {"val", split_.val},
                                     {"test", split_.test}}) {
      const auto& wanted = config_.eval.splits;
      if (rows.empty() || std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
      const torch::Tensor queries = name == "train" ? gallery : features(rows);
      const torch::Tensor truth = targets_of(*data_.dataset, rows);
      for (const std::string& method : config_.probe.methods) {
        throw_if_stopped();
        const bool is_first = method == config_.probe.methods.front();
        const fs::path report = path_ / "eval" / (is_first ? name : name + "-" + method);
        const Metrics metrics =
            write_eval_report(report, *data_.dataset, {rows, scores(method, gallery, targets, queries), truth},
                              data_.multi_label, slices, {{"method", method}, {"weights", from_}});
        methods[method][name] = metrics_json(metrics);
        if (is_first) results[name] = methods[method][name];
        log::info("{:<5}  {:<6}  accuracy {:.4f} (95 % {:.3f} to {:.3f}), macro F1 {:.4f}, {} items", name, method,
                  metrics.accuracy, metrics.accuracy_low, metrics.accuracy_high, metrics.macro_f1, metrics.count);
      }
    }
    ordered_json json{{"weights", from_},
                      {"features", model_->encoder().width()},
                      {"gallery", split_.train.size()},
                      {"methods", ordered_json::object()}};
    for (const std::string& method : config_.probe.methods) json["methods"][method] = methods[method];
    write_file(path_ / "probe.json", json.dump(2) + "\n");
    folder_.note("results", results);
  }

  const Plan& plan_;
  const RunConfig& config_;
  const RunRequest& request_;
  Data& data_;
  RunFolder& folder_;
  const fs::path& path_;              ///< of folder_
  const std::vector<int64_t>& fold_;  ///< the test fold, or empty
  torch::Device device_ = torch::kCPU;
  std::string from_;
  Split split_;
  std::shared_ptr<Pipeline> pipeline_;
  std::shared_ptr<Classifier> model_;  ///< without a head
};

/// RUN/probe.json over the folds that cv.json names.
void write_fold_means(const Plan& plan, const fs::path& run) {
  const auto folds = ordered_json::parse(read_file(run / "cv.json", 64 << 20)).at("folds");
  ordered_json json{{"folds", folds}, {"methods", ordered_json::object()}};
  for (const std::string& method : plan.config.probe.methods) {
    std::map<std::string, std::vector<double>> accuracies;  // by split
    for (const int64_t fold : folds) {
      const fs::path file = run / "folds" / std::to_string(fold) / "probe.json";
      const auto one = ordered_json::parse(read_file(file, 64 << 20));
      for (const auto& [split, metrics] : one.at("methods").at(method).items())
        accuracies[split].push_back(metrics.at("accuracy"));
    }
    for (const auto& [split, values] : accuracies) {
      const auto [mean, deviation] = mean_and_deviation(values);
      json["methods"][method][split] = {{"mean_accuracy", mean}, {"sd_accuracy", deviation}, {"accuracy", values}};
      log::info("cv     {:<5}  {:<6}  mean accuracy {:.4f} over {} folds (s.d. {:.4f})", split, method, mean,
                values.size(), deviation);
    }
  }
  write_file(run / "probe.json", json.dump(2) + "\n");
}

void check_methods(const Plan& plan) {
  const std::vector<std::string>& methods = plan.config.probe.methods;
  if (!methods.empty() && std::set<std::string>(methods.begin(), methods.end()).size() == methods.size()) return;
  throw InputError("CFG-RULE", config::mark_of(*plan.tree, "probe.methods").text(), "probe.methods",
                   fmt::format("got [{}], expected at least one method, each once", join(methods, ", ")));
}

}  // namespace

bool probe(Plan& plan, const RunRequest& request, const std::function<fs::path()>& run_folder) {
  const auto begin = std::chrono::steady_clock::now();
  check_names(plan);
  check_methods(plan);
  Data data = open_data(plan, /*needs_labels=*/true);
  const fs::path run = run_folder();  // only now, so that a mistake in the data or the chain leaves no folder behind
  const bool finished = carry_out(
      plan, request, run, *data.dataset,
      [&](RunFolder& folder, const auto& fold) { Probing(plan, request, data, folder, fold).go(); },
      [&](RunFolder& folder, const auto& folds) {
        cross_validate(folder, *data.dataset, folds);
        write_fold_means(plan, run);
      });
  tell_end(finished, run, begin);
  return finished;
}

}  // namespace amae

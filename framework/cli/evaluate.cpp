// amae evaluate RUN [key=value…].
#include <fmt/format.h>

#include <charconv>
#include <memory>

#include "cli/cli.h"
#include "task/evaluate_run.h"

namespace amae::cli {
namespace fs = std::filesystem;
namespace evaluate_command {

struct Arguments {
  std::string run;
  std::vector<std::string> overrides;
  std::string config;
  std::string split = "test";
  std::string out;
  bool json = false;
};

Exit evaluate(const Arguments& arguments, const Globals& globals) {
  const fs::path run = fs::weakly_canonical(named_path(arguments.run));
  const fs::path folder = bundle_folder(run);
  const fs::path config = arguments.config.empty() ? run / "config.yaml" : fs::path(arguments.config);
  if (!fs::exists(config))
    throw InputError("RUN", config.string(), "", "is missing; name the data with --config CONFIG");
  const Plan plan = load_plan(config, arguments.overrides, globals.plugin_path);
  // A fold of a cross-validation knows its test fold by its folder's name, RUN/folds/F.
  std::vector<int64_t> folds;
  if (!plan.config.folds.empty() && run.parent_path().filename() == "folds") {
    const std::string name = run.filename().string();
    int64_t fold = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), fold).ec == std::errc()) folds.push_back(fold);
  }
  // On other data than the run's own, the run's own report stays.
  const bool other = !arguments.overrides.empty() || !arguments.config.empty();
  const fs::path out = arguments.out.empty() ? run / "eval" / (other ? "other-" + arguments.split : arguments.split)
                                             : fs::path(arguments.out);
  const Metrics metrics = evaluate_run(plan, {globals.argv, globals.device}, folder, arguments.split, out, folds);
  if (arguments.json) {
    fmt::print("{{\"split\": \"{}\", \"count\": {}, \"accuracy\": {}, \"macro_f1\": {}}}\n", arguments.split,
               metrics.count, metrics.accuracy, metrics.macro_f1);
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"class", "support", "precision", "recall", "f1"}};
  for (const ClassMetrics& c : metrics.per_class) {
    rows.push_back({c.name, std::to_string(c.support), fmt::format("{:.3f}", c.precision),
                    fmt::format("{:.3f}", c.recall), fmt::format("{:.3f}", c.f1)});
  }
  print_table(rows);
  fmt::print("{}  accuracy {:.4f} (95 % {:.3f} to {:.3f})  macro F1 {:.4f}  {} items  {}\n", arguments.split,
             metrics.accuracy, metrics.accuracy_low, metrics.accuracy_high, metrics.macro_f1, metrics.count,
             out.string());
  return 0;
}

}  // namespace evaluate_command

void add_evaluate(CLI::App& app, const Globals& globals, Exit& exit) {
  using namespace evaluate_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("evaluate", "metrics of a run's model on a split of its data");
  command->add_option("RUN", arguments->run, "run or bundle folder, or the name of one in checkpoints")->required();
  command->add_option("OVERRIDES", arguments->overrides, "key=value over the run's config, e.g. data.root=…");
  command->add_option("--config", arguments->config, "take the data from this config instead of the run's");
  command->add_option("--split", arguments->split, "train, val, test or all")
      ->check(CLI::IsMember({"train", "val", "test", "all"}))
      ->capture_default_str();
  command->add_option("--out", arguments->out,
                      "where the report goes (default RUN/eval/SPLIT, or RUN/eval/other-SPLIT with overrides)");
  command->add_flag("--json", arguments->json, "one JSON object");
  command->callback([=, &globals, &exit] { exit = evaluate(*arguments, globals); });
}

}  // namespace amae::cli

// amae run CONFIG [key=value…] and amae resume RUN.
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <functional>
#include <memory>

#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"
#include "cli/cli.h"
#include "task/embed_run.h"
#include "task/finetune.h"
#include "task/pretrain.h"
#include "task/probe.h"
#include "task/run_folder.h"

namespace amae::cli {
namespace fs = std::filesystem;
namespace run_command {

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  std::string out;
  std::string run;
};

/// Does what plan.config.task says.
Exit perform(Plan& plan, const Globals& globals, const std::function<fs::path()>& run_folder) {
  const std::string& task = plan.config.task;
  if (task == "evaluate")
    throw InputError("CFG-RULE", plan.source, "task",
                     fmt::format("got {0}, which has a command of its own: amae {0} RUN", task));
  const auto perform_task = task == "pretrain" ? pretrain
                            : task == "probe"  ? probe
                            : task == "embed"  ? embed_run
                                               : finetune;
  return perform_task(plan, {globals.argv, globals.device}, run_folder) ? 0 : 128 + stop_signal();
}

Exit run(const Arguments& arguments, const Globals& globals) {
  Plan plan = load_plan(arguments.config, arguments.overrides, globals.plugin_path);
  return perform(plan, globals, [&] { return make_run_folder(plan, arguments.out); });
}

Exit resume(const Arguments& arguments, const Globals& globals) {
  const fs::path folder = fs::weakly_canonical(arguments.run);
  const auto state = read_run_json(folder);
  if (state.is_null()) throw InputError("RUN", arguments.run, "", "got no run folder, expected one with a run.json");
  if (state.value("state", "") == "finished") {
    log::info("{} has finished already", folder.string());
    return 0;
  }
  // The numbers of a run belong to its thread count.
  if (globals.threads == 0 && state.contains("threads")) at::set_num_threads(state.at("threads").get<int>());
  Plan plan = load_plan(folder / "config.yaml", {}, globals.plugin_path);
  if (!plan.config.folds.empty() && folder.parent_path().filename() == "folds") {
    throw InputError("RUN", arguments.run, "",
                     fmt::format("got one fold of a cross-validation, expected the whole: amae resume {}",
                                 folder.parent_path().parent_path().string()));
  }
  return perform(plan, globals, [&] { return folder; });
}

}  // namespace run_command

void add_run(CLI::App& app, const Globals& globals, Exit& exit) {
  using namespace run_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("run", "do what a config says, in a new run folder");
  command->add_option("CONFIG", arguments->config, "YAML file")->required();
  command->add_option("OVERRIDES", arguments->overrides, "key=value, e.g. train.epochs=5 transforms.gain.max_db=3");
  command->add_option("--out", arguments->out, "the run folder itself (new or empty)");
  command->callback([=, &globals, &exit] { exit = run(*arguments, globals); });

  CLI::App* again = app.add_subcommand("resume", "go on with an interrupted run, exactly where it was saved");
  again->add_option("RUN", arguments->run, "run folder")->required();
  again->callback([=, &globals, &exit] { exit = resume(*arguments, globals); });
}

}  // namespace amae::cli

// amae config check|show|schema.
#include <fmt/format.h>

#include <memory>

#include "base/log.h"
#include "cli/cli.h"
#include "task/run_config.h"

namespace amae::cli {
namespace config_command {

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  bool origin = false;
};

}  // namespace config_command

void add_config(CLI::App& app, const Globals& globals, Exit& exit) {
  using namespace config_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("config", "work on configs; reads no data");
  command->require_subcommand(1);
  const auto with_config = [&](CLI::App* sub) {
    sub->add_option("CONFIG", arguments->config, "YAML file")->required();
    sub->add_option("OVERRIDES", arguments->overrides, "key=value");
    return sub;
  };
  with_config(command->add_subcommand("check", "every mistake of a config, with its place"))
      ->callback([=, &globals, &exit] {
        load_plan(arguments->config, arguments->overrides, globals.plugin_path);
        fmt::print("{}: ok\n", arguments->config);
        exit = 0;
      });
  CLI::App* show = with_config(command->add_subcommand("show", "the config with every default filled in"));
  show->add_flag("--origin", arguments->origin, "say where each value comes from");
  show->callback([=, &globals, &exit] {
    Plan plan = load_plan(arguments->config, arguments->overrides, globals.plugin_path);
    fmt::print("{}", plan.resolved_yaml(arguments->origin));
    exit = 0;
  });
  command->add_subcommand("schema", "JSON Schema of configs, for editors")->callback([=, &globals, &exit] {
    fmt::print("{}\n", run_schema(*load_registry(globals.plugin_path)).dump(2));
    exit = 0;
  });
}

}  // namespace amae::cli

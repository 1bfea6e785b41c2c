// amae export RUN FILE.
#include <fmt/format.h>

#include <memory>

#include "cli/cli.h"
#include "task/import_weights.h"

namespace amae::cli {
namespace export_command {

struct Arguments {
  std::string run, file, rules;
};

}  // namespace export_command

void add_export(CLI::App& app, const Globals& /*globals*/, Exit& exit) {
  using namespace export_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("export", "a run's weights as a safetensors file");
  command->add_option("RUN", arguments->run, "run, bundle, checkpoints/NAME or a file of weights")->required();
  command->add_option("FILE", arguments->file, "safetensors file to write")->required();
  command->add_option("--rules", arguments->rules, "YAML rules that turn our names into theirs");
  command->callback([=, &exit] {
    const int64_t count = export_weights(arguments->run, arguments->rules, arguments->file);
    fmt::print("{} tensors -> {}\n", count, arguments->file);
    exit = 0;
  });
}

}  // namespace amae::cli

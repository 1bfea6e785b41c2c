// amae model summary CONFIG.
#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/cli.h"
#include "task/model_summary.h"
#include "task/session.h"

namespace amae::cli {
namespace model_command {

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
};

Exit summary(const Arguments& arguments, const Globals& globals) {
  const Plan plan = load_plan(arguments.config, arguments.overrides, globals.plugin_path);
  const bool pretrains = plan.config.task == "pretrain";  // then the model has no head, and its decoder is shown
  const auto dataset = open_dataset(plan, !pretrains);
  const auto pipeline = make_pipeline(plan, *dataset);
  Classifier model(make_encoder(plan, *pipeline, pretrains),
                   pretrains ? 0 : static_cast<int64_t>(dataset->classes().size()), plan.config.head,
                   model_origin(plan));
  std::vector<int64_t> shape = pipeline->output(Mode::train).shape;
  for (int64_t& size : shape) size = size < 0 ? 1 : size;
  const ModelSummary result = summarize(model, shape, plan.config.pretrain.mask.ratio);
  std::vector<std::vector<std::string>> rows = {{"LAYER", "OPERATION", "OUTPUT", "PARAMETERS", "MACS"}};
  for (const LayerSummary& layer : result.layers) {
    rows.push_back({layer.name, layer.op, fmt::format("{}", fmt::join(layer.output, "x")),
                    std::to_string(layer.parameters),
                    layer.macs > 0 ? count_text(static_cast<double>(layer.macs)) : ""});
  }
  print_table(rows);
  fmt::print("{}  input {}  {} parameters  {} MACs per item\n", plan.config.model.name,
             pipeline->output(Mode::train).text(), result.parameters, count_text(static_cast<double>(result.macs)));
  return 0;
}

}  // namespace model_command

void add_model(CLI::App& app, const Globals& globals, Exit& exit) {
  using namespace model_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("model", "work on models");
  command->require_subcommand(1);
  CLI::App* sub =
      command->add_subcommand("summary", "layers, output shapes, parameters and multiply-accumulates of one item");
  sub->add_option("CONFIG", arguments->config, "YAML file")->required();
  sub->add_option("OVERRIDES", arguments->overrides, "key=value");
  sub->callback([=, &globals, &exit] { exit = summary(*arguments, globals); });
}

}  // namespace amae::cli

// amae import FILE --to CONFIG.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/cli.h"
#include "task/import_weights.h"

namespace amae::cli {
namespace import_command {

struct Arguments {
  std::string file, config, rules, out;
  std::vector<std::string> overrides;
  bool json = false, strict = false;
};

const char* state_text(TransferRow::State state) {
  switch (state) {
    case TransferRow::State::loaded:
      return "loaded";
    case TransferRow::State::resized:
      return "resized";
    case TransferRow::State::missing:
      return "missing";
    case TransferRow::State::unused:
      return "unused";
    case TransferRow::State::misfit:
      return "misfit";
  }
  return "";
}

std::string shape_text(const std::vector<int64_t>& shape, const std::string& name) {
  if (name.empty()) return "";
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

void print(const Import& import) {
  std::vector<std::vector<std::string>> rows = {{"STATE", "OURS", "SHAPE", "", "THEIRS", "SHAPE"}};
  for (const TransferRow& row : import.transfer.rows) {
    const bool taken = row.state == TransferRow::State::loaded || row.state == TransferRow::State::resized;
    rows.push_back({state_text(row.state), printable(row.name), shape_text(row.shape, row.name), taken ? "<-" : "",
                    printable(row.foreign), shape_text(row.foreign_shape, row.foreign)});
  }
  print_table(rows);
  fmt::print("{}\n", import.transfer.summary());
}

void print_json(const Import& import, const std::string& out) {
  using nlohmann::ordered_json;
  ordered_json tensors = ordered_json::array(), counts;
  for (const TransferRow::State state :
       {TransferRow::State::loaded, TransferRow::State::resized, TransferRow::State::missing,
        TransferRow::State::unused, TransferRow::State::misfit})
    counts[state_text(state)] = import.transfer.count(state);
  for (const TransferRow& row : import.transfer.rows) {
    ordered_json item{{"state", state_text(row.state)}};
    if (!row.name.empty()) item["name"] = row.name, item["shape"] = row.shape;
    if (!row.foreign.empty()) item["foreign"] = row.foreign, item["foreign_shape"] = row.foreign_shape;
    tensors.push_back(std::move(item));
  }
  const ordered_json json{{"source", import.from},
                          {"sha256", import.sha256},
                          {"model", import.model},
                          {"rules", import.rules},
                          {"out", out},
                          {"counts", counts},
                          {"tensors", tensors}};
  fmt::print("{}\n", json.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

Exit import_file(const Arguments& arguments, const Globals& globals) {
  const Plan plan = load_plan(arguments.config, arguments.overrides, globals.plugin_path);
  const std::string out = prepare_import(arguments.file, arguments.out).string();
  const Import import = import_weights(plan, arguments.file, arguments.rules);
  if (arguments.json) {
    print_json(import, out);
  } else {
    print(import);
  }
  if (arguments.strict) check_complete(import);
  write_import(import, out);
  if (!arguments.json) fmt::print("-> {}\n", out);
  return 0;
}

}  // namespace import_command

void add_import(CLI::App& app, const Globals& globals, Exit& exit) {
  using namespace import_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("import", "weights of PyTorch or safetensors files into a config's model");
  command->add_option("FILE", arguments->file, "state dict of PyTorch (.pt, .pth), safetensors file, run or bundle")
      ->required();
  command->add_option("OVERRIDES", arguments->overrides, "key=value, for the config");
  command->add_option("--to", arguments->config, "YAML config of the model")->required();
  command->add_option("--rules", arguments->rules, "YAML rules that turn their names into ours");
  command->add_option("--out", arguments->out,
                      "safetensors file (default: checkpoints/STEM.safetensors, which must be new)");
  command->add_flag("--json", arguments->json, "the table as JSON");
  command->add_flag("--strict", arguments->strict,
                    "exit 5, and write nothing, when a tensor is missing or does not fit");
  command->callback([=, &globals, &exit] { exit = import_file(*arguments, globals); });
}

}  // namespace amae::cli

// amae list [KIND] [PATTERN] and amae describe NAME.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/cli.h"
#include "config/read.h"
#include "task/run_config.h"

namespace amae::cli {
namespace list_command {

using nlohmann::ordered_json;

struct Arguments {
  std::string kind, pattern = "*", name;
  bool json = false;
};

/// "models" and "model" mean the same.
std::string kind_of(const std::string& word) {
  for (const char* kind : {"model", "dataset", "transform"}) {
    if (word == kind || word == std::string(kind) + "s") return kind;
  }
  return "";
}

Exit list(Arguments arguments, const Globals& globals) {
  std::string kind = kind_of(arguments.kind);
  if (kind.empty() && !arguments.kind.empty()) arguments.pattern = arguments.kind;  // `amae list 'mel*'`
  const auto registry = load_registry(globals.plugin_path);
  std::vector<std::vector<std::string>> rows = {{"KIND", "NAME", "PLUGIN", "SUMMARY"}};
  ordered_json json = ordered_json::array();
  for (const ComponentInfo& info : registry->components()) {
    if ((!kind.empty() && info.kind != kind) || !matches(info.key, arguments.pattern)) continue;
    rows.push_back({info.kind, info.key, info.plugin->path.filename().string(), info.summary});
    json.push_back({{"kind", info.kind},
                    {"name", info.key},
                    {"summary", info.summary},
                    {"plugin", info.plugin->path.string()},
                    {"version", info.plugin->version}});
  }
  if (arguments.json) {
    fmt::print("{}\n", json.dump(2));
  } else {
    print_table(rows);
  }
  return 0;
}

std::string range_text(const Field& field) {
  if (!field.allowed.empty()) return join(field.allowed, " | ");
  const bool low = std::isfinite(field.minimum), high = std::isfinite(field.maximum);
  if (!low && !high) return "";
  return fmt::format("{}..{}", low ? number_text(field.minimum) : "", high ? number_text(field.maximum) : "");
}

Exit describe(const Arguments& arguments, const Globals& globals) {
  const auto registry = load_registry(globals.plugin_path);
  std::vector<const ComponentInfo*> found;
  std::vector<std::string> names;
  for (const ComponentInfo& info : registry->components()) {
    if (info.key == arguments.name) found.push_back(&info);
    names.push_back(info.key);
  }
  if (found.empty()) {
    const std::string guess = nearest(arguments.name, names);
    throw InputError("PLUGIN-KEY", "", "",
                     fmt::format("got unknown component '{}', expected one that amae list shows{}",
                                 printable(arguments.name), guess.empty() ? "" : "; did you mean " + guess + "?"));
  }
  ordered_json json = ordered_json::array();
  for (const ComponentInfo* info : found) {
    const auto options = info->make_options();
    Fields fields;
    options->describe(fields);
    std::vector<std::vector<std::string>> rows;
    ordered_json list = ordered_json::array();
    for (const Field& field : fields.all()) {
      const ordered_json value = config::value_json(field);
      ordered_json item{{"name", field.name},      {"type", field.type_name()}, {"default", value},
                        {"unit", field.unit_name}, {"doc", field.doc},          {"required", field.is_required}};
      if (std::isfinite(field.minimum)) item["minimum"] = field.minimum;
      if (std::isfinite(field.maximum)) item["maximum"] = field.maximum;
      if (!field.allowed.empty()) item["choices"] = field.allowed;
      list.push_back(item);
      rows.push_back({"  " + field.name, field.type_name(),
                      field.is_required                  ? "(required)"
                      : value.is_string() && value != "" ? value.get<std::string>()
                                                         : value.dump(),
                      field.unit_name, range_text(field), field.doc});
    }
    json.push_back({{"kind", info->kind},
                    {"name", info->key},
                    {"summary", info->summary},
                    {"plugin", info->plugin->path.string()},
                    {"version", info->plugin->version},
                    {"options", list}});
    if (arguments.json) continue;
    fmt::print("{} {}  {}  (from {} {})\n", info->kind, info->key, info->summary, info->plugin->path.string(),
               info->plugin->version);
    if (!rows.empty()) {
      rows.insert(rows.begin(), {"  OPTION", "TYPE", "DEFAULT", "UNIT", "RANGE", "MEANING"});
      print_table(rows);
    }
  }
  if (arguments.json) fmt::print("{}\n", (json.size() == 1 ? json[0] : json).dump(2));
  return 0;
}

}  // namespace list_command

void add_list(CLI::App& app, const Globals& globals, Exit& exit) {
  using namespace list_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("list", "models, datasets and transforms that the plugins offer");
  command->add_option("KIND", arguments->kind, "model, dataset or transform (default: all), or a pattern");
  command->add_option("PATTERN", arguments->pattern, "names with * and ?");
  command->add_flag("--json", arguments->json, "one JSON array");
  command->callback([=, &globals, &exit] { exit = list(*arguments, globals); });

  CLI::App* one = app.add_subcommand("describe", "options of a component: type, default, unit, range, meaning");
  one->add_option("NAME", arguments->name, "a name that amae list shows")->required();
  one->add_flag("--json", arguments->json, "one JSON object");
  one->callback([=, &globals, &exit] { exit = describe(*arguments, globals); });
}

}  // namespace amae::cli

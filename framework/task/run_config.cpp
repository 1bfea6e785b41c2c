#include "task/run_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "base/log.h"
#include "config/load.h"
#include "config/read.h"
#include "plugin/loader.h"

namespace amae {
namespace fs = std::filesystem;

void EvalOptions::describe(Fields& f) {
  f.add("views", views, "evaluation passes of random transforms (rolled copies) whose scores are averaged")
      .range(1, 1000);
  f.add("splits", splits, "splits evaluated at the end of a run").choices({"train", "val", "test"});
  f.add(
      "slices", slices,
      "columns for each of whose values all figures are given (slices.csv, a curve over numbers); auto: those of 2 to "
      "100 values, []: none");
}

void ProbeOptions::describe(Fields& f) {
  f.add("methods", methods, "classifiers on the frozen features; the first one's figures are the run's")
      .choices({"knn", "linear"});
  f.section("knn", knn);
  f.section("linear", linear);
}

void EmbedTaskOptions::describe(Fields& f) {
  options.describe(f);
  f.add("store", store, "folder that is made or brought up to date; empty: RUN/embeddings; {fold} stands for the fold")
      .path();
}

void OutputOptions::describe(Fields& f) {
  f.add("folder", folder, "where run folders are made; empty: $AMAE_RUNS, else runs");
  f.add("name", name, "name of the run's folder; empty: the config's file name");
}

void RunConfig::describe(Fields& f) {
  f.add("amae", schema, "version of this config format").range(1, 1);
  f.add("task", task, "what to do").choices({"finetune", "pretrain", "probe", "embed", "evaluate"});
  f.add("seed", seed, "seed of everything random").min(0);
  f.add("plugins", plugins, "more folders or files to load plugins from").path();
  f.add("data", data, "data set").kind("dataset").required();
  f.add("transforms", transforms, "from the data set's signals to the model's input, in order").kind("transform");
  f.add("model", model, "encoder; of task embed that of init_from, where there is one").kind("model");
  f.add("init_from", init_from,
        "weights to start from: run, bundle, checkpoints/NAME, safetensors or PyTorch file; {fold} stands for the fold")
      .path();
  f.add("init_rules", init_rules, "YAML list of rules that turn the names in init_from into ours").path();
  f.section("split", split);
  f.add("folds", folds, "cross-validation: all, or the test folds to run one after the other; empty: one run");
  f.section("cache", cache);
  f.section("head", head);
  f.section("loss", loss);
  f.section("pretrain", pretrain);
  f.section("probe", probe);
  f.section("embed", embed);
  f.section("index", index);
  f.section("optim", optim);
  f.section("schedule", schedule);
  f.section("train", train);
  f.section("eval", eval);
  f.section("output", output);
  f.add("save_as", save_as, "also keep the finished bundle under checkpoints/NAME; {fold} stands for the fold");
  f.section("log", log);  // not a plugin: the section of LogOptions
}

std::string Plan::resolved_yaml(bool with_origins) {
  Fields fields;
  config.describe(fields);
  return config::to_yaml(fields, with_origins ? tree.get() : nullptr);
}

std::shared_ptr<const Registry> load_registry(const std::vector<fs::path>& extra) {
  auto registry = std::make_shared<Registry>(load_plugins(plugin_search_path(extra)));
  for (const auto& plugin : registry->plugins()) {
    if (!plugin->problem.empty()) log::warning("plugin {}: {}", plugin->path.string(), plugin->problem);
  }
  return registry;
}

namespace {

/// Runs a section's own check and adds what it finds, with place and dotted path.
template <class Options>
void check_section(const Options& options, const std::string& name, const config::Node& tree,
                   std::vector<Problem>& problems) {
  try {
    options.check();
  } catch (const InputError& error) {
    for (Problem problem : error.problems()) {
      problem.field = problem.field.empty() ? name : name + "." + problem.field;
      if (problem.where.empty()) problem.where = config::mark_of(tree, problem.field).text();
      problems.push_back(std::move(problem));
    }
  }
}

/// In the order of the text, so that a reader goes through the file once.
void sort_by_place(const std::string& source, std::vector<Problem>& problems) {
  const auto place = [&](const Problem& problem) -> std::pair<int64_t, int64_t> {
    long line = 0, column = 0;
    if (problem.where.rfind(source, 0) != 0) return {0, 0};  // of another file or an argument: first, as found
    std::sscanf(problem.where.c_str() + source.size(), ":%ld:%ld", &line, &column);
    return {line, column};
  };
  std::stable_sort(problems.begin(), problems.end(),
                   [&](const Problem& a, const Problem& b) { return place(a) < place(b); });
}

}  // namespace

Plan load_plan(const fs::path& config_path, const std::vector<std::string>& overrides,
               const std::vector<fs::path>& plugin_path) {
  Plan plan;
  plan.source = config_path.string();
  plan.tree = config::load(config_path, overrides);
  if (plan.tree->kind == config::Node::Kind::null) {
    throw InputError("CFG-EMPTY", config_path.string(), "", "got an empty config, expected at least data and model");
  }
  if (plan.tree->kind != config::Node::Kind::map) {
    throw InputError("CFG-TYPE", plan.tree->mark.text(), "",
                     "got no map at the top level, expected keys such as data and model");
  }
  RunConfig& config = plan.config;
  std::vector<Problem> problems;
  {
    Fields fields;
    config.describe(fields);
    config::read_fields(plan.tree.get(), fields, "", plan.tree->mark, {}, problems);
  }
  // The saved config must find the same plugins without the flag.
  for (const fs::path& path : plugin_path) {
    const std::string absolute = fs::absolute(path).lexically_normal().string();
    if (std::find(config.plugins.begin(), config.plugins.end(), absolute) == config.plugins.end())
      config.plugins.push_back(absolute);
  }
  plan.registry = load_registry({config.plugins.begin(), config.plugins.end()});
  const config::Entry* model = plan.tree->find("model");
  const bool has_bundle = config.task == "embed" && !config.init_from.empty();
  if ((model == nullptr || model->value->kind == config::Node::Kind::null) && !has_bundle) {
    const config::Mark& mark = model != nullptr ? model->mark : plan.tree->mark;
    problems.push_back({"CFG-MISSING", mark.text(), "model", "got no value, expected a model"});
  }
  plan.registry->resolve(config.data, "dataset", "data", problems);
  plan.registry->resolve(config.model, "model", "model", problems);
  for (Component& transform : config.transforms) {
    plan.registry->resolve(transform, "transform",
                           "transforms." + (transform.id.empty() ? transform.name : transform.id), problems);
  }
  if (problems.empty()) {  // rules over several fields judge only values that are good one by one
    SplitOptions split = config.split;
    if (!config.folds.empty()) split.test.clear();  // each run gets its test fold from there, and leaves it out of val
    check_section(split, "split", *plan.tree, problems);
    if (config.task == "pretrain" && config.pretrain.contrastive > 0 && config.split.labels < 1) {
      problems.push_back({"CFG-RULE", config::mark_of(*plan.tree, "split.labels").text(), "split.labels",
                          "got fewer than all labels with pretrain.contrastive, which uses them; expected 1, or "
                          "pretrain.contrastive = 0"});
    }
    check_section(config.optim, "optim", *plan.tree, problems);
    check_section(config.train.early_stopping, "train.early_stopping", *plan.tree, problems);
    const auto folds_rule = [&](const std::string& message) {
      problems.push_back({"CFG-RULE", config::mark_of(*plan.tree, "folds").text(), "folds", message});
    };
    if (!config.folds.empty() &&
        std::find(config.eval.splits.begin(), config.eval.splits.end(), "test") == config.eval.splits.end()) {
      folds_rule("got folds without test in eval.splits, expected it there: cross-validation is about the test folds");
    }
    if (std::set<std::string>(config.folds.begin(), config.folds.end()).size() != config.folds.size())
      folds_rule("got a fold twice");
    if (!config.folds.empty() && config.split.by != "fold") {
      folds_rule(fmt::format("got folds with split.by = {}, expected split.by = fold", config.split.by));
    }
  }
  sort_by_place(plan.source, problems);
  if (!problems.empty()) throw InputError(problems);
  return plan;
}

nlohmann::ordered_json run_schema(const Registry& registry) {
  RunConfig config;
  Fields fields;
  config.describe(fields);
  nlohmann::ordered_json schema = config::json_schema(fields);
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "amae run";
  schema["properties"]["extends"] = {{"description", "config or configs that this one builds on"}};
  nlohmann::ordered_json& defs = schema["$defs"];
  for (const char* kind : {"dataset", "model", "transform"}) defs[kind] = {{"oneOf", nlohmann::ordered_json::array()}};
  for (const ComponentInfo& info : registry.components()) {
    const auto options = info.make_options();
    Fields own;
    options->describe(own);
    nlohmann::ordered_json component = config::json_schema(own);
    component["description"] = info.summary;
    component["properties"]["name"] = {{"const", info.key}};
    component["properties"]["id"] = {{"type", "string"}};
    if (!component.contains("required")) component["required"] = nlohmann::ordered_json::array();
    component["required"].push_back("name");
    defs[info.kind]["oneOf"].push_back(component);
  }
  return schema;
}

}  // namespace amae

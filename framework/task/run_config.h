// The one YAML file that drives a run, as typed options.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "amae/options.h"
#include "config/tree.h"
#include "data/cache.h"
#include "data/split.h"
#include "index/index_options.h"
#include "plugin/registry.h"
#include "task/embed_options.h"
#include "train/classifier.h"
#include "train/knn.h"
#include "train/linear_probe.h"
#include "train/loss.h"
#include "train/pretraining.h"
#include "train/trainer.h"

namespace amae {

struct EvalOptions {
  int64_t views = 1;
  std::vector<std::string> splits = {"test"};
  std::vector<std::string> slices = {"auto"};  ///< columns (slices.h)
  void describe(Fields& f);
};

/// task: probe.
struct ProbeOptions {
  std::vector<std::string> methods = {"knn", "linear"};
  KnnOptions knn;
  LinearProbeOptions linear;
  void describe(Fields& f);
};

/// task: embed.
struct EmbedTaskOptions {
  EmbedOptions options;
  std::string store;  ///< folder; empty: RUN/embeddings
  void describe(Fields& f);
};

struct OutputOptions {
  std::string folder;  ///< empty: $AMAE_RUNS, else runs
  std::string name;    ///< empty: the config's file name
  void describe(Fields& f);
};

struct LogOptions {
  bool tensorboard = true;
  void describe(Fields& f) { f.add("tensorboard", tensorboard, "write TensorBoard event files under tb/"); }
};

/// Every key a config may have. Plugin components bring their own options.
struct RunConfig {
  int64_t schema = 1;
  std::string task = "finetune";
  int64_t seed = 0;
  std::vector<std::string> plugins;
  Component data, model;
  std::vector<Component> transforms;
  std::string init_from, init_rules, save_as;
  SplitOptions split;
  std::vector<std::string> folds;
  CacheOptions cache;
  HeadOptions head;
  LossOptions loss;
  PretrainOptions pretrain;
  ProbeOptions probe;
  EmbedTaskOptions embed;
  IndexOptions index;
  OptimOptions optim;
  ScheduleOptions schedule;
  TrainOptions train;
  EvalOptions eval;
  OutputOptions output;
  LogOptions log;
  void describe(Fields& f);
};

/// A config that has been read and judged in full, with the plugins it needs.
struct Plan {
  RunConfig config;
  config::NodePtr tree;  ///< as merged, for origins
  std::shared_ptr<const Registry> registry;
  std::string source;  ///< path of the config

  /// YAML of every option with its present value; reruns the same.
  [[nodiscard]] std::string resolved_yaml(bool with_origins = false);
};

/// Reads a config, loads plugins and checks every option of the core and of every component. No data is touched.
/// Throws one InputError with all problems. Plugins that failed to load are named in warnings.
Plan load_plan(const std::filesystem::path& config, const std::vector<std::string>& overrides,
               const std::vector<std::filesystem::path>& plugin_path);

/// JSON Schema of a whole config with the components that the registry knows.
nlohmann::ordered_json run_schema(const Registry& registry);

/// Loads plugins from `extra` and the standard places, and warns about each that was refused.
std::shared_ptr<const Registry> load_registry(const std::vector<std::filesystem::path>& extra);

}  // namespace amae

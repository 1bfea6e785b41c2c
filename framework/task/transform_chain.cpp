#include "task/transform_chain.h"

#include <system_error>
#include <utility>

#include "base/stop.h"
#include "base/text.h"
#include "config/load.h"
#include "config/read.h"
#include "data/pipeline.h"
#include "task/run_config.h"
#include "train/bundle.h"

namespace amae {
namespace fs = std::filesystem;

namespace {

bool looks_like_path(const std::string& text) {
  return text.ends_with(".yaml") || text.ends_with(".yml") ||
         (text.find('/') != std::string::npos && text.find_first_of("[{:") == std::string::npos);
}

bool holds_bundle(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "bundle.json", ignored) || fs::exists(folder / "checkpoints/last/bundle.json", ignored);
}

/// The tree {transforms: VALUE} of what stands on the command line.
config::NodePtr tree_of(const std::string& text, const std::string& word) {
  config::NodePtr value = config::parse_yaml(text, word);
  if (value->kind == config::Node::Kind::null)
    throw InputError("CFG-EMPTY", word, "", "got no transform, expected a name, a config, or [] for none");
  if (value->kind == config::Node::Kind::map) {  // one component
    auto list = std::make_shared<config::Node>();
    list->kind = config::Node::Kind::list;
    list->mark = value->mark;
    list->list.push_back(value);
    value = list;
  }
  auto root = std::make_shared<config::Node>();
  root->kind = config::Node::Kind::map;
  root->mark = value->mark;
  root->map.push_back({"transforms", value->mark, value});
  return root;
}

/// Reads `transforms` and `plugins` of a tree; what else a config holds is not for us.
Chain chain_from(const config::Node& tree, const std::string& name, std::vector<fs::path> plugin_path) {
  Chain chain;
  chain.name = name;
  std::vector<std::string> plugins, other_keys;
  for (const config::Entry& entry : tree.map) {
    if (entry.key != "transforms" && entry.key != "plugins") other_keys.push_back(entry.key);
  }
  Fields fields;
  fields.add("transforms", chain.transforms, "transforms in order").kind("transform").required();
  fields.add("plugins", plugins, "more folders or files to load plugins from").path();
  std::vector<Problem> problems;
  config::read_fields(&tree, fields, "", tree.mark, other_keys, problems);
  plugin_path.insert(plugin_path.end(), plugins.begin(), plugins.end());
  chain.registry = load_registry(plugin_path);
  const auto path_of = [](const Component& c) { return "transforms." + (c.id.empty() ? c.name : c.id); };
  for (Component& component : chain.transforms)
    chain.registry->resolve(component, "transform", path_of(component), problems);
  if (!problems.empty()) throw InputError(problems);

  std::erase_if(chain.transforms, [&](const Component& component) {
    const bool unfitted = chain.registry->make_transform(component, path_of(component))->needs_fit();
    if (unfitted) chain.left_out.push_back(component.id.empty() ? component.name : component.id);
    return unfitted;
  });
  return chain;
}

}  // namespace

Chain read_chain(const std::string& text, const std::string& word, const std::vector<fs::path>& plugin_path) {
  const bool is_path = looks_like_path(text);
  std::error_code ignored;  // such as a text too long for a path
  const fs::file_status status = fs::status(text, ignored);
  // A folder that happens to have a transform's name, as "log" may, is not meant.
  if (fs::is_directory(status) && (is_path || holds_bundle(text))) {
    Chain chain;
    chain.name = text;
    chain.registry = load_registry(plugin_path);
    const Bundle bundle = load_bundle(bundle_folder(text), *chain.registry);
    chain.transforms = bundle.info.transforms;
    chain.state = bundle.pipeline->state();
    return chain;
  }
  if (is_path || fs::is_regular_file(status)) return chain_from(*config::load(text, {}), text, plugin_path);
  return chain_from(*tree_of(text, word), word, plugin_path);
}

void run_chain(const Chain& chain, const Signal& signal, const std::string& from,
               const std::function<void(const StageOutput&)>& see) {
  const Spec input{signal.domain, signal.samples.sizes().vec(), signal.rate_hz};
  Pipeline pipeline(*chain.registry, chain.transforms, input, from, /*for_training=*/false);
  if (pipeline.needs_fit()) pipeline.load_state(chain.state);
  Batch batch{signal.samples.unsqueeze(0), {}, {0}, signal.rate_hz};
  see({"(file)", input, signal.samples});
  for (size_t i = 0; i < pipeline.size(); ++i) {
    throw_if_stopped();
    pipeline.run(batch, i, i + 1, nullptr);
    const at::Tensor x = batch.x[0];
    see({chain.transforms[i].name, {pipeline.after(i, Mode::eval).domain, x.sizes().vec(), batch.rate_hz}, x});
  }
}

}  // namespace amae

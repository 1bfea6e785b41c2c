// Every model, dataset and transform that the loaded plugins offer, by kind and key.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "amae/plugin.h"
#include "config/tree.h"

namespace amae {

/// A library that was found, loaded or not.
struct PluginFile {
  std::filesystem::path path;
  std::string name, version, summary;  ///< of the descriptor; empty when not loaded
  std::string problem;                 ///< why it was refused; empty when loaded
};

/// One thing a plugin offers. Exactly one of the make_ functions is set.
struct ComponentInfo {
  std::string kind;  ///< "model", "dataset" or "transform"
  std::string key;
  std::string summary;
  std::shared_ptr<const PluginFile> plugin;
  std::function<std::unique_ptr<OptionsBase>()> make_options;
  std::function<std::shared_ptr<Encoder>(const OptionsBase&, const ModelContext&)> make_model;
  std::function<std::unique_ptr<Dataset>(const OptionsBase&)> make_dataset;
  std::function<std::unique_ptr<Transform>(const OptionsBase&)> make_transform;
};

class Registry {
 public:
  /// Sorted by kind and key.
  [[nodiscard]] const std::vector<ComponentInfo>& components() const { return components_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const PluginFile>>& plugins() const { return plugins_; }

  /// Throws InputError (PLUGIN-KEY) when the key is unknown (nearest and all known names) or offered by two libraries
  /// (both files). `where` and `field` say where the key was used.
  [[nodiscard]] const ComponentInfo& find(const std::string& kind, const std::string& key,
                                          const std::string& where = "", const std::string& field = "") const;

  /// Reads the options of a component out of its config node into component.options; appends what is wrong.
  void resolve(Component& component, const std::string& kind, const std::string& path,
               std::vector<Problem>& problems) const;

  /// The factories with an error's field and place completed: `path` is where the component stands in the config.
  [[nodiscard]] std::shared_ptr<Encoder> make_model(const Component& component, const ModelContext& context) const;
  [[nodiscard]] std::unique_ptr<Dataset> make_dataset(const Component& component) const;
  [[nodiscard]] std::unique_ptr<Transform> make_transform(const Component& component, const std::string& path) const;

  /// Takes what a plugin registers; used by the loader and by tests.
  void add(ComponentInfo info);
  void add(std::shared_ptr<const PluginFile> plugin) { plugins_.push_back(std::move(plugin)); }
  void sort();

 private:
  std::vector<ComponentInfo> components_;
  std::vector<std::shared_ptr<const PluginFile>> plugins_;
};

/// Adds place and field prefix to problems that a component reported about its own options.
[[noreturn]] void rethrow_with_place(const InputError& error, const config::Node* node, const std::string& path);

}  // namespace amae

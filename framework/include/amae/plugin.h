// The entry point of a plugin library: one descriptor, read before any code of the plugin runs, and one function.
//
//   void register_plugin(amae::Registrar& r) {
//     r.transform<GainOptions>("gain", "random gain in decibels",
//                              [](const GainOptions& o) { return std::make_unique<Gain>(o); });
//   }
//   AMAE_PLUGIN("my_gain", "1.0", "random gain", register_plugin)
//
// Nothing registers from a static constructor. Libraries are opened RTLD_NOW | RTLD_LOCAL and never unloaded.
#pragma once

#include <torch/version.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "amae/dataset.h"
#include "amae/encoder.h"
#include "amae/error.h"
#include "amae/options.h"
#include "amae/transform.h"

// Raised whenever a header of framework/include/amae changes in a way that an already built plugin would not survive.
#define AMAE_API_VERSION 5

#define AMAE_STRING_(x) #x
#define AMAE_STRING(x) AMAE_STRING_(x)
#if defined(__clang__)
#define AMAE_COMPILER "clang " AMAE_STRING(__clang_major__)
#else
#define AMAE_COMPILER "gcc " AMAE_STRING(__GNUC__)
#endif
// The standard library's string layout and the compiler's C++ ABI level.
#define AMAE_CXX_ABI "cxx11=" AMAE_STRING(_GLIBCXX_USE_CXX11_ABI) " abi=" AMAE_STRING(__GXX_ABI_VERSION)
#define AMAE_LIBTORCH AMAE_STRING(TORCH_VERSION_MAJOR) "." AMAE_STRING(TORCH_VERSION_MINOR)

namespace amae {

/// What a factory may know beside its options.
struct ModelContext {
  Spec input;                 ///< of one item as it reaches the model in training
  uint64_t seed = 0;          ///< of the run
  bool reconstructs = false;  ///< a masked autoencoder is asked for with what reconstruct() needs (its decoder)
};

/// Handed to a plugin's register function. Keys are lower case, unique within their kind over all plugins.
class Registrar {
 public:
  using AnyOptions = std::unique_ptr<OptionsBase>;

  template <class Options, class Make>
  void model(const std::string& key, const std::string& summary, Make make) {
    add_model(
        key, summary, [] { return std::make_unique<OptionsHolder<Options>>(); },
        [make](const OptionsBase& o, const ModelContext& context) -> std::shared_ptr<Encoder> {
          return make(static_cast<const OptionsHolder<Options>&>(o).value, context);
        });
  }

  template <class Options, class Make>
  void dataset(const std::string& key, const std::string& summary, Make make) {
    add_dataset(
        key, summary, [] { return std::make_unique<OptionsHolder<Options>>(); },
        [make](const OptionsBase& o) -> std::unique_ptr<Dataset> {
          return make(static_cast<const OptionsHolder<Options>&>(o).value);
        });
  }

  template <class Options, class Make>
  void transform(const std::string& key, const std::string& summary, Make make) {
    add_transform(
        key, summary, [] { return std::make_unique<OptionsHolder<Options>>(); },
        [make](const OptionsBase& o) -> std::unique_ptr<Transform> {
          return make(static_cast<const OptionsHolder<Options>&>(o).value);
        });
  }

 protected:
  ~Registrar() = default;
  using MakeOptions = std::function<AnyOptions()>;
  using MakeModel = std::function<std::shared_ptr<Encoder>(const OptionsBase&, const ModelContext&)>;
  using MakeDataset = std::function<std::unique_ptr<Dataset>(const OptionsBase&)>;
  using MakeTransform = std::function<std::unique_ptr<Transform>(const OptionsBase&)>;
  virtual void add_model(const std::string& key, const std::string& summary, MakeOptions, MakeModel) = 0;
  virtual void add_dataset(const std::string& key, const std::string& summary, MakeOptions, MakeDataset) = 0;
  virtual void add_transform(const std::string& key, const std::string& summary, MakeOptions, MakeTransform) = 0;
};

}  // namespace amae

extern "C" {
/// Plain data, exported as `amae_plugin`. The loader compares api_version, struct_size, libtorch, compiler and cxx_abi
/// with its own and calls register_plugin only when all agree.
struct amae_plugin_descriptor {
  uint32_t api_version;
  uint32_t struct_size;
  const char* libtorch;
  const char* compiler;
  const char* cxx_abi;
  const char* name;
  const char* version;
  const char* summary;
  void (*register_plugin)(amae::Registrar& registrar);
};
}

#define AMAE_PLUGIN(name, version, summary, function)                                                      \
  extern "C" __attribute__((visibility("default"))) const amae_plugin_descriptor amae_plugin;              \
  extern "C" const amae_plugin_descriptor amae_plugin = {AMAE_API_VERSION, sizeof(amae_plugin_descriptor), \
                                                         AMAE_LIBTORCH,    AMAE_COMPILER,                  \
                                                         AMAE_CXX_ABI,     name,                           \
                                                         version,          summary,                        \
                                                         function};

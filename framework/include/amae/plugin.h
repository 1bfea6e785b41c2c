// The entry point of a plugin library: a note with what it was built with, read from the file before any code of the
// plugin runs; one descriptor; and one function.
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

#include <cstddef>
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
#define AMAE_API_VERSION 7

#define AMAE_STRING_(x) #x
#define AMAE_STRING(x) AMAE_STRING_(x)
#if defined(__clang__)
#define AMAE_COMPILER "clang " AMAE_STRING(__clang_major__)
#else
#define AMAE_COMPILER "gcc " AMAE_STRING(__GNUC__)
#endif
// What must agree for C++ objects to cross from one library to the other. The compiler's version need not: GCC and
// Clang keep to one ABI, and libstdc++ grows compatibly (a plugin that needs a newer one is refused when it is opened).
#if defined(__SANITIZE_ADDRESS__)
#define AMAE_SANITIZER_ " asan"
#else
#define AMAE_SANITIZER_ ""
#endif
#if defined(_LIBCPP_VERSION)
#define AMAE_CXX_ABI "libc++" AMAE_SANITIZER_
#else
#define AMAE_CXX_ABI "libstdc++ cxx11=" AMAE_STRING(_GLIBCXX_USE_CXX11_ABI) AMAE_SANITIZER_
#endif
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

/// A number that changes with the layout of what crosses the border: the sizes of its types.
constexpr uint32_t contract_layout() {
  uint32_t hash = 2166136261U;  // FNV-1a
  for (const size_t size :
       {sizeof(std::string), sizeof(at::Tensor), sizeof(Signal), sizeof(Spec), sizeof(Batch), sizeof(Stage),
        sizeof(Draw), sizeof(Field), sizeof(Fields), sizeof(Component), sizeof(TextColumn), sizeof(Dataset),
        sizeof(Transform), sizeof(Encoder), sizeof(MaskedAutoencoder), sizeof(Reconstruction), sizeof(ModelContext),
        sizeof(Problem), sizeof(Error)}) {
    hash = (hash ^ static_cast<uint32_t>(size)) * 16777619U;
  }
  return hash;
}

}  // namespace amae

extern "C" {
/// Plain data, exported as `amae_plugin`. The first two words never move.
struct amae_plugin_descriptor {
  uint32_t api_version;
  uint32_t struct_size;
  const char* name;
  const char* version;
  const char* summary;
  void (*register_plugin)(amae::Registrar& registrar);
};

/// An ELF note, section `.note.amae`: what the library was built with. The loader compares all of it with its own and
/// opens the library only when they agree. Up to `layout` nothing ever moves; texts end with a zero.
struct amae_plugin_note {
  uint32_t owner_size, content_size, type;  ///< as in every ELF note; type 1
  char owner[8];                            ///< "amae"
  uint32_t api_version;
  uint32_t layout;    ///< amae::contract_layout()
  char libtorch[16];  ///< major.minor
  char cxx_abi[48];
  char compiler[32];  ///< for people; need not agree
};
}

#define AMAE_PLUGIN(name, version, summary, function)                                                          \
  extern "C" __attribute__((visibility("default"))) const amae_plugin_descriptor amae_plugin;                  \
  extern "C" const amae_plugin_descriptor amae_plugin = {                                                      \
      AMAE_API_VERSION, sizeof(amae_plugin_descriptor), name, version, summary, function};                     \
  __attribute__((section(".note.amae"), used, aligned(4))) static const amae_plugin_note amae_plugin_note_ = { \
      5,                                                                                                       \
      sizeof(amae_plugin_note) - offsetof(amae_plugin_note, api_version),                                      \
      1,                                                                                                       \
      "amae",                                                                                                  \
      AMAE_API_VERSION,                                                                                        \
      amae::contract_layout(),                                                                                 \
      AMAE_LIBTORCH,                                                                                           \
      AMAE_CXX_ABI,                                                                                            \
      AMAE_COMPILER};

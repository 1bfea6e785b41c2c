// Whose code is running: a fault at run time names the plugin's file and the component, not a line of LibTorch.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "plugin/registry.h"

namespace amae {

/// A component in use.
struct Origin {
  std::string kind = {}, key = {};  ///< of the registry; no key: nobody said
  std::string file = {};            ///< of the library
  std::string place = {};           ///< in the config: "model", "transforms.log"

  /// "model 'resnet'"; "the model" where nobody said which.
  [[nodiscard]] std::string text() const;
};

/// Where the registry has a component from. Throws as Registry::find does.
Origin origin_of(const Registry& registry, const std::string& kind, const std::string& key, const std::string& place);

/// Throws InputError (code PLUGIN) with file and place: "model 'resnet' MESSAGE".
[[noreturn]] void blame(const Origin& origin, const std::string& message);

/// While an exception is handled: blames the plugin for it, unless it is one of ours, Stopped, or says that memory ran
/// out; those go on as they are.
[[noreturn]] void blame_for_exception(const Origin& origin, const std::string& doing);

/// "float [2, 8]"; "nothing" for an undefined tensor.
std::string tensor_text(const at::Tensor& x);

/// call() of the plugin's code; `doing` ("failed in forward") is told with what is not ours to throw.
template <class Call>
auto guarded_call(const Origin& origin, const char* doing, const Call& call) {
  try {
    return call();
  } catch (...) {
    blame_for_exception(origin, doing);
  }
}

}  // namespace amae

#include "plugin/origin.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <exception>
#include <new>

#include "base/stop.h"
#include "base/text.h"

namespace amae {

std::string Origin::text() const { return key.empty() ? "the " + kind : fmt::format("{} '{}'", kind, printable(key)); }

Origin origin_of(const Registry& registry, const std::string& kind, const std::string& key, const std::string& place) {
  return {kind, key, registry.find(kind, key, "", place).plugin->path.string(), place};
}

void blame(const Origin& origin, const std::string& message) {
  throw InputError("PLUGIN", origin.file, origin.place, origin.text() + " " + message);
}

void blame_for_exception(const Origin& origin, const std::string& doing) {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const Stopped&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    const std::string text = error.what();
    // LibTorch throws its own type when memory runs out, on the CPU and on a GPU.
    if (text.find("out of memory") != std::string::npos || text.find("allocate memory") != std::string::npos) throw;
    blame(origin, fmt::format("{}: {}", doing, printable(text.substr(0, text.find('\n')))));
  } catch (...) {
    blame(origin, doing + ": it threw what is no std::exception");
  }
}

std::string tensor_text(const at::Tensor& x) {
  if (!x.defined()) return "nothing";
  return fmt::format("{} [{}]", std::string(x.dtype().name()), fmt::join(x.sizes(), ", "));
}

}  // namespace amae

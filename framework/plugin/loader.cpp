#include "plugin/loader.h"

#include <fmt/format.h>

#define BOOST_DLL_USE_STD_FS
#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <map>
#include <set>
#include <system_error>

#include "base/crash.h"
#include "base/text.h"
#include "plugin/first_contact.h"
#include "plugin/plugin_file.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

class PluginRegistrar final : public Registrar {
 public:
  PluginRegistrar(std::vector<ComponentInfo>& out, std::shared_ptr<const PluginFile> plugin)
      : out_(out), plugin_(std::move(plugin)) {}

 protected:
  void add_model(const std::string& key, const std::string& summary, MakeOptions options, MakeModel make) override {
    start("model", key, summary, std::move(options)).make_model = std::move(make);
  }
  void add_dataset(const std::string& key, const std::string& summary, MakeOptions options, MakeDataset make) override {
    start("dataset", key, summary, std::move(options)).make_dataset = std::move(make);
  }
  void add_transform(const std::string& key, const std::string& summary, MakeOptions options,
                     MakeTransform make) override {
    start("transform", key, summary, std::move(options)).make_transform = std::move(make);
  }

 private:
  ComponentInfo& start(const std::string& kind, const std::string& key, const std::string& summary,
                       MakeOptions options) {
    const bool good = !key.empty() && key.size() <= 64 && std::all_of(key.begin(), key.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-';
    });
    if (!good) {
      throw InputError(
          "PLUGIN-KEY", plugin_->path.string(), "",
          fmt::format("got {} key '{}', expected 1 to 64 of a-z, 0-9, _, + and -", kind, printable(key.substr(0, 80))));
    }
    out_.push_back({kind, key, summary, plugin_, std::move(options), {}, {}, {}});
    return out_.back();
  }

  std::vector<ComponentInfo>& out_;
  std::shared_ptr<const PluginFile> plugin_;
};

/// Loads one file that plugin_file_problem() found nothing against into `registry`; returns the problem or empty.
std::string load(const fs::path& path, Registry& registry) {
  // Never unloaded (LibTorch keeps pointers into it until the very end), hence never destroyed either.
  auto* library = new boost::dll::shared_library;  // NOLINT(cppcoreguidelines-owning-memory)
  std::error_code error;
  try {
    library->load(path, error, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  } catch (const std::exception& failure) {
    return std::string(kThrewWhileOpened) + failure.what();
  } catch (...) {
    return std::string(kThrewWhileOpened) + "something that is no std::exception";
  }
  if (error) {
    const char* detail = ::dlerror();
    return detail != nullptr ? std::string("cannot be loaded: ") + detail : "cannot be loaded: " + error.message();
  }
  crash_report_knows(path);
  if (!library->has("amae_plugin")) return "is not an amae plugin (it exports no `amae_plugin`)";
  const auto& descriptor = library->get<const amae_plugin_descriptor>("amae_plugin");

  auto plugin =
      std::make_shared<PluginFile>(PluginFile{path, descriptor.name, descriptor.version, descriptor.summary, ""});
  std::vector<ComponentInfo> offered;
  PluginRegistrar registrar(offered, plugin);
  try {
    descriptor.register_plugin(registrar);
  } catch (const Error& failure) {
    return failure.problems().front().message;
  } catch (const std::exception& failure) {
    return std::string("failed to register: ") + failure.what();
  } catch (...) {
    return "failed to register: it threw something that is no std::exception";
  }
  if (offered.empty()) return "registers nothing";
  for (ComponentInfo& info : offered) registry.add(std::move(info));
  registry.add(std::move(plugin));
  return {};
}

void collect(const fs::path& entry, std::set<fs::path>& files) {
  std::error_code error;
  if (fs::is_directory(entry, error)) {
    for (fs::recursive_directory_iterator it(entry, fs::directory_options::skip_permission_denied, error), end;
         !error && it != end; it.increment(error)) {
      std::error_code ignored;
      if (it->path().extension() == ".so" && it->is_regular_file(ignored))
        files.insert(fs::weakly_canonical(it->path(), ignored));
    }
  } else if (fs::exists(entry, error)) {
    files.insert(fs::weakly_canonical(entry, error));
  }
}

}  // namespace

std::vector<fs::path> plugin_search_path(const std::vector<fs::path>& extra) {
  std::vector<fs::path> result;
  for (const fs::path& entry : extra) {
    if (!fs::exists(entry))
      throw InputError("PLUGIN-PATH", entry.string(), "", "got a plugin path that does not exist");
    result.push_back(entry);
  }
  const auto environment = [](const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read before any thread starts
    return std::string(value != nullptr ? value : "");
  };
  const std::string listed = environment("AMAE_PLUGIN_PATH");
  for (size_t begin = 0; begin < listed.size();) {
    const size_t end = std::min(listed.find(':', begin), listed.size());
    if (end > begin) result.emplace_back(listed.substr(begin, end - begin));
    begin = end + 1;
  }
  const std::string data_home = environment("XDG_DATA_HOME"), home = environment("HOME");
  if (!data_home.empty()) {
    result.push_back(fs::path(data_home) / "amae/plugins");
  } else if (!home.empty()) {
    result.push_back(fs::path(home) / ".local/share/amae/plugins");
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path prefix = program.parent_path().parent_path();
    result.push_back(prefix / "plugins");                                                           // build/plugins
    if (fs::exists(prefix / "CMakeCache.txt")) result.push_back(prefix.parent_path() / "plugins");  // the checkout's
    result.push_back(prefix / "lib/amae/plugins");
#if defined(__x86_64__)
    result.push_back(prefix / "lib/x86_64-linux-gnu/amae/plugins");
#elif defined(__aarch64__)
    result.push_back(prefix / "lib/aarch64-linux-gnu/amae/plugins");
#endif
  }
  return result;
}

Registry load_plugins(const std::vector<fs::path>& search_path) {
  std::set<fs::path> files;  // sorted, so that nothing depends on the order of a folder
  for (const fs::path& entry : search_path) collect(entry, files);
  std::map<fs::path, std::string> problems;
  std::vector<fs::path> openable;
  for (const fs::path& file : files) {
    if (std::string problem = plugin_file_problem(file); !problem.empty()) {
      problems[file] = std::move(problem);
    } else {
      openable.push_back(file);
    }
  }
  problems.merge(refused_at_first_contact(openable));
  Registry registry;
  for (const fs::path& file : openable) {
    if (problems.contains(file)) continue;
    if (std::string problem = load(file, registry); !problem.empty()) problems[file] = std::move(problem);
  }
  for (auto& [file, problem] : problems)
    registry.add(std::make_shared<PluginFile>(PluginFile{file, "", "", "", std::move(problem)}));
  registry.sort();
  return registry;
}

}  // namespace amae

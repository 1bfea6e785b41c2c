#include "task/data_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/text.h"
#include "config/load.h"
#include "config/read.h"
#include "data/columns.h"
#include "task/session.h"

namespace amae {
namespace {

namespace fs = std::filesystem;

bool is_dataset(const Registry& registry, const std::string& name) {
  const auto& all = registry.components();
  return std::any_of(all.begin(), all.end(), [&](const auto& c) { return c.kind == "dataset" && c.key == name; });
}

[[noreturn]] void refuse_target(const Registry& registry, const std::string& target) {
  std::vector<std::string> names;
  for (const ComponentInfo& info : registry.components()) {
    if (info.kind == "dataset") names.push_back(info.key);
  }
  const std::string guess = nearest(target, names);
  throw InputError("DATA", "", "TARGET",
                   fmt::format("got '{}', expected a config file or a data set ({}){}", printable(target),
                               names.empty() ? "no plugin offers one" : join(names, ", "),
                               guess.empty() ? "" : "; did you mean " + guess + "?"));
}

/// The component that `data: {name: NAME}` with options over it would be.
Component named_dataset(const Registry& registry, const std::string& name, const std::vector<std::string>& options) {
  std::vector<std::string> overrides;
  for (const std::string& option : options) overrides.push_back("data." + option);
  const config::NodePtr tree = config::load_text("data: {name: " + name + "}", "<command line>", overrides);
  Component component;
  Fields fields;
  fields.add("data", component, "").kind("dataset");
  std::vector<Problem> problems;
  config::read_fields(tree.get(), fields, "", tree->mark, {}, problems);
  registry.resolve(component, "dataset", "data", problems);
  if (!problems.empty()) throw InputError(problems);
  return component;
}

void tolerate_bad_files(const Component& component) {
  Fields fields;
  component.options->describe(fields);
  for (const Field& field : fields.all()) {
    const bool takes_skip = std::find(field.allowed.begin(), field.allowed.end(), "skip") != field.allowed.end();
    if (field.name == "on_bad_sample" && takes_skip) *std::get<std::string*>(field.value) = "skip";
  }
}

}  // namespace

std::vector<int64_t> DataTarget::classes_of(int64_t row) const {
  std::vector<int64_t> classes;
  if (!labels.defined()) return classes;
  if (labels.dim() == 1) return {labels.const_data_ptr<int64_t>()[row]};
  const at::Tensor flags = labels[row].to(at::kFloat).contiguous();
  for (int64_t k = 0; k < flags.numel(); ++k) {
    if (flags.const_data_ptr<float>()[k] > 0) classes.push_back(k);
  }
  return classes;
}

std::string DataTarget::label_of(int64_t row) const {
  std::vector<std::string> names;
  for (const int64_t k : classes_of(row)) names.push_back(dataset->classes()[static_cast<size_t>(k)]);
  return join(names, "+");
}

DataTarget data_target(std::string name, std::shared_ptr<const Registry> registry,
                       std::shared_ptr<const Dataset> dataset, std::optional<Plan> plan, const std::string& where) {
  if (dataset->size() == 0) throw InputError("DATA", where, "data", "got an empty data set, expected at least one row");
  check_columns(*dataset, where);
  DataTarget target{std::move(name), {}, std::move(registry), std::move(dataset), std::move(plan), {}, {}, {}};
  target.labels = target.dataset->labels();
  if (target.labels.defined()) target.labels = target.labels.contiguous();
  target.folds = target.dataset->folds();
  target.groups = target.dataset->groups();
  return target;
}

DataTarget open_data_target(const std::string& target, const std::vector<std::string>& words,
                            const std::vector<fs::path>& plugin_path, BadFiles bad_files) {
  std::error_code ignored;
  std::shared_ptr<const Registry> registry;
  std::optional<Plan> plan;
  Component data;
  // A data set's name never looks like a path, so that a file or folder of that name cannot stand in its way.
  if (target.find_first_of("/.") == std::string::npos) registry = load_registry(plugin_path);
  if (registry != nullptr && is_dataset(*registry, target)) {
    data = named_dataset(*registry, target, words);
  } else if (registry != nullptr && !fs::exists(target, ignored)) {
    refuse_target(*registry, target);
  } else {
    plan = load_plan(target, words, plugin_path);
    registry = plan->registry;
    data = plan->config.data;
  }
  if (bad_files == BadFiles::tolerate) tolerate_bad_files(data);
  const std::string where = data.node != nullptr ? data.node->mark.text() : target;
  std::shared_ptr<const Dataset> dataset = registry->make_dataset(data);
  DataTarget opened = data_target(data.name, std::move(registry), std::move(dataset), std::move(plan), where);
  opened.component = std::move(data);
  return opened;
}

int data_threads() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

std::string file_name_part(const std::string& text) {
  constexpr size_t kLongest = 60;
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  };
  std::string out;
  for (const char c : text) out += is_plain(c) ? c : '_';
  for (const char* extension : {".wav", ".WAV", ".flac", ".ogg"}) {
    if (out.ends_with(extension)) out.erase(out.size() - std::string_view(extension).size());
  }
  if (out.size() > kLongest) out.erase(0, out.size() - kLongest);  // the end of a path tells more than its beginning
  if (out.empty() || out[0] == '.' || out[0] == '-') out.insert(0, "_");
  return out;
}

}  // namespace amae

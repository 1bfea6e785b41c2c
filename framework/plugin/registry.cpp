#include "plugin/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "config/read.h"

namespace amae {

void Registry::add(ComponentInfo info) { components_.push_back(std::move(info)); }

void Registry::sort() {
  std::stable_sort(components_.begin(), components_.end(), [](const ComponentInfo& a, const ComponentInfo& b) {
    return std::tie(a.kind, a.key, a.plugin->path) < std::tie(b.kind, b.key, b.plugin->path);
  });
}

const ComponentInfo& Registry::find(const std::string& kind, const std::string& key, const std::string& where,
                                    const std::string& field) const {
  const ComponentInfo* found = nullptr;
  std::vector<std::string> known;
  for (const ComponentInfo& info : components_) {
    if (info.kind != kind) continue;
    if (known.empty() || known.back() != info.key) known.push_back(info.key);
    if (info.key != key) continue;
    if (found != nullptr) {
      throw InputError("PLUGIN-KEY", where, field,
                       fmt::format("{} '{}' is offered by two libraries: {} and {}; remove one of them", kind,
                                   printable(key), found->plugin->path.string(), info.plugin->path.string()));
    }
    found = &info;
  }
  if (found != nullptr) return *found;
  const std::string guess = nearest(key, known);
  std::string message = fmt::format("got unknown {} '{}', expected one of {}", kind, printable(key),
                                    known.empty() ? "none (no plugin offers one)" : join(known, ", "));
  if (!guess.empty()) message += fmt::format("; did you mean {}?", guess);
  throw InputError("PLUGIN-KEY", where, field, message);
}

void Registry::resolve(Component& component, const std::string& kind, const std::string& path,
                       std::vector<Problem>& problems) const {
  if (component.name.empty()) return;  // the reader has told that already, or nothing was asked for
  const config::Node* node = component.node.get();
  const config::Mark mark = node != nullptr ? node->mark : config::Mark{};
  try {
    const ComponentInfo& info = find(kind, component.name, mark.text(), path);
    component.options = info.make_options();
    Fields fields;
    component.options->describe(fields);
    const bool has_options = node != nullptr && node->kind == config::Node::Kind::map;
    const size_t before = problems.size();
    config::read_fields(has_options ? node : nullptr, fields, path, mark, {"name", "id"}, problems);
    if (problems.size() > before) return;  // rules over several fields make sense for good values only
    try {
      component.options->check();
    } catch (const InputError& error) {
      rethrow_with_place(error, node, path);
    }
  } catch (const InputError& error) {
    problems.insert(problems.end(), error.problems().begin(), error.problems().end());
  }
}

void rethrow_with_place(const InputError& error, const config::Node* node, const std::string& path) {
  std::vector<Problem> problems = error.problems();
  for (Problem& problem : problems) {
    if (problem.where.empty() && node != nullptr) problem.where = config::mark_of(*node, problem.field).text();
    problem.field = problem.field.empty() ? path : path + "." + problem.field;
  }
  throw InputError(problems);
}

namespace {

template <class Call>
auto guarded(const ComponentInfo& info, const Component& component, const std::string& path, const Call& call) {
  const auto blame = [&](const std::string& message) {
    return InputError("PLUGIN", info.plugin->path.string(), path,
                      fmt::format("{} '{}' {}", info.kind, info.key, message));
  };
  try {
    if (auto made = call()) return made;
  } catch (const InputError& error) {
    rethrow_with_place(error, component.node.get(), path);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw blame(fmt::format("failed: {}", error.what()));
  } catch (...) {
    throw blame("failed: it threw what is no std::exception");
  }
  throw blame("was not made: the factory gave null");
}

}  // namespace

std::shared_ptr<Encoder> Registry::make_model(const Component& component, const ModelContext& context) const {
  const ComponentInfo& info = find("model", component.name, "", "model");
  return guarded(info, component, "model", [&] { return info.make_model(*component.options, context); });
}

std::unique_ptr<Dataset> Registry::make_dataset(const Component& component) const {
  const ComponentInfo& info = find("dataset", component.name, "", "data");
  return guarded(info, component, "data", [&] { return info.make_dataset(*component.options); });
}

std::unique_ptr<Transform> Registry::make_transform(const Component& component, const std::string& path) const {
  const ComponentInfo& info = find("transform", component.name, "", path);
  return guarded(info, component, path, [&] { return info.make_transform(*component.options); });
}

}  // namespace amae

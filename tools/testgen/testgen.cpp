// Writes tests/generated: for every component that plugins offer one Catch2 source with a named case for each check and
// for each option at and beyond its bounds. The checks themselves are in framework/compliance.
//
//   testgen FOLDER [PLUGIN_FOLDER_OR_FILE…]           writes what has changed, removes what no plugin offers any more
//   testgen FOLDER --check [PLUGIN_FOLDER_OR_FILE…]   writes nothing; exit 5 when a file is missing, stale or left over
//
// The same plugins give the same bytes. all.cpp includes the others, and names the sum of them all, so that a build
// that knows of it alone sees every change.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "amae/version.h"
#include "base/child_process.h"
#include "base/file.h"
#include "base/hash.h"
#include "compliance/check.h"
#include "plugin/first_contact.h"
#include "plugin/loader.h"

namespace fs = std::filesystem;
using amae::ComponentInfo;

namespace {

constexpr const char* kAll = "all.cpp";

struct Generated {
  std::map<std::string, std::string> files;  ///< by name
  size_t cases = 0, components = 0;
};

/// A C++ string literal.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string file_name(const ComponentInfo& info) {
  std::string name = info.kind + "_" + info.key;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '+' || c == '-'; }, '_');
  return name + ".cpp";
}

std::string source_of(const ComponentInfo& info, size_t& cases) {
  std::string text = fmt::format(
      "// Written by tools/testgen/generate (amae {}) from {} {} of {}; change the plugin or the checks, not this.\n"
      "#include \"tests/compliance/generated/passes.h\"\n",
      AMAE_VERSION, info.plugin->name, info.plugin->version, info.plugin->path.filename().string());
  for (const amae::compliance::Check& check : amae::compliance::checks_of(info)) {
    text += fmt::format("\nTEST_CASE({}, \"[{}][level{}]\") {{\n  amae::compliance::passes(\"{}\", \"{}\", {});\n}}\n",
                        quoted(info.kind + " " + info.key + ": " + check.claim), info.kind, check.level, info.kind,
                        info.key, quoted(check.id));
    ++cases;
  }
  return text;
}

Generated generate(const amae::Registry& registry) {
  Generated result;
  for (const ComponentInfo& info : registry.components()) {
    std::string source = source_of(info, result.cases);
    if (!result.files.emplace(file_name(info), std::move(source)).second) {
      throw amae::InputError(
          "PLUGIN-KEY", info.plugin->path.string(), "",
          fmt::format("{} '{}' is offered by two libraries, or differs from another key by + and - alone", info.kind,
                      info.key));
    }
    ++result.components;
  }
  std::string sums, includes;
  for (const auto& [name, source] : result.files) {
    sums += amae::sha256_hex(source);
    includes += fmt::format("#include \"{}\"\n", name);
  }
  result.files[kAll] =
      fmt::format("// Written by tools/testgen/generate. Sum of the files: {}\n{}", amae::sha256_hex(sums), includes);
  return result;
}

/// Sources in the folder now.
std::vector<std::string> present(const fs::path& folder) {
  std::vector<std::string> names;
  if (!fs::exists(folder)) return names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".cpp") names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_same(const fs::path& path, const std::string& content) {
  return fs::exists(path) && amae::read_file(path) == content;
}

int check(const fs::path& folder, const Generated& generated) {
  int faults = 0;
  const auto complain = [&](const std::string& name, const char* what) {
    fmt::print(stderr, "testgen: {}: {}\n", (folder / name).string(), what);
    ++faults;
  };
  for (const auto& [name, content] : generated.files) {
    if (!fs::exists(folder / name)) {
      complain(name, "is missing");
    } else if (!is_same(folder / name, content)) {
      complain(name, "is stale");
    }
  }
  for (const std::string& name : present(folder)) {
    if (!generated.files.contains(name)) complain(name, "is of no plugin that is there");
  }
  if (faults == 0) return 0;
  fmt::print(stderr, "testgen: {} faults; tools/testgen/generate writes them anew\n", faults);
  return static_cast<int>(amae::ExitCode::check_failed);
}

void write(const fs::path& folder, const Generated& generated) {
  fs::create_directories(folder);
  for (const std::string& name : present(folder)) {
    if (!generated.files.contains(name)) fs::remove(folder / name);
  }
  // all.cpp comes last: a build that is stopped before sees that there is something to do.
  for (const auto& [name, content] : generated.files) {
    if (name != kAll && !is_same(folder / name, content)) amae::write_file(folder / name, content);
  }
  if (!is_same(folder / kAll, generated.files.at(kAll))) amae::write_file(folder / kAll, generated.files.at(kAll));
}

int run(const std::vector<std::string>& words) {
  if (words.empty()) {
    fmt::print(stderr, "usage: testgen FOLDER [--check] [PLUGIN_FOLDER_OR_FILE...]\n");
    return static_cast<int>(amae::ExitCode::input);
  }
  const fs::path folder = words[0];
  const bool only_checks = words.size() > 1 && words[1] == "--check";
  const fs::path amae_program = amae::own_program().parent_path() / "amae";
  amae::probe_plugins_with(amae_program);
  std::vector<fs::path> search(words.begin() + (only_checks ? 2 : 1), words.end());
  const amae::Registry registry = amae::load_plugins(search);
  for (const auto& plugin : registry.plugins()) {
    if (!plugin->problem.empty()) throw amae::InputError("PLUGIN", plugin->path.string(), "", plugin->problem);
  }
  const Generated generated = generate(registry);
  if (only_checks) return check(folder, generated);
  write(folder, generated);
  fmt::print("testgen: {} cases of {} components in {}\n", generated.cases, generated.components, folder.string());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const amae::Error& error) {
    for (const amae::Problem& problem : error.problems()) fmt::print(stderr, "testgen: {}\n", problem.line());
    return static_cast<int>(error.exit_code());
  } catch (const std::exception& error) {
    fmt::print(stderr, "testgen: {}\n", error.what());
    return static_cast<int>(amae::ExitCode::internal);
  }
}

// amae cache ls|gc|verify.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/folders.h"
#include "base/stop.h"
#include "base/text.h"
#include "cli/cli.h"
#include "config/scalar.h"
#include "data/cache_store.h"
#include "data/cache_upkeep.h"

namespace amae::cli {
namespace cache_command {

using nlohmann::ordered_json;

struct Arguments {
  std::string folder, older_than, max_size;
  bool dry_run = false, remove = false, json = false;
};

/// "30 d", "10 GiB": a number with the suffixes that configs know.
double number_of(const std::string& text, const std::string& option, const std::string& unit) {
  Field field{option, static_cast<double*>(nullptr), ""};
  field.unit(unit).min(0);
  double value = 0;
  if (const auto mistake = config::read_scalar(*config::parse_value(text, option), field, value))
    throw InputError("USAGE", "", option, mistake->message);
  return value;
}

/// The names of the transforms in what the entry says of them: lines "NAME vVERSION" above their options.
std::string transforms_text(const nlohmann::json& description) {
  std::istringstream lines(description.value("transforms", ""));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    const bool is_option = line.empty() || line.find(':') != std::string::npos || line[0] == '{';
    if (!is_option) names.push_back(printable(line));
  }
  return names.empty() ? "none" : join(names, ", ");
}

std::string data_text(const nlohmann::json& description) {
  const std::string text = description.value("data", "");
  const std::string name = text.substr(0, text.find('\n'));
  return name.empty() ? "?" : printable(name);
}

ordered_json json_of(const CacheFile& file) {
  ordered_json json{{"key", file.key},
                    {"path", file.path.string()},
                    {"bytes", file.bytes},
                    {"last_used", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(file.last_used))},
                    {"temporary", file.temporary},
                    {"in_use", file.held}};
  if (!file.problem.empty()) json["problem"] = file.problem;
  if (!file.description.is_null()) json["description"] = file.description;
  return json;
}

void print_json(const ordered_json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

std::string size_text(const CacheFile& file) { return bytes_text(static_cast<double>(file.bytes)); }

std::string summary(size_t count, const std::string& what, uint64_t bytes) {
  return fmt::format("{} {}{}, {}", count, what, count == 1 ? "" : "s", bytes_text(static_cast<double>(bytes)));
}

Exit list(const Arguments& arguments) {
  const auto folder = cache_folder(arguments.folder);
  ordered_json json = ordered_json::array();
  std::vector<std::vector<std::string>> rows = {{"ENTRY", "SIZE", "ITEMS", "SHAPE", "LAST USE", "DATA", "TRANSFORMS"}};
  size_t entries = 0, temporaries = 0;
  uint64_t bytes = 0;
  for (const CacheFile& file : list_cache(folder)) {
    json.push_back(json_of(file));
    ++(file.temporary ? temporaries : entries);
    bytes += file.bytes;
    const nlohmann::json& d = file.description;
    const std::string used = fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(file.last_used));
    std::vector<std::string> row{file.key.substr(0, 12), size_text(file), "", "", file.held ? "now" : used};
    if (file.temporary) {
      row.push_back(file.held ? "(being made)" : "(left by a process that died)");
    } else if (!file.problem.empty()) {
      row.push_back("(damaged: " + file.problem + ")");
    } else {
      row[2] = d.value("rows", nlohmann::json()).dump();
      row[3] = fmt::format("{}", fmt::join(d.value("shape", std::vector<int64_t>{}), " x "));
      row.insert(row.end(), {data_text(d), transforms_text(d)});
    }
    rows.push_back(std::move(row));
  }
  if (arguments.json) {
    print_json(json);
    return 0;
  }
  if (rows.size() > 1) print_table(rows);
  fmt::print("{} in {}{}\n", summary(entries + temporaries, "file", bytes), folder.string(),
             temporaries > 0 ? fmt::format("; {} temporary", temporaries) : "");
  return 0;
}

Exit collect(const Arguments& arguments) {
  GcLimits limits;
  if (!arguments.older_than.empty()) limits.older_than_s = number_of(arguments.older_than, "--older-than", "s");
  if (!arguments.max_size.empty()) limits.max_bytes = number_of(arguments.max_size, "--max-size", "bytes");
  ordered_json json = ordered_json::array();
  size_t count = 0;
  uint64_t bytes = 0;
  for (const Removal& removal : collect_garbage(cache_folder(arguments.folder), limits, arguments.dry_run)) {
    const CacheFile& file = removal.file;
    if (removal.removed) ++count, bytes += file.bytes;
    ordered_json item = json_of(file);
    item["reason"] = removal.reason;
    item["removed"] = removal.removed && !arguments.dry_run;
    json.push_back(std::move(item));
    if (arguments.json) continue;
    fmt::print("{}  {}  {}  {}\n", file.path.filename().string(), size_text(file), removal.reason,
               !removal.removed    ? "stays: it is in use, or not ours to remove"
               : arguments.dry_run ? "would be removed"
                                   : "removed");
  }
  if (arguments.json) {
    print_json(json);
  } else {
    fmt::print("{} {}\n", summary(count, "file", bytes), arguments.dry_run ? "would be removed" : "removed");
  }
  return 0;
}

Exit verify(const Arguments& arguments) {
  const auto folder = cache_folder(arguments.folder);
  ordered_json json = ordered_json::array();
  std::vector<std::string> damaged;
  size_t count = 0;
  for (CacheFile& file : list_cache(folder)) {
    throw_if_stopped();
    if (file.temporary) continue;
    ++count;
    file.problem = verify_entry(file);
    ordered_json item = json_of(file);
    std::string state = "ok";
    if (!file.problem.empty()) {
      damaged.push_back(file.path.string() + " " + file.problem);
      const bool removed = arguments.remove && remove_unless_held(file);
      item["removed"] = removed;
      state = file.problem + (removed ? "; removed" : "");
    }
    json.push_back(std::move(item));
    if (!arguments.json) fmt::print("{}  {}  {}\n", file.key, size_text(file), state);
  }
  if (arguments.json) print_json(json);
  if (!damaged.empty()) {
    throw CheckFailed(folder.string(),
                      fmt::format("got {} damaged of {}: {}{}", damaged.size(), count, join(damaged, "; "),
                                  arguments.remove ? "" : "; amae cache verify --delete removes them"));
  }
  if (!arguments.json) fmt::print("{} checked, all whole, in {}\n", count, folder.string());
  return 0;
}

}  // namespace cache_command

void add_cache(CLI::App& app, const Globals& /*globals*/, Exit& exit) {
  using namespace cache_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("cache", "the features that runs keep on disk");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, Exit (*action)(const Arguments&)) {
    CLI::App* sub = command->add_subcommand(name, help);
    sub->add_option("--folder", arguments->folder, "default: $AMAE_CACHE, else the user's cache folder");
    sub->add_flag("--json", arguments->json, "one JSON array");
    sub->callback([=, &exit] { exit = action(*arguments); });
    return sub;
  };
  add("ls", "entries: size, items, data set, transforms, last use", list);
  CLI::App* gc = add("gc", "remove what nobody needs; without a limit only what died processes left", collect);
  gc->add_option("--older-than", arguments->older_than, "entries unused for longer go, e.g. 30d");
  gc->add_option("--max-size", arguments->max_size, "the longest unused go until the rest is smaller, e.g. 10GiB");
  gc->add_flag("--dry-run", arguments->dry_run, "only say what would go");
  add("verify", "read every entry; exit 5 when one is damaged", verify)
      ->add_flag("--delete", arguments->remove, "remove damaged ones");
}

}  // namespace amae::cli

// amae plugin check FILE; amae plugin new is in plugin_new.cpp. The hidden commands are how amae runs itself as a
// child.
#include <fmt/format.h>

#include <map>
#include <memory>

#include "base/child_process.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/cli.h"
#include "plugin/first_contact.h"
#include "task/check_plugin.h"

namespace amae::cli {
namespace plugin_command {

namespace fs = std::filesystem;
using Verdict = CheckResult::Verdict;

struct Arguments {
  std::string library, kind, key;
  std::vector<std::string> libraries, ids;
  int level = 8;
  uint64_t seed = 0;
  double timeout_s = 60;
  std::string junit;
  bool json = false;
};

CheckRequest request_of(const Arguments& arguments, const Globals& globals) {
  CheckRequest request;
  request.library = arguments.library;
  request.program = own_program();
  request.level = arguments.level;
  request.seed = arguments.seed;
  request.device = globals.device;
  request.patience = std::chrono::seconds(std::max(1, static_cast<int>(arguments.timeout_s)));
  request.plugin_path = globals.plugin_path;
  return request;
}

/// A line a check; the many of single option values only when they fail, and counted.
class Lines {
 public:
  void operator()(const CheckResult& result) {
    ++counts_[result.verdict];
    const std::string component = result.kind.empty() ? "" : result.kind + " " + result.key;
    if (component != component_) {
      end_options();
      fmt::print("{}\n", component);
      component_ = component;
    }
    if (result.check.id.starts_with("option ") && result.verdict != Verdict::failed) {
      ++options_[result.verdict];
      return;
    }
    if (result.check.level > 3) end_options();
    const char* word = result.verdict == Verdict::passed   ? "ok"
                       : result.verdict == Verdict::failed ? "FAILED"
                                                           : "skipped";
    fmt::print("  {:>2} {:<26} {}{}\n", result.check.level, result.check.id, word,
               result.message.empty() ? "" : "  " + result.message);
    std::fflush(stdout);
  }

  void finish() {
    end_options();
    fmt::print("{} passed, {} failed, {} skipped\n", counts_[Verdict::passed], counts_[Verdict::failed],
               counts_[Verdict::skipped]);
    std::fflush(stdout);  // before the error on stderr
  }

 private:
  void end_options() {
    if (options_.empty()) return;
    fmt::print("   3 {:<26} {} ok{}\n", "options at their bounds", options_[Verdict::passed],
               options_[Verdict::skipped] > 0 ? fmt::format(", {} skipped", options_[Verdict::skipped]) : "");
    options_.clear();
  }

  std::string component_;
  std::map<Verdict, int> counts_, options_;
};

Exit check(const Arguments& arguments, const Globals& globals) {
  if (!arguments.junit.empty()) require_output(arguments.junit, "--junit");
  const CheckRequest request = request_of(arguments, globals);
  Lines lines;
  const auto results = check_plugin(request, [&](const CheckResult& result) {
    if (!arguments.json) lines(result);
  });
  if (arguments.json) {
    fmt::print("{}\n", check_json(request, results));
  } else {
    lines.finish();
  }
  if (!arguments.junit.empty()) write_file(arguments.junit, check_junit(request, results));
  std::vector<std::string> failed;
  for (const CheckResult& result : results) {
    if (result.verdict == Verdict::failed) failed.push_back(result.check.id);
  }
  if (failed.empty()) return 0;
  throw CheckFailed(arguments.library,
                    fmt::format("{} of {} checks failed: {}", failed.size(), results.size(), join(failed, ", ")));
}

/// Commands of amae's own children.
CLI::App* child_command(CLI::App& plugin, const std::string& name, const std::function<void()>& run) {
  CLI::App* command = plugin.add_subcommand(name, "run by amae itself")->group("");
  command->callback([name, run] {
    if (!become_child()) throw InputError("USAGE", "", "", "plugin " + name + " is run by amae itself");
    probe_plugins_with({});  // this is the process that may be lost
    run();
  });
  return command;
}

}  // namespace plugin_command

void add_plugin(CLI::App& app, const Globals& globals, Exit& exit) {
  using namespace plugin_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* plugin = app.add_subcommand("plugin", "write and check plugins");
  plugin->require_subcommand(1);
  CLI::App* command =
      plugin->add_subcommand("check", "all that a sound plugin must keep, each check in a child process");
  command->add_option("FILE", arguments->library, "a plugin library")->required();
  command
      ->add_option("--level", arguments->level,
                   "1: what it says of itself … 8: what it learns; 9, 10: options at random")
      ->check(CLI::Range(1, compliance::kHighestLevel))
      ->capture_default_str();
  command->add_option("--seed", arguments->seed, "of weights, inputs and random options")->capture_default_str();
  command->add_option("--timeout", arguments->timeout_s, "seconds for one check")
      ->check(CLI::Range(1.0, 86400.0))
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "one JSON object instead of lines");
  command->add_option("--junit", arguments->junit, "also write JUnit XML to this file");
  command->callback([=, &globals, &exit] { exit = check(*arguments, globals); });
  add_plugin_new(*plugin, exit);

  CLI::App* probe = child_command(*plugin, "probe", [=] {
    run_probe({arguments->libraries.begin(), arguments->libraries.end()});
  });
  probe->add_option("FILES", arguments->libraries)->required();
  CLI::App* checks = child_command(*plugin, "checks", [=] { report_checks(arguments->library, arguments->level); });
  checks->add_option("FILE", arguments->library)->required();
  checks->add_option("--level", arguments->level);
  CLI::App* one = child_command(*plugin, "check-these", [=, &globals] {
    report_these_checks(request_of(*arguments, globals), arguments->kind, arguments->key, arguments->ids);
  });
  one->add_option("FILE", arguments->library)->required();
  one->add_option("--kind", arguments->kind)->required();
  one->add_option("--key", arguments->key)->required();
  one->add_option("--id", arguments->ids)->required()->allow_extra_args(false);
  one->add_option("--seed", arguments->seed);
}

}  // namespace amae::cli

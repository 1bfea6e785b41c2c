// The program: reads the command line, runs one command, and turns exceptions into one line and an exit code.
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <malloc.h>
#include <torch/version.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "amae/error.h"
#include "amae/version.h"
#include "base/child_process.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/stop.h"
#include "base/text.h"
#include "cli/cli.h"
#include "plugin/first_contact.h"

namespace {

// Large tensors come and go every step. glibc would give each its own mapping, and the page faults of fresh ones cost a
// fifth of a training step here (measured: 216 -> 179 ms); kept in the heap they are reused.
void keep_large_blocks() {
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 2047 << 20);
  ::mallopt(M_TOP_PAD, 64 << 20);
}

// OpenMP's threads spin while they wait. Beside anything else that computes, our own loader included, they take the
// core from it (measured on 2 busy cores: 24 against 15 s). The runtime reads the environment before main, hence this
// early place; a user's own setting stays.
void wait_without_spinning(int /*argc*/, char** /*argv*/, char** /*environment*/) {
  ::setenv("OMP_WAIT_POLICY", "passive", 0);
}
__attribute__((section(".preinit_array"), used)) void (*const before_all)(int, char**, char**) = wait_without_spinning;

int report(const amae::Error& error) {
  for (const amae::Problem& problem : error.problems())
    amae::log::write(amae::log::Level::error, "amae: " + problem.line());
  return static_cast<int>(error.exit_code());
}

int report(amae::ExitCode code, const std::string& name, const std::string& text) {
  amae::log::write(amae::log::Level::error, fmt::format("amae: error[{}]: {}", name, text.substr(0, text.find('\n'))));
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace amae;
  keep_large_blocks();
  install_crash_report();
  std::signal(SIGCHLD, SIG_DFL);  // one that is ignored, as we may inherit it, leaves nothing to wait for
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write, not a death
  CLI::App app{"amae turns sound and radio signals into labels and embeddings.", "amae"};
  app.set_version_flag("--version", fmt::format("amae {} (LibTorch {})", AMAE_VERSION, TORCH_VERSION));
  app.require_subcommand(1);
  app.fallthrough();
  cli::Globals globals;
  globals.argv.assign(argv, argv + argc);
  std::string progress = "auto";
  bool quiet = false, no_probe = false;
  app.add_option("--plugin-path", globals.plugin_path, "more folders or files to load plugins from")
      ->allow_extra_args(false);
  app.add_flag("--no-probe", no_probe, "open unknown plugins at once, without trying them in a child process first");
  app.add_option("--device", globals.device, "auto, cpu, cuda or cuda:N")
      ->envname("AMAE_DEVICE")
      ->capture_default_str();
  app.add_option("--threads", globals.threads, "threads of LibTorch (default: all cores)")
      ->envname("AMAE_THREADS")
      ->check(CLI::Range(1, 1024));
  app.add_option("--progress", progress, "auto, bar, lines or off")
      ->check(CLI::IsMember({"auto", "bar", "lines", "off"}))
      ->capture_default_str();
  app.add_flag("-q,--quiet", quiet, "warnings and errors only");
  int exit = 0;
  app.parse_complete_callback([&] {
    if (quiet) log::set_level(log::Level::warning);
    set_progress_mode(progress == "bar"            ? ProgressMode::bar
                      : progress == "lines"        ? ProgressMode::lines
                      : progress == "off" || quiet ? ProgressMode::off
                                                   : ProgressMode::automatic);
    if (globals.threads > 0) at::set_num_threads(globals.threads);
    if (!no_probe) probe_plugins_with(own_program());
  });
  cli::add_run(app, globals, exit);
  cli::add_evaluate(app, globals, exit);
  cli::add_predict(app, globals, exit);
  cli::add_serve(app, globals, exit);
  cli::add_embed(app, globals, exit);
  cli::add_index(app, exit);
  cli::add_search(app, globals, exit);
  cli::add_map(app, exit);
  cli::add_import(app, globals, exit);
  cli::add_export(app, globals, exit);
  cli::add_list(app, globals, exit);
  cli::add_plugin(app, globals, exit);
  cli::add_config(app, globals, exit);
  cli::add_model(app, globals, exit);
  cli::add_data(app, globals, exit);
  cli::add_transform(app, globals, exit);
  cli::add_cache(app, globals, exit);

  catch_stop_signals();
  try {
    app.parse(argc, argv);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      return report(ExitCode::environment, "FILE", "cannot write to standard output");
    return exit;
  } catch (const CLI::Success& done) {  // --help, --version
    return app.exit(done);
  } catch (const CLI::ParseError& error) {
    if (const auto left = app.remaining(); app.get_subcommands().empty() && !left.empty()) {
      std::vector<std::string> commands;
      for (const CLI::App* command : app.get_subcommands({})) commands.push_back(command->get_name());
      const std::string guess = nearest(left.front(), commands);
      return report(ExitCode::input, "USAGE",
                    fmt::format("got unknown command '{}', expected one of {}{}", printable(left.front()),
                                join(commands, ", "), guess.empty() ? "" : "; did you mean " + guess + "?"));
    }
    return report(ExitCode::input, "USAGE", fmt::format("{}; try amae --help", error.what()));
  } catch (const Stopped&) {
    return 128 + stop_signal();
  } catch (const Error& error) {
    return report(error);
  } catch (const std::bad_alloc&) {
    return report(ExitCode::environment, "MEMORY", "out of memory; try a smaller train.batch_size or cache.mode=disk");
  } catch (const std::filesystem::filesystem_error& error) {
    return report(ExitCode::environment, "FILE", error.what());
  } catch (const std::exception& error) {
    const std::string text = error.what();
    if (text.find("out of memory") != std::string::npos || text.find("allocate memory") != std::string::npos)
      return report(ExitCode::environment, "MEMORY", text);
    return report(ExitCode::internal, "INTERNAL", text);
  }
}

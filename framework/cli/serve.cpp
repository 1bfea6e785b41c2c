// amae serve RUN.
#include "serve/serve.h"

#include <memory>

#include "cli/cli.h"

namespace amae::cli {
namespace serve_command {

struct Arguments {
  serve::ServeOptions options;
  int port = 8080;
  uint64_t max_body = 32U << 20U;
  double timeout_s = 10, max_wait_ms = 2;
  bool deterministic = false;
};

}  // namespace serve_command

void add_serve(CLI::App& app, const Globals& globals, Exit& exit) {
  using namespace serve_command;
  auto arguments = std::make_shared<Arguments>();
  serve::ServeOptions& o = arguments->options;
  CLI::App* command =
      app.add_subcommand("serve", "answer over HTTP, and show a page: labels, feature maps, neighbours");
  command->add_option("RUN", o.bundle, "run or bundle folder, or the name of one in checkpoints")->required();
  command->add_option("--index", o.index,
                      "embedding store of the same model, with an index (amae embed, amae index build)");
  command->add_option("--runs", o.runs, "folder of runs to show");
  command->add_option("--host", o.http.host, "address to listen on; 0.0.0.0: all, without a password")
      ->capture_default_str();
  command->add_option("--port", arguments->port, "0: any free one")->check(CLI::Range(0, 65535))->capture_default_str();
  command->add_option("--allow-host", o.allowed_hosts, "another name under which requests may come, as from a proxy")
      ->allow_extra_args(false);
  command->add_flag("--open", o.opens_browser, "open the page in a browser");
  command->add_flag("--deterministic", arguments->deterministic,
                    "each clip alone: the very numbers of amae predict, whatever else is asked at the time");
  command->add_option("--max-batch", o.batch.max_batch, "clips that go through the model together")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--max-wait", arguments->max_wait_ms, "milliseconds that a clip waits for others on their way")
      ->check(CLI::Range(0.0, 1000.0))
      ->capture_default_str();
  command->add_option("--queue", o.queue, "requests worked on at a time; beyond it the answer is 503")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--workers", o.workers, "threads that decode and run the front end; 0: one for each core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_option("--max-body", arguments->max_body, "largest request, as in 32MB")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->capture_default_str();
  command->add_option("--max-connections", o.http.max_connections, "open at a time")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command
      ->add_option("--timeout", arguments->timeout_s, "seconds for a request to arrive, and for its answer to be taken")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  command->callback([=, &globals, &exit] {
    serve::ServeOptions options = arguments->options;
    options.http.port = static_cast<uint16_t>(arguments->port);
    options.http.max_body_bytes = arguments->max_body;
    options.http.request_timeout = std::chrono::milliseconds(static_cast<int64_t>(arguments->timeout_s * 1000));
    options.http.idle_timeout = options.http.request_timeout;
    options.batch.max_wait = std::chrono::microseconds(static_cast<int64_t>(arguments->max_wait_ms * 1000));
    if (arguments->deterministic) options.batch.max_batch = 1;
    options.device = globals.device;
    exit = serve::serve(options, globals.plugin_path);
  });
}

}  // namespace amae::cli

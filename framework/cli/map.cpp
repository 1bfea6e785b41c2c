// amae map STORE.
#include <fmt/format.h>

#include <limits>
#include <memory>

#include "amae/error.h"
#include "base/progress.h"
#include "base/text.h"
#include "cli/cli.h"
#include "task/neighbours.h"

namespace amae::cli {
namespace map_command {

struct Arguments {
  std::string store, color = "label", out = "map";
  PostOptions post;
  MapOptions map;
  int64_t seed = 0;
};

/// A slip is told before minutes of work.
void check(const CLI::App& command, const Arguments& arguments) {
  for (const char* option : {"--neighbours", "--min-dist", "--seed"}) {
    if (arguments.map.method == "umap" || command.count(option) == 0) continue;
    throw InputError("USAGE", "", option,
                     fmt::format("got it beside --method {}, which has no use for it", arguments.map.method));
  }
  const std::filesystem::path base = map_base(arguments.out);
  std::error_code error;
  if (base.has_parent_path()) std::filesystem::create_directories(base.parent_path(), error);
  if (error)
    throw EnvironmentError("FILE", printable(base.parent_path().string()), "cannot create folder: " + error.message());
  for (const char* ending : {".csv", ".svg"}) require_output(base.string() + ending, "--out");
}

Exit draw_map(Arguments& arguments) {
  const EmbeddingStore store(arguments.store);
  arguments.map.seed = static_cast<uint64_t>(arguments.seed);
  static_cast<void>(store.items().column(arguments.color, "--color"));
  std::unique_ptr<Progress> progress;
  const at::Tensor places = map_store(store, arguments.post, arguments.map, [&](int64_t done, int64_t total) {
    if (!progress) progress = std::make_unique<Progress>("map", total);
    progress->update(done);
  });
  progress.reset();
  write_map(store, places, arguments.color, arguments.out,
            fmt::format("{} items, {}, by {}", store.rows(), arguments.map.method == "umap" ? "UMAP" : "PCA",
                        arguments.color));
  fmt::print("{0}.csv\n{0}.svg\n", map_base(arguments.out).string());
  return 0;
}

}  // namespace map_command

void add_map(CLI::App& app, Exit& exit) {
  using namespace map_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("map", "all items of a store as points in a plane, near where they are alike");
  command->add_option("STORE", arguments->store, "folder that amae embed made")->required();
  command->add_option("--method", arguments->map.method, "umap, or pca: its first two directions")
      ->check(CLI::IsMember({"umap", "pca"}))
      ->capture_default_str();
  command->add_option("--color", arguments->color, "column of items.csv that colours the points")
      ->capture_default_str();
  command->add_option("--neighbours", arguments->map.neighbours, "umap: of each item; more show coarser structure")
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
  command->add_option("--min-dist", arguments->map.min_dist, "umap: how close points may lie")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--seed", arguments->seed, "umap: of its random steps")
      ->check(CLI::Range(int64_t{0}, std::numeric_limits<int64_t>::max()))
      ->capture_default_str();
  command->add_option("--out", arguments->out, "path of the two files without their endings")->capture_default_str();
  command->callback([=, &exit] {
    check(*command, *arguments);
    exit = draw_map(*arguments);
  });
}

}  // namespace amae::cli

// amae plugin new.
#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/cli.h"
#include "task/new_plugin.h"

namespace amae::cli {
namespace plugin_new_command {

struct NewArguments {
  std::string kind, name, out;
};

Exit write_new(const NewArguments& arguments) {
  const std::string folder = arguments.out.empty() ? arguments.name : arguments.out;
  const auto files = write_new_plugin(arguments.kind, arguments.name, folder);
  // Sample data are told by their folder.
  std::vector<std::string> shown;
  for (const std::string& file : files) {
    const size_t slash = file.find('/');
    const std::string top = slash == std::string::npos ? file : file.substr(0, slash + 1);
    if (shown.empty() || shown.back() != top) shown.push_back(top);
  }
  fmt::print("{}: {}\n", folder, join(shown, ", "));
  return 0;
}

}  // namespace plugin_new_command

void add_plugin_new(CLI::App& plugin, Exit& exit) {
  using namespace plugin_new_command;
  auto arguments = std::make_shared<NewArguments>();
  CLI::App* command = plugin.add_subcommand("new", "write a folder with a first version of a plugin, ready to build");
  command->add_option("KIND", arguments->kind, "model, dataset or transform")
      ->check(CLI::IsMember({"model", "dataset", "transform"}))
      ->required();
  command->add_option("NAME", arguments->name, "key of the component: a-z, 0-9 and _, a letter first")->required();
  command->add_option("-o,--out", arguments->out, "folder to make (default: NAME)");
  command->callback([=, &exit] { exit = write_new(*arguments); });
}

}  // namespace amae::cli

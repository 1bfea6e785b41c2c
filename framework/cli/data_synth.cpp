// amae data synth.
#include "task/data_synth.h"

#include <fmt/format.h>

#include <memory>

#include "base/progress.h"
#include "base/text.h"
#include "cli/cli.h"

namespace amae::cli {
namespace data_synth_command {

struct SynthArguments {
  std::string format, from, out;
  std::vector<std::string> words;
};

Exit synth(const SynthArguments& arguments, const Globals& globals) {
  const std::string from = arguments.from.empty() ? frame_maker(*load_registry(globals.plugin_path)) : arguments.from;
  const DataTarget target = open_data_target(from, arguments.words, globals.plugin_path, BadFiles::as_configured);
  Synthesized done;
  {
    Progress progress("synth", target.dataset->size());
    done = synth_radioml(target, arguments.out, [&](int64_t rows, int64_t /*total*/) { progress.update(rows); });
  }
  fmt::print("{}: {} frames in {} pairs of modulation and SNR, {}\n", arguments.out, done.rows, done.cells,
             bytes_text(done.bytes));
  return 0;
}

}  // namespace data_synth_command

void add_data_synth(CLI::App& data, const Globals& globals, Exit& exit) {
  using namespace data_synth_command;
  auto arguments = std::make_shared<SynthArguments>();
  CLI::App* command = data.add_subcommand("synth", "write computed frames as a file in a published format");
  command->add_option("FORMAT", arguments->format, "radioml: the pickle that RML2016.10a is")
      ->check(CLI::IsMember({"radioml"}))  // not a plugin: a file format
      ->required();
  command->add_option("WORDS", arguments->words, "key=value: options of the data set, or over the config");
  command->add_option("--from", arguments->from,
                      "a config, or the name of a data set with columns modulation and snr (default: the one that "
                      "makes its frames itself)");
  command->add_option("-o,--out", arguments->out, "file to write")->required();
  command->callback([=, &globals, &exit] { exit = synth(*arguments, globals); });
}

}  // namespace amae::cli

// amae embed RUN DATA….
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"
#include "config/read.h"
#include "config/scalar.h"
#include "task/embed_store.h"

namespace amae::cli {
namespace fs = std::filesystem;
namespace embed_command {

struct Arguments {
  std::string run;
  std::vector<std::string> words;
  std::string chunk, hop;
  EmbedOptions options;
  std::string out = "embeddings";
  bool rebuild = false, json = false;
};

/// "2s", "500 ms", "0.5": as a config would take it; 0 when nothing was given.
double seconds_of(const std::string& text, const std::string& flag) {
  double seconds = 0;
  if (text.empty()) return seconds;
  Fields fields;
  fields.add(flag, seconds, "").unit("s").range(1e-6, 86400);
  const Field& field = fields.all().front();
  const auto mistake = config::read_scalar(*config::parse_value(text, flag), field, seconds);
  if (mistake) throw InputError(mistake->code, "", flag, mistake->message);
  return seconds;
}

/// The data that trained the run, when nobody names other data.
std::vector<std::string> data_of_run(const std::string& run) {
  const fs::path config = fs::path(run) / "config.yaml";
  std::error_code ignored;
  if (fs::exists(config, ignored)) return {config.string()};
  throw InputError("USAGE", "", "DATA",
                   "got none, expected a config, a data set with its options, files or folders; only a run folder has "
                   "data of its own");
}

nlohmann::ordered_json to_json(const EmbedReport& report, const std::string& store) {
  return {{"store", store},
          {"items", report.items},
          {"rows", report.rows},
          {"width", report.dimension},
          {"computed", report.computed},
          {"kept", report.kept},
          {"resumed", report.resumed},
          {"removed", report.removed},
          {"evaluated_chunks", report.chunks},
          {"chunk_s", report.chunk_s},
          {"hop_s", report.hop_s},
          {"failed", report.problems.size()}};
}

Exit embed(const Arguments& arguments, const Globals& globals) {
  EmbedRequest request{bundle_folder(arguments.run), arguments.out, arguments.options, arguments.rebuild,
                       globals.device};
  request.options.chunk_s = seconds_of(arguments.chunk, "--chunk");
  request.options.hop_s = seconds_of(arguments.hop, "--hop");
  const auto source =
      source_of_words(arguments.words.empty() ? data_of_run(arguments.run) : arguments.words, globals.plugin_path);
  const EmbedReport report = update_store(request, *source, globals.plugin_path);
  for (const Problem& problem : report.problems) {
    log::write(source->skips_bad_items() ? log::Level::warning : log::Level::error,
               source->skips_bad_items() ? "left out: " + problem.line() : "amae: " + problem.line());
  }
  const Exit exit = report.problems.empty() || source->skips_bad_items() ? 0 : static_cast<Exit>(ExitCode::input);
  if (report.rows == 0) return exit;
  if (arguments.json) {
    fmt::print("{}\n", to_json(report, arguments.out).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return exit;
  }
  fmt::print("{} items as {} vectors of {} numbers: {} computed, {} taken up again, {} kept, {} removed; {} chunks{}\n",
             report.items, report.rows, report.dimension, report.computed, report.resumed, report.kept, report.removed,
             report.chunks,
             report.chunk_s > 0
                 ? fmt::format(" of {} s, one every {} s", number_text(report.chunk_s), number_text(report.hop_s))
                 : "");
  fmt::print("{}{}\n", arguments.out, report.changed ? "" : " (unchanged)");
  return exit;
}

}  // namespace embed_command

void add_embed(CLI::App& app, const Globals& globals, Exit& exit) {
  using namespace embed_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "embed",
      "feature vectors of a data set, folder or files by a run's encoder, into a store; only what is new or "
      "has changed is computed");
  command->add_option("RUN", arguments->run, "run or bundle folder, or the name of a bundle in checkpoints/")
      ->required();
  command->add_option("DATA", arguments->words,
                      "a config (.yaml) and key=value words, a data set and its options, or WAV, FLAC and Ogg files "
                      "and folders of them (default: the data of RUN)");
  command->add_option("--out", arguments->out, "the store: a folder that is made or brought up to date")
      ->capture_default_str();
  command->add_option("--chunk", arguments->chunk, "length of a chunk, e.g. 2s (default: a clip of the training)");
  command->add_option("--hop", arguments->hop, "from one chunk to the next (default: the length of a chunk)");
  command->add_flag("--timestamps", arguments->options.timestamps, "a vector for each chunk, not their mean");
  command->add_option("--type", arguments->options.type, "of the numbers: float32 or float16")
      ->check(CLI::IsMember({"float32", "float16"}))
      ->capture_default_str();
  command->add_option("--batch-size", arguments->options.batch_size, "chunks that the encoder takes together")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  command->add_flag("--rebuild", arguments->rebuild, "replace a store that another model or other options made");
  command->add_flag("--json", arguments->json, "one JSON object");
  command->callback([=, &globals, &exit] { exit = embed(*arguments, globals); });
}

}  // namespace amae::cli

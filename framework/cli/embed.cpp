// amae embed RUN FILE….
#include "task/embed.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"
#include "config/read.h"
#include "config/scalar.h"
#include "task/session.h"

namespace amae::cli {
namespace fs = std::filesystem;
namespace {

struct Arguments {
  std::string run;
  std::vector<std::string> files;
  std::string chunk, hop;
  bool timestamps = false;
  std::string out = "embeddings";
  int64_t batch_size = 32;
  bool json = false;
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

/// The file to write: FILE.npy itself, or embeddings.npy in a folder.
fs::path target_of(const std::string& out) {
  const fs::path path = out;
  const bool is_file = path.extension() == ".npy";
  const fs::path folder = is_file ? path.parent_path() : path;
  std::error_code error;
  if (!folder.empty()) fs::create_directories(folder, error);
  if (error) throw EnvironmentError("OUTPUT", printable(folder.string()), "cannot be made: " + error.message());
  return is_file ? path : path / "embeddings.npy";
}

Exit embed(const Arguments& arguments, const Globals& globals) {
  EmbedOptions options;
  options.chunk_s = seconds_of(arguments.chunk, "--chunk");
  options.hop_s = seconds_of(arguments.hop, "--hop");
  options.timestamps = arguments.timestamps;
  options.batch_size = arguments.batch_size;
  options.workers = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const std::vector<std::string> files = sound_files(arguments.files);
  const auto registry = load_registry(globals.plugin_path);
  const Bundle bundle = load_bundle(bundle_folder(arguments.run), *registry);
  const torch::Device device = pick_device(globals.device);
  bundle.model->to(device);

  const fs::path npy = target_of(arguments.out);  // what cannot be written is told before hours of work
  const Embeddings embeddings = embed_files(bundle, *registry, files, options, device);
  for (const Problem& problem : embeddings.problems) log::write(log::Level::error, "amae: " + problem.line());
  const Exit exit = embeddings.problems.empty() ? 0 : static_cast<Exit>(ExitCode::input);
  if (embeddings.rows.empty()) return exit;
  const fs::path table = write_embeddings(npy, embeddings);
  if (arguments.json) {
    const nlohmann::ordered_json json{{"bundle", bundle.id},
                                      {"embeddings", npy.string()},
                                      {"table", table.string()},
                                      {"rows", embeddings.rows.size()},
                                      {"width", embeddings.vectors.size(1)},
                                      {"chunk_s", embeddings.chunk_s},
                                      {"hop_s", embeddings.hop_s}};
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return exit;
  }
  fmt::print("{} vectors of {} numbers; {} chunks of {} s, one every {} s\n{}\n{}\n", embeddings.rows.size(),
             embeddings.vectors.size(1), embeddings.chunks, number_text(embeddings.chunk_s),
             number_text(embeddings.hop_s), npy.string(), table.string());
  return exit;
}

}  // namespace

void add_embed(CLI::App& app, const Globals& globals, Exit& exit) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("embed", "feature vectors of audio files of any length, by a run's encoder");
  command->add_option("RUN", arguments->run, "run or bundle folder, or the name of a bundle in checkpoints/")
      ->required();
  command->add_option("FILE", arguments->files, "WAV, FLAC or Ogg files, or folders of them")->required();
  command->add_option("--chunk", arguments->chunk, "length of a chunk, e.g. 2s (default: a clip of the training)");
  command->add_option("--hop", arguments->hop, "from one chunk to the next (default: the length of a chunk)");
  command->add_flag("--timestamps", arguments->timestamps, "a vector for each chunk, not their mean for each file");
  command->add_option("--batch-size", arguments->batch_size, "chunks that the encoder takes together")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  command->add_option("--out", arguments->out, "FILE.npy, or the folder for embeddings.npy; the table lies beside it")
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "one JSON object");
  command->callback([=, &globals, &exit] { exit = embed(*arguments, globals); });
}

}  // namespace amae::cli

// amae predict RUN FILE….
#include "task/predict.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/stop.h"
#include "cli/cli.h"
#include "io/csv.h"
#include "task/session.h"

namespace amae::cli {
namespace predict_command {

struct Arguments {
  std::string run;
  std::vector<std::string> files;
  int64_t top_k = 3;
  std::string format = "table";
};

void print(const Prediction& prediction, const std::string& format) {
  if (format == "jsonl") {
    nlohmann::ordered_json json{{"path", prediction.path}, {"top", nlohmann::ordered_json::array()}};
    for (const ClassScore& top : prediction.top) json["top"].push_back({{"label", top.label}, {"score", top.score}});
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else if (format == "csv") {
    for (size_t i = 0; i < prediction.top.size(); ++i) {
      fmt::print("{}", csv_line({prediction.path, std::to_string(i + 1), prediction.top[i].label,
                                 fmt::format("{}", prediction.top[i].score)}));
    }
  } else {
    std::string line;
    for (const ClassScore& top : prediction.top) line += fmt::format("  {:<16} {:>6.1f} %", top.label, 100 * top.score);
    fmt::print("{}{}\n", prediction.path, line);
  }
}

Exit predict(const Arguments& arguments, const Globals& globals) {
  const auto registry = load_registry(globals.plugin_path);
  const Bundle bundle = load_classifier(bundle_folder(arguments.run), *registry);
  const torch::Device device = pick_device(globals.device);
  bundle.model->to(device);
  if (arguments.format == "csv") fmt::print("{}", csv_line({"path", "rank", "label", "score"}));
  Exit exit = 0;
  for (const std::string& file : arguments.files) {
    if (stop_signal() != 0) return 128 + stop_signal();
    try {
      print(predict_file(bundle, *registry, file, arguments.top_k, device), arguments.format);
    } catch (const InputError& error) {  // one bad file does not keep the others from being answered
      for (const Problem& problem : error.problems()) log::write(log::Level::error, "amae: " + problem.line());
      exit = static_cast<Exit>(error.exit_code());
    }
  }
  return exit;
}

}  // namespace predict_command

void add_predict(CLI::App& app, const Globals& globals, Exit& exit) {
  using namespace predict_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("predict", "labels of sound or IQ files, by a run's model and front end");
  command->add_option("RUN", arguments->run, "run or bundle folder, or the name of one in checkpoints")->required();
  command->add_option("FILE", arguments->files, "WAV, FLAC or Ogg files; IQ as .npy or SigMF")->required();
  command->add_option("-k,--top-k", arguments->top_k, "classes shown")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--format", arguments->format, "table, csv or jsonl")
      ->check(CLI::IsMember({"table", "csv", "jsonl"}))
      ->capture_default_str();
  command->callback([=, &globals, &exit] { exit = predict(*arguments, globals); });
}

}  // namespace amae::cli

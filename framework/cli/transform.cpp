// amae transform run|diff.
#include <fmt/format.h>

#include <memory>
#include <set>
#include <system_error>

#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"
#include "cli/cli.h"
#include "io/audio.h"
#include "task/transform_diff.h"
#include "task/transform_run.h"

namespace amae::cli {
namespace fs = std::filesystem;
namespace transform_command {

struct Arguments {
  std::string chain, other, file, out;
  std::vector<std::string> files;
  std::string format = "npy";
  double tolerance = 1e-4;
  bool strict = false;
};

Chain open_chain(const std::string& text, const std::string& word, const Globals& globals) {
  Chain chain = read_chain(text, word, globals.plugin_path);
  for (const std::string& name : chain.left_out)
    log::warning("{}: {} is left out: it must be fitted first; give a trained run instead", chain.name, name);
  return chain;
}

/// An output must not replace the recording that it was made from.
void check_output(const fs::path& out, const std::string& file) {
  std::error_code ignored;
  if (fs::equivalent(out, file, ignored))
    throw InputError("OUTPUT", printable(out.string()), "", "got the input file itself, expected another name");
}

/// Where each file's output goes; all empty without -o.
std::vector<fs::path> outputs_for(const Arguments& arguments) {
  const fs::path out = arguments.out;
  std::vector<fs::path> paths(arguments.files.size());
  if (arguments.out.empty()) return paths;
  std::error_code ignored;
  const bool is_folder = fs::is_directory(out, ignored) || !out.has_filename() || arguments.files.size() > 1;
  std::set<fs::path> seen;
  for (size_t i = 0; i < paths.size(); ++i) {
    const fs::path file = arguments.files[i];
    paths[i] = is_folder ? out / (file.stem().string() + "." + arguments.format) : out;
    check_output(paths[i], arguments.files[i]);
    if (!seen.insert(paths[i]).second)
      throw InputError("OUTPUT", printable(paths[i].string()), "",
                       "got two files whose outputs have this name, expected names that differ");
  }
  if (is_folder) {
    std::error_code error;
    fs::create_directories(out, error);
    if (error)
      throw EnvironmentError("OUTPUT", printable(out.string()), "cannot create the folder: " + error.message());
  }
  return paths;
}

std::string shape_text(const Spec& spec) { return fmt::format("{}", fmt::join(spec.shape, " x ")); }

Exit run(const Arguments& arguments, const Globals& globals) {
  const Chain chain = open_chain(arguments.chain, "CHAIN", globals);
  const std::vector<fs::path> outputs = outputs_for(arguments);
  Exit exit = 0;
  for (size_t i = 0; i < arguments.files.size(); ++i) {
    if (stop_signal() != 0) return 128 + stop_signal();
    const std::string& file = arguments.files[i];
    try {
      std::vector<std::vector<std::string>> rows = {{"STAGE", "TRANSFORM", "DOMAIN", "SHAPE", "RATE", "MIN", "MAX"}};
      StageOutput last;
      run_chain(chain, read_audio(file), file, [&](const StageOutput& output) {
        const bool empty = output.x.numel() == 0;
        rows.push_back({std::to_string(rows.size() - 1), output.name, to_string(output.spec.domain),
                        shape_text(output.spec), fmt::format("{:.6g} Hz", output.spec.rate_hz),
                        empty ? "" : fmt::format("{:.5g}", output.x.min().item<double>()),
                        empty ? "" : fmt::format("{:.5g}", output.x.max().item<double>())});
        last = output;
      });
      if (!outputs[i].empty()) write_output(outputs[i], last, file);
      if (arguments.files.size() > 1) fmt::print("{}{}\n", i > 0 ? "\n" : "", file);
      print_table(rows);
      if (!outputs[i].empty()) fmt::print("-> {}\n", outputs[i].string());
    } catch (const InputError& error) {  // one bad file does not keep the others from being answered
      if (arguments.files.size() == 1) throw;
      for (const Problem& problem : error.problems()) log::write(log::Level::error, "amae: " + problem.line());
      exit = static_cast<Exit>(error.exit_code());
    }
  }
  return exit;
}

std::string difference_text(const Comparison& comparison) {
  if (!comparison.form.empty()) return comparison.form;
  return comparison.largest == 0 ? "equal" : fmt::format("{:.3g} of the peak", comparison.largest);
}

void print_details(const Comparison& comparison) {
  if (!comparison.form.empty()) fmt::print("  they have {}\n", comparison.form);
  if (!comparison.has_values) return;
  const bool is_spectrogram = comparison.where.size() == 3;
  const char* axis = is_spectrogram ? "bin" : "sample";
  std::string place = fmt::format("channel {}, {} {}", comparison.where[0], axis, comparison.where[1]);
  if (is_spectrogram) place += fmt::format(", frame {}", comparison.where[2]);
  fmt::print("  largest difference{}: {:.3g} of the peak {:.5g}, at {}: A {:.7g}, B {:.7g}\n",
             comparison.form.empty() ? "" : " over the common part", comparison.largest, comparison.peak, place,
             comparison.a, comparison.b);
  std::vector<std::vector<std::string>> rows = {
      {fmt::format("  {}S", is_spectrogram ? "BIN" : "SAMPLE"), "MEAN B - A", "MEAN |B - A|  (of the peak)"}};
  for (const RangeDifference& range : comparison.ranges) {
    rows.push_back({fmt::format("  {} to {}", range.first, range.last), fmt::format("{:+.3g}", range.mean),
                    fmt::format("{:.3g}", range.mean_abs)});
  }
  print_table(rows);
}

Exit diff(const Arguments& arguments, const Globals& globals) {
  const Chain a = open_chain(arguments.chain, "A", globals), b = open_chain(arguments.other, "B", globals);
  if (!arguments.out.empty()) {
    check_output(arguments.out, arguments.file);
    if (!arguments.out.ends_with(".png"))
      throw InputError("OUTPUT", printable(arguments.out), "", "got another ending, expected .png");
  }
  const ChainDiff diff = diff_chains(a, b, read_audio(arguments.file), arguments.file, arguments.tolerance);

  std::vector<std::vector<std::string>> rows = {{"A", "GIVES", "B", "GIVES", "DIFFERENCE"}};
  for (size_t i = 0; i < diff.pairs.size(); ++i) {
    const StagePair& pair = diff.pairs[i];
    std::vector<std::string> row(5);
    if (pair.a >= 0) row[0] = diff.a[pair.a].name, row[1] = diff.a[pair.a].spec.text();
    if (pair.b >= 0) row[2] = diff.b[pair.b].name, row[3] = diff.b[pair.b].spec.text();
    if (pair.comparison) row[4] = difference_text(*pair.comparison) + (diff.parted == i ? "  <- they part" : "");
    rows.push_back(std::move(row));
  }
  print_table(rows);
  if (diff.parted) {
    const StagePair& pair = diff.pairs[*diff.parted];
    fmt::print("they part first after {}:\n", diff.a[pair.a].name);
    print_details(*pair.comparison);
  }
  const bool agree = diff.output.agrees(arguments.tolerance);
  // The outputs have a row of their own only when the last transforms were paired.
  const bool told = diff.parted && diff.pairs[*diff.parted].a + 1 == static_cast<int64_t>(diff.a.size()) &&
                    diff.pairs[*diff.parted].b + 1 == static_cast<int64_t>(diff.b.size());
  fmt::print("outputs {}: {} (tolerance {:.3g} of the peak)\n", agree ? "agree" : "differ",
             difference_text(diff.output), arguments.tolerance);
  if (!agree && !told) print_details(diff.output);
  if (!arguments.out.empty()) {
    picture_of(diff).save(arguments.out);
    fmt::print("-> {}\n", arguments.out);
  }
  if (!agree && arguments.strict)
    throw CheckFailed(arguments.file, fmt::format("the outputs of {} and {} differ: {}", printable(a.name),
                                                  printable(b.name), difference_text(diff.output)));
  return 0;
}

}  // namespace transform_command

void add_transform(CLI::App& app, const Globals& globals, Exit& exit) {
  using namespace transform_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("transform", "look at transforms by themselves");
  command->require_subcommand(1);
  const std::string chain_help = "a config, a run folder, or YAML such as '[{name: NAME, OPTION: VALUE}, NAME]'";

  CLI::App* sub = command->add_subcommand("run", "what a chain of transforms makes of files, stage by stage");
  sub->add_option("CHAIN", arguments->chain, chain_help)->required();
  sub->add_option("FILE", arguments->files, "WAV, FLAC or Ogg files")->required();
  sub->add_option("-o,--out", arguments->out, "file .npy, .png or .wav; with several FILEs a folder");
  sub->add_option("--format", arguments->format, "of the files in a folder: npy, png or wav")
      ->check(CLI::IsMember({"npy", "png", "wav"}))
      ->capture_default_str();
  sub->callback([=, &globals, &exit] { exit = run(*arguments, globals); });

  CLI::App* two = command->add_subcommand("diff", "where two chains of transforms part, on one file");
  two->add_option("A", arguments->chain, chain_help)->required();
  two->add_option("B", arguments->other, "the same")->required();
  two->add_option("FILE", arguments->file, "WAV, FLAC or Ogg file")->required();
  two->add_option("-o,--out", arguments->out, "PNG of A, B and |A - B|");
  two->add_option("--tolerance", arguments->tolerance, "largest difference that counts as equal, of the peak")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  two->add_flag("--strict", arguments->strict, "exit 5 when the outputs differ");
  two->callback([=, &globals, &exit] { exit = diff(*arguments, globals); });
}

}  // namespace amae::cli

// amae data info|check|preview|convert; synth and audit have files of their own.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <numeric>

#include "base/file.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"
#include "cli/cli.h"
#include "task/data_check.h"
#include "task/data_convert.h"
#include "task/data_info.h"
#include "task/data_preview.h"

namespace amae::cli {
namespace data_command {

namespace fs = std::filesystem;

struct Arguments {
  std::string target;
  std::vector<std::string> words;
  bool json = false, strict = false;
  std::string svg, out;
  CheckLimits limits;
  PreviewOptions preview;
  int64_t seed = -1;
  std::string to = "flac";
};

std::string dump(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

DataTarget open(const Arguments& arguments, const Globals& globals, BadFiles bad_files) {
  return open_data_target(arguments.target, arguments.words, globals.plugin_path, bad_files);
}

/// A bar for work over all rows.
template <class Work>
auto with_progress(const char* label, const DataTarget& target, const Work& work) {
  Progress progress(label, target.dataset->size());
  return work([&](int64_t done, int64_t /*total*/) { progress.update(done); });
}

/// "44100 Hz x 400" for each value, the most frequent first.
template <class Key, class Text>
std::string counted(const std::map<Key, int64_t>& counts, const Text& text) {
  std::vector<std::pair<int64_t, Key>> order;
  for (const auto& [key, rows] : counts) order.emplace_back(-rows, key);
  std::sort(order.begin(), order.end());
  std::vector<std::string> parts;
  for (const auto& [rows, key] : order) {
    if (parts.size() == 8) {
      parts.push_back(fmt::format("and {} more", order.size() - 8));
      break;
    }
    parts.push_back(counts.size() == 1 ? text(key) : fmt::format("{} ({} rows)", text(key), -rows));
  }
  return join(parts, ", ");
}

void print_classes(const DataInfo& info) {
  constexpr size_t kMostFolds = 20;  // wider tables help nobody
  const bool by_fold = !info.folds.empty() && info.folds.size() <= kMostFolds;
  std::vector<std::vector<std::string>> rows = {{"CLASS", "ROWS"}};
  if (by_fold) {
    for (const int64_t fold : info.folds) rows[0].push_back(fmt::format("FOLD {}", fold));
  }
  std::vector<std::string> sums = {"all", ""};
  for (size_t k = 0; k < info.classes.size(); ++k) {
    rows.push_back({printable(info.classes[k]), std::to_string(info.count_of(k))});
    if (by_fold) {
      for (const int64_t count : info.counts[k]) rows.back().push_back(std::to_string(count));
    }
  }
  if (by_fold) {
    int64_t all = 0;
    for (size_t f = 0; f < info.folds.size(); ++f) {
      int64_t sum = 0;
      for (const auto& counts : info.counts) sum += counts[f];
      sums.push_back(std::to_string(sum));
      all += sum;
    }
    sums[1] = std::to_string(all);
    rows.push_back(sums);
  }
  print_table(rows);
}

/// "snr: -20 to 18, 20 values", "modulation: 8PSK, BPSK", "comment: 812 texts, none in 3 rows".
std::string column_text(const DataInfo::Column& column) {
  std::string text = printable(column.name) + ": ";
  if (column.distinct == 0) {
    text += "nothing";
  } else if (column.is_numeric) {
    text += fmt::format("{} to {}, {} value{}", number_text(column.lowest), number_text(column.highest),
                        column.distinct, column.distinct == 1 ? "" : "s");
  } else if (static_cast<size_t>(column.distinct) == column.examples.size()) {
    text += printable(join(column.examples, ", ").substr(0, 200));
  } else {
    text += fmt::format("{} texts", column.distinct);
  }
  return column.missing > 0 ? fmt::format("{}; none in {} rows", text, column.missing) : text;
}

Exit info(const Arguments& arguments, const Globals& globals) {
  if (!arguments.svg.empty()) require_output(arguments.svg, "--svg");
  const DataTarget target = open(arguments, globals, BadFiles::tolerate);
  const DataInfo found = with_progress("headers", target, [&](const auto& p) { return data_info(target, p); });
  if (!arguments.svg.empty()) write_file(arguments.svg, counts_svg(found));
  if (arguments.json) {
    fmt::print("{}\n", dump(to_json(found)));
    return 0;
  }
  const DataInfo::Durations& s = found.seconds;
  std::vector<std::vector<std::string>> rows = {
      {"data set", fmt::format("{} ({})", found.name, found.domain)},
      {"rows", fmt::format("{}{}", found.rows,
                           found.unlabelled > 0 ? fmt::format(" ({} without a label)", found.unlabelled) : "")},
      {"classes", fmt::format("{}{}", found.classes.size(), found.several_labels ? " (several a row)" : "")},
      {"folds", found.folds.empty() ? "none" : std::to_string(found.folds.size())},
      {"sources", found.groups == 0 ? "unknown" : std::to_string(found.groups)}};
  if (s.known > 0) {
    rows.push_back(
        {"duration", fmt::format("{} in all; {} shortest, {} median, {} longest", duration_text(s.total),
                                 duration_text(s.shortest), duration_text(s.median), duration_text(s.longest))});
  }
  if (s.known == 0 && found.samples.known > 0) {
    const DataInfo::Lengths& n = found.samples;
    rows.push_back({"samples", n.shortest == n.longest ? fmt::format("{} a row", n.longest)
                                                       : fmt::format("{} to {} a row", n.shortest, n.longest)});
  }
  rows.push_back(
      {"rate", counted(found.rates, [](double r) { return r > 0 ? number_text(r) + " Hz" : std::string("unknown"); })});
  rows.push_back({"channels", counted(found.channels,  // not a plugin: a count
                                      [](int64_t c) { return c > 0 ? std::to_string(c) : std::string("unknown"); })});
  for (const DataInfo::Column& column : found.columns) rows.push_back({"column", column_text(column)});
  if (!found.unreadable.empty())
    rows.push_back({"unreadable", fmt::format("{} rows; amae data check names them", found.unreadable.size())});
  print_table(rows);
  if (!found.classes.empty()) {
    fmt::print("\n");
    print_classes(found);
  }
  return 0;
}

Exit check(const Arguments& arguments, const Globals& globals) {
  const DataTarget target = open(arguments, globals, BadFiles::tolerate);
  const CheckReport report =
      with_progress("check", target, [&](const auto& p) { return check_data(target, arguments.limits, p); });
  const int64_t found = std::accumulate(report.counts.begin(), report.counts.end(), int64_t{0},
                                        [](int64_t sum, const auto& count) { return sum + count.second; });
  if (arguments.json) {
    fmt::print("{}\n", dump(to_json(report)));
  } else {
    constexpr int64_t kShown = 20;  // of one code
    std::vector<std::vector<std::string>> rows = {{"CODE", "ITEM", "FINDING"}};
    std::map<std::string, int64_t> shown;
    for (const Finding& finding : report.findings) {
      if (++shown[finding.code] <= kShown)
        rows.push_back({finding.code, printable(finding.item), printable(finding.message)});
      else if (shown[finding.code] == kShown + 1)
        rows.push_back({finding.code, "",
                        fmt::format("and {} more; --json lists up to 10000", report.counts.at(finding.code) - kShown)});
    }
    if (rows.size() > 1) {
      print_table(rows);
      fmt::print("\n");
    }
    std::vector<std::string> counts;
    for (const auto& [code, count] : report.counts) {
      if (count > 0) counts.push_back(fmt::format("{} {}", code, count));
    }
    fmt::print("{}: {} rows; found {}\nleaks: {}\n", report.name, report.rows,
               counts.empty() ? "nothing" : join(counts, ", "), report.leak_text());
  }
  if (arguments.strict && found > 0)
    throw CheckFailed(arguments.target, fmt::format("got {} findings, expected none", found));
  return 0;
}

Exit preview(const Arguments& arguments, const Globals& globals) {
  const DataTarget target = open(arguments, globals, BadFiles::tolerate);
  PreviewOptions options = arguments.preview;
  if (arguments.seed >= 0) options.seed = static_cast<uint64_t>(arguments.seed);
  Preview made = make_preview(target, options);
  const fs::path folder = arguments.out.empty() ? "preview" : arguments.out;
  const auto files = write_preview(made, folder);
  for (const std::string& note : made.notes) log::info("note: {}", note);
  const auto sounds =
      std::count_if(files.begin(), files.end(), [](const std::string& f) { return f.ends_with(".wav"); });
  fmt::print("{}: {} items, {} sounds\n", (folder / "preview.png").string(), made.items.size(), sounds);
  return 0;
}

Exit convert(const Arguments& arguments, const Globals& globals) {
  const DataTarget target = open(arguments, globals, BadFiles::as_configured);
  const ConvertTo to = arguments.to == "flac" ? ConvertTo::flac : ConvertTo::store;
  const Converted done =
      with_progress("convert", target, [&](const auto& p) { return convert_data(target, to, arguments.out, p); });
  for (size_t i = 0; i < std::min<size_t>(20, done.left_out.size()); ++i)
    log::warning("left out {}: {}", printable(done.left_out[i].field), done.left_out[i].message);
  if (!done.left_out.empty()) log::warning("{} rows cannot be read and are left out", done.left_out.size());
  if (done.rounded_rows > 0)
    log::warning("{} rows are rounded to 24 bits; --to store keeps them exactly", done.rounded_rows);
  if (done.clipped_samples > 0)
    log::warning("{} samples lie beyond full scale and are clipped; --to store keeps them", done.clipped_samples);
  fmt::print("{}: {} rows{}, {}\n", arguments.out, done.rows,
             done.seconds > 0 ? fmt::format(", {} of signal", duration_text(done.seconds)) : "",
             bytes_text(done.bytes));
  return 0;
}

}  // namespace data_command

void add_data(CLI::App& app, const Globals& globals, Exit& exit) {
  using namespace data_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("data", "look at a data set, check it, convert it");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* what, Exit (*work)(const Arguments&, const Globals&)) {
    CLI::App* sub = command->add_subcommand(name, what);
    sub->add_option("TARGET", arguments->target, "a config, or the name of a data set (amae list datasets)")
        ->required();
    sub->add_option("WORDS", arguments->words, "key=value over the config, or the data set's options");
    sub->callback([=, &globals, &exit] { exit = work(*arguments, globals); });
    return sub;
  };

  CLI::App* sub = add("info", "counts, durations, rates, classes and folds, from tables and headers alone", info);
  sub->add_option("--svg", arguments->svg, "also draw the rows of each class and fold into this file");
  sub->add_flag("--json", arguments->json, "one JSON object");

  sub = add("check", "load every row; name bad files, duplicates, leaks between folds, odd classes", check);
  sub->add_flag("--json", arguments->json, "one JSON object with the findings, up to 10000 of a code");
  sub->add_flag("--strict", arguments->strict, "exit 5 when anything was found");
  CheckLimits& limits = arguments->limits;
  sub->add_option("--silence-db", limits.silence_db, "a clip whose peak is lower is silent, in dB of full scale")
      ->check(CLI::Range(-200.0, 0.0))
      ->capture_default_str();
  sub->add_option("--clipped-share", limits.clipped_share, "share of samples at full scale that makes a clip clipped")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  sub->add_option("--shortest", limits.shortest_s, "a sound of fewer seconds is short")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  sub->add_option("--balance", limits.balance,
                  "a class with a smaller share of the largest one's rows is out of balance")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();

  sub = add("preview", "a sheet of items before and after augmentation, as PNG, and their sounds", preview);
  PreviewOptions& options = arguments->preview;
  sub->add_option("--items", options.items, "of each class")->check(CLI::Range(1, 100))->capture_default_str();
  sub->add_option("--classes", options.classes, "names, parted by commas (default: all)")
      ->delimiter(',')
      ->allow_extra_args(false);
  sub->add_option("--seed", arguments->seed, "of the choice and of the random transforms (default: the config's)")
      ->check(CLI::Range(int64_t{0}, std::numeric_limits<int64_t>::max()));
  sub->add_option("--epoch", options.epoch, "whose random numbers are drawn, from 0")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 31))
      ->capture_default_str();
  sub->add_option("-o,--out", arguments->out, "folder (default: preview)");

  sub = add("convert",
            "write the data set anew: sound as FLAC files and a table, sound or IQ as one file with an index", convert);
  sub->add_option("-o,--out", arguments->out, "folder to make; must not exist or be empty")->required();
  sub->add_option("--to", arguments->to,
                  "flac: audio/*.flac and data.csv; store: samples.bin and index.safetensors, for IQ too, exact to the "
                  "last bit and open at once")
      ->check(CLI::IsMember({"flac", "store"}))
      ->capture_default_str();

  add_data_synth(*command, globals, exit);
  add_data_audit(*command, exit);
}

}  // namespace amae::cli

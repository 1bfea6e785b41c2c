// amae search STORE QUERY….
#include "task/search.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"
#include "io/csv.h"

namespace amae::cli {
namespace search_command {

struct Arguments {
  SearchRequest request;
  std::string store, model;
  std::string format = "table", html;
};

/// A column's name within a hit: that of the data set's does not hide ours.
std::string key_of(const std::string& column) {
  const bool is_ours = column == "query" || column == "rank" || column == "row" || column == "score";
  return is_ours ? "data." + column : column;
}

void print_found(const SearchResult& result, const std::string& format) {
  const Items& items = result.store->items();
  const size_t id = items.column("id"), path = items.column("path"), label = items.column("label"),
               fold = items.column("fold"), start = items.column("start"), end = items.column("end");
  std::vector<std::vector<std::string>> table = {{"QUERY", "RANK", "SCORE", "LABEL", "ID"}};
  if (format == "csv")
    fmt::print("{}", csv_line({"query", "rank", "score", "id", "path", "label", "fold", "start", "end"}));
  for (const FoundFor& found : result.found) {
    nlohmann::ordered_json json{{"query", found.query}, {"hits", nlohmann::ordered_json::array()}};
    for (size_t i = 0; i < found.hits.size(); ++i) {
      const Hit& hit = found.hits[i];
      const std::vector<std::string> cells = items.cells(hit.row);
      const std::string rank = std::to_string(i + 1);
      if (format == "csv") {
        fmt::print("{}", csv_line({found.query, rank, fmt::format("{}", hit.score), cells[id], cells[path],
                                   cells[label], cells[fold], cells[start], cells[end]}));
      } else if (format == "jsonl") {
        nlohmann::ordered_json one{{"rank", i + 1}, {"row", hit.row}, {"score", hit.score}};
        for (size_t c = 0; c < cells.size(); ++c) one[key_of(items.columns()[c])] = cells[c];
        json["hits"].push_back(std::move(one));
      } else {
        table.push_back({printable(found.query), rank, fmt::format("{:.4f}", hit.score), printable(cells[label]),
                         printable(cells[id])});
      }
    }
    if (format == "jsonl") fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  if (format == "table") print_table(table);
}

Exit search(Arguments& arguments, const Globals& globals) {
  if (!arguments.html.empty()) require_output(arguments.html, "--html");
  SearchRequest& request = arguments.request;
  request.store = arguments.store;
  request.model = arguments.model;
  request.device = globals.device;
  const SearchResult result = search_store(request, globals.plugin_path);
  print_found(result, arguments.format);
  if (!arguments.html.empty()) {
    write_file(arguments.html, search_page(page_of(result, globals.plugin_path)));
    log::info("page   {}", printable(arguments.html));
  }
  return 0;
}

}  // namespace search_command

void add_search(CLI::App& app, const Globals& globals, Exit& exit) {
  using namespace search_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("search", "the items of a store that are most similar to sounds or items");
  command->add_option("STORE", arguments->store, "folder that amae embed made and amae index build indexed")
      ->required();
  command
      ->add_option("QUERY", arguments->request.queries,
                   "sound files, IQ as .npy, ids of items in the store, or .npy of vectors [N, D]")
      ->required();
  command->add_option("-k", arguments->request.k, "results of each query")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command
      ->add_option("--where", arguments->request.where,
                   "only items that fulfil it: fold=1, label!=dog, snr>=10; of several = on one column any")
      ->allow_extra_args(false);
  command->add_option("--model", arguments->model, "run or bundle that embeds files (default: the one of the store)");
  command->add_option("--format", arguments->format, "table, csv or jsonl")
      ->check(CLI::IsMember({"table", "csv", "jsonl"}))
      ->capture_default_str();
  command->add_option("--html", arguments->html, "also write a page that plays and shows queries and results");
  command->callback([=, &globals, &exit] { exit = search(*arguments, globals); });
}

}  // namespace amae::cli

// amae data audit STORE.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/progress.h"
#include "base/text.h"
#include "cli/cli.h"
#include "task/neighbours.h"

namespace amae::cli {
namespace data_audit_command {

struct Arguments {
  std::string store;
  PostOptions post;
  AuditOptions audit;
  int64_t shown = 20;
  bool json = false;
};

Exit audit(const Arguments& arguments) {
  const EmbeddingStore store(arguments.store);
  const Items& items = store.items();
  const size_t id = items.column("id"), label = items.column("label"), fold = items.column("fold");
  const StoreLabels labels = labels_of(items);
  Audit found;
  {
    Progress progress("audit", store.rows());
    found = audit_store(store, arguments.post, arguments.audit,
                        [&](int64_t done, int64_t /*total*/) { progress.update(done); });
  }
  if (arguments.json) {
    const auto pairs = [&](const std::vector<AuditPair>& list) {
      auto json = nlohmann::ordered_json::array();
      for (const AuditPair& pair : list) {
        json.push_back({{"first", items.cell(pair.first, id)},
                        {"second", items.cell(pair.second, id)},
                        {"similarity", pair.similarity},
                        {"in_two_folds", pair.in_two_folds},
                        {"labels_differ", pair.labels_differ}});
      }
      return json;
    };
    auto doubts = nlohmann::ordered_json::array();
    for (const LabelDoubt& doubt : found.label_doubts) {
      doubts.push_back({{"id", items.cell(doubt.row, id)},
                        {"label", items.cell(doubt.row, label)},
                        {"suggested", labels.classes[static_cast<size_t>(doubt.suggested)]},
                        {"share", doubt.share},
                        {"own_share", doubt.own_share},
                        {"nearest", items.cell(doubt.nearest, id)},
                        {"similarity", doubt.similarity}});
    }
    const nlohmann::ordered_json counts{{"identical_content", found.identical_count.all},
                                        {"near_duplicates", found.near_count.all},
                                        {"label_doubts", found.doubt_count}};
    const nlohmann::ordered_json json{{"rows", store.rows()},
                                      {"found", counts},
                                      {"identical_content", pairs(found.identical_content)},
                                      {"near_duplicates", pairs(found.near_duplicates)},
                                      {"label_doubts", std::move(doubts)}};
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return 0;
  }
  const auto named_row = [&](int64_t row) {
    std::string text = printable(items.cell(row, id)), more = printable(items.cell(row, label));
    if (const std::string f = items.cell(row, fold); !f.empty())
      more += (more.empty() ? "fold " : ", fold ") + printable(f);
    return more.empty() ? text : fmt::format("{} ({})", text, more);
  };
  std::vector<std::vector<std::string>> table = {{"FINDING", "ITEM", "BESIDE", "SIMILARITY", ""}};
  const auto add_pairs = [&](const char* name, const std::vector<AuditPair>& list) {
    int64_t count = 0;
    for (const AuditPair& pair : list) {
      if (++count > arguments.shown) break;
      std::vector<std::string> notes;
      if (pair.in_two_folds) notes.emplace_back("in two folds");
      if (pair.labels_differ) notes.emplace_back("other label");
      table.push_back({name, named_row(pair.first), named_row(pair.second), fmt::format("{:.4f}", pair.similarity),
                       join(notes, ", ")});
    }
  };
  add_pairs("identical", found.identical_content);
  add_pairs("near duplicate", found.near_duplicates);
  int64_t count = 0;
  for (const LabelDoubt& doubt : found.label_doubts) {
    if (++count > arguments.shown) break;
    table.push_back({"label", named_row(doubt.row), named_row(doubt.nearest), fmt::format("{:.4f}", doubt.similarity),
                     fmt::format("{} by {:.0f} % of its neighbours' vote",
                                 printable(labels.classes[static_cast<size_t>(doubt.suggested)]), 100 * doubt.share)});
  }
  if (table.size() > 1) {
    print_table(table);
    fmt::print("\n");
  }
  if (const int64_t more = found.identical_count.all + found.near_count.all + found.doubt_count - std::ssize(table) + 1;
      more > 0)
    fmt::print("{} more are not shown; --show takes more rows of each finding\n", more);
  fmt::print(
      "{} rows; {} pairs of identical content ({} in two folds), {} near duplicates ({} in two folds), {} labels "
      "that neighbours contradict\n",
      store.rows(), found.identical_count.all, found.identical_count.in_two_folds, found.near_count.all,
      found.near_count.in_two_folds, found.doubt_count);
  return 0;
}

}  // namespace data_audit_command

void add_data_audit(CLI::App& data, Exit& exit) {
  using namespace data_audit_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = data.add_subcommand(
      "audit", "what an embedding store tells of its data: duplicates, leaks between folds, labels to look at again");
  command->add_option("STORE", arguments->store, "folder that amae embed made")->required();
  command->add_option("--neighbours", arguments->audit.k, "of each row that are looked at")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command
      ->add_option("--duplicate", arguments->audit.duplicate_similarity,
                   "cosine similarity of near duplicates, at least")
      ->check(CLI::Range(-1.0, 1.0))
      ->capture_default_str();
  command
      ->add_option("--margin", arguments->audit.doubt_margin,
                   "by how much another label must lead in the neighbours' vote")
      ->check(CLI::Range(0.01, 1.0))
      ->capture_default_str();
  command
      ->add_option("--show", arguments->shown, "rows shown of each finding, the worst first; --json has 10,000 of each")
      ->check(CLI::Range(0, 10000))
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "one JSON object");
  command->callback([=, &exit] { exit = audit(*arguments); });
}

}  // namespace amae::cli

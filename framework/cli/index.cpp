// amae index build|info|verify|tune|evaluate|export.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "amae/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/stop.h"
#include "base/text.h"
#include "cli/cli.h"
#include "index/index_file.h"
#include "index/search_index.h"
#include "index/tune.h"
#include "io/npy.h"
#include "task/neighbours.h"

namespace amae::cli {
namespace fs = std::filesystem;
namespace index_command {

struct Arguments {
  std::string store;
  IndexOptions index;
  bool afresh = false, json = false, dry_run = false;
  TuneOptions tune;
  std::vector<std::string> query;
  RetrievalOptions retrieval;
  std::string out;
};

std::string dump(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

bool has_index(const EmbeddingStore& store) {
  std::error_code ignored;
  return fs::exists(store.folder() / kStoreIndexFile, ignored);
}

/// What was given; for the rest what the store's index was made with, where there is one.
IndexOptions present_options(const CLI::App& command, const Arguments& arguments) {
  IndexOptions given = arguments.index, options;
  try {
    options = options_of_index(describe_index(arguments.store));
  } catch (const InputError&) {
    return given;  // none, or damaged: then it is made anew
  }
  Fields from, to;
  given.describe(from);
  options.describe(to);
  for (size_t i = 0; i < from.all().size(); ++i) {
    std::string flag = from.all()[i].name;  // "post.pca" is --pca, "ef_search" --ef-search
    if (flag.starts_with("post.")) flag.erase(0, 5);
    std::replace(flag.begin(), flag.end(), '_', '-');
    if (command.count("--" + flag) == 0) continue;
    std::visit([&](auto* target) { *target = *std::get<decltype(target)>(from.all()[i].value); }, to.all()[i].value);
  }
  if (command.count("--type") > 0) options.factory = given.factory;
  return options;
}

/// Refuses what was given and plays no part in an index of these options.
void check_options(const CLI::App& command, const IndexOptions& options) {
  const auto refuse_unless = [&](bool is_used, const char* option, const std::string& beside) {
    if (!is_used && command.count(option) > 0)
      throw InputError("USAGE", "", option, fmt::format("got it beside {}, which has no use for it", beside));
  };
  const std::string &type = options.type, &factory = options.factory;
  const bool by_type = factory.empty();
  const std::string kind = by_type ? "--type " + type : "--factory " + printable(factory);
  const bool is_ivf = by_type ? type.starts_with("ivf") : factory.find("IVF") != std::string::npos;
  const bool is_hnsw = by_type ? type == "hnsw" : !is_ivf && factory.find("HNSW") != std::string::npos;
  refuse_unless(by_type, "--type", kind);
  refuse_unless(by_type && is_hnsw, "--links", kind);
  refuse_unless(is_hnsw, "--ef-construction", kind);
  refuse_unless(is_hnsw, "--ef-search", kind);
  refuse_unless(by_type && is_ivf, "--lists", kind);
  refuse_unless(is_ivf, "--probes", kind);
  refuse_unless(by_type && type == "ivf_pq", "--code-bytes", kind);
  for (const char* option : {"--centre", "--pca", "--whiten", "--l2"})
    refuse_unless(options.metric == "cosine", option, "--metric " + options.metric);
}

Exit build(Arguments& arguments) {
  const EmbeddingStore store(arguments.store);
  std::unique_ptr<Progress> progress;
  const IndexChange change = build_index(store, arguments.index, arguments.afresh, [&](int64_t done, int64_t total) {
    if (!progress) progress = std::make_unique<Progress>("index", total);
    progress->update(done);
  });
  progress.reset();
  const nlohmann::json told = describe_index(store.folder());
  if (change.rebuilt) log::info("index  all rows anew: {}", change.reason);
  if (arguments.json) {
    const nlohmann::ordered_json json{{"index", (store.folder() / kStoreIndexFile).string()},
                                      {"rows", store.rows()},
                                      {"width", told.at("width")},
                                      {"factory", told.at("factory")},
                                      {"rebuilt", change.rebuilt},
                                      {"reason", change.reason},
                                      {"added", change.added},
                                      {"removed", change.removed},
                                      {"kept", change.kept},
                                      {"train_s", change.train_s},
                                      {"add_s", change.add_s},
                                      {"write_s", change.write_s},
                                      {"bytes", told.at("bytes")}};
    fmt::print("{}\n", dump(json));
    return 0;
  }
  fmt::print(
      "{}: {} rows of {} numbers; {} added, {} removed, {} kept; trained in {}, added in {}, written in {} ({})\n",
      (store.folder() / kStoreIndexFile).string(), store.rows(), told.at("width").get<int64_t>(), change.added,
      change.removed, change.kept, duration_text(change.train_s), duration_text(change.add_s),
      duration_text(change.write_s), bytes_text(told.at("bytes").get<double>()));
  return 0;
}

Exit info(Arguments& arguments) {
  const EmbeddingStore store(arguments.store, EmbeddingStore::Check::manifest);
  const StoreManifest& manifest = store.manifest();
  const bool is_indexed = has_index(store);
  const nlohmann::json told = is_indexed ? describe_index(store.folder()) : nlohmann::json();
  const bool is_present = is_indexed && told.value("store", "") == store.id();
  if (arguments.json) {
    nlohmann::ordered_json json{{"store", store.folder().string()},
                                {"rows", manifest.rows},
                                {"dimension", manifest.dimension},
                                {"type", manifest.maker.type},
                                {"pooling", manifest.maker.pooling},
                                {"chunk_s", manifest.maker.chunk_s},
                                {"hop_s", manifest.maker.hop_s},
                                {"timestamps", manifest.maker.timestamps},
                                {"bundle", manifest.bundle},
                                {"bundle_id", manifest.bundle_id},
                                {"bytes", store.bytes()},
                                {"index", told}};
    json["index_is_present_state"] = is_present;
    fmt::print("{}\n", dump(json));
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {
      {"store", printable(store.folder().string())},
      {"vectors", fmt::format("{} of {} numbers ({}), {}", manifest.rows, manifest.dimension, manifest.maker.type,
                              bytes_text(static_cast<double>(store.bytes())))},
      {"pooling", manifest.maker.chunk_s > 0
                      ? fmt::format("{}; chunks of {} s, one every {} s{}", manifest.maker.pooling,
                                    number_text(manifest.maker.chunk_s), number_text(manifest.maker.hop_s),
                                    manifest.maker.timestamps ? ", a row each" : "")
                      : manifest.maker.pooling},
      {"model", fmt::format("{} ({})", manifest.bundle, manifest.bundle_id)}};
  if (!is_indexed) {
    rows.push_back({"index", fmt::format("none; amae index build {}", printable(arguments.store))});
  } else {
    rows.push_back({"index", fmt::format("{} ({}), {} rows of {} numbers, {}", told.at("options").value("type", "?"),
                                         told.value("factory", "?"), told.value("rows", int64_t{0}),
                                         told.value("width", int64_t{0}), bytes_text(told.value("bytes", 0.0)))});
    rows.push_back({"metric", told.value("metric", "?")});
    rows.push_back({"post", told.value("post", "?")});
    if (const std::string effort = told.value("effort_name", ""); !effort.empty())
      rows.push_back({effort, std::to_string(told.value("effort", int64_t{0}))});
    rows.push_back({"state", is_present ? "of this store" : "of an older state of this store; amae index build"});
  }
  print_table(rows);
  return 0;
}

Exit verify(Arguments& arguments) {
  const auto store = std::make_shared<EmbeddingStore>(arguments.store);
  const std::string name = printable(arguments.store);
  if (!has_index(*store)) {
    fmt::print("{}: {} rows are whole; there is no index\n", name, store->rows());
    return 0;
  }
  const auto file = open_index_file(store->folder());
  if (file->description().value("store", "") == store->id()) {
    const SearchIndex index(store);
    fmt::print("{}: {} rows and their index are whole\n", name, index.rows());
    return 0;
  }
  file->verify();
  static_cast<void>(read_index_parts(*file));
  fmt::print(
      "{0}: {1} rows are whole, and so is their index, but it is of an older state of this store; amae index build "
      "{0}\n",
      name, store->rows());
  return 0;
}

Exit tune(Arguments& arguments) {
  const auto store = std::make_shared<EmbeddingStore>(arguments.store);
  Tuned tuned;
  std::string effort;
  nlohmann::json measured;
  {
    SearchIndex index(store);
    measured = index.description();
    effort = index.faiss().effort_name();
    tuned = tune_index(index, arguments.tune);
  }
  const nlohmann::json told = describe_index(store->folder());
  const std::string size = bytes_text(told.at("bytes").get<double>());
  std::vector<std::vector<std::string>> rows = {{effort.empty() ? "index" : effort,
                                                 fmt::format("recall@{}", arguments.tune.k), "ms a query",
                                                 "ms in a batch", "size", ""}};
  for (size_t i = 0; i < tuned.steps.size(); ++i) {
    const TuneStep& step = tuned.steps[i];
    rows.push_back({effort.empty() ? told.at("options").value("type", "") : std::to_string(step.effort),
                    fmt::format("{:.4f}", step.recall), fmt::format("{:.3f}", step.single_ms),
                    fmt::format("{:.3f}", step.batch_ms), size,
                    static_cast<int64_t>(i) == tuned.chosen ? "<- chosen" : ""});
  }
  print_table(rows);
  if (tuned.chosen < 0) {
    throw CheckFailed(arguments.store, fmt::format("got recall@{} of {:.4f} at most, expected {}; build the index with "
                                                   "more links, lists or code bytes",
                                                   arguments.tune.k, tuned.steps.back().recall, arguments.tune.target));
  }
  const TuneStep& chosen = tuned.steps[static_cast<size_t>(tuned.chosen)];
  if (!effort.empty() && !arguments.dry_run && told.value("effort", int64_t{0}) != chosen.effort) {
    keep_effort(store->folder(), measured, chosen.effort,
                {{"recall", chosen.recall}, {"k", arguments.tune.k}, {"target", arguments.tune.target}});
    fmt::print("{} = {} is the index's own from now on\n", effort, chosen.effort);
  }
  return 0;
}

Exit evaluate(Arguments& arguments) {
  if (!arguments.out.empty()) require_output(arguments.out, "--out");
  const EmbeddingStore store(arguments.store);
  std::vector<std::pair<std::string, RetrievalMetrics>> results;
  const bool by_fold = arguments.query.empty();
  if (by_fold) {
    results = evaluate_folds(store, arguments.index.post, arguments.retrieval);
  } else {
    results.emplace_back(join(arguments.query, ", "),
                         evaluate_queries(store, arguments.query, arguments.index.post, arguments.retrieval));
  }
  nlohmann::ordered_json json{{"store", store.folder().string()}, {"queries", nlohmann::ordered_json::object()}};
  for (const auto& [name, metrics] : results) json["queries"][name] = retrieval_json(metrics);
  if (by_fold) json["mean"] = retrieval_means(results);
  if (!arguments.out.empty()) write_file(arguments.out, dump(json) + "\n");
  if (arguments.json) {
    fmt::print("{}\n", dump(json));
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{by_fold ? "fold" : "queries", "n"}};
  for (const auto& [name, interval] : named(results.front().second)) rows[0].push_back(name);
  rows[0].emplace_back("silhouette");
  for (const auto& [name, metrics] : results) {
    std::vector<std::string>& row = rows.emplace_back();
    row = {name, std::to_string(metrics.queries)};
    for (const auto& [figure, interval] : named(metrics)) {
      row.push_back(by_fold ? fmt::format("{:.4f}", interval.value)
                            : fmt::format("{:.4f} ({:.3f}-{:.3f})", interval.value, interval.low, interval.high));
    }
    row.push_back(fmt::format("{:.4f}", metrics.silhouette));
  }
  if (by_fold) {
    std::vector<std::string> mean = {"mean", ""};
    for (size_t i = 2; i < rows[0].size(); ++i)
      mean.push_back(fmt::format("{:.4f}", json["mean"][rows[0][i]]["mean"].get<double>()));
    rows.push_back(mean);
  }
  print_table(rows);
  return 0;
}

/// For other programs: the vectors as the index compares them, or FAISS's own file.
Exit export_index(Arguments& arguments) {
  const std::string ending = fs::path(arguments.out).extension().string(), name = printable(arguments.out);
  if (ending != ".npy" && ending != ".faiss")
    throw InputError("USAGE", "", "--out", fmt::format("got {}, expected FILE.npy or FILE.faiss", name));
  require_output(arguments.out, "--out");
  const auto store = std::make_shared<EmbeddingStore>(arguments.store);
  const SearchIndex index(store);
  if (ending == ".npy") {
    write_npy(arguments.out, index.prepared(store->vectors(), ""));
  } else {
    AtomicFile file(arguments.out);
    index.faiss().write([&](const void* data, size_t count) {
      throw_if_stopped();
      file.write(data, count);
    });
    file.commit();
  }
  fmt::print("{}: {} rows as the index compares them\n", name, store->rows());
  return 0;
}

void add_post(CLI::App* sub, Arguments& arguments) {
  sub->add_flag("--centre,!--no-centre", arguments.index.post.centre, "whether to subtract the mean (default: it is)");
  sub->add_option("--pca", arguments.index.post.pca, "keep at most this many principal directions; 0: all")
      ->check(CLI::Range(0, 65536))
      ->capture_default_str();
  sub->add_flag("--whiten,!--no-whiten", arguments.index.post.whiten,
                "whether to scale each principal direction to deviation 1 (default: it is not)");
  sub->add_flag("--l2,!--no-l2", arguments.index.post.l2, "whether to scale rows to length 1 (default: they are)");
}

}  // namespace index_command

void add_index(CLI::App& app, Exit& exit) {
  using namespace index_command;
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("index", "make, look at, tune and judge the index of an embedding store");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* what, Exit (*work)(Arguments&)) {
    CLI::App* sub = command->add_subcommand(name, what);
    sub->add_option("STORE", arguments->store, "folder that amae embed made")->required();
    sub->callback([=, &exit] { exit = work(*arguments); });
    return sub;
  };
  IndexOptions& index = arguments->index;
  CLI::App* sub = add("build", "index the store, or bring its index up to date", build);
  sub->add_option("--type", index.type, "flat: exact; hnsw: a graph; ivf_flat: clusters; ivf_pq: compressed too")
      ->check(CLI::IsMember({"flat", "hnsw", "ivf_flat", "ivf_pq"}))
      ->capture_default_str();
  sub->add_option("--factory", index.factory, "a FAISS factory string in place of --type, e.g. IVF1024,SQ8");
  sub->add_option("--metric", index.metric, "cosine, or inner_product or l2 of the vectors as they are")
      ->check(CLI::IsMember({"cosine", "inner_product", "l2"}))
      ->capture_default_str();
  add_post(sub, *arguments);
  const auto number = [&](const char* name, int64_t& value, const char* what, int64_t least, int64_t most) {
    sub->add_option(name, value, what)->check(CLI::Range(least, most))->capture_default_str();
  };
  number("--links", index.links, "hnsw: links of a node (M)", 2, 512);
  number("--ef-construction", index.ef_construction, "hnsw: candidates while building", 1, 65536);
  number("--ef-search", index.ef_search, "hnsw: candidates while searching; 0: 64, or as the index has it", 0, 65536);
  number("--lists", index.lists, "ivf: clusters; 0: four times the square root of the rows", 0, 1 << 24);
  number("--probes", index.probes, "ivf: clusters that a search looks into; 0: 16, or as the index has it", 0, 1 << 24);
  number("--code-bytes", index.code_bytes, "ivf_pq: bytes of a vector; 0: one for four numbers", 0, 65536);
  number("--seed", index.seed, "of the training sample", 0, std::numeric_limits<int64_t>::max());
  sub->add_flag("--afresh", arguments->afresh, "index all rows anew");
  sub->add_flag("--json", arguments->json, "one JSON object");
  sub->callback([=, &exit] {
    arguments->index = present_options(*sub, *arguments);
    check_options(*sub, arguments->index);
    exit = build(*arguments);
  });

  sub = add("info", "what store and index are, from their heads alone", info);
  sub->add_flag("--json", arguments->json, "one JSON object");
  add("verify", "check every byte of store and index against its hash", verify);

  sub = add("tune", "recall against exact search, time and size of each setting; the least that reaches the target",
            tune);
  sub->add_option("-k", arguments->tune.k, "neighbours")->check(CLI::Range(1, 10000))->capture_default_str();
  sub->add_option("--recall", arguments->tune.target, "recall@k to reach")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  sub->add_option("--queries", arguments->tune.queries, "rows that are looked for")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  sub->add_flag("--dry-run", arguments->dry_run, "leave the index as it is");

  sub = add("evaluate", "how well like finds like: each fold, or the rows of --query, against all others", evaluate);
  sub->add_option("--query", arguments->query, "COLUMN=VALUE of the query rows, e.g. fold=1 (default: every fold)")
      ->allow_extra_args(false);
  add_post(sub, *arguments);
  sub->add_option("--knn", arguments->retrieval.knn, "neighbours that vote for knn_accuracy")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  sub->add_option("--out", arguments->out, "also write the figures to this JSON file");
  sub->add_flag("--json", arguments->json, "one JSON object");

  sub = add("export", "for other programs: the vectors as the index compares them (.npy), or a file of FAISS (.faiss)",
            export_index);
  sub->add_option("--out", arguments->out, "FILE.npy or FILE.faiss")->required();
}

}  // namespace amae::cli

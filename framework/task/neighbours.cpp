#include "task/neighbours.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>

#include "amae/error.h"
#include "base/text.h"
#include "index/faiss_index.h"
#include "index/umap.h"
#include "io/csv.h"
#include "report/metrics.h"
#include "report/plots.h"

namespace amae {
namespace fs = std::filesystem;
using nlohmann::ordered_json;
namespace {

/// In numerical order where all are numbers, else as texts.
std::vector<std::string> in_order(std::vector<std::string> names) {
  const bool are_numbers =
      std::none_of(names.begin(), names.end(), [](const std::string& name) { return std::isnan(number_of(name)); });
  std::sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    const double x = number_of(a), y = number_of(b);
    return are_numbers && x != y ? x < y : a < b;
  });
  return names;
}

/// Which item each row is of, in order of their first appearance; empty where every row is an item of its own.
std::vector<int64_t> items_of_rows(const EmbeddingStore& store) {
  std::vector<int64_t> of_row;
  if (!store.manifest().maker.timestamps) return of_row;
  std::unordered_map<std::string, int64_t> numbers;
  const size_t id = store.items().column("id");
  for (int64_t row = 0; row < store.rows(); ++row) {
    const auto found = numbers.emplace(item_id(store.items().cell(row, id), true), std::ssize(numbers)).first;
    of_row.push_back(found->second);
  }
  return of_row;
}

RetrievalMetrics evaluate_split(const EmbeddingStore& store, const StoreLabels& labels,
                                const std::vector<bool>& is_query, const PostOptions& post,
                                const RetrievalOptions& options, const std::string& field) {
  std::vector<int64_t> rows[2];
  std::vector<int64_t> classes[2];
  std::vector<int64_t> items[2];
  const std::vector<int64_t> item_of_row = items_of_rows(store);
  for (size_t row = 0; row < is_query.size(); ++row) {
    const size_t side = is_query[row] ? 1 : 0;
    rows[side].push_back(static_cast<int64_t>(row));
    classes[side].push_back(labels.of_row[row]);
    if (!item_of_row.empty()) items[side].push_back(item_of_row[row]);
  }
  if (rows[0].empty() || rows[1].empty()) {
    throw InputError(
        "QUERY", "", field,
        fmt::format("got {} rows as queries and {} as the gallery, expected both", rows[1].size(), rows[0].size()));
  }
  if (labels.classes.empty())
    throw InputError("QUERY", printable(store.folder().string()), "label",
                     "got no labels, which retrieval is judged by");
  const at::Tensor gallery = store.vectors(rows[0]);
  const PostProcess process = PostProcess::fit(post, gallery);
  const RetrievalMetrics metrics = retrieval_metrics(process(store.vectors(rows[1])), classes[1], process(gallery),
                                                     classes[0], options, {items[1], items[0]});
  if (metrics.queries == 0) {
    const auto unlabelled = std::count(classes[1].begin(), classes[1].end(), -1);
    throw InputError("QUERY", printable(store.folder().string()), field,
                     fmt::format("got {} rows as queries of which none can be judged ({} have no label, {} no other "
                                 "item of their label in the gallery), expected at least one",
                                 rows[1].size(), unlabelled, std::ssize(rows[1]) - unlabelled));
  }
  return metrics;
}

KnnGraph nearest_graph(const at::Tensor& x, int64_t k) {
  constexpr int64_t kMostExact = 50'000;
  const int64_t count = x.size(0), width = x.size(1), wanted = std::min(k, count - 1);
  KnnGraph graph{count, wanted, {}, {}};
  if (wanted < 1) return graph;
  FaissIndex index(width, count > kMostExact ? "HNSW32,Flat" : "Flat", VectorMetric::l2);
  std::vector<int64_t> ids(static_cast<size_t>(count));
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i);
  index.add(x.const_data_ptr<float>(), count, ids);
  if (!index.is_exact()) index.set_effort(4 * wanted);
  const int64_t asked = wanted + 1;  // a row finds itself
  constexpr int64_t kBlock = 4096;
  std::vector<float> scores(static_cast<size_t>(kBlock * asked));
  std::vector<int64_t> found(scores.size());
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t size = std::min(kBlock, count - begin);
    index.search(x.const_data_ptr<float>() + begin * width, size, asked, scores.data(), found.data());
    for (int64_t i = 0; i < size; ++i) {
      int64_t taken = 0;
      for (int64_t j = 0; j < asked && taken < wanted; ++j) {
        const int64_t id = found[static_cast<size_t>(i * asked + j)];
        if (id == begin + i || id < 0) continue;
        graph.neighbours.push_back(static_cast<int32_t>(id));
        graph.distances.push_back(std::sqrt(std::max(0.0F, scores[static_cast<size_t>(i * asked + j)])));
        ++taken;
      }
      for (; taken < wanted; ++taken) {
        graph.neighbours.push_back(-1);
        graph.distances.push_back(0);
      }
    }
  }
  return graph;
}

ordered_json interval_json(const Interval& interval) {
  return {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}};
}

}  // namespace

StoreLabels labels_of(const Items& items, const std::string& column) {
  StoreLabels labels;
  std::map<std::string, int64_t> numbers;
  const size_t at = items.column(column);
  for (int64_t row = 0; row < items.rows(); ++row) {
    const std::string cell = items.cell(row, at);
    if (cell.empty()) {
      labels.of_row.push_back(-1);
      continue;
    }
    const auto [found, is_new] = numbers.emplace(cell, std::ssize(labels.classes));
    if (is_new) labels.classes.push_back(cell);
    labels.of_row.push_back(found->second);
  }
  return labels;
}

RetrievalMetrics evaluate_queries(const EmbeddingStore& store, const std::vector<std::string>& queries,
                                  const PostOptions& post, const RetrievalOptions& options) {
  std::vector<bool> is_query(static_cast<size_t>(store.rows()));
  for (const int64_t row : Filter(queries).rows(store.items())) is_query[static_cast<size_t>(row)] = true;
  return evaluate_split(store, labels_of(store.items()), is_query, post, options, "--query");
}

std::vector<std::pair<std::string, RetrievalMetrics>> evaluate_folds(const EmbeddingStore& store,
                                                                     const PostOptions& post,
                                                                     const RetrievalOptions& options) {
  const StoreLabels labels = labels_of(store.items()), folds = labels_of(store.items(), "fold");
  if (folds.classes.size() < 2) {
    throw InputError("QUERY", printable(store.folder().string()), "fold",
                     fmt::format("got {} folds, expected at least 2; name the queries with --query COLUMN=VALUE",
                                 folds.classes.size()));
  }
  std::vector<std::pair<std::string, RetrievalMetrics>> results;
  for (const std::string& name : in_order(folds.classes)) {
    const auto fold = std::find(folds.classes.begin(), folds.classes.end(), name) - folds.classes.begin();
    std::vector<bool> is_query;
    for (const int64_t f : folds.of_row) is_query.push_back(f == fold);
    results.emplace_back(name, evaluate_split(store, labels, is_query, post, options, "fold " + printable(name)));
  }
  return results;
}

ordered_json retrieval_json(const RetrievalMetrics& metrics) {
  ordered_json json{{"queries", metrics.queries},
                    {"skipped", metrics.skipped},
                    {"gallery", metrics.gallery},
                    {"dimension", metrics.dimension}};
  for (const auto& [name, interval] : named(metrics)) json[name] = interval_json(interval);
  json["silhouette"] = metrics.silhouette;
  json["alignment"] = metrics.alignment;
  json["uniformity"] = metrics.uniformity;
  return json;
}

ordered_json retrieval_means(const std::vector<std::pair<std::string, RetrievalMetrics>>& folds) {
  std::map<std::string, std::vector<double>> values;
  std::vector<std::string> order;
  const auto add = [&](const std::string& name, double value) {
    if (!values.contains(name)) order.push_back(name);
    values[name].push_back(value);
  };
  for (const auto& [fold, metrics] : folds) {
    for (const auto& [name, interval] : named(metrics)) add(name, interval.value);
    add("silhouette", metrics.silhouette);
    add("alignment", metrics.alignment);
    add("uniformity", metrics.uniformity);
  }
  ordered_json json = ordered_json::object();
  for (const std::string& name : order) {
    const auto [mean, deviation] = mean_and_deviation(values[name]);
    json[name] = {{"mean", mean}, {"sd", deviation}};
  }
  return json;
}

Audit audit_store(const EmbeddingStore& store, const PostOptions& post, const AuditOptions& options,
                  const std::function<void(int64_t, int64_t)>& progress) {
  const Items& items = store.items();
  AuditInput input;
  const at::Tensor raw = store.vectors();
  input.vectors = PostProcess::fit(post, raw)(raw);
  input.labels = labels_of(items).of_row;
  input.folds = labels_of(items, "fold").of_row;
  input.items = items_of_rows(store);
  if (input.items.empty()) {  // chunks of one file share its content
    const size_t column = items.column("content");
    for (int64_t row = 0; row < items.rows(); ++row) input.contents.push_back(items.cell(row, column));
  }
  return audit_rows(input, options, progress);
}

at::Tensor map_store(const EmbeddingStore& store, const PostOptions& post, const MapOptions& options,
                     const std::function<void(int64_t, int64_t)>& progress) {
  const at::Tensor raw = store.vectors();
  const at::Tensor x = PostProcess::fit(post, raw)(raw);
  const at::Tensor start = pca_2d(x);
  if (options.method == "pca") return start;
  UmapOptions umap;
  umap.min_dist = options.min_dist;
  umap.seed = options.seed;
  return umap_layout(nearest_graph(x, options.neighbours), start, umap, progress);
}

fs::path map_base(const fs::path& file) {
  fs::path base = file;
  if (base.extension() == ".csv" || base.extension() == ".svg") base.replace_extension();
  return base;
}

void write_map(const EmbeddingStore& store, const at::Tensor& places, const std::string& color, const fs::path& file,
               const std::string& title) {
  constexpr size_t kMostGroups = 20;  // of numbers; more of them are a scale
  const Items& items = store.items();
  const size_t id = items.column("id"), column = items.column(color, "--color");
  const at::Tensor xy = places.to(at::kDouble).contiguous();
  const double* at = xy.const_data_ptr<double>();
  std::string csv = csv_line({"id", "x", "y", color});
  std::vector<double> x, y, values;
  std::vector<std::string> titles, cells;
  std::set<std::string> distinct;
  bool are_numbers = true;
  for (int64_t row = 0; row < items.rows(); ++row) {
    cells.push_back(items.cell(row, column));
    distinct.insert(cells.back());
    titles.push_back(fmt::format("{}: {}", items.cell(row, id), cells.back()));
    x.push_back(at[2 * row]);
    y.push_back(at[2 * row + 1]);
    csv += csv_line({items.cell(row, id), number_text(x.back()), number_text(y.back()), cells.back()});
    values.push_back(number_of(cells.back()));
    are_numbers = are_numbers && (cells.back().empty() || !std::isnan(values.back()));
  }
  std::string svg;
  if (are_numbers && distinct.size() > kMostGroups) {
    svg = scatter_svg(title, x, y, values, color, titles);
  } else {
    std::vector<ScatterGroup> groups;
    std::map<std::string, size_t> group_of;
    for (const std::string& name : in_order({distinct.begin(), distinct.end()})) {
      group_of[name] = groups.size();
      groups.push_back({name.empty() ? "(none)" : name, {}, {}, {}});
    }
    for (size_t row = 0; row < cells.size(); ++row) {
      ScatterGroup& group = groups[group_of[cells[row]]];
      group.x.push_back(x[row]);
      group.y.push_back(y[row]);
      group.titles.push_back(titles[row]);
    }
    svg = scatter_svg(title, groups);
  }
  const std::string base = map_base(file).string();
  write_file(base + ".csv", csv);
  write_file(base + ".svg", svg);
}

}  // namespace amae

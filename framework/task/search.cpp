#include "task/search.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "io/npy.h"
#include "task/clips.h"
#include "task/embed.h"
#include "task/session.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

bool has_ending(const std::string& name, const std::string& ending) {
  return fs::path(name).extension().string() == ending;
}

/// Vectors have a store's manifest beside them when `amae embed` wrote them: then it is known who made them.
void check_maker(const fs::path& file, const EmbeddingStore& store) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (file.filename() != kStoreVectors || !is_store(folder)) return;
  const EmbeddingStore theirs(folder, EmbeddingStore::Check::manifest);
  const EmbeddingMaker &got = theirs.manifest().maker, &expected = store.manifest().maker;
  if (got.weights == expected.weights && got.pipeline == expected.pipeline) return;
  throw InputError("MODEL", printable(file.string()), "",
                   fmt::format("{} as in the index: these vectors are another model's", got.difference(expected)));
}

class Queries {
 public:
  Queries(const SearchRequest& request, const SearchIndex& index, const std::vector<fs::path>& plugin_path)
      : request_(request), index_(index), store_(index.store()), plugin_path_(plugin_path) {}

  /// One FoundFor without hits for each row of `vectors`.
  std::vector<FoundFor> read(at::Tensor& vectors) {
    for (const std::string& name : request_.queries) add(name);
    if (files_.empty() && !request_.model.empty())
      throw InputError("USAGE", "", "--model", "got it beside ids or vectors, which have no use for it");
    if (!files_.empty()) embed();
    vectors = at::cat(vectors_);
    return std::move(queries_);
  }

 private:
  void add(const std::string& name) {
    std::error_code ignored;
    const bool is_file = fs::is_regular_file(name, ignored);
    if (is_file && has_ending(name, ".npy") && holds_vectors(name)) return add_vectors(name);
    if (is_file) {
      files_.push_back(name);
      file_at_.push_back(queries_.size());
      queries_.push_back({name, -1, name, {}});
      vectors_.emplace_back();
      return;
    }
    const Items& items = store_.items();
    const int64_t row = items.find(items.column("id"), name);
    if (row < 0) refuse(name);
    queries_.push_back({name, row, "", {}});
    vectors_.push_back(index_.prepared(store_.vectors(row, 1), printable(name)));
  }

  /// False for IQ samples, which have two rows or complex numbers.
  [[nodiscard]] bool holds_vectors(const std::string& name) const {
    const NpyHeader header = read_npy_header(OpenFile(name, "NPY"));
    const bool is_complex = header.descr.find('c') != std::string::npos;
    const bool has_width = header.shape.size() == 2 && header.shape[1] == store_.dimension();
    const bool may_be_iq = is_complex || (header.shape.size() == 2 && header.shape[0] == 2);
    return has_width || !may_be_iq;
  }

  void add_vectors(const std::string& name) {
    check_maker(name, store_);
    const at::Tensor all = index_.prepared(read_npy(name), printable(name));
    for (int64_t i = 0; i < all.size(0); ++i)
      queries_.push_back({all.size(0) == 1 ? name : fmt::format("{}[{}]", name, i), -1, "", {}});
    if (all.size(0) == 0) throw InputError("QUERY", printable(name), "", "got no vectors, expected at least one");
    vectors_.push_back(all);
  }

  [[noreturn]] void refuse(const std::string& name) const {
    std::vector<std::string> ids;
    constexpr int64_t kMost = 20'000;  // edit distances cost
    const Items& items = store_.items();
    const size_t column = items.column("id");
    for (int64_t row = 0; row < std::min(kMost, items.rows()); ++row) ids.push_back(items.cell(row, column));
    const std::string close = nearest(name, ids);
    throw InputError("QUERY", "", "QUERY",
                     fmt::format("got '{}', expected a file or the id of an item in the store{}", printable(name),
                                 close.empty() ? "" : "; did you mean " + printable(close) + "?"));
  }

  void embed() {
    const StoreManifest& manifest = store_.manifest();
    fs::path bundle = request_.model;
    if (bundle.empty()) bundle = manifest.bundle;
    std::error_code ignored;
    if (request_.model.empty() && !fs::exists(bundle / "bundle.json", ignored)) {
      throw InputError("MODEL", printable(bundle.string()), "",
                       "the bundle that made this store is gone, and files cannot be embedded; name it with --model");
    }
    bundle = bundle_folder(bundle);
    const BundleIdentity identity = bundle_identity(bundle);
    EmbeddingMaker maker = manifest.maker;
    maker.weights = identity.weights;
    maker.pipeline = identity.pipeline;
    if (const std::string difference = maker.difference(manifest.maker); !difference.empty())
      throw InputError("MODEL", printable(bundle.string()), "", difference + " as in the store: it is another model's");
    const auto registry = load_registry(plugin_path_);
    const Bundle model = load_bundle(bundle, *registry);
    const torch::Device device = pick_device(request_.device);
    model.model->to(device);
    EmbedOptions options;
    options.chunk_s = maker.chunk_s;
    options.hop_s = maker.hop_s;
    const auto source = file_source(files_);
    std::vector<int64_t> numbers(static_cast<size_t>(source->size()));
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int64_t>(i);
    std::map<std::string, at::Tensor> by_file;  // a file may be named twice
    const EmbedCount count =
        embed_items(model, *registry, *source, numbers, options, device,
                    [&](const EmbeddedItem& item) { by_file[source->item(item.number).id] = item.vectors; });
    if (!count.problems.empty()) throw InputError(count.problems);
    for (size_t i = 0; i < files_.size(); ++i)
      vectors_[file_at_[i]] = index_.prepared(by_file.at(files_[i]), printable(files_[i]));
  }

  const SearchRequest& request_;
  const SearchIndex& index_;
  const EmbeddingStore& store_;
  const std::vector<fs::path>& plugin_path_;
  std::vector<FoundFor> queries_;
  std::vector<at::Tensor> vectors_;  // [rows, W] of each entry; a file's come later
  std::vector<std::string> files_;
  std::vector<size_t> file_at_;  // in vectors_
};

}  // namespace

SearchResult search_store(const SearchRequest& request, const std::vector<fs::path>& plugin_path) {
  SearchResult result;
  result.store = std::make_shared<EmbeddingStore>(request.store);
  const SearchIndex index(result.store);
  const Filter filter(request.where);
  std::vector<int64_t> among;
  if (!filter.empty()) {
    among = filter.rows(result.store->items());
    if (among.empty())
      throw InputError("QUERY", "", "--where", fmt::format("got no row that fulfils {}", printable(filter.text())));
  }
  at::Tensor vectors;
  result.found = Queries(request, index, plugin_path).read(vectors);
  result.metric = index.description().value("metric", "");
  result.index = index.description().at("options").value("type", "");
  result.filter = filter.text();

  int64_t k = request.k;
  const int64_t there = filter.empty() ? index.rows() : std::ssize(among);
  for (const FoundFor& found : result.found) {  // a row that is among those to find would find itself first
    const bool is_there =
        found.row >= 0 && (filter.empty() || std::binary_search(among.begin(), among.end(), found.row));
    if (!is_there) continue;
    if (request.k >= there) {
      throw InputError("QUERY", printable(found.query), "-k",
                       fmt::format("got {}, expected 1 to {}, the number of other rows{}", request.k, there - 1,
                                   filter.empty() ? "" : " that fulfil --where"));
    }
    k = request.k + 1;
  }
  const auto hits = index.search(vectors, k, filter.empty() ? nullptr : &among);
  for (size_t i = 0; i < hits.size(); ++i) {
    for (const Hit& hit : hits[i]) {
      if (hit.row != result.found[i].row && std::ssize(result.found[i].hits) < request.k)
        result.found[i].hits.push_back(hit);
    }
  }
  return result;
}

SearchPage page_of(const SearchResult& result, const std::vector<fs::path>& plugin_path) {
  const auto registry = load_registry(plugin_path);
  Clips clips(result.store, *registry);
  SearchPage page;
  page.are_distances = result.metric == "l2";
  page.title = result.found.size() == 1 ? "Similar to " + result.found[0].query : "Similar sounds";
  for (const FoundFor& found : result.found) {
    PageSearch& search = page.searches.emplace_back();
    if (found.row >= 0) {
      search.query = clips.of_row(found.row);
    } else if (!found.file.empty()) {
      search.query = clips.of_file(found.file);
    } else {
      search.query.id = found.query;
      search.query.note = "a vector, without a sound";
    }
    for (const Hit& hit : found.hits) {
      PageClip clip = clips.of_row(hit.row);
      clip.score = hit.score;
      if (!search.query.label.empty() && !clip.label.empty()) clip.same_label = clip.label == search.query.label;
      search.results.push_back(std::move(clip));
    }
  }
  const StoreManifest& manifest = result.store->manifest();
  page.about = {{"store", result.store->folder().string()},
                {"items", std::to_string(manifest.rows)},
                {"model", fmt::format("{} ({})", manifest.bundle, manifest.bundle_id)},
                {"index", fmt::format("{}, {}", result.index, result.metric)}};
  if (!result.filter.empty()) page.about.emplace_back("where", result.filter);
  return page;
}

}  // namespace amae

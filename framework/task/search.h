// amae search: from what a user names to rows of a store, and to a page that plays them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "index/search_index.h"
#include "report/search_page.h"

namespace amae {

struct SearchRequest {
  std::filesystem::path store;
  std::vector<std::string> queries;  ///< sound files, IQ as .npy, ids of the store, or .npy of vectors [M, D]
  int64_t k = 10;
  std::vector<std::string> where;  ///< conditions (index/items.h)
  std::filesystem::path model;     ///< run or bundle that embeds files; empty: the one that made the store
  std::string device = "auto";
};

struct FoundFor {
  std::string query;      ///< as named; of several vectors "FILE[3]"
  int64_t row = -1;       ///< the query's own in the store, where it is an id
  std::string file;       ///< the query's, where it is one
  std::vector<Hit> hits;  ///< best first; a row never finds itself
};

struct SearchResult {
  std::shared_ptr<const EmbeddingStore> store;
  std::vector<FoundFor> found;
  std::string metric, index, filter;  ///< "cosine", "hnsw", "fold=1"
};

/// Opens and verifies store and index, embeds what are files, searches. Throws InputError: code STORE or INDEX for what
/// is damaged; QUERY for a name that is neither file nor id, numbers that are not finite, another width, k beyond the
/// rows; MODEL for a bundle or vectors of another model than the store's.
SearchResult search_store(const SearchRequest& request, const std::vector<std::filesystem::path>& plugin_path);

/// The page's content: sounds and pictures of queries and hits, as far as they can be loaded.
SearchPage page_of(const SearchResult& result, const std::vector<std::filesystem::path>& plugin_path);

}  // namespace amae

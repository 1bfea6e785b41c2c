// The signals of a store's items, and what a page shows of them.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "index/store.h"
#include "report/search_page.h"
#include "task/embed_source.h"

namespace amae {

class Clips {
 public:
  /// Opens the data set that the rows came from; one that cannot be opened is what every clip's note says.
  Clips(std::shared_ptr<const EmbeddingStore> store, const Registry& registry);

  /// Sound and picture of an item: of a store with a row for each chunk its section, of a long sound the first seconds.
  /// What cannot be loaded has a note in their place. Throws Stopped on a signal. One call at a time.
  PageClip of_row(int64_t row);
  PageClip of_file(const std::string& file);

  /// What the item's vector was made of, at most `longest_s` of sound. Throws InputError where that is gone.
  /// Thread-safe.
  [[nodiscard]] Signal signal(int64_t row, double longest_s) const;

 private:
  struct Place {
    std::shared_ptr<const EmbedSource> source;
    int64_t number = 0;
    double start_s = 0, end_s = 0;  ///< end 0: the whole
  };
  [[nodiscard]] Place place_of(int64_t row) const;
  /// Nothing but what is returned is decoded. `facts`: the clip's for people.
  static Signal load(const Place& place, double longest_s, std::string* facts);
  template <class Find>
  void fill(PageClip& clip, const Find& find);

  std::shared_ptr<const EmbeddingStore> store_;
  std::vector<size_t> columns_;
  std::shared_ptr<const EmbedSource> data_;           // null: sound files
  std::unordered_map<std::string, int64_t> numbers_;  // of its items, by id
  std::string problem_;                               // why the data set cannot be opened
  TemporaryFolder scratch_;
};

}  // namespace amae

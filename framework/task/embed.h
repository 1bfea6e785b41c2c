// Feature vectors of signals of any length, by the encoder and the front end of a bundle.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "amae/error.h"
#include "task/embed_options.h"
#include "task/embed_source.h"
#include "train/bundle.h"

namespace amae {

/// An item's vectors: one, or with timestamps one for each chunk.
struct EmbeddedItem {
  int64_t number = 0;                  ///< within the source
  std::vector<double> start_s, end_s;  ///< within the item; silence or repetition behind its end does not count
  torch::Tensor vectors;               ///< [rows, D] float32
};

struct EmbedCount {
  int64_t items = 0, chunks = 0;  ///< embedded; chunks that went through the encoder
  std::vector<Problem> problems;  ///< of items that cannot be embedded
};

/// How much of a clip the bundle's front end lets reach the model, in seconds: the length that it gives every clip, or
/// less where evaluation cuts a piece out of that; 0: it takes clips as they are.
double clip_length(const Bundle& bundle, const Registry& registry);

/// The length of a chunk when nobody says: clip_length() where there is one; else that of the data set's clips
/// where the model saw them whole; else that of the model's input in training. Throws InputError (field --chunk) when
/// that varied. 0 for IQ, whose items are never cut.
double chunk_length(const Bundle& bundle, const Registry& registry);

/// Embeds the items `numbers` of a source, in this order, and hands each to `take` as soon as it is complete.
///
/// The features (what the head would get) of each chunk; of an item their mean, weighted by the chunks' durations: all
/// alike but a last one that is cut short by the item's end. Places are computed in whole sample frames at the item's
/// own rate (task/chunks.h). A chunk that the item's end cuts short is filled up as the front end does; where it takes
/// clips as they are, the chunk is repeated up to its full length, so that every chunk reaches the model alike. Where
/// evaluation cuts a piece out of a clip that the front end lengthened, every chunk is repeated up to that length, so
/// that the piece is full of the chunk's sound. A rest of less than a hundredth of a chunk behind the last one is left
/// out. IQ goes through whole.
///
/// The same item gives the same vector, within 1e-5 of its largest number whatever items stand beside it: in evaluation
/// mode items of a batch do not see each other. Files are read by sections, a batch at a time, so memory does not grow
/// with their length, but for the vectors of one item. The bundle's model must be on `device`.
/// An item that cannot be read, or whose rate or channels do not fit the front end, is a problem of its own. Throws
/// InputError for a chunk longer than clip_length(), which would lose its end; Stopped on a signal.
EmbedCount embed_items(const Bundle& bundle, const Registry& registry, const EmbedSource& source,
                       const std::vector<int64_t>& numbers, const EmbedOptions& options, torch::Device device,
                       const std::function<void(const EmbeddedItem&)>& take);

}  // namespace amae

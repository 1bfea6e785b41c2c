// amae embed: feature vectors of sound files of any length, by the encoder and the front end of a bundle.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "amae/error.h"
#include "train/bundle.h"

namespace amae {

struct EmbedOptions {
  double chunk_s = 0;       ///< length of a chunk; 0: chunk_length()
  double hop_s = 0;         ///< from one chunk's beginning to the next one's; 0: the length of a chunk
  bool timestamps = false;  ///< a row for each chunk instead of one for each file
  int64_t batch_size = 32;  ///< chunks that go through the encoder together
  int workers = 1;          ///< threads that decode and run the front end
};

/// What a row of the vectors is of.
struct EmbeddedPart {
  std::string file;
  double start_s = 0, end_s = 0;  ///< within the file; silence or repetition behind its end does not count
};

struct Embeddings {
  torch::Tensor vectors;           ///< [rows, D] float32
  std::vector<EmbeddedPart> rows;  ///< files in the order given, chunks in the order of time
  std::vector<Problem> problems;   ///< of files that cannot be embedded; they have no row
  double chunk_s = 0, hop_s = 0;   ///< as used
  int64_t chunks = 0;              ///< that went through the encoder
};

/// How much of a clip the bundle's front end lets reach the model, in seconds: the length that it gives every clip, or
/// less where evaluation cuts a piece out of that; 0: it takes clips as they are.
double clip_length(const Bundle& bundle, const Registry& registry);

/// The length of a chunk when nobody says: clip_length() where there is one; else that of the data set's clips
/// where the model saw them whole; else that of the model's input in training. Throws InputError (field --chunk) when
/// that varied.
double chunk_length(const Bundle& bundle, const Registry& registry);

/// Features (what the head would get) of each chunk; of a file their mean, weighted by the chunks' durations: all alike
/// but a last one that is cut short by the file's end. Places are computed in whole sample frames at the file's own
/// rate (task/chunks.h). A chunk that the file's end cuts short is filled up as the front end does; where it takes
/// clips as they are, the chunk is repeated up to its full length, so that every chunk reaches the model alike. Where
/// evaluation cuts a piece out of a clip that the front end lengthened, every chunk is repeated up to that length, so
/// that the piece is full of the chunk's sound.
///
/// The same file gives the same vector, within 1e-5 of its largest number whatever files stand beside it: in evaluation
/// mode items of a batch do not see each other. Chunks are read by sections, a batch at a time, so memory does not grow
/// with a file's length. The bundle's model must be on `device`.
/// A file that cannot be read, or whose rate or channels do not fit the front end, is a problem of its own. Throws
/// InputError for a bundle of other signals than audio or a chunk longer than clip_length(), which would lose its end;
/// Stopped on a signal.
Embeddings embed_files(const Bundle& bundle, const Registry& registry, const std::vector<std::string>& files,
                       const EmbedOptions& options, torch::Device device);

/// NPY_FILE ([rows, D] float32) and, beside it with the ending .csv, a line for each row: file, start_s, end_s. Returns
/// the path of the table.
std::filesystem::path write_embeddings(const std::filesystem::path& npy_file, const Embeddings& embeddings);

/// Files as they are; for a folder all files below it that are named .wav, .flac, .ogg, .oga or .opus, in the order of
/// their names. Throws InputError for a folder without any.
std::vector<std::string> sound_files(const std::vector<std::string>& files_and_folders);

}  // namespace amae

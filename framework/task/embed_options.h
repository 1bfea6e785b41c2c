// How signals become vectors.
#pragma once

#include <cstdint>
#include <string>

#include "amae/options.h"

namespace amae {

struct EmbedOptions {
  double chunk_s = 0;            ///< length of a chunk; 0: chunk_length()
  double hop_s = 0;              ///< from one chunk's beginning to the next one's; 0: the length of a chunk
  bool timestamps = false;       ///< a vector for each chunk instead of one for each item
  std::string type = "float32";  ///< of the numbers in a store: float32 or float16
  int64_t batch_size = 32;       ///< chunks that go through the encoder together
  int64_t workers = 0;           ///< threads that decode and run the front end; 0: one for each core
  void describe(Fields& f);
};

}  // namespace amae

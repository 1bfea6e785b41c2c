// From the bytes of a request to a signal.
#pragma once

#include <string>

#include "amae/signal.h"
#include "http/clip_request.h"

namespace amae::serve {

struct Clip {
  Signal signal;
  std::string format;  ///< as SignalFile::format(); "ITEM" for one of the index
  std::string name;    ///< for messages
};

/// Decodes what a request carries. Throws InputError with the code that the command line has, where = the upload's
/// name; a format that is named and is another one is refused too (code REQUEST, field /format), and a clip of more
/// than `most_bytes` of float32 samples, of which a small file may have many.
Clip read_clip(const http::ClipRequest& request, uint64_t most_bytes);

}  // namespace amae::serve

// What is posted to /v1/predict, /v1/embed and /v1/search: a clip and options. (no LibTorch)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "http/message.h"

namespace amae::http {

/// What a route takes. The options: top_k, return, mask_ratio, k, where.
struct ClipRules {
  std::vector<std::string> options;
  bool row = false;  ///< {"row": 12}, an item of the index, may stand for a clip
};

struct ClipRequest {
  std::string bytes;           ///< the clip's file, empty only where there is a row; of SigMF as two files the metadata
  std::string second;          ///< of SigMF as two files the samples, else empty
  std::string name = "audio";  ///< of the file that was sent, for messages: printable, without folders
  std::string format;          ///< "wav", "flac", "ogg", "npy" or "sigmf"; empty: the content decides
  std::optional<int64_t> row;  ///< at least 0

  std::optional<int64_t> top_k, k;   ///< 1 to 1000
  std::optional<double> mask_ratio;  ///< 0.05 to 0.95
  std::vector<std::string> returns;  ///< of the six that can be asked for, none twice
  std::vector<std::string> where;    ///< conditions as `amae search --where` takes them; UTF-8, none empty
};

/// Three forms, by Content-Type: application/json with the clip as base64, multipart/form-data with it as a file, and
/// the file itself. Options stand in the first two beside the clip, and with any in the query; lists are written there
/// as return=waveform,features and, each condition apart, where=fold=1&where=label!=dog. Of a form's file the content
/// decides what it is, not the type that a browser guesses from its name.
///
/// Throws BadRequest: 415 for another Content-Type or none; 400, its field a JSON pointer such as /return/1, for JSON
/// and forms that are none, base64 that is wrong (with the offset in that text), no clip or two, an empty one, names
/// that this route does not know, values of a wrong type or range, and what is given twice.
ClipRequest read_clip_request(Request&& request, const ClipRules& rules);

}  // namespace amae::http

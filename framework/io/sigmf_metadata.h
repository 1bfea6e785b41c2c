// The metadata file of a SigMF recording.
// Source: the Signal Metadata Format (SigMF) 1.2, https://sigmf.org; the words of its headings are used here.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "io/sample_type.h"

namespace amae {

/// Fields whose values are texts, numbers or truth values, as texts; those of nested objects under "OUTER.INNER".
using SigMfFields = std::map<std::string, std::string>;

struct SigMfCapture {
  uint64_t sample_start = 0;  ///< absolute, as all sample numbers: the recording's first is SigMfMetadata::offset
  uint64_t header_bytes = 0;  ///< to pass over before its samples
};

struct SigMfAnnotation {
  uint64_t sample_start = 0;
  std::optional<uint64_t> sample_count;  ///< none: to the end of the capture
};

/// Reads strictly: UTF-8 JSON of at most 64 MiB, no key twice in an object, at most 32 levels deep. Throws InputError
/// (code SIGMF, where = the file, field = a JSON pointer such as /captures/0/core:sample_start) for what breaks the
/// standard in a way that matters here: missing objects, fields of a wrong type, a datatype that is none, captures out
/// of order, a version other than 0.x and 1.x, a required extension that is not of the standard's own.
class SigMfMetadata {
 public:
  SigMfMetadata(const std::string& text, std::string where);

  static constexpr uint64_t kMaxBytes = uint64_t{64} << 20U;

  std::string where;
  std::string datatype;  ///< core:datatype as it stands
  SampleType type;
  uint64_t channels = 1;  ///< core:num_channels
  double rate_hz = 0;     ///< core:sample_rate; 0: not told
  uint64_t offset = 0;    ///< core:offset
  uint64_t trailing_bytes = 0;
  std::string dataset;  ///< core:dataset, a file name without folders; empty: the standard's name
  std::string sha512;   ///< lower case; empty: not told
  bool metadata_only = false;
  std::vector<SigMfCapture> captures;  ///< at least one

  [[nodiscard]] size_t annotation_count() const { return root_["annotations"].size(); }
  [[nodiscard]] SigMfAnnotation annotation(size_t number) const;

  [[nodiscard]] SigMfFields annotation_fields(size_t number) const { return fields(root_["annotations"][number]); }
  [[nodiscard]] SigMfFields capture_fields(size_t number) const;  ///< none for the capture that an empty list implies
  [[nodiscard]] SigMfFields global_fields() const { return fields(root_["global"]); }

  [[noreturn]] void refuse(const std::string& pointer, const std::string& message) const;

 private:
  using Json = nlohmann::json;

  void read_global(const Json& global);
  void read_captures(const Json& captures);
  void check_extensions(const Json& global) const;
  [[nodiscard]] const Json& item(const char* list, size_t number) const;
  [[nodiscard]] uint64_t whole(const Json& object, const std::string& pointer, const char* key,
                               std::optional<uint64_t> when_absent) const;
  [[nodiscard]] std::string text(const Json& object, const std::string& pointer, const char* key) const;
  [[nodiscard]] static SigMfFields fields(const Json& object);

  Json root_;
};

/// The type that a core:datatype names: (r|c)(f|i|u)(8|16|32|64)(_le|_be), without the end for one byte. Beyond the
/// standard's own (f32, f64, i8 … i32, u8 … u32): f16, i64 and u64, which some writers use. Nothing for anything else.
std::optional<SampleType> sigmf_datatype(const std::string& name);

}  // namespace amae

#include "io/sigmf_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "amae/error.h"
#include "base/text.h"

namespace amae {
namespace {

using nlohmann::json;

constexpr const char* kMetaCode = "SIGMF";
constexpr int kMaxJsonDepth = 32;
constexpr int kMaxFieldDepth = 4;                    // nested objects deeper than this are no columns
constexpr uint64_t kMaxSample = uint64_t{1} << 60U;  // leaves room to add without overflow
constexpr uint64_t kMostSigMfChannels = 65'536;
// The standard's own extensions; none changes how samples are stored.
constexpr std::array<std::string_view, 5> kExtensions = {"antenna", "capture_details", "signal", "spatial",
                                                         "traceability"};

std::string shown_value(const json& value) {
  return printable(value.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 100));
}

std::string shown_text(std::string_view text) { return printable(text.substr(0, 100)); }

void add_fields(const json& object, const std::string& prefix, int depth, SigMfFields& fields) {
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix + key;
    if (value.is_object() && depth < kMaxFieldDepth) {
      add_fields(value, name + ".", depth + 1, fields);
    } else if (value.is_string()) {
      fields[name] = value.get<std::string>();
    } else if (value.is_number_float()) {
      fields[name] = number_text(value.get<double>());
    } else if (value.is_number() || value.is_boolean()) {
      fields[name] = value.dump();
    }
  }
}

}  // namespace

std::optional<SampleType> sigmf_datatype(const std::string& name) {
  std::string_view rest = name;
  SampleType type;
  const auto take = [&](std::string_view word) {
    if (!rest.starts_with(word)) return false;
    rest.remove_prefix(word.size());
    return true;
  };
  type.is_complex = take("c");
  if (!type.is_complex && !take("r")) return std::nullopt;
  if (take("i")) {
    type.kind = SampleType::Kind::signed_integer;
  } else if (take("u")) {
    type.kind = SampleType::Kind::unsigned_integer;
  } else if (!take("f")) {
    return std::nullopt;
  }
  if (take("8")) {
    type.bytes = 1;
    return rest.empty() && type.kind != SampleType::Kind::floating ? std::optional(type) : std::nullopt;
  }
  type.bytes = take("16") ? 2 : take("32") ? 4 : take("64") ? 8 : 0;
  type.is_big_endian = rest == "_be";
  return type.bytes > 0 && (rest == "_le" || rest == "_be") ? std::optional(type) : std::nullopt;
}

SigMfMetadata::SigMfMetadata(const std::string& content, std::string where_) : where(std::move(where_)) {
  std::vector<std::set<std::string>> keys;
  const auto strict = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > kMaxJsonDepth) refuse("", fmt::format("got JSON nested deeper than {} levels", kMaxJsonDepth));
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      refuse("", fmt::format("got the key {} twice in one object, expected it once", shown_value(parsed)));
    return true;
  };
  try {
    root_ = json::parse(content, strict);
  } catch (const json::parse_error& error) {
    refuse("", fmt::format("got no JSON from byte {} on, expected a SigMF metadata object", error.byte));
  } catch (const json::exception&) {  // 1e999
    refuse("", "got a number that is out of range, expected one that fits");
  }
  if (!root_.is_object()) refuse("", fmt::format("got {}, expected an object", shown_value(root_)));
  const Json& object = root_;
  const auto part = [&](const char* key, bool is_right, const char* expected) -> const Json& {
    const auto found = object.find(key);
    if (found == object.end()) refuse(fmt::format("/{}", key), fmt::format("got nothing, expected {}", expected));
    if (is_right ? !found->is_object() : !found->is_array())
      refuse(fmt::format("/{}", key), fmt::format("got {}, expected {}", shown_value(*found), expected));
    return *found;
  };
  read_global(part("global", true, "an object"));
  read_captures(part("captures", false, "a list"));
  part("annotations", false, "a list");
}

void SigMfMetadata::refuse(const std::string& pointer, const std::string& message) const {
  throw InputError(kMetaCode, where, pointer, message);
}

uint64_t SigMfMetadata::whole(const Json& object, const std::string& pointer, const char* key,
                              std::optional<uint64_t> when_absent) const {
  const auto found = object.find(key);
  if (found == object.end() && when_absent) return *when_absent;
  const auto wrong = [&](const std::string& got) {
    refuse(fmt::format("{}/{}", pointer, key), fmt::format("got {}, expected a whole number from 0 to 2^60", got));
  };
  if (found == object.end()) wrong("nothing");
  if (!found->is_number_unsigned() || found->get<uint64_t>() > kMaxSample) wrong(shown_value(*found));
  return found->get<uint64_t>();
}

std::string SigMfMetadata::text(const Json& object, const std::string& pointer, const char* key) const {
  const auto found = object.find(key);
  if (found == object.end()) return "";
  if (!found->is_string())
    refuse(fmt::format("{}/{}", pointer, key), fmt::format("got {}, expected text", shown_value(*found)));
  return found->get<std::string>();
}

void SigMfMetadata::read_global(const Json& global) {
  const std::string at = "/global";
  const std::string version = text(global, at, "core:version");
  if (!version.starts_with("0.") && !version.starts_with("1.")) {
    refuse("/global/core:version",
           fmt::format("got \"{}\", expected version 0.x.y or 1.x.y of the standard", shown_text(version)));
  }
  datatype = text(global, at, "core:datatype");
  const auto found = sigmf_datatype(datatype);
  if (!found) {
    refuse("/global/core:datatype",
           fmt::format("got \"{}\", expected (r|c)(f|i|u)(8|16|32|64)(_le|_be) such as cf32_le, ci16_be or cu8",
                       shown_text(datatype)));
  }
  type = *found;
  channels = whole(global, at, "core:num_channels", 1);
  if (channels < 1 || channels > kMostSigMfChannels)
    refuse("/global/core:num_channels", fmt::format("got {}, expected 1 to {}", channels, kMostSigMfChannels));
  offset = whole(global, at, "core:offset", 0);
  trailing_bytes = whole(global, at, "core:trailing_bytes", 0);
  if (const auto rate = global.find("core:sample_rate"); rate != global.end()) {
    if (rate->is_number()) rate_hz = rate->get<double>();
    if (!rate->is_number() || !(rate_hz > 0) || !std::isfinite(rate_hz))
      refuse("/global/core:sample_rate", fmt::format("got {}, expected a number above 0", shown_value(*rate)));
  }
  dataset = text(global, at, "core:dataset");
  if (dataset == "." || dataset == ".." || dataset.find_first_of(std::string("/\\\0", 3)) != std::string::npos) {
    refuse("/global/core:dataset",
           fmt::format("got \"{}\", expected the name of a file in the same folder", shown_text(dataset)));
  }
  sha512 = text(global, at, "core:sha512");
  std::transform(sha512.begin(), sha512.end(), sha512.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (!sha512.empty() && (sha512.size() != 128 || sha512.find_first_not_of("0123456789abcdef") != std::string::npos)) {
    refuse("/global/core:sha512", fmt::format("got \"{}\", expected 128 hexadecimal digits", shown_text(sha512)));
  }
  if (const auto only = global.find("core:metadata_only"); only != global.end())
    metadata_only = only->is_boolean() && only->get<bool>();
  check_extensions(global);
}

void SigMfMetadata::check_extensions(const Json& global) const {
  const auto list = global.find("core:extensions");
  if (list == global.end() || !list->is_array()) return;  // version 0.0.x had an object here
  for (const Json& extension : *list) {
    if (!extension.is_object() || extension.value("optional", Json(true)) != Json(false)) continue;
    const std::string name = text(extension, "/global/core:extensions", "name");
    if (std::find(kExtensions.begin(), kExtensions.end(), name) != kExtensions.end()) continue;
    refuse("/global/core:extensions",
           fmt::format("got the extension \"{}\", which readers must know to read the recording; it is not known here",
                       shown_text(name)));
  }
}

void SigMfMetadata::read_captures(const Json& list) {
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string at = fmt::format("/captures/{}", i);
    const Json& capture = item("captures", i);
    captures.push_back(
        {whole(capture, at, "core:sample_start", std::nullopt), whole(capture, at, "core:header_bytes", 0)});
    const uint64_t before = i == 0 ? offset : captures[i - 1].sample_start;
    if (captures[i].sample_start < before)
      refuse(at + "/core:sample_start",
             fmt::format("got {}, expected at least {}{}", captures[i].sample_start, before,
                         i == 0 ? ", the recording's core:offset" : ": captures stand in order"));
  }
  if (captures.empty()) captures.push_back({offset, 0});
}

const nlohmann::json& SigMfMetadata::item(const char* list, size_t number) const {
  const Json& found = root_[list][number];
  if (!found.is_object())
    refuse(fmt::format("/{}/{}", list, number), fmt::format("got {}, expected an object", shown_value(found)));
  return found;
}

SigMfAnnotation SigMfMetadata::annotation(size_t number) const {
  const std::string at = fmt::format("/annotations/{}", number);
  const Json& object = item("annotations", number);
  SigMfAnnotation found{whole(object, at, "core:sample_start", std::nullopt), std::nullopt};
  if (object.contains("core:sample_count")) found.sample_count = whole(object, at, "core:sample_count", std::nullopt);
  return found;
}

SigMfFields SigMfMetadata::capture_fields(size_t number) const {
  const Json& list = root_["captures"];
  return number < list.size() ? fields(list[number]) : SigMfFields();
}

SigMfFields SigMfMetadata::fields(const Json& object) {
  SigMfFields found;
  add_fields(object, "", 1, found);
  return found;
}

}  // namespace amae

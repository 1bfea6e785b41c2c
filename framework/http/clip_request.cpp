#include "http/clip_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/base64.h"
#include "base/text.h"
#include "http/bad_request.h"
#include "http/characters.h"
#include "http/json.h"
#include "http/multipart.h"

namespace amae::http {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

constexpr int64_t kMost = 1000;  // of top_k and k
constexpr double kLeastRatio = 0.05, kMostRatio = 0.95;
constexpr size_t kMostConditions = 32;
constexpr size_t kMostConditionBytes = 1024;

const char* const kSigMf = "sigmf";  // not a plugin: a format
const Words kFormats = {"wav", "flac", "ogg", "npy", kSigMf};
const Words kReturns = {"waveform",  "spectrogram",    "features",
                        "attention", "reconstruction", "constellation"};  // not a plugin: a picture

/// Media types of a body that is the clip itself, and its format.
const std::vector<std::pair<std::string, std::string>> kMediaTypes = {{"audio/wav", "wav"},
                                                                      {"audio/x-wav", "wav"},
                                                                      {"audio/wave", "wav"},
                                                                      {"audio/vnd.wave", "wav"},
                                                                      {"audio/flac", "flac"},
                                                                      {"audio/x-flac", "flac"},
                                                                      {"audio/ogg", "ogg"},
                                                                      {"application/ogg", "ogg"},
                                                                      {"application/x-npy", "npy"},
                                                                      {"application/x-sigmf", kSigMf},
                                                                      {"application/octet-stream", ""}};

bool has(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// "a, b or c".
std::string choice_text(const Words& words) {
  if (words.empty()) return "none";
  if (words.size() == 1) return words[0];
  return join({words.begin(), words.end() - 1}, ", ") + " or " + words.back();
}

std::string guess_text(std::string_view word, const Words& known) {
  const std::string guess = nearest(word, known);
  return guess.empty() ? "" : fmt::format("; did you mean {}?", guess);
}

std::string text_shown(std::string_view text) { return text.empty() ? "an empty text" : shown(text); }

std::string value_shown(const json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (!value.is_string()) return value.dump();
  const auto& text = value.get_ref<const std::string&>();
  return text.empty() ? "an empty text" : "the text " + shown(text);
}

bool is_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text.substr(at));
    if (length == 0) return false;
    at += length;
  }
  return true;
}

/// The last part of a path of any system.
std::string file_name(std::string_view path) {
  const size_t slash = path.find_last_of("/\\");
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return path.empty() ? "audio" : shown(path);
}

/// What stands in the text instead of the character that base64_decode() found wrong.
std::string expected_of_base64(std::string_view text, size_t wrong) {
  const char c = wrong < text.size() ? text[wrong] : '=';
  if (text.starts_with("data:")) return "only what stands behind the comma";
  if (c == '-' || c == '_') return "base64 with + and / in the alphabet";
  if (c == ' ' || c == '\r' || c == '\n') return "base64 without blanks and line breaks";
  if (c == '=') return "base64 in groups of four, the last one filled up with =";
  const bool is_letter = is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '+' || c == '/';
  return is_letter ? "base64 without bits behind the last byte" : "base64";
}

std::string bytes_of_base64(std::string_view text, const std::string& field) {
  std::string bytes;
  const std::optional<size_t> wrong = base64_decode(text, bytes);
  if (!wrong) return bytes;
  const std::string_view rest = text.substr(*wrong);
  const std::string got = rest.empty() ? "the end" : shown(rest.substr(0, utf8_length(rest)));
  throw BadRequest(field, fmt::format("got {} at offset {} of the text, expected {}", got, *wrong,
                                      expected_of_base64(text, *wrong)));
}

class ClipReader {
 public:
  ClipReader(Request&& request, const ClipRules& rules) : request_(std::move(request)), rules_(rules) {}

  ClipRequest read() {
    const auto is_type = [](const auto& header) { return header.first == "content-type"; };
    if (std::count_if(request_.headers.begin(), request_.headers.end(), is_type) > 1)
      refuse("", "got more than one Content-Type, expected one");
    read_query();
    const std::string type = request_.content_type();
    if (type == "application/json") {
      read_json();
    } else if (type == "multipart/form-data") {
      read_form();
    } else {
      read_raw(type);
    }
    return std::move(clip_);
  }

 private:
  enum class Source { query, body };

  [[noreturn]] static void refuse(const std::string& field, const std::string& message) {
    throw BadRequest(field, message);
  }

  void read_query() {
    for (const auto& [name, text] : request_.query) {
      check_name(name, "query parameter", {});
      set_text(name, text, Source::query);
    }
  }

  void read_raw(const std::string& type) {
    const auto known =
        std::find_if(kMediaTypes.begin(), kMediaTypes.end(), [&](const auto& pair) { return pair.first == type; });
    if (known == kMediaTypes.end()) {
      throw BadRequest::unsupported_type(
          fmt::format("got {}, expected application/json, multipart/form-data, audio/wav, audio/flac, audio/ogg, "
                      "application/x-npy, "
                      "application/x-sigmf or application/octet-stream",
                      type.empty() ? "no Content-Type" : shown(type)));
    }
    clip_.bytes = not_empty("/audio", std::move(request_.body));
    clip_.format = known->second;
  }

  void read_form() {
    const std::vector<Part> parts = parse_multipart(request_.header("content-type"), request_.body);
    for (const Part& part : parts) {
      check_name(part.name, "part", {"audio", "data", "format"});
      if (part.name == "audio") {
        claim(part.name, Source::body);
        clip_.bytes = not_empty("/audio", std::string(part.body));
        clip_.name = file_name(part.filename);
      } else if (part.name == "data") {
        claim(part.name, Source::body);
        clip_.second = not_empty("/data", std::string(part.body));
      } else if (part.name == "format") {
        claim(part.name, Source::body);
        set_format(part.body);
      } else {
        set_text(part.name, part.body, Source::body);
      }
    }
    if (clip_.bytes.empty()) refuse("/audio", "got no part of this name, expected the clip as a file");
    if (clip_.second.empty()) return;
    if (clip_.format.empty()) clip_.format = kSigMf;
    if (clip_.format != kSigMf)
      refuse("/data",
             fmt::format("got a second file with the format {}, expected it only with {}", clip_.format, kSigMf));
  }

  void read_json() {
    json root = parse_json(request_.body);
    request_.body = {};  // a clip is large, and there are three of it as it is: text, JSON and bytes
    if (!root.is_object()) refuse("", fmt::format("got {}, expected an object", value_shown(root)));
    Words own = {"audio", "format"};
    if (rules_.row) own.emplace_back("row");
    for (const auto& [name, value] : root.items()) {
      check_name(name, "field", own);
      if (!has(own, name)) set_json(name, value);
    }
    const auto audio = root.find("audio"), row = root.find("row"), format = root.find("format");
    if (audio == root.end() && row == root.end())
      refuse("/audio", fmt::format("got nothing, expected the clip as base64{}", rules_.row ? ", or a row" : ""));
    if (row != root.end()) {
      if (audio != root.end() || format != root.end())
        refuse("/row", fmt::format("got {} too, expected one clip", audio != root.end() ? "audio" : "a format"));
      if (!row->is_number_unsigned() || row->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX))
        refuse("/row", fmt::format("got {}, expected the number of an item, from 0", value_shown(*row)));
      clip_.row = row->get<int64_t>();
      return;
    }
    if (format != root.end()) {
      if (!format->is_string())
        refuse("/format", fmt::format("got {}, expected {}", value_shown(*format), choice_text(kFormats)));
      set_format(format->get_ref<const std::string&>());
    }
    if (!audio->is_string()) refuse("/audio", fmt::format("got {}, expected text in base64", value_shown(*audio)));
    clip_.bytes = not_empty("/audio", bytes_of_base64(audio->get_ref<const std::string&>(), "/audio"));
  }

  /// `own`: what the form has beside options.
  void check_name(const std::string& name, const char* what, Words own) const {
    own.insert(own.end(), rules_.options.begin(), rules_.options.end());
    if (has(own, name)) return;
    refuse(pointer_step(name),
           fmt::format("got an unknown {}, expected {}{}", what, choice_text(own), guess_text(name, own)));
  }

  static std::string not_empty(const std::string& field, std::string bytes) {
    if (bytes.empty()) refuse(field, "got 0 bytes, expected a file");
    return bytes;
  }

  /// Of lists in the query and in forms the parts may come one by one.
  void claim(const std::string& name, Source source, bool is_again_fine = false) {
    const auto known = std::find_if(given_.begin(), given_.end(), [&](const auto& pair) { return pair.first == name; });
    if (known == given_.end()) {
      given_.emplace_back(name, source);
    } else if (known->second != source) {
      refuse(pointer_step(name), "got it in the query and in the body, expected it once");
    } else if (!is_again_fine) {
      refuse(pointer_step(name), "got it twice, expected it once");
    }
  }

  void set_format(std::string_view text) {
    if (!has(kFormats, text))
      refuse("/format",
             fmt::format("got {}, expected {}{}", text_shown(text), choice_text(kFormats), guess_text(text, kFormats)));
    clip_.format = text;
  }

  /// An option as text, in the query or a part.
  void set_text(const std::string& name, std::string_view text, Source source) {
    claim(name, source, name == "where");
    if (name == "return") {
      add_returns(text);
    } else if (name == "where") {
      add_condition(text);
    } else {
      set_number(name, text, text_shown(text));
    }
  }

  void set_json(const std::string& name, const json& value) {
    claim(name, Source::body);
    if (name == "return" || name == "where") {
      if (!value.is_array()) refuse("/" + name, fmt::format("got {}, expected a list of texts", value_shown(value)));
      for (size_t i = 0; i < value.size(); ++i) {
        if (!value[i].is_string())
          refuse(fmt::format("/{}/{}", name, i), fmt::format("got {}, expected text", value_shown(value[i])));
        const auto& text = value[i].get_ref<const std::string&>();
        if (name == "return") add_return(text);
        if (name == "where") add_condition(text);
      }
      return;
    }
    // What is no number here has no text that is one.
    set_number(name, value.is_number() ? value.dump() : "", value_shown(value));
  }

  void set_number(const std::string& name, std::string_view text, const std::string& got) {
    if (name == "mask_ratio") {
      const double ratio = number_of(text);
      if (!(ratio >= kLeastRatio && ratio <= kMostRatio))
        refuse("/" + name, fmt::format("got {}, expected a number from {} to {}", got, kLeastRatio, kMostRatio));
      clip_.mask_ratio = ratio;
      return;
    }
    int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < 1 || count > kMost)
      refuse("/" + name, fmt::format("got {}, expected a whole number from 1 to {}", got, kMost));
    (name == "k" ? clip_.k : clip_.top_k) = count;
  }

  /// Between commas, one by one: there may be millions of them.
  void add_returns(std::string_view text) {
    while (!text.empty()) {
      const size_t comma = std::min(text.find(','), text.size());
      add_return(text.substr(0, comma));
      if (comma + 1 == text.size()) add_return("");  // behind a last comma
      text.remove_prefix(std::min(comma + 1, text.size()));
    }
  }

  void add_return(std::string_view word) {
    const std::string field = fmt::format("/return/{}", clip_.returns.size());
    if (!has(kReturns, word))
      refuse(field,
             fmt::format("got {}, expected {}{}", text_shown(word), choice_text(kReturns), guess_text(word, kReturns)));
    if (has(clip_.returns, word)) refuse(field, fmt::format("got {} twice, expected it once", word));
    clip_.returns.emplace_back(word);
  }

  void add_condition(std::string_view text) {
    const std::string field = fmt::format("/where/{}", clip_.where.size());
    if (clip_.where.size() == kMostConditions)
      refuse(field, fmt::format("got more than {} conditions, expected at most as many", kMostConditions));
    if (text.empty() || text.size() > kMostConditionBytes || !is_utf8(text))
      refuse(field, fmt::format("got {}, expected a condition such as fold=1, of at most {} bytes of UTF-8",
                                text_shown(text), kMostConditionBytes));
    clip_.where.emplace_back(text);
  }

  Request request_;
  const ClipRules& rules_;
  ClipRequest clip_;
  std::vector<std::pair<std::string, Source>> given_;
};

}  // namespace

ClipRequest read_clip_request(Request&& request, const ClipRules& rules) {
  return ClipReader(std::move(request), rules).read();
}

}  // namespace amae::http

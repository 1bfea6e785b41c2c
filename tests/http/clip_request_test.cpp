#include "http/clip_request.h"

#include <catch2/catch_test_macros.hpp>
#include <ctime>
#include <string>
#include <utility>

#include "base/base64.h"
#include "http/bad_request.h"
#include "tests/problems.h"

namespace amae::http {
namespace {

using namespace std::string_literals;

const ClipRules kPredict = {.options = {"top_k", "return", "mask_ratio"}};
const ClipRules kSearch = {.options = {"k", "where"}, .row = true};
const ClipRules kEmbed = {};
const std::string kWav = "RIFF\0\1\xFF"s;
const std::string kAudio = "\"audio\": \"" + base64(kWav) + "\"";

using Query = std::vector<std::pair<std::string, std::string>>;

Request request_of(const std::string& type, std::string body, Query query = {}) {
  Request request = {.method = "POST", .path = "/v1/predict", .query = std::move(query), .headers = {}, .body = {}};
  if (!type.empty()) request.headers.emplace_back("content-type", type);
  request.body = std::move(body);
  return request;
}

ClipRequest read_raw(const std::string& type, std::string body, Query query = {}) {
  return read_clip_request(request_of(type, std::move(body), std::move(query)), kPredict);
}

ClipRequest read_json(std::string body, const ClipRules& rules = kPredict, Query query = {}) {
  return read_clip_request(request_of("application/json", std::move(body), std::move(query)), rules);
}

struct Field {
  std::string name, body, filename = {};
};

std::string form_text(const std::vector<Field>& fields) {
  std::string body;
  for (const Field& field : fields) {
    body += "--xx\r\nContent-Disposition: form-data; name=\"" + field.name + "\"";
    if (!field.filename.empty()) body += "; filename=\"" + field.filename + "\"";
    body += "\r\n\r\n" + field.body + "\r\n";
  }
  return body + "--xx--\r\n";
}

ClipRequest read_form(const std::vector<Field>& fields, const ClipRules& rules = kPredict, Query query = {}) {
  return read_clip_request(request_of("multipart/form-data; boundary=xx", form_text(fields), std::move(query)), rules);
}

/// What is refused: "FIELD: MESSAGE".
template <class Action>
std::string refused(const Action& action, int status = 400) {
  try {
    static_cast<void>(action());
  } catch (const BadRequest& error) {
    CHECK(error.status() == status);
    CHECK(error.exit_code() == ExitCode::input);
    CHECK(error.problems().size() == 1);
    CHECK(error.problems()[0].code == (status == 415 ? "TYPE" : "REQUEST"));
    CHECK(error.problems()[0].where.empty());
    return error.problems()[0].field + ": " + error.problems()[0].message;
  }
  return "";
}

std::string refused_json(const std::string& body, const ClipRules& rules = kPredict, const Query& query = {}) {
  return refused([&] { return read_json(body, rules, query); });
}

std::string refused_form(const std::vector<Field>& fields, const ClipRules& rules = kPredict, const Query& query = {}) {
  return refused([&] { return read_form(fields, rules, query); });
}

std::string refused_query(const Query& query, const ClipRules& rules = kPredict) {
  return refused([&] { return read_clip_request(request_of("audio/wav", kWav, query), rules); });
}

TEST_CASE("a clip comes as JSON with options") {
  const ClipRequest clip = read_json("{" + kAudio + R"(, "format": "wav", "top_k": 3, "mask_ratio": 0.5,
                                     "return": ["waveform", "features"]})");
  CHECK(clip.bytes == kWav);
  CHECK(clip.second.empty());
  CHECK(clip.name == "audio");
  CHECK(clip.format == "wav");
  CHECK(!clip.row);
  CHECK(clip.top_k == 3);
  CHECK(!clip.k);
  CHECK(clip.mask_ratio == 0.5);
  CHECK(clip.returns == std::vector<std::string>{"waveform", "features"});
  CHECK(clip.where.empty());
  CHECK(read_json("{" + kAudio + "}", kEmbed).bytes == kWav);
}

TEST_CASE("a clip comes as a form with options") {
  const ClipRequest clip = read_form({{"audio", kWav, "C:\\sounds\\dog.wav"},
                                      {"top_k", "3"},
                                      {"return", "waveform,features"},
                                      {"mask_ratio", "0.25"}});
  CHECK(clip.bytes == kWav);
  CHECK(clip.name == "dog.wav");
  CHECK(clip.format.empty());
  CHECK(clip.top_k == 3);
  CHECK(clip.mask_ratio == 0.25);
  CHECK(clip.returns == std::vector<std::string>{"waveform", "features"});
  const ClipRequest search = read_form(
      {{"k", "7"}, {"where", "fold=1"}, {"audio", kWav}, {"where", "label!=a,b"}, {"format", "flac"}}, kSearch);
  CHECK(search.name == "audio");
  CHECK(search.format == "flac");
  CHECK(search.k == 7);
  CHECK(search.where == std::vector<std::string>{"fold=1", "label!=a,b"});
}

TEST_CASE("a clip comes as the body itself, and its media type is its format") {
  for (const auto& [type, format] : Query{{"audio/wav", "wav"},
                                          {"audio/x-wav", "wav"},
                                          {"audio/wave", "wav"},
                                          {"audio/vnd.wave", "wav"},
                                          {"audio/flac", "flac"},
                                          {"audio/x-flac", "flac"},
                                          {"audio/ogg", "ogg"},
                                          {"application/ogg", "ogg"},
                                          {"application/x-npy", "npy"},
                                          {"application/x-sigmf", "sigmf"},
                                          {"application/octet-stream", ""},
                                          {"Audio/WAV; codec=1", "wav"}}) {
    INFO(type);
    const ClipRequest clip = read_raw(type, kWav, {{"top_k", "1000"}, {"return", "constellation"}});
    CHECK(clip.bytes == kWav);
    CHECK(clip.format == format);
    CHECK(clip.name == "audio");
    CHECK(clip.top_k == 1000);
    CHECK(clip.returns == std::vector<std::string>{"constellation"});
  }
}

TEST_CASE("another Content-Type, or none, is refused with 415") {
  const auto refused_type = [](const std::string& type) { return refused([&] { return read_raw(type, kWav); }, 415); };
  const std::string expected =
      ", expected application/json, multipart/form-data, audio/wav, audio/flac, audio/ogg, "
      "application/x-npy, application/x-sigmf or application/octet-stream";
  CHECK(refused_type("") == ": got no Content-Type" + expected);
  CHECK(refused_type("text/plain") == ": got text/plain" + expected);
  CHECK(refused_type("audio/mpeg") == ": got audio/mpeg" + expected);
  CHECK(refused_type("application/x-www-form-urlencoded") == ": got application/x-www-form-urlencoded" + expected);
  CHECK(refused_type("multipart/mixed; boundary=xx") == ": got multipart/mixed" + expected);
  CHECK(refused_type("json\x1B") == ": got json\\x1B" + expected);
  CHECK(refused_type("application/jsonx") == ": got application/jsonx" + expected);
  Request two = request_of("audio/wav", kWav);
  two.headers.emplace_back("content-type", "application/json");
  CHECK(refused([&] { return read_clip_request(Request(two), kPredict); }) ==
        ": got more than one Content-Type, expected one");
}

TEST_CASE("SigMF comes as two files of a form") {
  const ClipRequest clip = read_form({{"data", "\1\2"}, {"audio", "{}", "r.sigmf-meta"}});
  CHECK(clip.bytes == "{}");
  CHECK(clip.second == "\1\2");
  CHECK(clip.name == "r.sigmf-meta");
  CHECK(clip.format == "sigmf");
  CHECK(read_form({{"data", "x"}, {"audio", "{}"}, {"format", "sigmf"}}).second == "x");
  CHECK(refused_form({{"data", "x"}, {"audio", "{}"}, {"format", "wav"}}) ==
        "/data: got a second file with the format wav, expected it only with sigmf");
  CHECK(refused_form({{"data", "x"}}) == "/audio: got no part of this name, expected the clip as a file");
  CHECK(refused_form({{"audio", "x"}, {"data", ""}}) == "/data: got 0 bytes, expected a file");
  CHECK(contains(refused_json("{" + kAudio + ", \"data\": \"\"}"), "/data: got an unknown field"));
}

TEST_CASE("a row stands for a clip where the route takes it") {
  CHECK(read_json(R"({"row": 12, "k": 5, "where": ["fold=1"]})", kSearch).row == 12);
  CHECK(read_json(R"({"row": 0})", kSearch).row == 0);
  CHECK(read_json("{" + kAudio + "}", kSearch).bytes == kWav);
  CHECK(contains(refused_json(R"({"row": 12})"),
                 "/row: got an unknown field, expected audio, format, top_k, return or mask_ratio"));
  for (const char* row : {"-1", "1.5", "1.0", "\"1\"", "null", "[1]", "1e3", "9223372036854775808", "1e30"}) {
    INFO(row);
    CHECK(contains(refused_json("{\"row\": "s + row + "}", kSearch), "/row: got "));
  }
  CHECK(refused_json(R"({"row": "1"})", kSearch) == "/row: got the text 1, expected the number of an item, from 0");
  CHECK(refused_json("{\"row\": 1, " + kAudio + "}", kSearch) == "/row: got audio too, expected one clip");
  CHECK(refused_json(R"({"row": 1, "format": "wav"})", kSearch) == "/row: got a format too, expected one clip");
  CHECK(refused_json("{}", kSearch) == "/audio: got nothing, expected the clip as base64, or a row");
  CHECK(contains(refused_form({{"row", "1"}}, kSearch), "/row: got an unknown part"));
  CHECK(contains(refused_query({{"row", "1"}}, kSearch), "/row: got an unknown query parameter, expected k or where"));
}

TEST_CASE("base64 that is wrong is told by the offset in its text") {
  const auto refused_audio = [](const std::string& text) { return refused_json("{\"audio\": \"" + text + "\"}"); };
  CHECK(refused_audio("UklG*g==") == "/audio: got * at offset 4 of the text, expected base64");
  CHECK(refused_audio("\xC3\xA4") == "/audio: got \xC3\xA4 at offset 0 of the text, expected base64");
  CHECK(refused_audio("Zm9v\\u0000") == "/audio: got \\x00 at offset 4 of the text, expected base64");
  CHECK(
      refused_audio("UklGRg") ==
      "/audio: got the end at offset 6 of the text, expected base64 in groups of four, the last one filled up with =");
  CHECK(refused_audio("UklGRg=") ==
        "/audio: got = at offset 6 of the text, expected base64 in groups of four, the last one filled up with =");
  CHECK(refused_audio("UklGRh==") ==
        "/audio: got h at offset 5 of the text, expected base64 without bits behind the last byte");
  CHECK(refused_audio("UklG\\nRg==") ==
        "/audio: got \\x0A at offset 4 of the text, expected base64 without blanks and line breaks");
  CHECK(refused_audio("_-_-") == "/audio: got _ at offset 0 of the text, expected base64 with + and / in the alphabet");
  CHECK(refused_audio("data:audio/wav;base64,UklGRg==") ==
        "/audio: got : at offset 4 of the text, expected only what stands behind the comma");
  CHECK(read_json(R"({"audio": "\/\u002f\/\/"})").bytes == "\xFF\xFF\xFF");  // as some languages escape
}

TEST_CASE("JSON of the wrong kind is refused with a pointer to it") {
  CHECK(refused_json("") == ": got the end of the text, expected a value; at byte 0");
  CHECK(refused_json("[]") == ": got a list, expected an object");
  CHECK(refused_json("\"" + std::string(1'000, 'x') + "\"") ==
        ": got the text " + std::string(60, 'x') + "…, expected an object");
  CHECK(refused_json("{\"audio\": \"UklG") == "/audio: got the end of the text, expected a quote; at byte 15");
  CHECK(refused_json("{" + kAudio + ", \"audio\": \"\"}") ==
        "/audio: got this key twice in one object, expected it once; at byte 26");
  CHECK(refused_json("{\"audio\": \"\\ud800\"}") ==
        "/audio: got \\ud800, half of a surrogate pair, expected both halves; at byte 11");
  CHECK(contains(refused_json("{\"mask_ratio\": NaN}"), "/mask_ratio: got NaN, expected a value; at byte 15"));
  std::string deep = "{\"audio\": ";
  for (int i = 0; i < 10'000; ++i) deep += "[";
  CHECK(contains(refused_json(deep), "got more than 32 levels"));
  CHECK(refused_json("{}") == "/audio: got nothing, expected the clip as base64");
  CHECK(refused_json("{\"audio\": \"\"}") == "/audio: got 0 bytes, expected a file");
  CHECK(refused_json("{\"audio\": null}") == "/audio: got null, expected text in base64");
  CHECK(refused_json("{\"audio\": [\"UklG\"]}") == "/audio: got a list, expected text in base64");
  CHECK(refused_json("{\"audio\": 12}") == "/audio: got 12, expected text in base64");
  CHECK(refused_json("{" + kAudio + ", \"format\": 1}") == "/format: got 1, expected wav, flac, ogg, npy or sigmf");
  CHECK(refused_json("{" + kAudio + ", \"format\": \"wave\"}") ==
        "/format: got wave, expected wav, flac, ogg, npy or sigmf; did you mean wav?");
  CHECK(refused_json("{" + kAudio + ", \"format\": \"\"}") ==
        "/format: got an empty text, expected wav, flac, ogg, npy or sigmf");
}

TEST_CASE("an empty clip is refused in every form") {
  CHECK(refused([] { return read_raw("audio/wav", ""); }) == "/audio: got 0 bytes, expected a file");
  CHECK(refused_form({{"audio", "", "a.wav"}}) == "/audio: got 0 bytes, expected a file");
  CHECK(refused_form({}) == "/audio: got no part of this name, expected the clip as a file");
  CHECK(refused_json("{\"audio\": \"\"}") == "/audio: got 0 bytes, expected a file");
}

TEST_CASE("names that a route does not know are refused, with the nearest that it does") {
  CHECK(refused_json("{" + kAudio + ", \"topk\": 3}") ==
        "/topk: got an unknown field, expected audio, format, top_k, return or mask_ratio; did you mean top_k?");
  CHECK(refused_json("{" + kAudio + ", \"k\": 3}", kEmbed) == "/k: got an unknown field, expected audio or format");
  CHECK(refused_json("{" + kAudio + ", \"a/b\\n\": 3}", kEmbed) ==
        "/a~1b\\x0A: got an unknown field, expected audio or format");
  CHECK(refused_form({{"audio", "x"}, {"file", "x"}}) ==
        "/file: got an unknown part, expected audio, data, format, top_k, return or mask_ratio");
  CHECK(refused_query({{"returns", "waveform"}}) ==
        "/returns: got an unknown query parameter, expected top_k, return or mask_ratio; did you mean return?");
  CHECK(refused_query({{"top_k", "3"}}, kEmbed) == "/top_k: got an unknown query parameter, expected none");
  CHECK(refused_query({{"format", "wav"}}) ==
        "/format: got an unknown query parameter, expected top_k, return or mask_ratio");
  CHECK(refused_query({{"", ""}}) == "/: got an unknown query parameter, expected top_k, return or mask_ratio");
}

TEST_CASE("numbers are checked for type and range in every form") {
  const auto refused_everywhere = [](const std::string& name, const std::string& text) {
    const ClipRules rules = {.options = {"top_k", "k", "mask_ratio"}};
    const std::string in_query = refused_query({{name, text}}, rules);
    CHECK(refused_form({{"audio", "x"}, {name, text}}, rules) == in_query);
    return in_query;
  };
  for (const std::string name : {"top_k", "k"}) {
    for (const char* wrong :
         {"0", "1001", "-1", "1.5", "1e2", "abc", "+1", " 1", "1 ", "0x10", "99999999999999999999", "nan"})
      CHECK(refused_everywhere(name, wrong) ==
            "/" + name + ": got " + wrong + ", expected a whole number from 1 to 1000");
    CHECK(refused_everywhere(name, "") == "/" + name + ": got an empty text, expected a whole number from 1 to 1000");
    CHECK(contains(refused_everywhere(name, std::string(1'000'000, '1')), std::string(60, '1') + "…, expected"));
  }
  for (const char* wrong : {"0", "0.049", "0.951", "1", "-0.5", "nan", "inf", "half", "0.5x", "0,5"})
    CHECK(refused_everywhere("mask_ratio", wrong) ==
          "/mask_ratio: got "s + wrong + ", expected a number from 0.05 to 0.95");

  const auto refused_value = [](const std::string& name, const std::string& value) {
    return refused_json("{" + kAudio + ", \"" + name + "\": " + value + "}");
  };
  CHECK(refused_value("top_k", "\"3\"") == "/top_k: got the text 3, expected a whole number from 1 to 1000");
  CHECK(refused_value("top_k", "3.0") == "/top_k: got 3.0, expected a whole number from 1 to 1000");
  CHECK(refused_value("top_k", "null") == "/top_k: got null, expected a whole number from 1 to 1000");
  CHECK(refused_value("top_k", "true") == "/top_k: got true, expected a whole number from 1 to 1000");
  CHECK(refused_value("top_k", "0") == "/top_k: got 0, expected a whole number from 1 to 1000");
  CHECK(refused_value("top_k", "1001") == "/top_k: got 1001, expected a whole number from 1 to 1000");
  CHECK(refused_value("top_k", "{}") == "/top_k: got an object, expected a whole number from 1 to 1000");
  CHECK(refused_value("mask_ratio", "0.96") == "/mask_ratio: got 0.96, expected a number from 0.05 to 0.95");
  CHECK(refused_value("mask_ratio", "\"0.5\"") == "/mask_ratio: got the text 0.5, expected a number from 0.05 to 0.95");
  CHECK(read_json("{" + kAudio + ", \"top_k\": 1, \"mask_ratio\": 5e-2}").mask_ratio == 0.05);
  CHECK(read_raw("audio/wav", kWav, {{"mask_ratio", "0.95"}}).mask_ratio == 0.95);
}

TEST_CASE("what is returned is one of six, none twice") {
  const auto refused_value = [](const std::string& value) {
    return refused_json("{" + kAudio + ", \"return\": " + value + "}");
  };
  const std::string expected = "expected waveform, spectrogram, features, attention, reconstruction or constellation";
  CHECK(refused_value("[\"waveform\", \"spectogram\"]") ==
        "/return/1: got spectogram, " + expected + "; did you mean spectrogram?");
  CHECK(refused_value("[\"waveform\", \"features\", \"waveform\"]") ==
        "/return/2: got waveform twice, expected it once");
  CHECK(refused_value("[\"waveform\", 1]") == "/return/1: got 1, expected text");
  CHECK(refused_value("\"waveform\"") == "/return: got the text waveform, expected a list of texts");
  CHECK(refused_value("[\"\"]") == "/return/0: got an empty text, " + expected);
  CHECK(read_json("{" + kAudio + ", \"return\": []}").returns.empty());
  CHECK(read_raw("audio/wav", kWav, {{"return", ""}}).returns.empty());
  CHECK(read_raw("audio/wav", kWav, {{"return", "features,attention,waveform"}}).returns.size() == 3);
  CHECK(refused_query({{"return", "features,features"}}) == "/return/1: got features twice, expected it once");
  CHECK(refused_query({{"return", "features,"}}) == "/return/1: got an empty text, " + expected);
  CHECK(refused_query({{"return", ","}}) == "/return/0: got an empty text, " + expected);
  CHECK(refused_query({{"return", "features, waveform"}}) ==
        "/return/1: got  waveform, " + expected + "; did you mean waveform?");
  CHECK(refused_query({{"return", "features"}, {"return", "waveform"}}) == "/return: got it twice, expected it once");
}

TEST_CASE("conditions are UTF-8 and not too many") {
  const auto read_query = [](const Query& query) {
    return read_clip_request(request_of("audio/wav", kWav, query), kSearch).where;
  };
  CHECK(read_query({{"where", "a=1"}, {"where", "b=\xC3\xA4"}}) == std::vector<std::string>{"a=1", "b=\xC3\xA4"});
  CHECK(read_query(Query(32, {"where", "a=1"})).size() == 32);
  CHECK(refused_query(Query(33, {"where", "a=1"}), kSearch) ==
        "/where/32: got more than 32 conditions, expected at most as many");
  const std::string expected = ", expected a condition such as fold=1, of at most 1024 bytes of UTF-8";
  CHECK(refused_query({{"where", ""}}, kSearch) == "/where/0: got an empty text" + expected);
  CHECK(refused_query({{"where", "a=1"}, {"where", "\xFF"}}, kSearch) == "/where/1: got \\xFF" + expected);
  CHECK(contains(refused_query({{"where", std::string(1025, 'x')}}, kSearch), "…" + expected));
  CHECK(refused_json(R"({"row": 1, "where": "fold=1"})", kSearch) ==
        "/where: got the text fold=1, expected a list of texts");
  CHECK(refused_json(R"({"row": 1, "where": [["fold=1"]]})", kSearch) == "/where/0: got a list, expected text");
}

TEST_CASE("what is given twice is refused") {
  CHECK(refused_query({{"top_k", "3"}, {"top_k", "3"}}) == "/top_k: got it twice, expected it once");
  CHECK(refused_json("{" + kAudio + ", \"top_k\": 3}", kPredict, {{"top_k", "3"}}) ==
        "/top_k: got it in the query and in the body, expected it once");
  CHECK(refused_json("{\"row\": 1, \"where\": [\"a=1\"]}", kSearch, {{"where", "b=1"}}) ==
        "/where: got it in the query and in the body, expected it once");
  CHECK(refused_form({{"audio", "x"}, {"top_k", "3"}}, kPredict, {{"top_k", "4"}}) ==
        "/top_k: got it in the query and in the body, expected it once");
  CHECK(refused_form({{"audio", "x"}, {"audio", "y"}}) == "/audio: got it twice, expected it once");
  CHECK(refused_form({{"audio", "x"}, {"data", "x"}, {"data", "x"}}) == "/data: got it twice, expected it once");
  CHECK(refused_form({{"audio", "x"}, {"format", "wav"}, {"format", "wav"}}) ==
        "/format: got it twice, expected it once");
  CHECK(refused_form({{"audio", "x"}, {"return", "features"}, {"return", "waveform"}}) ==
        "/return: got it twice, expected it once");
  CHECK(read_json("{" + kAudio + ", \"top_k\": 3}", kPredict, {{"mask_ratio", "0.5"}}).mask_ratio == 0.5);
}

TEST_CASE("a form that is none is refused") {
  const auto refused_as = [](const std::string& type, const std::string& body) {
    return refused([&] { return read_raw(type, body); });
  };
  CHECK(contains(refused_as("multipart/form-data", "x"), ": got no boundary in Content-Type"));
  CHECK(contains(refused_as("multipart/form-data; boundary=xx", "x"), ": got a body without the line --xx"));
  CHECK(contains(refused_form(std::vector<Field>(10'000, {"return", ""})), "got more than 16 parts"));
}

TEST_CASE("a file's name is printable, short and without folders") {
  const auto name = [](const std::string& filename) { return read_form({{"audio", "x", filename}}).name; };
  CHECK(name("dog.wav") == "dog.wav");
  CHECK(name("/etc/passwd") == "passwd");
  CHECK(name("../../x.wav") == "x.wav");
  CHECK(name("C:\\a\\b.wav") == "b.wav");
  CHECK(name("folder/") == "audio");
  CHECK(name("") == "audio");
  CHECK(name("\xC3\xA4\xFF\xC2\x9B.wav") == "\xC3\xA4\\xFF\\xC2\\x9B.wav");
  CHECK(name(std::string(1'000, 'n')) == std::string(60, 'n') + "…");
}

TEST_CASE("requests of 100 MB are read in seconds") {
  const std::clock_t begin = std::clock();  // of the processor: others may use it too
  const size_t size = 100'000'000;
  CHECK(read_json("{\"audio\": \"" + std::string(size, 'A') + "\"}").bytes.size() == size / 4 * 3);
  CHECK(refused_json("{\"audio\": \"" + std::string(size, 'A') + "*\"}") ==
        "/audio: got * at offset 100000000 of the text, expected base64");
  CHECK(read_form({{"audio", std::string(size, '\r')}}).bytes.size() == size);
  CHECK(contains(refused_form({{"audio", "x"}, {"return", std::string(size, ',')}}), "/return/0: got an empty text"));
  CHECK(contains(refused_form({{"audio", "x"}, {"top_k", std::string(size, '1')}}), "expected a whole number"));
  CHECK((std::clock() - begin) / CLOCKS_PER_SEC < 60);  // generous: under sanitizers too
}

}  // namespace
}  // namespace amae::http

#include "http/json.h"

#include <catch2/catch_test_macros.hpp>
#include <clocale>
#include <cmath>
#include <ctime>
#include <string>

#include "http/bad_request.h"
#include "tests/problems.h"

namespace amae::http {
namespace {

using nlohmann::json;
using namespace std::string_literals;

/// What a text is refused with: "FIELD: MESSAGE".
std::string refused(std::string_view text, const JsonLimits& limits = {}) {
  const Problem problem = only_problem([&] { static_cast<void>(parse_json(text, limits)); });
  CHECK(problem.code == "REQUEST");
  CHECK(problem.where.empty());
  return problem.field + ": " + problem.message;
}

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST_CASE("a request's JSON is read whole, with every kind of value") {
  const json value = parse_json(" {\"a\": [1, -2, 3.5, true, false, null], \"b\": {\"c\": \"text\"}, \"\": []}\r\n\t ");
  CHECK(value == json::parse(R"({"a": [1, -2, 3.5, true, false, null], "b": {"c": "text"}, "": []})"));
  CHECK(value["a"][0].is_number_unsigned());
  CHECK(value["a"][1].is_number_integer());
  CHECK(value["a"][2].is_number_float());
  for (const char* text : {"0", "-0", "\"x\"", "true", "[]", "{}", "null", "1e5"})
    CHECK(parse_json(text) == json::parse(text));
}

TEST_CASE("whole numbers of 64 bits stay whole, longer ones become doubles") {
  CHECK(parse_json("18446744073709551615") == json(UINT64_MAX));
  CHECK(parse_json("-9223372036854775808") == json(INT64_MIN));
  CHECK(parse_json("18446744073709551616") == json(18446744073709551616.0));
  CHECK(parse_json("-9223372036854775809") == json(-9223372036854775809.0));
  CHECK(parse_json("1.7976931348623157e308") == json(1.7976931348623157e308));
  CHECK(parse_json("5e-324") == json(5e-324));
  CHECK(std::signbit(parse_json("-0.0").get<double>()));
  CHECK(parse_json("0e999") == json(0.0));
}

TEST_CASE("a number that no double is near is refused") {
  CHECK(refused("1e999") == ": got 1e999, expected a number that a double can hold; at byte 0");
  CHECK(refused("[-1e309]") == "/0: got -1e309, expected a number that a double can hold; at byte 1");
  CHECK(contains(refused("1e-999"), "got 1e-999,"));
  CHECK(contains(refused(std::string(400, '9')), "got " + std::string(60, '9') + "…,"));
  CHECK(contains(refused("1e99999999999999999999999"), "a double can hold"));
  CHECK(contains(refused("1e-99999999999999999999999"), "a double can hold"));
}

TEST_CASE("numbers do not depend on the locale") {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  for (const char* name : {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8"}) {
    if (std::setlocale(LC_NUMERIC, name) != nullptr) break;
  }
  CHECK(parse_json("1.5") == json(1.5));
  CHECK(refused("1,5") == ": got ,, expected the end of the text; at byte 1");
  std::setlocale(LC_NUMERIC, before.c_str());
}

TEST_CASE("NaN, Infinity and what only looks like a number are refused where they go wrong") {
  CHECK(refused("{\"mask_ratio\": NaN}") == "/mask_ratio: got NaN, expected a value; at byte 15");
  CHECK(refused("nan") == ": got nan, expected a value; at byte 0");
  CHECK(refused("Infinity") == ": got Infinity, expected a value; at byte 0");
  CHECK(refused("-Infinity") == ": got Infinity, expected a digit; at byte 1");
  CHECK(refused("+1") == ": got +, expected a value; at byte 0");
  CHECK(refused("01") == ": got 1, expected the end of the text; at byte 1");
  CHECK(refused("0x10") == ": got x10, expected the end of the text; at byte 1");
  CHECK(refused(".5") == ": got ., expected a value; at byte 0");
  CHECK(refused("5.") == ": got the end of the text, expected a digit; at byte 2");
  CHECK(refused("1e") == ": got the end of the text, expected a digit; at byte 2");
  CHECK(refused("1e+-1") == ": got -, expected a digit; at byte 3");
  CHECK(refused("-") == ": got the end of the text, expected a digit; at byte 1");
}

TEST_CASE("what is no JSON is refused with the place that is wrong and the value that it is in") {
  CHECK(refused("") == ": got the end of the text, expected a value; at byte 0");
  CHECK(refused(" \n ") == ": got the end of the text, expected a value; at byte 3");
  CHECK(refused("{") == ": got the end of the text, expected a key in quotes; at byte 1");
  CHECK(refused("{\"a\"") == "/a: got the end of the text, expected a colon; at byte 4");
  CHECK(refused("{\"a\": 1") == ": got the end of the text, expected a comma or }; at byte 7");
  CHECK(refused("{\"a\": 1,}") == ": got }, expected a key in quotes; at byte 8");
  CHECK(refused("{a: 1}") == ": got a, expected a key in quotes; at byte 1");
  CHECK(refused("{1: 1}") == ": got 1, expected a key in quotes; at byte 1");
  CHECK(refused("{\"a\" 1}") == "/a: got 1, expected a colon; at byte 5");
  CHECK(refused("[1, 2") == ": got the end of the text, expected a comma or ]; at byte 5");
  CHECK(refused("[1, 2, ]") == "/2: got ], expected a value; at byte 7");
  CHECK(refused("[1 2]") == ": got 2, expected a comma or ]; at byte 3");
  CHECK(refused("[1}") == ": got }, expected a comma or ]; at byte 2");
  CHECK(refused("{\"list\": [0, {\"x\": tru}]}") == "/list/1/x: got tru, expected a value; at byte 19");
  CHECK(refused("truex") == ": got x, expected the end of the text; at byte 4");
  CHECK(refused("{} {}") == ": got {, expected the end of the text; at byte 3");
  CHECK(refused("1\0"s) == ": got \\x00, expected the end of the text; at byte 1");
  CHECK(refused("\0"s) == ": got \\x00, expected a value; at byte 0");
  CHECK(refused("// comment\n1") == ": got /, expected a value; at byte 0");
  CHECK(refused("'a'") == ": got ', expected a value; at byte 0");
  CHECK(refused("\xC3\xA4") == ": got \xC3\xA4, expected a value; at byte 0");
  CHECK(refused("\x1B[31m") == ": got \\x1B, expected a value; at byte 0");
  CHECK(refused("\xEF\xBB\xBF{}") == ": got a byte order mark, expected JSON without; at byte 0");
  CHECK(refused("\x0C{}") == ": got \\x0C, expected a value; at byte 0");  // space in C, not in JSON
  CHECK(refused(std::string(10'000, 'x')) == ": got " + std::string(24, 'x') + ", expected a value; at byte 0");
}

TEST_CASE("texts may hold every character, written out or escaped") {
  CHECK(parse_json(R"("\"\\\/\b\f\n\r\t")") == json("\"\\/\b\f\n\r\t"));
  CHECK(parse_json(R"("\u0000")") == json("\0"s));
  CHECK(parse_json(R"("\u0041\u00e4\u20AC\ud83d\ude00")") == json("A\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"));
  CHECK(parse_json("\"\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80 \x7F\"") ==
        json("\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80 \x7F"));
  CHECK(parse_json(R"("\udbff\udfff \ud800\udc00")") == json("\xF4\x8F\xBF\xBF \xF0\x90\x80\x80"));
  CHECK(parse_json(R"({"k\u0065y": 1})") == json{{"key", 1}});
}

TEST_CASE("halves of surrogate pairs are refused") {
  const std::string half = ", half of a surrogate pair, expected both halves; at byte ";
  CHECK(refused(R"("\ud800")") == ": got \\ud800" + half + "1");
  CHECK(refused(R"(["ab", "x\uDC00"])") == "/1: got \\uDC00" + half + "9");
  CHECK(refused(R"("\ud800\ud800")") == ": got \\ud800" + half + "1");
  CHECK(refused(R"("\ud83d\u0041")") == ": got \\ud83d" + half + "1");
  CHECK(refused(R"("\ud83dx")") == ": got \\ud83d" + half + "1");
  CHECK(refused(R"("\ud83d\n")") == ": got \\ud83d" + half + "1");
  CHECK(refused(R"("\ud83d\u12")") == ": got \", expected four hexadecimal digits; at byte 11");
  CHECK(refused(R"({"\udc00": 1})") == ": got \\udc00" + half + "2");
}

TEST_CASE("texts that are not UTF-8, not closed or not escaped are refused") {
  CHECK(refused("\"\xFF\"") == ": got \\xFF, expected UTF-8; at byte 1");
  CHECK(refused("{\"audio\": \"ab\xC3\"}") == "/audio: got \\xC3, expected UTF-8; at byte 13");
  CHECK(refused("\"\xC0\x80\"") == ": got \\xC0, expected UTF-8; at byte 1");          // overlong
  CHECK(refused("\"\xED\xA0\x80\"") == ": got \\xED, expected UTF-8; at byte 1");      // a surrogate
  CHECK(refused("\"\xF4\x90\x80\x80\"") == ": got \\xF4, expected UTF-8; at byte 1");  // beyond U+10FFFF
  CHECK(refused("\"\xF0\x9F\x98") == ": got \\xF0, expected UTF-8; at byte 1");
  CHECK(refused("{\"\xFF\": 1}") == ": got \\xFF, expected UTF-8; at byte 2");
  CHECK(contains(refused("\"a\nb\""),
                 ": got \\x0A, expected text; a control character is written as an escape; at byte 2"));
  CHECK(contains(refused("\"a\0b\""s), ": got \\x00, expected text;"));
  CHECK(refused("\"abc") == ": got the end of the text, expected a quote; at byte 4");
  CHECK(refused("\"abc\\") == ": got the end of the text, expected an escape such as \\n or \\u000A; at byte 5");
  CHECK(refused("\"abc\\\"") == ": got the end of the text, expected a quote; at byte 6");
  CHECK(refused(R"("\x41")") == ": got x41, expected an escape such as \\n or \\u000A; at byte 2");
  CHECK(refused(R"("\u00g0")") == ": got g0, expected four hexadecimal digits; at byte 5");
  CHECK(refused(R"("\u")") == ": got \", expected four hexadecimal digits; at byte 3");
  CHECK(refused(R"("\u-123")") == ": got -, expected four hexadecimal digits; at byte 3");
  CHECK(refused("\"\\u00") == ": got the end of the text, expected four hexadecimal digits; at byte 5");
}

TEST_CASE("a key twice in one object is refused, in two objects it is not") {
  CHECK(refused(R"({"row": 1, "row": 2})") == "/row: got this key twice in one object, expected it once; at byte 11");
  CHECK(refused(R"([{"a": {"b": 1, "c": 2, "\u0062": 3}}])") ==
        "/0/a/b: got this key twice in one object, expected it once; at byte 24");
  CHECK(parse_json(R"({"a": {"a": 1}, "b": {"a": 2}})").size() == 2);
}

TEST_CASE("depth is limited, however deep the text is") {
  CHECK(parse_json(nested(32)).is_array());
  CHECK(contains(refused(nested(33)), ": got more than 32 levels, expected at most as many; at byte 32"));
  CHECK(contains(refused(nested(10'000)), "at byte 32"));
  CHECK(contains(refused(std::string(10'000'000, '[')), "at byte 32"));
  std::string objects;
  for (int i = 0; i < 10'000; ++i) objects += "{\"a\":";
  CHECK(contains(refused(objects), "/a/a/a: got more than 32 levels"));
  CHECK(parse_json("[[1]]", {.depth = 2}).is_array());
  CHECK(refused("[[[1]]]", {.depth = 2}) == "/0/0: got more than 2 levels, expected at most as many; at byte 2");
}

TEST_CASE("the number of values is limited") {
  const auto list = [](size_t size) {
    std::string text = "[";
    for (size_t i = 0; i < size; ++i) text += i > 0 ? ",0" : "0";
    return text + "]";
  };
  CHECK(parse_json(list(99'999)).size() == 99'999);
  CHECK(refused(list(100'000)) == "/99999: got more than 100000 values, expected at most as many; at byte 199999");
  CHECK(parse_json("[1, {\"a\": 2}]", {.values = 4}).size() == 2);
  CHECK(contains(refused("[1, {\"a\": 2}]", {.values = 3}), "/1/a: got more than 3 values"));
}

TEST_CASE("a step of a JSON pointer is escaped, printable and not long") {
  CHECK(pointer_step("audio") == "/audio");
  CHECK(pointer_step("") == "/");
  CHECK(pointer_step("a/b~c") == "/a~1b~0c");  // RFC 6901, section 3
  CHECK(pointer_step("~1") == "/~01");
  CHECK(pointer_step("a\nb\xFF") == "/a\\x0Ab\\xFF");
  CHECK(pointer_step(std::string(1'000'000, 'k')) == "/" + std::string(60, 'k') + "…");
  CHECK(pointer_step("x" + std::string(59, 'k') + "\xC3\xA4") == "/x" + std::string(59, 'k') + "…");
  CHECK(pointer_step(std::string(59, 'k') + "\xC3\xA4") == "/" + std::string(59, 'k') + "…");
  CHECK(contains(refused("{\"a/\\n\": x}"), "/a~1\\x0A: got x,"));
}

TEST_CASE("a text of 100 MB is read in seconds, whether it is right, wrong at its end, or full of escapes") {
  const std::clock_t begin = std::clock();  // of the processor: others may use it too
  const size_t size = 100'000'000;
  std::string text = "{\"audio\": \"" + std::string(size, 'A');
  CHECK(parse_json(text + "\"}")["audio"].get_ref<const std::string&>().size() == size);
  CHECK(refused(text) == "/audio: got the end of the text, expected a quote; at byte " + std::to_string(text.size()));
  CHECK(contains(refused(text + "\xFF"), "/audio: got \\xFF, expected UTF-8"));
  for (size_t at = 11; at + 1 < text.size(); at += 2) text[at] = '\\', text[at + 1] = '/';
  CHECK(parse_json(text + "\"}")["audio"].get_ref<const std::string&>().size() == size / 2);
  CHECK(contains(refused(std::string(size, '7')), "a double can hold"));
  CHECK(contains(refused("[0." + std::string(size, '7')), "expected a comma or ]"));
  CHECK(refused(std::string(size, ' ')).ends_with("at byte 100000000"));
  CHECK((std::clock() - begin) / CLOCKS_PER_SEC < 60);  // generous: under sanitizers too
}

}  // namespace
}  // namespace amae::http

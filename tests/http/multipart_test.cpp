#include "http/multipart.h"

#include <catch2/catch_test_macros.hpp>
#include <ctime>
#include <string>

#include "http/bad_request.h"
#include "tests/problems.h"

namespace amae::http {
namespace {

using namespace std::string_literals;

const std::string kType = "multipart/form-data; boundary=xx";
const std::string kEnd = "--xx--\r\n";

std::string part_text(const std::string& disposition, const std::string& body, const std::string& headers = "") {
  return "--xx\r\nContent-Disposition: form-data; " + disposition + "\r\n" + headers + "\r\n" + body + "\r\n";
}

/// What a form is refused with.
std::string refused(std::string_view type, std::string_view body, int status = 400) {
  try {
    static_cast<void>(parse_multipart(type, body));
  } catch (const BadRequest& error) {
    CHECK(error.status() == status);
    CHECK(error.problems().size() == 1);
    CHECK(error.problems()[0].code == (status == 415 ? "TYPE" : "REQUEST"));
    return error.problems()[0].message;
  }
  return "";
}

std::string refused_body(const std::string& body) { return refused(kType, body); }

TEST_CASE("a form's parts have names, file names, types and bodies within the body") {
  const std::string wav = "RIFF\0\r\n\r\n--x\r\n--\xFF"s;
  const std::string body = part_text("name=\"audio\"; filename=\"dog.wav\"", wav, "Content-Type: audio/wav\r\n") +
                           part_text("name=top_k", "3") + part_text("name=\"empty\"", "") + kEnd;
  const std::vector<Part> parts = parse_multipart(kType, body);
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].name == "audio");
  CHECK(parts[0].filename == "dog.wav");
  CHECK(parts[0].type == "audio/wav");
  CHECK(parts[0].body == wav);
  CHECK(parts[0].body.data() == body.data() + body.find("RIFF"));
  CHECK(parts[1].name == "top_k");
  CHECK(parts[1].filename.empty());
  CHECK(parts[1].type.empty());
  CHECK(parts[1].body == "3");
  CHECK(parts[2].body.empty());
}

TEST_CASE("a form may have no parts, the same name twice, and text around its parts") {
  CHECK(parse_multipart(kType, "--xx--").empty());
  CHECK(parse_multipart(kType, "--xx--\r\n").empty());
  const std::string two = part_text("name=\"where\"", "a=1") + part_text("name=\"where\"", "b=2");
  CHECK(parse_multipart(kType, two + kEnd).size() == 2);
  CHECK(parse_multipart(kType, two + "--xx--").size() == 2);  // without the last line break, as RFC 2046 has it
  CHECK(parse_multipart(kType, two + "--xx-- \t").size() == 2);
  CHECK(parse_multipart(kType, "preamble\r\n" + two + kEnd + "epilogue\r\n--xx\r\n").size() == 2);
  CHECK(parse_multipart(kType, "\r\n" + two + kEnd).size() == 2);
  CHECK(parse_multipart(kType, "--xx \t\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--xx--")[0].body == "b");
}

TEST_CASE("the boundary comes with or without quotes, among other parameters, in any case") {
  const std::string body = "--a\r\nContent-Disposition: form-data; name=n\r\n\r\nb\r\n--a--";
  for (const char* type :
       {"multipart/form-data; boundary=a", "Multipart/Form-Data;BOUNDARY=\"a\"",
        "multipart/form-data ; charset=utf-8 ;;boundary=a;", "multipart/form-data; boundary=a; x=\"; boundary=b\""}) {
    INFO(type);
    CHECK(parse_multipart(type, body).size() == 1);
  }
  const std::string odd = "a b'()+_,-./:=?Z9";
  CHECK(parse_multipart("multipart/form-data; boundary=\"" + odd + "\"", "--" + odd + "--").empty());
  CHECK(parse_multipart("multipart/form-data; boundary=----=_Part_1", "------=_Part_1--").empty());
  const std::string longest(70, 'b');
  CHECK(parse_multipart("multipart/form-data; boundary=" + longest, "--" + longest + "--").empty());
}

TEST_CASE("a Content-Type that is no form is refused with 415, one without a sound boundary with 400") {
  CHECK(refused("", "", 415) == "got no Content-Type, expected multipart/form-data");
  CHECK(refused("multipart/mixed; boundary=xx", kEnd, 415) == "got multipart/mixed, expected multipart/form-data");
  CHECK(refused("multipart/form-data", kEnd) ==
        "got no boundary in Content-Type, expected multipart/form-data; boundary=TEXT");
  const std::string expected = " as boundary, expected 1 to 70 letters, digits or any of '()+_,-./:=?";
  CHECK(refused("multipart/form-data; boundary=", kEnd) == "got an empty text" + expected);
  CHECK(refused("multipart/form-data; boundary=\"\"", kEnd) == "got an empty text" + expected);
  CHECK(refused("multipart/form-data; boundary=\"x \"", kEnd) == "got x " + expected);
  CHECK(refused("multipart/form-data; boundary=a;boundary=b", kEnd) ==
        "got boundary twice, expected it once in Content-Type");
  CHECK(contains(refused("multipart/form-data; boundary=" + std::string(71, 'b'), kEnd), expected));
  CHECK(contains(refused("multipart/form-data; boundary=\"a\rb\"", kEnd), "got a\\x0Db" + expected));
  CHECK(contains(refused("multipart/form-data; boundary=\"\\a\"", kEnd), "got \\a" + expected));
  CHECK(contains(refused("multipart/form-data; boundary=\xC3\xA4", kEnd), expected));
  CHECK(contains(refused("multipart/form-data; boundary=\"xx", kEnd), "got no closing quote"));
  CHECK(contains(refused("multipart/form-data; boundary", kEnd), "got boundary, expected a parameter NAME=VALUE"));
  CHECK(contains(refused("multipart/form-data; boundary=\"x\"y", kEnd), "got y, expected a semicolon"));
  std::string many = "multipart/form-data";
  for (int i = 0; i < 1'000; ++i) many += ";a" + std::to_string(i) + "=b";
  CHECK(contains(refused(many, kEnd), "got more than 16 parameters"));
}

TEST_CASE("a body without its first or last boundary is refused") {
  CHECK(refused_body("") == "got a body without the line --xx, expected the boundary of Content-Type");
  CHECK(contains(refused_body("--xy--\r\n"), "without the line --xx"));
  CHECK(contains(refused_body("a--xx--\r\n"), "without the line --xx"));  // not at the beginning of a line
  CHECK(contains(refused_body("\n--xx--\r\n"), "without the line --xx"));
  CHECK(contains(refused_body("--xx"),
                 "got the end of the body, expected the last boundary and -- behind it; at byte 4"));
  CHECK(contains(refused_body("--xx-"), "got text behind a boundary, expected the end of the line; at byte 4"));
  CHECK(contains(refused_body("--xx\r\n"), "got a part without the boundary behind it"));
  CHECK(contains(refused_body(part_text("name=a", "x")), "got a part without the boundary behind it"));
  CHECK(contains(refused_body(part_text("name=a", "x") + "--xx"), "expected the last boundary"));
  CHECK(contains(refused_body(part_text("name=a", "x") + "--xxy--"), "got text behind a boundary"));
  CHECK(contains(refused_body(part_text("name=a", "x") + "--xx--y"), "got text behind a boundary"));
  CHECK(contains(refused_body("--xx\n--xx--\r\n"),
                 "got text behind a boundary, expected the end of the line; at byte 4"));
  CHECK(contains(refused_body(std::string(5'000, 'p') + "\r\n--xx--"), "got the first boundary late"));
  CHECK(contains(refused_body("--xx--\r\n" + std::string(5'000, 'e')), "got more text behind the last boundary"));
}

TEST_CASE("a part needs an empty line behind its headers, and Content-Disposition with a name among them") {
  CHECK(contains(refused_body("--xx\r\n" + kEnd), "got a part without headers"));
  CHECK(contains(refused_body("--xx\r\n\r\n" + kEnd), "got a part without an empty line"));
  CHECK(contains(refused_body("--xx\r\n\r\nbody\r\n" + kEnd), "got a part without an empty line"));
  CHECK(contains(refused_body("--xx\r\nContent-Disposition: form-data; name=a\r\n" + kEnd),
                 "got a part without an empty line, expected one behind its headers; at byte 6"));
  CHECK(contains(refused_body("--xx\r\nContent-Disposition: form-data; name=a\n\nb\r\n" + kEnd),
                 "without an empty line"));
  CHECK(contains(refused_body("--xx\r\nContent-Type: text/plain\r\n\r\nb\r\n" + kEnd),
                 "got a part without Content-Disposition"));
  CHECK(contains(refused_body("--xx\r\nContent-Disposition: form-data\r\n\r\nb\r\n" + kEnd),
                 "got a part without a name"));
  CHECK(contains(refused_body("--xx\r\nContent-Disposition: attachment; name=a\r\n\r\nb\r\n" + kEnd),
                 "got Content-Disposition attachment, expected form-data"));
  CHECK(contains(refused_body(part_text("name=a; name=b", "") + kEnd),
                 "got name twice, expected it once in Content-Disposition; at byte 6 of the body"));
  CHECK(contains(refused_body(part_text("name=\"a", "") + kEnd),
                 "got no closing quote, expected one in Content-Disposition"));
  CHECK(contains(refused_body(part_text("name=a", "", "Content-Disposition: form-data; name=b\r\n") + kEnd),
                 "got content-disposition twice"));
  CHECK(contains(refused_body(part_text("name=a", "", "Content-Type: a/b\r\ncontent-type: a/c\r\n") + kEnd),
                 "got content-type twice"));
}

TEST_CASE("headers that are none, folded ones and control characters are refused where they stand") {
  CHECK(contains(refused_body(part_text("name=a", "", "no header\r\n") + kEnd),
                 "got no header, expected a header NAME: VALUE; at byte 46"));
  CHECK(contains(refused_body(part_text("name=a", "", " folded: x\r\n") + kEnd), "got  folded: x, expected a header"));
  CHECK(contains(refused_body(part_text("name=a", "", ": x\r\n") + kEnd), "got : x, expected a header"));
  CHECK(contains(refused_body(part_text("name=a", "", "X : y\r\n") + kEnd), "got X : y, expected a header"));
  CHECK(contains(refused_body(part_text("name=a", "", "X: a\0b\r\n"s) + kEnd), "got \\x00 in a header, expected text"));
  CHECK(contains(refused_body(part_text("name=\"a\nb\"", "") + kEnd), "got \\x0A in a header"));
  CHECK(contains(refused_body(part_text("name=\"a\rb\"", "") + kEnd), "got \\x0D in a header"));
  // The boundary is found first, also where it could be a header.
  CHECK(contains(refused("multipart/form-data; boundary=a:b",
                         "--a:b\r\n--a:b\r\nContent-Disposition: form-data; name=x\r\n\r\n\r\n--a:b--"),
                 "got a part without headers"));
}

TEST_CASE("an encoding of the body is refused, what means none is fine") {
  CHECK(refused_body(part_text("name=a", "eA==", "Content-Transfer-Encoding: base64\r\n") + kEnd) ==
        "got Content-Transfer-Encoding base64, expected none or binary; at byte 46 of the body");
  CHECK(parse_multipart(kType, part_text("name=a", "x", "Content-Transfer-Encoding: Binary\r\n") + kEnd).size() == 1);
}

TEST_CASE("names in quotes may hold anything; a backslash is an escape before a quote or a backslash only") {
  const auto file_name = [](const std::string& disposition) {
    return parse_multipart(kType, part_text(disposition, "") + kEnd).at(0).filename;
  };
  CHECK(file_name(R"(name="a"; filename="say \"hi\".wav")") == "say \"hi\".wav");
  CHECK(file_name(R"(name="a"; filename="C:\dir\a.wav")") == R"(C:\dir\a.wav)");
  CHECK(file_name(R"(name="a"; filename="C:\\dir\\a.wav")") == R"(C:\dir\a.wav)");
  CHECK(file_name(R"(name="a"; filename="a; name=b")") == "a; name=b");
  CHECK(file_name("name=\"a\"; filename=\"\xC3\xA4\xFF.wav\"") == "\xC3\xA4\xFF.wav");
  CHECK(file_name("name=\"a\"; filename*=UTF-8''%c3%a4.wav; filename=plain.wav") == "plain.wav");
  CHECK(file_name("name=\"a\"; filename*=UTF-8''%c3%a4.wav").empty());
  CHECK(file_name("name=\"a\"; other=1; FileName=b").size() == 1);
}

TEST_CASE("16 parts are read, more are refused without reading them") {
  std::string parts;
  for (int i = 0; i < 16; ++i) parts += part_text("name=a", std::to_string(i));
  CHECK(parse_multipart(kType, parts + kEnd).size() == 16);
  CHECK(contains(refused_body(parts + part_text("name=a", "") + kEnd), "got more than 16 parts"));
  for (int i = 0; i < 10'000; ++i) parts += part_text("name=a", "");
  CHECK(contains(refused_body(parts + kEnd), "got more than 16 parts, expected at most as many; at byte "));
}

TEST_CASE("headers of a part are limited in number and length") {
  std::string headers;
  for (int i = 0; i < 15; ++i) headers += "X-" + std::to_string(i) + ": y\r\n";
  CHECK(parse_multipart(kType, part_text("name=a", "x", headers) + kEnd).size() == 1);
  CHECK(contains(refused_body(part_text("name=a", "x", headers + "X: y\r\n") + kEnd),
                 "got more headers of a part, expected at most 16"));
  const std::string long_header = "X: " + std::string(8'000, 'y') + "\r\n";
  CHECK(parse_multipart(kType, part_text("name=a", "x", long_header) + kEnd).size() == 1);
  CHECK(contains(refused_body(part_text("name=a", "x", long_header + long_header) + kEnd),
                 "got longer headers of a part, expected at most 8192 bytes; at byte 6"));
  std::string endless = "--xx\r\n";
  for (int i = 0; i < 1'000'000; ++i) endless += "X: y\r\n";
  CHECK(contains(refused_body(endless), "got a part without the boundary behind it"));
  CHECK(contains(refused_body(endless + kEnd), "got longer headers of a part"));
  CHECK(contains(refused_body("--xx\r\nX: " + std::string(10'000'000, 'y') + "\r\n" + kEnd),
                 "got longer headers of a part"));
}

TEST_CASE("a body of near boundaries is read in linear time") {
  const std::string boundary(70, 'b');
  const auto seconds = [&](const std::string& piece, size_t size) {
    std::string body = "--" + boundary + "\r\nContent-Disposition: form-data; name=a\r\n\r\n";
    while (body.size() < size) body += piece;
    body += "\r\n--" + boundary + "--";
    const std::clock_t begin = std::clock();  // of the processor: others may use it too
    CHECK(parse_multipart("multipart/form-data; boundary=" + boundary, body).size() == 1);
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  };
  for (const std::string& piece : {"\r\n--" + boundary.substr(1), "\r"s, "\r\n"s, "\r\n--"s, "\r\n--b"s, "b"s, "-"s}) {
    INFO(piece);
    CHECK(seconds(piece, 32U << 20U) < 10);  // a second or less; a quadratic search would take hours
  }
}

}  // namespace
}  // namespace amae::http

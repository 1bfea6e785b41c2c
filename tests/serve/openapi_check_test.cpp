#include "tests/serve/openapi_check.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace amae::openapi {
namespace {

using Problems = std::vector<std::string>;

/// GET /x answers 200 with what `schema` says; `parts` are components/schemas.
json document_with(const std::string& schema, const std::string& parts = "{}") {
  json document =
      json::parse(R"({"paths": {"/x": {"get": {"responses": {"200": {"content": {"application/json": {}}}}}}}})");
  document["paths"]["/x"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = json::parse(schema);
  document["components"]["schemas"] = json::parse(parts);
  return document;
}

Problems problems_with(const std::string& schema, const std::string& answer, const std::string& parts = "{}") {
  return problems(document_with(schema, parts), "GET", "/x", 200, json::parse(answer));
}

/// The pointer that the only problem begins with; else how many there are.
std::string place(const Problems& found) {
  return found.size() == 1 ? found[0].substr(0, found[0].find(": ")) : std::to_string(found.size()) + " problems";
}

Problems document_problems(const json& document) {
  Checker checker(document);
  checker.check_document(document);
  return checker.problems;
}

json our_document() {
  std::ifstream file(AMAE_SOURCE_DIR "/framework/serve/openapi.json");
  return json::parse(file);
}

/// All operations of a document, by "get /path".
std::vector<std::pair<std::string, json>> operations_of(const json& document) {
  std::vector<std::pair<std::string, json>> operations;
  for (const auto& path : document.at("paths").items()) {
    for (const auto& operation : path.value().items())
      operations.emplace_back(operation.key() + " " + path.key(), operation.value());
  }
  return operations;
}

/// Objects with known fields say so: what else may be there, and no name is required that is none.
void check_objects(const json& node, const std::string& at) {
  if (!node.is_structured()) return;
  if (node.contains("properties") && node["properties"].is_object() && node.contains("type")) {
    INFO(at);
    CHECK(node.contains("additionalProperties"));
    for (const json& name : node.value("required", json::array())) CHECK(node["properties"].contains(name));
  }
  for (const auto& part : node.items()) check_objects(part.value(), Checker::step(at, part.key()));
}

}  // namespace

TEST_CASE("each keyword takes what it may and refuses the rest with its pointer") {
  struct Case {
    std::string schema, good, bad, at;
  };
  const std::vector<Case> cases = {
      {R"({"type": "string"})", R"("x")", "1", ""},
      {R"({"type": "boolean"})", "true", "0", ""},
      {R"({"type": "null"})", "null", "false", ""},
      {R"({"type": "array"})", "[]", "{}", ""},
      {R"({"type": "object"})", "{}", "[]", ""},
      {R"({"type": "number"})", "1", R"("1")", ""},
      {R"({"type": "number"})", "0.5", "true", ""},
      {R"({"type": "integer"})", "7", "7.5", ""},
      {R"({"type": "integer"})", "7.0", "null", ""},
      {R"({"type": ["number", "null"]})", "null", R"("")", ""},
      {R"({"properties": {"a": {"type": "string"}}})", R"({"b": 1})", R"({"a": 1})", "/a"},
      {R"({"properties": {"a/b~": {"type": "string"}}})", R"({"a/b~": ""})", R"({"a/b~": 1})", "/a~1b~0"},
      {R"({"required": ["a", "b"]})", R"({"a": 1, "b": null})", R"({"a": 1})", ""},
      {R"({"properties": {"a": {}}, "additionalProperties": false})", R"({"a": 1})", R"({"a": 1, "b": 2})", "/b"},
      {R"({"properties": {"a": {}}, "additionalProperties": true})", R"({"b": 1})", "", ""},
      {R"({"properties": {"a": {}}, "additionalProperties": {"type": "string"}})", R"({"a": 1, "b": ""})",
       R"({"b": 2})", "/b"},
      {R"({"additionalProperties": false})", "{}", R"({"a": 1})", "/a"},
      {R"({"items": {"type": "integer"}})", "[1, 2]", R"([1, "2"])", "/1"},
      {R"({"prefixItems": [{"type": "string"}, {"type": "integer"}]})", R"(["a", 1, null])", R"(["a", "b"])", "/1"},
      {R"({"prefixItems": [{"type": "string"}]})", "[]", "[1]", "/0"},
      {R"({"prefixItems": [{}], "items": {"type": "string"}})", R"([1, "a"])", R"([1, "a", 2])", "/2"},
      {R"({"minItems": 2})", "[1, 2]", "[1]", ""},
      {R"({"maxItems": 2})", "[1, 2]", "[1, 2, 3]", ""},
      {R"({"enum": ["a", 1, null]})", "null", R"("b")", ""},
      {R"({"const": "a"})", R"("a")", R"("b")", ""},
      {R"({"minimum": 0})", "0", "-0.5", ""},
      {R"({"maximum": 0.95})", "0.95", "1", ""},
      {R"({"minimum": 5, "maximum": 6, "minItems": 1, "pattern": "^a$"})", "{}", "4", ""},
      {R"({"pattern": "^[0-9a-f]{4}$"})", R"("09af")", R"("09aF")", ""},
      {R"({"$ref": "#/components/schemas/Part"})", R"("x")", "1", ""},
      {R"({"items": {"$ref": "#/components/schemas/Part", "enum": ["x"]}})", R"(["x"])", R"(["y"])", "/0"},
      {R"({"description": "any", "format": "any"})", "[[]]", "", ""},
  };
  for (const Case& c : cases) {
    INFO(c.schema << "  " << c.good << "  " << c.bad);
    const std::string part = R"({"Part": {"type": "string"}})";
    CHECK(problems_with(c.schema, c.good, part) == Problems{});
    if (!c.bad.empty()) CHECK(place(problems_with(c.schema, c.bad, part)) == c.at);
  }
}

TEST_CASE("oneOf wants one that fits, and tells what the nearest refuses") {
  const std::string schema = R"({"oneOf": [
      {"type": "object", "properties": {"a": {"const": 1}, "b": {"type": "string"}}, "required": ["a", "b"]},
      {"type": "null"}, {"enum": [null, 5]}]})";
  CHECK(problems_with(schema, R"({"a": 1, "b": ""})").empty());
  CHECK(problems_with(schema, "5").empty());
  CHECK(problems_with(schema, "null") == Problems{": fits 2 schemas of oneOf, expected 1"});
  const Problems found = problems_with(schema, R"({"a": 1, "b": 2})");
  REQUIRE(found.size() == 2);
  CHECK(found[0] == ": fits 0 schemas of oneOf, expected 1");
  CHECK(found[1] == R"(/b: got 2, expected ["string"])");
}

TEST_CASE("what is not checked is a problem, in an answer and in the document") {
  CHECK(problems_with(R"({"minLength": 2})", R"("abc")").size() == 1);
  for (const std::string& word :
       Problems{"allOf", "anyOf", "not", "multipleOf", "uniqueItems", "nullable", "patternProperties"}) {
    INFO(word);
    CHECK(problems_with(R"({"items": {")" + word + R"(": {}}})", "[1]").size() == 1);
    for (const char* around : {R"({"items": %})", R"({"properties": {"x": %}})", R"({"additionalProperties": %})",
                               R"({"oneOf": [{}, %]})", R"({"prefixItems": [%]})"}) {
      std::string schema = around;
      schema.replace(schema.find('%'), 1, "{\"" + word + "\": {}}");
      CHECK(document_problems(document_with(schema)).size() == 1);
      CHECK(document_problems(document_with("{}", R"({"Part": )" + schema + "}")).size() == 1);
    }
  }
  // Names of fields are no keywords.
  CHECK(document_problems(document_with(R"({"properties": {"not": {}, "allOf": {"type": "string"}}})")).empty());
}

TEST_CASE("references that lead nowhere or never end are problems") {
  const std::string nowhere = R"({"$ref": "#/components/schemas/None"})", outside = R"({"$ref": "other.json#/x"})";
  CHECK(problems_with(nowhere, "1").size() == 1);
  CHECK(problems_with(outside, "1").size() == 1);
  CHECK(document_problems(document_with(nowhere)).size() == 1);
  CHECK(document_problems(document_with(outside)).size() == 1);
  const std::string to_a = R"({"$ref": "#/components/schemas/A"})";
  CHECK(problems_with(to_a, "1", R"({"A": )" + to_a + "}").size() == 1);
  CHECK(document_problems(document_with(to_a, R"({"A": {}})")) == Problems{});
}

TEST_CASE("an operation, status or body that the document does not have is a problem") {
  const json document = document_with("{}");
  CHECK(problems(document, "get", "/x", 200, {}).empty());
  CHECK(problems(document, "POST", "/x", 200, {}).size() == 1);
  CHECK(problems(document, "GET", "/y", 200, {}).size() == 1);
  CHECK(problems(document, "GET", "/x", 404, {}).size() == 1);
  json other = document;
  other["paths"]["/x"]["get"]["responses"]["200"]["content"] = {{"text/plain", json::object()}};
  CHECK(problems(other, "GET", "/x", 200, {}).size() == 1);
  CHECK(problems(document_with(R"({"type": 5})"), "GET", "/x", 200, {}).size() == 1);

  json shared = document;
  shared["components"]["responses"]["Bad"]["content"]["application/json"]["schema"]["type"] = "string";
  shared["paths"]["/x"]["get"]["responses"]["400"]["$ref"] = "#/components/responses/Bad";
  CHECK(problems(shared, "GET", "/x", 400, "text").empty());
  CHECK(problems(shared, "GET", "/x", 400, 1).size() == 1);
}

TEST_CASE("openapi.json holds together") {
  const json document = our_document();
  CHECK(document_problems(document) == Problems{});
  CHECK(document.at("openapi").get<std::string>().starts_with("3.1."));
  CHECK(document.at("servers") == json::parse(R"([{"url": "/"}])"));
  check_objects(document, "#");
  for (const char* name : {"Tensor", "Map", "Clip", "Model", "ModelPage", "Item", "PredictAnswer", "EmbedAnswer",
                           "SearchAnswer", "Items", "MapAnswer", "Runs", "Run", "Metric", "Error"}) {
    INFO(name);
    CHECK(document.at("components").at("schemas").contains(name));
  }
}

TEST_CASE("every operation of openapi.json has an answer, and all its errors are Error") {
  const json document = our_document(), error = {{"$ref", "#/components/schemas/Error"}};
  const std::vector<std::pair<std::string, json>> operations = operations_of(document);
  CHECK(operations.size() >= 18);
  std::vector<std::string> ids;
  for (const auto& [name, operation] : operations) {
    INFO(name);
    ids.push_back(operation.at("operationId"));
    bool has_answer = false;
    for (const auto& entry : operation.at("responses").items()) {
      INFO(entry.key());
      const int status = std::stoi(entry.key());
      has_answer = has_answer || (status >= 200 && status < 300);
      if (status < 400) continue;
      json response = entry.value();
      if (response.contains("$ref"))
        response = document.at(json::json_pointer(response["$ref"].get<std::string>().substr(1)));
      const json& schema = response.at("content").at("application/json").at("schema");
      // GET /readyz: 503 says also that the server is ending.
      const bool is_one_of = schema.contains("oneOf") && schema["oneOf"].back() == error;
      CHECK((schema == error || is_one_of));
      const auto found =
          problems(document, name.substr(0, name.find(' ')), name.substr(name.find(' ') + 1), status,
                   json::parse(R"({"error": {"code": "BUSY", "message": "more", "hint": "try again"}})"));
      CHECK(found == Problems{});
    }
    CHECK(has_answer);
    for (const char* status : {"400", "403", "405", "408", "413", "414", "415", "431", "500", "503"})
      CHECK(operation.at("responses").contains(status));
  }
  std::sort(ids.begin(), ids.end());
  CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
}

TEST_CASE("openapi.json tells an answer from one with another shape") {
  const json document = our_document();
  const json good = json::parse(R"({
    "model": {"id": "3f9a01234567", "name": "resnet",
              "sha256": "3f9a0123456789ab3f9a0123456789ab3f9a0123456789ab3f9a0123456789ab"},
    "clip": {"format": "WAV", "domain": "audio", "rate_hz": 16000.0, "channels": 1, "samples": 16000, "seconds": 1.0},
    "top": [{"label": "dog", "class": 0, "score": 0.5}], "batch": 1,
    "timing_ms": {"decode": 1, "front_end": 2, "queue": 0, "model": 8.5, "total": 12},
    "spectrogram": {"shape": [1, 2, 3], "dtype": "float32", "data": "", "kind": "spectrogram", "min": 0, "max": 1,
                    "start_s": 0, "frame_s": null, "frequencies_hz": [1, 2], "values": "logarithms"}})");
  const auto found = [&](const json& answer) { return problems(document, "POST", "/v1/predict", 200, answer); };
  CHECK(found(good) == Problems{});
  const auto with = [&](const char* pointer, const json& value) {
    json bad = good;
    bad[json::json_pointer(pointer)] = value;
    return place(found(bad));
  };
  CHECK(with("/clip/format", "MP3") == "/clip/format");
  CHECK(with("/clip/more", 1) == "/clip/more");
  CHECK(with("/clip/seconds", "1") == "/clip/seconds");
  CHECK(with("/clip/seconds", nullptr) == "0 problems");
  CHECK(with("/model/id", "3F9A01234567") == "/model/id");
  CHECK(with("/top/0/score", 1.5) == "/top/0/score");
  CHECK(with("/batch", 0) == "/batch");
  CHECK(with("/more", 1) == "/more");
  CHECK(with("/spectrogram/kind", "waveform") != "0 problems");
  json less = good;
  less.erase("top");
  CHECK(found(less) == Problems{": has no top"});
}

}  // namespace amae::openapi

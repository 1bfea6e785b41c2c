// Whether an answer is what an OpenAPI document says. Of JSON Schema it knows the keywords that ours uses; any other is
// a problem, so that nothing stands in the document that no test looks at.
#pragma once

#include <algorithm>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

namespace amae::openapi {

using nlohmann::json;

/// Collects problems, each behind the JSON pointer of what is wrong: "/top/0" in a value, "#/paths" in the document.
class Checker {
 public:
  explicit Checker(const json& document) : document_(document) {}

  std::vector<std::string> problems;
  void tell(const std::string& at, const std::string& what) { problems.push_back(at + ": " + what); }

  static std::string step(const std::string& at, const std::string& name) {
    std::string escaped;
    for (const char c : name) escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return at + "/" + escaped;
  }

  /// Where "#/…" leads; null, and a problem, when nowhere.
  const json* resolve(const std::string& reference, const std::string& at) {
    const json::json_pointer pointer(reference.starts_with("#/") ? reference.substr(1) : "/not local");
    if (document_.contains(pointer)) return &document_.at(pointer);
    tell(at, "got " + reference + ", expected what is in the document");
    return nullptr;
  }

  /// What `x` has that `schema` forbids.
  void check(const json& schema, const json& x, const std::string& at, int depth = 0) {
    if (schema == true) return;
    if (schema == false || depth > 64) return tell(at, schema == false ? "is not allowed" : "its schema has no end");
    const auto expect = [&](bool holds, const json& what) {
      if (holds) return;
      const std::string got = x.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
      tell(at, "got " + (got.size() > 60 ? got.substr(0, 60) + "…" : got) + ", expected " + what.dump());
    };
    for (auto item = schema.begin(); item != schema.end(); ++item) {
      const std::string& keyword = item.key();
      const json& rule = *item;
      if (keyword == "$ref") {
        if (const json* target = resolve(rule, at)) check(*target, x, at, depth + 1);
      } else if (keyword == "type") {
        const json types = rule.is_array() ? rule : json::array({rule});
        expect(std::any_of(types.begin(), types.end(), [&](const json& type) { return is(x, type); }), types);
      } else if (keyword == "const" || keyword == "enum") {
        expect(keyword == "const" ? x == rule : std::find(rule.begin(), rule.end(), x) != rule.end(), rule);
      } else if (keyword == "minimum" || keyword == "maximum") {
        expect(!x.is_number() || (keyword == "minimum" ? x >= rule : x <= rule), {{keyword, rule}});
      } else if (keyword == "minItems" || keyword == "maxItems") {
        expect(!x.is_array() || (keyword == "minItems" ? x.size() >= rule : x.size() <= rule), {{keyword, rule}});
      } else if (keyword == "pattern") {
        expect(!x.is_string() || std::regex_search(x.get<std::string>(), std::regex(rule.get<std::string>())), rule);
      } else if (keyword == "required") {
        for (const std::string name : rule)
          if (x.is_object() && !x.contains(name)) tell(at, "has no " + name);
      } else if (keyword == "prefixItems" || keyword == "items") {
        const bool rest = keyword == "items";
        const size_t before = schema.value("prefixItems", json::array()).size();
        for (size_t i = rest ? before : 0; x.is_array() && i < (rest ? x.size() : std::min(x.size(), before)); ++i)
          check(rest ? rule : rule[i], x[i], step(at, std::to_string(i)), depth + 1);
      } else if (keyword == "properties" || keyword == "additionalProperties") {
        for (auto member = x.begin(); x.is_object() && member != x.end(); ++member) {
          const bool is_named = schema.contains("properties") && schema["properties"].contains(member.key());
          if (is_named != (keyword == "properties")) continue;
          check(is_named ? rule[member.key()] : rule, *member, step(at, member.key()), depth + 1);
        }
      } else if (keyword == "oneOf") {
        std::vector<std::string> nearest;
        size_t fitting = 0;
        for (const json& branch : rule) {
          Checker of_branch(document_);
          of_branch.check(branch, x, at, depth + 1);
          fitting += of_branch.problems.empty() ? 1 : 0;
          if (nearest.empty() || of_branch.problems.size() < nearest.size()) nearest = of_branch.problems;
        }
        if (fitting != 1) tell(at, "fits " + std::to_string(fitting) + " schemas of oneOf, expected 1");
        if (fitting == 0) problems.insert(problems.end(), nearest.begin(), nearest.end());
      } else if (keyword != "description" && keyword != "format") {
        tell(at, "its schema has the keyword " + keyword + ", which is not checked");
      }
    }
  }

  /// The keywords of a schema and of those within it.
  void check_keywords(const json& schema, const std::string& at) {
    static const std::string plain =
        " $ref type const enum minimum maximum pattern minItems maxItems required description format ";
    if (!schema.is_object()) return;
    for (const auto& [keyword, rule] : schema.items()) {
      const std::string here = step(at, keyword);
      if (keyword == "items" || keyword == "additionalProperties") {
        check_keywords(rule, here);
      } else if (keyword == "properties" || keyword == "prefixItems" || keyword == "oneOf") {
        for (const auto& [name, part] : rule.items()) check_keywords(part, step(here, name));
      } else if (plain.find(" " + keyword + " ") == std::string::npos) {
        tell(here, "is a keyword that is not checked");
      }
    }
  }

  /// The document: where its references lead, and the keywords of its schemas, wherever they stand.
  void check_document(const json& node, const std::string& at = "#") {
    if (!node.is_structured()) return;
    if (node.contains("$ref")) resolve(node["$ref"], at);
    if (node.contains("schema")) check_keywords(node["schema"], at + "/schema");
    for (const auto& part : node.items()) {
      if (at == "#/components/schemas") check_keywords(part.value(), step(at, part.key()));
      check_document(part.value(), step(at, part.key()));
    }
  }

 private:
  static bool is(const json& x, const json& type) {
    if (type == "integer") return x.is_number() && x == std::trunc(x.get<double>());
    return x.type_name() == type.get<std::string>();
  }

  const json& document_;
};

/// Where the answer to METHOD /path/{template} with `status` differs from what the document says; empty: nowhere.
inline std::vector<std::string> problems(const json& document, const std::string& method,
                                         const std::string& path_template, int status, const json& answer) {
  std::string verb = method;
  std::transform(verb.begin(), verb.end(), verb.begin(), [](unsigned char c) { return std::tolower(c); });
  std::string at = Checker::step("#/paths", path_template) + "/" + verb + "/responses/" + std::to_string(status);
  Checker checker(document);
  try {
    const json* response = checker.resolve(at, at);
    if (response != nullptr && response->contains("$ref")) response = checker.resolve((*response)["$ref"], at);
    if (response != nullptr) checker.check(response->at("content").at("application/json").at("schema"), answer, "");
  } catch (const std::exception& error) {  // the document is not made as it should be
    checker.tell(at, error.what());
  }
  return checker.problems;
}

}  // namespace amae::openapi

// What the program prints for other programs is valid JSON and says what it should.
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

using nlohmann::json;

namespace {

/// stdout of `amae ARGUMENTS` as JSON.
json answer(const std::string& arguments) {
  const std::string command = "'" AMAE_BUILD_DIR "/bin/amae' " + arguments;
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> part{};
  while (const size_t got = std::fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), got);
  INFO(command);
  REQUIRE(::pclose(pipe) == 0);
  return json::parse(text);
}

}  // namespace

TEST_CASE("amae list --json is an array of all components, each with kind, name and summary") {
  const json list = answer("list --json");
  std::set<std::string> names;
  for (const json& item : list) {
    CHECK(std::set<std::string>{"model", "dataset", "transform"}.count(item.at("kind")) == 1);
    CHECK_FALSE(item.at("summary").get<std::string>().empty());
    names.insert(item.at("name"));
  }
  for (const char* name : {"resnet", "esc50", "synthetic_sounds", "mel_spectrogram", "mixup"}) {
    INFO(name);
    CHECK(names.count(name) == 1);
  }
}

TEST_CASE("amae describe --json has an entry for each option with type, default, range and unit") {
  const json component = answer("describe mel_spectrogram --json");
  CHECK(component.at("kind") == "transform");
  json n_mels, f_min;
  for (const json& option : component.at("options")) {
    CHECK_FALSE(option.at("doc").get<std::string>().empty());
    if (option.at("name") == "n_mels") n_mels = option;
    if (option.at("name") == "f_min") f_min = option;
  }
  REQUIRE(n_mels.is_object());
  CHECK(n_mels.at("type") == "int");
  CHECK(n_mels.at("default").is_number_integer());
  CHECK(n_mels.at("minimum").is_number());
  REQUIRE(f_min.is_object());
  CHECK(f_min.at("unit") == "Hz");
}

TEST_CASE("amae config schema is a JSON Schema whose references all lead somewhere") {
  const json schema = answer("config schema");
  CHECK(schema.at("$schema") == "https://json-schema.org/draft/2020-12/schema");
  CHECK(schema.at("type") == "object");
  CHECK(schema.at("properties").at("optim").at("properties").contains("lr"));
  size_t references = 0;
  const std::function<void(const json&)> visit = [&](const json& node) {
    if (node.is_object() && node.contains("$ref") && node.at("$ref").is_string()) {
      ++references;
      INFO(node.dump());
      CHECK(schema.contains(json::json_pointer(node.at("$ref").get<std::string>().substr(1))));
    }
    for (const json& part : node) {
      if (part.is_structured()) visit(part);
    }
  };
  visit(schema);
  CHECK(references >= 3);
}

TEST_CASE("the defaults of the schema lie within its own ranges") {
  const std::function<void(const std::string&, const json&)> visit = [&](const std::string& path, const json& node) {
    if (node.is_object() && node.contains("default") && node.at("default").is_number()) {
      INFO(path << " " << node.dump());
      if (node.contains("minimum")) CHECK(node.at("default") >= node.at("minimum"));
      if (node.contains("maximum")) CHECK(node.at("default") <= node.at("maximum"));
    }
    if (!node.is_structured()) return;
    for (const auto& [key, part] : node.items()) visit(path + "/" + key, part);
  };
  visit("", answer("config schema"));
}

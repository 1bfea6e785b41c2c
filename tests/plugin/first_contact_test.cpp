#include "plugin/first_contact.h"

#include <cstdlib>

#include "base/file.h"
#include "plugin/loader.h"
#include "tests/base/support.h"

namespace amae {
namespace {

namespace fs = std::filesystem;

/// Plugins in a folder of their own, with verdicts of their own.
class Strangers {
 public:
  Strangers() {
    ::setenv("AMAE_CACHE", (folder_.path() / "cache").c_str(), 1);
    probe_plugins_with(AMAE_BUILD_DIR "/bin/amae");
  }
  ~Strangers() {
    probe_plugins_with({});
    ::unsetenv("AMAE_CACHE");
  }
  Strangers(const Strangers&) = delete;
  Strangers& operator=(const Strangers&) = delete;

  fs::path add(const std::string& animal, const std::string& name = "") const {
    const fs::path to = folder_.path() / ((name.empty() ? animal : name) + ".so");
    fs::copy_file(fs::path(AMAE_BUILD_DIR) / "tests/zoo" / (animal + ".so"), to);
    return to;
  }
  [[nodiscard]] fs::path verdicts() const { return folder_.path() / "cache/plugins/verdicts.json"; }

  /// From now on a trial would blame the library; so what passes was known.
  void try_no_more() const {
    const fs::path program = folder_.path() / "fails";
    write_file(program, "#!/bin/sh\necho ready >&3\nexit 1\n");
    fs::permissions(program, fs::perms{0755});
    probe_plugins_with(program);
  }

 private:
  TemporaryFolder folder_;
};

TEST_CASE_METHOD(Strangers, "a sound library passes, and is not tried again until its content changes") {
  const fs::path good = add("good_transform");
  CHECK(refused_at_first_contact({good}).empty());
  try_no_more();
  CHECK(refused_at_first_contact({good}).empty());
  CHECK(refused_at_first_contact({add("good_transform", "renamed")}).empty());  // the same content
  append_file(good, "x");
  CHECK(contains(refused_at_first_contact({good}).at(good), "exited with code 1"));
}

TEST_CASE_METHOD(Strangers,
                 "what crashes, exits or loops while it is opened is named, quarantined, and harms no other") {
  const std::vector<std::pair<std::string, std::string>> animals = {{"init_exits", "exited with code"},
                                                                    {"init_loops", "did not answer within 5"},
                                                                    {"init_segfaults", "crashed (Segmentation fault)"}};
  const fs::path good = add("good_transform"), last = add("good_model", "zz_last");
  std::vector<fs::path> files = {good};
  for (const auto& [animal, reason] : animals) files.push_back(add(animal));
  files.push_back(last);
  const auto refused = refused_at_first_contact(files);
  CHECK(refused.size() == animals.size());
  for (size_t i = 0; i < animals.size(); ++i) {
    INFO(animals[i].first);
    CHECK(contains(refused.at(files[i + 1]), "its code " + animals[i].second));
  }
  try_no_more();
  for (const auto& [file, reason] : refused_at_first_contact(files)) {
    CHECK(reason.starts_with("is quarantined: its code "));
    CHECK(contains(reason, "amae plugin check " + file.string()));
  }
}

TEST_CASE_METHOD(Strangers, "what a library throws while it is opened is its reason, and those behind it are tried") {
  const fs::path throws = add("init_throws"), good = add("good_transform", "zz_last");
  const auto refused = refused_at_first_contact({throws, good});
  CHECK(refused.size() == 1);
  CHECK(refused.at(throws) == "its start-up code threw: no licence found");
  try_no_more();
  CHECK(refused_at_first_contact({good}).empty());
}

TEST_CASE_METHOD(Strangers, "what a library refuses by itself is not kept against it") {
  const fs::path throws = add("register_throws");
  CHECK(contains(refused_at_first_contact({throws}).at(throws), "failed to register: "));
  CHECK_FALSE(contains(read_file(verdicts()), "failed to register"));
}

TEST_CASE_METHOD(Strangers, "a quarantined library that is tried again gets a new verdict") {
  const fs::path file = add("good_transform");
  try_no_more();
  CHECK(contains(refused_at_first_contact({file}).at(file), "exited with code 1"));
  CHECK(contains(refused_at_first_contact({file}).at(file), "is quarantined"));
  probe_plugins_with(AMAE_BUILD_DIR "/bin/amae");
  CHECK(meet_again(file).empty());
  CHECK(refused_at_first_contact({file}).empty());
}

TEST_CASE_METHOD(Strangers, "damaged or missing verdicts are made again") {
  const fs::path good = add("good_transform");
  fs::create_directories(verdicts().parent_path());
  for (const char* damage : {"", "[1, 2]", "{\"a\": 1", "{\"a\": 1}", "{\"a\": {\"verdict\": 3, \"time\": \"x\"}}"}) {
    write_file(verdicts(), damage);
    CHECK(refused_at_first_contact({good}).empty());
    CHECK(contains(read_file(verdicts()), "\"good\""));
  }
}

TEST_CASE_METHOD(Strangers, "a child that does not begin is no library's fault, and nothing is kept") {
  const fs::path good = add("good_transform");
  probe_plugins_with("/bin/false");
  const Problem problem = refusal<EnvironmentError>([&] { static_cast<void>(refused_at_first_contact({good})); });
  CHECK(contains(problem.message, "exited with code 1 before it had begun; --no-probe"));
  CHECK_FALSE(fs::exists(verdicts()));
}

TEST_CASE_METHOD(Strangers, "without a program to try them, libraries are opened at once") {
  probe_plugins_with({});
  const fs::path crashes = add("init_segfaults");
  CHECK(refused_at_first_contact({crashes}).empty());
  CHECK(meet_again(crashes).empty());
}

}  // namespace
}  // namespace amae

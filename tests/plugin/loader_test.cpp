#include "plugin/loader.h"

#include <elf.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "config/tree.h"
#include "tests/base/support.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

fs::path fixture(const std::string& name) { return fs::path(AMAE_BUILD_DIR) / "tests/fixtures" / (name + ".so"); }

/// A folder of plugins; good.so is always in it.
class PluginFolder {
 public:
  PluginFolder() { add("good"); }
  void add(const std::string& name) const { fs::copy_file(fixture(name), at(name)); }
  void write(const std::string& name, const std::string& content) const { write_file(at(name), content); }
  [[nodiscard]] fs::path at(const std::string& name) const { return folder_.path() / (name + ".so"); }
  [[nodiscard]] const fs::path& path() const { return folder_.path(); }
  [[nodiscard]] Registry load() const { return load_plugins({folder_.path()}); }

  /// Why NAME.so was refused; checks that good.so beside it works.
  [[nodiscard]] std::string reason(const std::string& name) const {
    const Registry registry = load();
    CHECK(registry.find("transform", "faulty").plugin->path == at("good"));
    CHECK(registry.components().size() == 1);
    CHECK(registry.plugins().size() == 2);
    for (const auto& plugin : registry.plugins()) {
      if (plugin->path == at(name)) return plugin->problem;
    }
    FAIL(name << " is not among the plugins");
    return "";
  }

 private:
  TemporaryFolder folder_;
};

/// The header of an ELF file, to be changed in place.
template <class Change>
std::string changed_header(std::string bytes, const Change& change) {
  Elf64_Ehdr header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  change(header);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

TEST_CASE_METHOD(PluginFolder, "a sound plugin offers what it registered under its own name and version") {
  const Registry registry = load();
  REQUIRE(registry.plugins().size() == 1);
  const PluginFile& plugin = *registry.plugins().front();
  CHECK(plugin.problem.empty());
  CHECK(plugin.path == at("good"));
  CHECK(plugin.name == "good");
  CHECK(plugin.version == "1.2");
  CHECK(plugin.summary == "a sound plugin");
  CHECK(registry.find("transform", "faulty").summary == "fails as told");
}

TEST_CASE_METHOD(PluginFolder, "another API version is refused with both numbers, and no code runs") {
  add("wrong_api");
  CHECK(reason("wrong_api") == "was built for another amae, by " AMAE_COMPILER ": API version is 99, expected " +
                                   std::to_string(AMAE_API_VERSION) + "; rebuild it");
}

TEST_CASE_METHOD(PluginFolder, "every other stamp that must agree is named with both values, and no code runs") {
  add("wrong_stamps");
  CHECK(reason("wrong_stamps") == "was built for another amae, by clang 3: LibTorch is 1.13, expected " AMAE_LIBTORCH
                                  ", C++ ABI is libc++, expected " AMAE_CXX_ABI "; rebuild it");
}

TEST_CASE_METHOD(PluginFolder, "another layout of the contract's types is refused") {
  std::string bytes = read_file(at("good"));
  const uint32_t layout = contract_layout();
  const std::string word(reinterpret_cast<const char*>(&layout), sizeof layout);
  const size_t note = bytes.find(std::string("amae\0\0\0\0", 8));
  REQUIRE(note != std::string::npos);
  REQUIRE(bytes.substr(note + 12, 4) == word);
  bytes[note + 12] = static_cast<char>(bytes[note + 12] ^ 1);
  write("other_layout", bytes);
  CHECK(reason("other_layout").find("contract layout is ") != std::string::npos);
}

TEST_CASE_METHOD(PluginFolder, "what a plugin throws while it registers is its reason") {
  SECTION("an exception") {
    add("throws_std");
    CHECK(reason("throws_std") == "failed to register: no licence found");
  }
  SECTION("anything else") {
    add("throws_int");
    CHECK(reason("throws_int") == "failed to register: it threw something that is no std::exception");
  }
}

TEST_CASE_METHOD(PluginFolder, "a plugin that registers nothing says so") {
  add("registers_nothing");
  CHECK(reason("registers_nothing") == "registers nothing");
}

TEST_CASE_METHOD(PluginFolder, "a bad key is named, and nothing of its plugin stays") {
  add("bad_key");
  CHECK(reason("bad_key") == "got transform key 'Bad Key', expected 1 to 64 of a-z, 0-9, _, + and -");
}

TEST_CASE_METHOD(PluginFolder, "a library that is no plugin is refused for lack of a note, and no code runs") {
  add("no_descriptor");
  CHECK(reason("no_descriptor") ==
        "is not an amae plugin (it has no note of amae's; one from before API version 6 must be rebuilt)");
}

TEST_CASE_METHOD(PluginFolder,
                 "a function that no library has is named when the plugin is opened, not when it is called") {
  add("missing_symbol");
  const std::string problem = reason("missing_symbol");
  CHECK(problem.starts_with("cannot be loaded: "));
  CHECK(contains(problem, "function_that_nobody_wrote"));
}

TEST_CASE_METHOD(PluginFolder, "two plugins with one key both load, and using the key names both files") {
  add("duplicate");
  const Registry registry = load();
  for (const auto& plugin : registry.plugins()) CHECK(plugin->problem.empty());
  const std::string message = refusal([&] { static_cast<void>(registry.find("transform", "faulty")); }).message;
  CHECK(contains(message, at("duplicate").string()));
  CHECK(contains(message, at("good").string()));
}

TEST_CASE_METHOD(PluginFolder, "files that are no library are refused without opening them") {
  const std::string sound = read_file(at("good"));
  std::string expected;
  SECTION("empty") {
    write("odd", "");
    expected = "is an empty file";
  }
  SECTION("text") {
    write("odd", "INPUT(libc.so.6)\n" + std::string(100, ' '));
    expected = "is not an ELF library";
  }
  SECTION("a few bytes of one") {
    write("odd", sound.substr(0, 20));
    expected = "is not an ELF library";
  }
  SECTION("for another processor") {
    write("odd", changed_header(sound, [](Elf64_Ehdr& h) { h.e_machine = EM_S390; }));
    expected = "is a library for another processor";
  }
  SECTION("for 32 bits") {
    write("odd", changed_header(sound, [](Elf64_Ehdr& h) { h.e_ident[EI_CLASS] = ELFCLASS32; }));
    expected = "is a library for another processor";
  }
  SECTION("an object file") {
    write("odd", changed_header(sound, [](Elf64_Ehdr& h) { h.e_type = ET_REL; }));
    expected = "is not a shared library";
  }
  CHECK(reason("odd") == expected);
}

TEST_CASE_METHOD(PluginFolder, "a cut library is refused with both lengths; opening it would end the program") {
  const std::string sound = read_file(at("good"));
  for (const size_t length : {sound.size() - 1, sound.size() / 2, size_t{4096}, size_t{100}}) {
    INFO(length << " of " << sound.size());
    write("cut", sound.substr(0, length));
    CHECK(reason("cut").starts_with("is cut off: " + std::to_string(length) + " bytes present, "));
  }
}

TEST_CASE_METHOD(PluginFolder, "so is one without section headers") {
  const std::string sound =
      changed_header(read_file(at("good")), [](Elf64_Ehdr& h) { h.e_shoff = 0, h.e_shnum = 0, h.e_shstrndx = 0; });
  write("cut", sound.substr(0, sound.size() / 4));
  CHECK(reason("cut").starts_with("is cut off: "));
  write("cut", sound.substr(0, 100));
  CHECK(reason("cut").starts_with("is cut off: "));
}

TEST_CASE_METHOD(PluginFolder, "only .so files are looked at, in all sub-folders, and each file once") {
  fs::create_directories(path() / "a/b");
  fs::rename(at("good"), path() / "a/b/good.so");
  write_file(path() / "a/README.md", "not a library");
  write_file(path() / "good.so.bak", "not a library");
  fs::create_symlink(path() / "a/b/good.so", path() / "link.so");
  fs::create_directory(path() / "folder.so");
  REQUIRE(::mkfifo((path() / "fifo.so").c_str(), 0600) == 0);  // opening it would wait for ever
  const Registry registry = load_plugins({path(), path() / "a", path() / "a/b/good.so", path() / "missing"});
  REQUIRE(registry.plugins().size() == 1);
  CHECK(registry.plugins().front()->problem.empty());
  CHECK(load_plugins({path() / "fifo.so"}).plugins().at(0)->problem == "is not a regular file");
}

// Copies of one class in two libraries would not be caught by each other's handlers; good.so hides all its symbols.
TEST_CASE_METHOD(PluginFolder,
                 "what a plugin throws is caught by its type and completed with the place in the config") {
  const Registry registry = load();
  const auto make = [&](const std::string& fault) {
    Component component;
    component.name = "faulty";
    component.node = config::parse_yaml("name: faulty\nfault: " + fault + "\n", "run.yaml");
    std::vector<Problem> problems;
    registry.resolve(component, "transform", "transforms.faulty", problems);
    if (!problems.empty()) throw InputError(problems);
    return registry.make_transform(component, "transforms.faulty");
  };
  CHECK(make("none") != nullptr);
  for (const char* fault : {"check", "input"}) {
    const Problem problem = refusal<InputError>([&] { make(fault); });
    CHECK(problem.line() ==
          std::string("error[CFG-VALUE]: run.yaml:2:8: transforms.faulty.fault: got ") + fault + ", expected none");
  }
  CHECK(refusal<EnvironmentError>([&] { make("environment"); }).line() == "error[DEVICE]: fixture: is full");
  CHECK(refusal([&] { make("std"); }).message == "transform 'faulty' failed: out of luck");
  CHECK(refusal([&] { make("nothing"); }).where == at("good").string());
}

/// Sets a variable for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    const char* before = std::getenv(name);
    had_ = before != nullptr;
    if (had_) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { had_ ? ::setenv(name_, before_.c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  bool had_;
  std::string before_;
};

TEST_CASE_METHOD(PluginFolder,
                 "plugins are looked for in the arguments, the environment, the user's folder, beside amae") {
  const Variable listed("AMAE_PLUGIN_PATH", "/first::/second:"), data("XDG_DATA_HOME", "/data");
  const auto search = plugin_search_path({path(), at("good")});
  REQUIRE(search.size() > 5);
  CHECK(search[0] == path());
  CHECK(search[1] == at("good"));
  CHECK(search[2] == "/first");
  CHECK(search[3] == "/second");
  CHECK(search[4] == "/data/amae/plugins");
  CHECK(search[5] == fs::path(AMAE_BUILD_DIR) / "plugins");
  CHECK(search[6] == fs::path(AMAE_BUILD_DIR).parent_path() / "plugins");
}

TEST_CASE("without a data folder of their own, users have one in their home") {
  const Variable data("XDG_DATA_HOME", ""), listed("AMAE_PLUGIN_PATH", ""), home("HOME", "/home/someone");
  CHECK(plugin_search_path({}).front() == "/home/someone/.local/share/amae/plugins");
}

TEST_CASE("a plugin path that was asked for must exist; one of the environment need not") {
  const Problem problem = refusal([] { static_cast<void>(plugin_search_path({"/no/such/folder"})); });
  CHECK(problem.code == "PLUGIN-PATH");
  CHECK(problem.where == "/no/such/folder");
  const Variable listed("AMAE_PLUGIN_PATH", "/no/such/folder");
  CHECK(load_plugins({plugin_search_path({}).front()}).plugins().empty());
}

}  // namespace
}  // namespace amae

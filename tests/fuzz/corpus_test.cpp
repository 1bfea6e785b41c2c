// The fuzzers' corpora as a regression test for any compiler: every file goes through its target, none may harm it.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "base/file.h"
#include "target.h"

namespace {

void feed(const char* name, int (*target)(const uint8_t*, size_t)) {
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(AMAE_SOURCE_DIR "/tests/fuzz/corpus/") + name)) {
    INFO(entry.path());
    const std::string bytes = amae::read_file(entry.path());
    CHECK(target(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()) == 0);
    ++files;
  }
  CHECK(files > 0);
}

}  // namespace

TEST_CASE("no file of the audio corpus harms the audio gate") { feed("audio", fuzz_audio); }
TEST_CASE("no file of the base64 corpus harms the base64 decoder") { feed("base64", fuzz_base64); }
TEST_CASE("no file of the CSV corpus harms the CSV reader") { feed("csv", fuzz_csv); }
TEST_CASE("no file of the config corpus harms the config reader") { feed("config", fuzz_config); }
TEST_CASE("no file of the http corpus harms the reader of requests") { feed("http", fuzz_http); }
TEST_CASE("no file of the json corpus harms the JSON reader") { feed("json", fuzz_json); }
TEST_CASE("no file of the multipart corpus harms the readers of forms and clips") { feed("multipart", fuzz_multipart); }
TEST_CASE("no file of the npy corpus harms the reader of NumPy arrays") { feed("npy", fuzz_npy); }
TEST_CASE("no file of the pickle corpus harms the pickle reader") { feed("pickle", fuzz_pickle); }
TEST_CASE("no file of the tar corpus harms the reader of tar archives") { feed("tar", fuzz_tar); }
TEST_CASE("no file of the torch corpus harms the reader of PyTorch files") { feed("torch", fuzz_torch); }

#include "io/write_radioml.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <vector>

#include "base/file.h"

namespace amae {
namespace {

/// A float whose bytes in memory are these.
float float_of(const char (&bytes)[5]) {
  float value = 0;
  std::memcpy(&value, bytes, 4);
  return value;
}

TEST_CASE("a written RadioML pickle is what Python 2's cPickle would write, to the byte where it matters") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "two.pkl";
  RadiomlWriter writer(path);
  // Bytes that repr() writes in each of its ways.
  const std::vector<float> first = {float_of("\t\n\r'"), float_of("\\\x01 ~")};
  const std::vector<float> second = {float_of("\"\x7f\x80\xff"), 0.0F};
  writer.add("QPSK", -20, first, {1, 2, 1});
  CHECK_FALSE(std::filesystem::exists(path));  // not before it is whole
  writer.add("QPSK", 18, second, {1, 2, 1});
  const uint64_t bytes = writer.finish();
  const std::string text = read_file(path);
  CHECK(bytes == text.size());
  CHECK(text ==
        "(dp0\n"
        "(S'QPSK'\np1\nI-20\nt"
        "cnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n(I0\ntS'b'\np4\ntR"
        "(I1\n(I1\nI2\nI1\ntcnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbp5\nI00\n"
        "S'\\t\\n\\r\\'\\\\\\x01 ~'\ntbs"
        "(g1\nI18\nt"
        "g2\n(g3\n(I0\ntg4\ntR"
        "(I1\n(I1\nI2\nI1\ntg5\nI00\n"
        "S'\"\\x7f\\x80\\xff\\x00\\x00\\x00\\x00'\ntbs"
        ".");
}

TEST_CASE("a RadioML pickle that is not finished leaves nothing behind") {
  const TemporaryFolder folder;
  {
    RadiomlWriter writer(folder.path() / "cut.pkl");
    writer.add("BPSK", 0, std::vector<float>(4), {1, 2, 2});
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace amae

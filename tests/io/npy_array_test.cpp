#include "io/npy_array.h"

#include <catch2/catch_test_macros.hpp>
#include <stdexcept>
#include <thread>

#include "base/file.h"
#include "tests/base/support.h"
#include "tests/io/npy_bytes.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

const std::string kArrays = AMAE_TEST_DATA "/iq_npy/";

class NpyFolder {
 public:
  NpyArray open(const std::string& bytes) const {
    write_file(path(), bytes);
    return open_npy_array(path(), "");
  }
  Problem refused(const std::string& bytes) const {
    return refusal([&] { open(bytes); });
  }
  [[nodiscard]] fs::path path() const { return folder_.path() / "a.npy"; }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("an array is opened by its header, and its rows are read where they lie") {
  const NpyArray array = open_npy_array(kArrays + "first.npy", "");
  CHECK(array.shape() == std::vector<int64_t>{4, 2, 6});
  CHECK(array.type() == SampleType{});
  CHECK(array.row_bytes() == 48);
  const std::string file = read_file(kArrays + "first.npy");
  for (int64_t row = 0; row < 4; ++row)
    CHECK(array.read_row(row) == file.substr(128 + 48 * static_cast<size_t>(row), 48));
  CHECK_THROWS_AS(array.read_row(4), std::out_of_range);
  CHECK_THROWS_AS(array.read_row(-1), std::out_of_range);
}

TEST_CASE("arrays of an .npz archive are read in place, from several threads at once") {
  const NpyArray array = open_npy_array(kArrays + "types.npz", "c16_be");
  CHECK(array.shape() == std::vector<int64_t>{3, 5});
  CHECK(array.type() == SampleType{SampleType::Kind::floating, 8, true, true});
  std::vector<std::string> rows;
  for (int64_t row = 0; row < 3; ++row) rows.push_back(array.read_row(row));
  const std::string file = read_file(kArrays + "types.npz");
  CHECK(file.find(rows[0] + rows[1] + rows[2]) != std::string::npos);
  std::vector<int> differ(4, 0);
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < differ.size(); ++t) {
      threads.emplace_back([&, t] {
        for (size_t i = 0; i < 200; ++i)
          differ[t] += array.read_row(static_cast<int64_t>((i + t) % 3)) == rows[(i + t) % 3] ? 0 : 1;
      });
    }
  }
  CHECK(differ == std::vector<int>(4, 0));
}

TEST_CASE("an archive's array must be named where there are several, and be one of them") {
  const auto problem = [](const std::string& file, const std::string& name) {
    return refusal([&] { open_npy_array(kArrays + file, name); });
  };
  CHECK(problem("types.npz", "").field == "array");
  CHECK(contains(problem("types.npz", "").message, "expected the name of one"));
  CHECK(contains(problem("types.npz", "f3").message, "got \"f3\", expected one of c16, c16_be"));
  CHECK(contains(problem("compressed.npz", "").message, "write it with numpy.savez"));
  CHECK(problem("fortran.npy", "").field == "fortran_order");
}

TEST_CASE_METHOD(NpyFolder, "hostile headers are refused with the field and the value, before anything is allocated") {
  CHECK(open(npy_bytes("<i2", "(2, 3)", std::string(12, 'x'))).row_bytes() == 6);
  CHECK(refused("text").field == "magic");
  CHECK(refused("").field == "magic");
  CHECK(refused(std::string("\x93NUMPY\x07\x00\x76\x00\x76\x00", 12)).field == "version");
  CHECK(refused(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)).message ==
        "got a header of 4294967295 bytes, expected at most 10000");
  CHECK(refused(npy_bytes("<f4", "(4294967296, 4294967296, 2)", "")).field == "shape");
  CHECK(refused(npy_bytes("<f4", "(4294967296, 2)", "1234")).message ==
        "got 4 bytes of numbers, expected 34359738368 for <f4 of shape (4294967296, 2) (truncated file)");
  CHECK(refused(npy_bytes("<f4", "(1,)", "12345")).field == "data");
  const Problem objects = refused(npy_bytes("|O", "(1,)", "12345678"));
  CHECK(objects.field == "descr");
  CHECK(contains(objects.message, "got '|O' (Python objects)"));
  for (const char* descr : {"<f1", "<f3", "<c4", "<c9", "|b1", "<U4", "|V8", "<M8[ns]", "<f16", "f", "", "<i16", "4"}) {
    INFO(descr);
    CHECK(refused(npy_bytes(descr, "(1,)", "1234")).field == "descr");
  }
  CHECK(open(npy_bytes("=i4", "(1,)", "1234")).type().is_big_endian == false);
  CHECK(open(npy_bytes(">u8", "(1,)", "12345678")).type() ==
        SampleType{SampleType::Kind::unsigned_integer, 8, false, true});
}

TEST_CASE_METHOD(NpyFolder, "a file that is cut after it was opened is an error and never a crash") {
  const NpyArray array = open(npy_bytes("<f8", "(1000,)", std::string(8000, 'x')));
  fs::resize_file(path(), 500);
  CHECK(contains(refusal([&] { static_cast<void>(array.read_row(999)); }).message, "truncated file"));
}

#include "io/npy.h"

#include <ATen/ATen.h>

#include <catch2/catch_test_macros.hpp>
#include <stdexcept>

#include "base/file.h"
#include "tests/base/support.h"

using namespace amae;

namespace {

class ArrayFile {
 public:
  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "a.npy"; }

  /// A file of format 1.0 with any header and any bytes behind it.
  [[nodiscard]] std::string bytes(const std::string& header, const std::string& data = "") const {
    std::string text("\x93NUMPY\x01\x00", 8);
    text += static_cast<char>(header.size() & 0xFFU);
    text += static_cast<char>(header.size() >> 8U);
    return text + header + data;
  }
  at::Tensor read(const std::string& content) const {
    write_file(path(), content);
    return read_npy(path());
  }
  /// "FIELD: MESSAGE" of the refusal.
  std::string refused(const std::string& content) const {
    const Problem problem = refusal([&] { read(content); });
    CHECK(problem.code == "NPY");
    CHECK(contains(problem.where, "a.npy"));
    return problem.field + ": " + problem.message;
  }
  std::string refused_header(const std::string& header, const std::string& data = "") const {
    return refused(bytes(header, data));
  }

 private:
  TemporaryFolder folder_;
};

std::string header_of(const std::string& descr, const std::string& order, const std::string& shape) {
  return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

}  // namespace

TEST_CASE_METHOD(ArrayFile, "every type and shape survives a round trip through .npy") {
  const at::Tensor x = at::arange(-6, 6).view({3, 4});
  std::vector<at::Tensor> arrays = {at::scalar_tensor(2.5, at::kFloat), at::empty({0, 7}, at::kLong),
                                    x.to(at::kFloat).t(), at::rand({2, 3, 4, 5})};
  for (const auto type : {at::kFloat, at::kDouble, at::kInt, at::kLong, at::kByte}) arrays.push_back(x.to(type));
  for (const at::Tensor& array : arrays) {
    INFO(array.toString() << " " << array.sizes());
    write_npy(path(), array);
    const at::Tensor back = read_npy(path());
    CHECK(back.scalar_type() == array.scalar_type());
    CHECK(back.equal(array));
    CHECK(back.sizes() == array.sizes());
  }
  CHECK(names_in(path().parent_path()) == std::vector<std::string>{"a.npy"});
}

TEST_CASE_METHOD(ArrayFile, "the bytes are those that numpy.save writes") {
  // numpy.save(f, numpy.arange(6, dtype='<f4').reshape(2, 3)); the header fills up to a multiple of 64 bytes.
  write_npy(path(), at::arange(6, at::kFloat).view({2, 3}));
  const std::string found = read_file(path());
  const std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  std::string expected("\x93NUMPY\x01\x00\x76\x00", 10);
  expected += text + std::string(117 - text.size(), ' ') + "\n";
  CHECK(expected.size() == 128);
  CHECK(found.substr(0, 128) == expected);
  CHECK(found.substr(128, 8) == std::string("\0\0\0\0\0\0\x80\x3f", 8));
  CHECK(found.size() == 128 + 24);
}

TEST_CASE_METHOD(ArrayFile, "headers that other writers give are read") {
  const std::string six(6, '\x07');
  CHECK(read(bytes(header_of("'|u1'", "False", "(2, 3)"), six)).sizes() == at::IntArrayRef({2, 3}));
  CHECK(read(bytes(header_of("'u1'", "False", "(6,)"), six)).equal(at::full({6}, 7, at::kByte)));
  CHECK(read(bytes("{\"shape\":(2,3),\"fortran_order\":False,\"descr\":\"|u1\"}", six)).numel() == 6);
  CHECK(read(bytes(header_of("'<f4'", "False", "()"), std::string(4, '\0'))).dim() == 0);
  CHECK(read(bytes(header_of("'|u1'", "True", "(6,)"), six)).numel() == 6);  // one axis has both orders
  const std::string header = header_of("'|u1'", "False", "(6,)");
  std::string second("\x93NUMPY\x02\x00", 8);
  second += static_cast<char>(header.size());
  second += std::string(3, '\0') + header + six;
  CHECK(read(second).numel() == 6);
}

TEST_CASE_METHOD(ArrayFile, "what is not an .npy file is refused with the field and the value") {
  const std::string good = bytes(header_of("'<f4'", "False", "(3,)"), std::string(12, '\0'));
  CHECK(read(good).numel() == 3);

  CHECK(contains(refused(""), "magic: "));
  CHECK(contains(refused("PK\x03\x04 a zip"), "magic: got a file that starts with \"PK\\x03\\x04 a z\""));
  std::string other = good;
  other[6] = 9;
  CHECK(contains(refused(other), "version: got 9.0"));
  other[6] = 1, other[7] = 1;
  CHECK(contains(refused(other), "version: got 1.1"));
  CHECK(contains(refused(good.substr(0, 9)), "header: got 9 bytes"));
  CHECK(contains(refused(good.substr(0, 40)), "header: got 30 bytes of the header"));
  // A header that claims 4 GiB: refused by its claim, before any byte is asked for.
  CHECK(contains(refused(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12) + "{"),
                 "header: got a header of 4294967295 bytes, expected at most 10000"));

  CHECK(contains(refused_header("no dict at all"), "header: "));
  CHECK(contains(refused_header("{'descr': '<f4', 'fortran_order': False}"), "header: got too few keys"));
  CHECK(contains(refused_header("{'descr': '<f4', 'descr': '<f4'}"), "header: got the key descr twice"));
  CHECK(contains(refused_header("{'descr': '<f4', 'other': 1}"), "header: got the key other"));
  CHECK(contains(refused_header(header_of("'<f4'", "False", "(3,)") + "import os"), "header: got text after"));
  CHECK(contains(refused_header("{'descr': '<f4"), "descr: got text without its closing quote"));

  CHECK(contains(refused_header(header_of("'|O'", "False", "(1,)")), "descr: got '|O' (Python objects)"));
  CHECK(contains(refused_header(header_of("'>f4'", "False", "(1,)")), "descr: got '>f4' (big-endian)"));
  CHECK(contains(refused_header(header_of("'<c8'", "False", "(1,)")), "descr: got '<c8', expected one of <f2"));
  CHECK(contains(refused_header(header_of("[('a', '<f4')]", "False", "(1,)")), "descr: got a record type"));
  CHECK(contains(refused_header(header_of("'<f4'", "1", "(1,)")), "fortran_order: got neither"));
  CHECK(contains(refused_header(header_of("'<f4'", "True", "(2, 3)")), "fortran_order: got True, expected False"));

  for (const char* shape : {"(-1,)", "(1.5,)", "(99999999999999999999,)", "(x,)", "3", "(3)", "(3, 4"}) {
    INFO(shape);
    CHECK(contains(refused_header(header_of("'<f4'", "False", shape)), "shape: "));
  }
  std::string many = "(";
  for (int i = 0; i < 65; ++i) many += "1, ";
  CHECK(contains(refused_header(header_of("'<f4'", "False", many + ")")), "shape: got more than 64"));
  CHECK(contains(refused_header(header_of("'<f8'", "False", "(4294967296, 4294967296)")), "shape: "));
  CHECK(contains(refused_header(header_of("'<f8'", "False", "(0, 4294967296, 4294967296)")), "shape: "));

  // A terabyte by its shape: refused by the bytes that are there.
  CHECK(contains(refused_header(header_of("'<f4'", "False", "(274877906944,)"), "1234"),
                 "data: got 4 bytes of numbers, expected 1099511627776"));
  CHECK(contains(refused(good.substr(0, good.size() - 1)), "data: got 11 bytes of numbers, expected 12"));
  CHECK(contains(refused(good + "x"), "data: got 13 bytes of numbers, expected 12"));
  CHECK(contains(refusal([&] { read_npy("/nowhere/a.npy"); }).where, "/nowhere/a.npy"));
}

TEST_CASE_METHOD(ArrayFile, "no header of an .npy file, however damaged, is anything but refused or read") {
  const std::string good = bytes(header_of("'<f4'", "False", "(3,)"), std::string(12, '\0'));
  for (size_t at = 0; at < good.size(); ++at) {
    for (const char byte : {'\0', '\xff', '(', '\'', '9', static_cast<char>(good[at] ^ 1)}) {
      std::string bad = good;
      bad[at] = byte;
      try {
        const int64_t count = read(bad).numel();
        CHECK(count <= 12);  // the bytes that are there are never more
      } catch (const InputError& error) {
        CHECK(error.problems().size() == 1);
      }
    }
  }
}

TEST_CASE_METHOD(ArrayFile, "types that .npy readers do not share and a full disk are told apart") {
  CHECK_THROWS_AS(write_npy(path(), at::ones({2}, at::kShort)), std::invalid_argument);
  CHECK_THROWS_AS(write_npy(path(), at::ones({2}, at::kBool)), std::invalid_argument);
  CHECK_THROWS_AS(write_npy(path(), at::Tensor()), std::invalid_argument);
  CHECK_THROWS_AS(write_npy("/nowhere/a.npy", at::ones({2})), EnvironmentError);
  CHECK(names_in(path().parent_path()).empty());
}

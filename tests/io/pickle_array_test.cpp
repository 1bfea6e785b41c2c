#include "io/pickle_array.h"

#include <bit>
#include <catch2/catch_test_macros.hpp>

#include "tests/io/pickle_bytes.h"
#include "tests/problems.h"

using namespace amae;

namespace {

const PickleRules kAnyPickle{"P", 0, "Python"};

/// A dtype as NumPy's __reduce__ gives it.
std::string dtype(const std::string& type, const std::string& order) {
  return pickled::name("numpy", "dtype") + pickled::tuple({pickled::text(type), "\x89", "\x88"}) + "R" +
         pickled::tuple({"K\x03", pickled::text(order), "N", "N", "N", "J\xff\xff\xff\xff", "J\xff\xff\xff\xff",
                         std::string("K\0", 2)}) +
         "b";
}
std::string counted(const std::string& bytes) { return "B" + bytes_of(bytes.size(), 4) + bytes; }

std::string array(const std::vector<int64_t>& shape, const std::string& type, const std::string& bytes,
                  bool is_fortran = false) {
  return pickled::name("numpy._core.multiarray", "_reconstruct") +
         pickled::tuple({pickled::name("numpy", "ndarray"), pickled::integers({0}), counted("b")}) + "R" +
         pickled::tuple({"K\x01", pickled::integers(shape), type, is_fortran ? "\x88" : "\x89", bytes}) + "b";
}

PickledArray read_array(const std::string& body) {
  const Pickle pickle(pickled::whole("](" + body + "e"), "f", "", kAnyPickle);
  PickledArray read = pickled_array(pickle, pickle.root().items[0], "it");
  read.bytes = {};
  return read;
}

std::string array_refusal(const std::string& body) {
  const auto problems = problems_of([&] { read_array(body); });
  return problems.empty() ? "" : problems[0].field + ": " + problems[0].message;
}

}  // namespace

TEST_CASE("an array's bytes are known by shape, type and order") {
  const std::string bytes(24, 'x');
  const PickledArray c = read_array(array({1, 2, 3}, dtype("f4", "<"), counted(bytes)));
  CHECK(c.dtype == "<f4");
  CHECK(c.shape == std::vector<int64_t>{1, 2, 3});
  CHECK(c.stride == std::vector<int64_t>{6, 3, 1});
  CHECK(c.size == 6);
  CHECK(c.item_bytes == 4);
  CHECK_FALSE(c.is_big_endian());
  const PickledArray fortran = read_array(array({1, 2, 3}, dtype("f4", ">"), counted(bytes), true));
  CHECK(fortran.stride == std::vector<int64_t>{1, 1, 2});
  CHECK(fortran.is_big_endian());
  CHECK(read_array(array({24}, dtype("u1", "|"), counted(bytes))).dtype == "|u1");
  CHECK(read_array(array({0, 7}, dtype("f8", "="), counted(""))).dtype == "<f8");
  CHECK(read_array(array({0, INT64_MAX, INT64_MAX}, dtype("f8", "<"), counted(""))).size == 0);
}

TEST_CASE("what is no array of numbers is refused by the name of its entry") {
  const std::string bytes(24, 'x');
  CHECK(contains(array_refusal("N"), "it: got None, expected a NumPy array"));
  CHECK(contains(array_refusal(array({3}, dtype("O8", "|"), "]")), "got another object"));
  CHECK(contains(array_refusal(array({3}, dtype("O8", "|"), counted(bytes))), "got an array of dtype |O8"));
  CHECK(contains(array_refusal(array({3}, dtype("V8", "|"), counted(bytes))), "dtype |V8"));
  CHECK(contains(array_refusal(array({24}, dtype("S1", "|"), counted(bytes))), "dtype |S1"));
  CHECK(contains(array_refusal(array({6}, dtype("f4", "|"), counted(bytes))), "dtype |f4"));
  CHECK(contains(array_refusal(array({6}, dtype("f4", "<>"), counted(bytes))), "dtype |f4"));
  CHECK(contains(array_refusal(array({6}, dtype("", "<"), counted(bytes))), "dtype <,"));
  CHECK(contains(array_refusal(array({7}, dtype("f4", "<"), counted(bytes))),
                 "got 24 bytes, expected 28 for shape [7] of <f4"));
  CHECK(
      contains(array_refusal(array({int64_t{1} << 62, 16}, dtype("f4", "<"), counted(""))), "more than any file has"));
  CHECK(contains(array_refusal(array({-6}, dtype("f4", "<"), counted(bytes))), "whole numbers from 0"));
  CHECK(contains(array_refusal(array(std::vector<int64_t>(33, 1), dtype("f4", "<"), counted(bytes))), "got 33 axes"));
  CHECK(contains(array_refusal(array({6}, dtype("f4", "<"), pickled::text(bytes))), "got another object"));
  CHECK(contains(array_refusal(pickled::name("numpy._core.multiarray", "_reconstruct") +
                               pickled::tuple({pickled::name("numpy", "ndarray"), ")", counted("b")}) + "R"),
                 "got an array, expected a NumPy array"));
}

TEST_CASE("scalars of NumPy become plain numbers") {
  using Kind = Pickle::Kind;
  const auto scalar = [](const std::string& type, const std::string& order, const std::string& bytes) {
    const Pickle pickle(pickled::whole(pickled::name("numpy.core.multiarray", "scalar") +
                                       pickled::tuple({dtype(type, order), counted(bytes)}) + "R"),
                        "f", "", kAnyPickle);
    Pickle::Value value = pickle.root();
    value.text = {};
    return value;
  };
  CHECK(scalar("i8", "<", std::string("\xec") + std::string(7, '\xff')).integer == -20);
  CHECK(scalar("i2", ">", std::string("\xff\xec")).integer == -20);
  CHECK(scalar("u1", "|", "\xff").integer == 255);
  CHECK(scalar("f4", "<", bytes_of(std::bit_cast<uint32_t>(1.5F), 4)).real == 1.5);
  CHECK(scalar("f8", ">", std::string("\x3f\xf8") + std::string(6, '\0')).real == 1.5);
  CHECK(scalar("b1", "|", "\x01").kind == Kind::boolean);
  CHECK(scalar("u8", "<", std::string(8, '\xff')).kind == Kind::inert);
  CHECK(scalar("i8", "<", "\x01").kind == Kind::inert);
  CHECK(scalar("c8", "<", std::string(8, '\0')).kind == Kind::inert);
}

TEST_CASE("bytes that Python 3 writes as encoded text are those bytes, also in an array's length") {
  for (const size_t size : {size_t{0}, size_t{3}, size_t{100'000}}) {
    std::string bytes, text;
    for (size_t i = 0; i < size; ++i) {
      const auto c = static_cast<unsigned char>(i * 7 + 128);
      bytes += static_cast<char>(c);
      if (c < 0x80)
        text += static_cast<char>(c);
      else
        text += std::string{static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
    }
    const std::string encoded =
        pickled::name("_codecs", "encode") + pickled::tuple({pickled::text(text), pickled::text("latin1")}) + "R";
    const Pickle pickle(pickled::whole(encoded), "f", "", kAnyPickle);
    CHECK(pickle.root().kind == Pickle::Kind::bytes);
    CHECK(pickle.root().text == bytes);
  }
  const auto refused = [](const std::string& text, const std::string& codec) {
    return !problems_of([&] {
              const Pickle pickle(pickled::whole(pickled::name("_codecs", "encode") +
                                                 pickled::tuple({pickled::text(text), pickled::text(codec)}) + "R"),
                                  "f", "", kAnyPickle);
              if (pickle.root().kind == Pickle::Kind::bytes) return;
              throw InputError("", "", "", "inert");
            }).empty();
  };
  CHECK_FALSE(refused("\xc3\xa9", "latin1"));
  CHECK(refused("\xc4\x80", "latin1"));  // U+0100
  CHECK(refused(std::string(20'000, 'a') + "\xe2\x82\xac", "latin1"));
  CHECK(refused("a", "rot13"));
}

TEST_CASE("a text whose bytes became an array's is not there for anything else") {
  const std::string encode = pickled::name("_codecs", "encode") + "q\x01";
  const std::string text = pickled::text(std::string(100'000, 'a')) + "q\x02";
  const std::string call = pickled::text("latin1") + "\x86R";
  const Pickle once(pickled::whole("](" + encode + text + call +
                                   "h\x02"
                                   "e"),
                    "f", "", kAnyPickle);
  CHECK(once.at(once.root().items[1]).kind == Pickle::Kind::inert);
  CHECK_FALSE(problems_of([&] {
                const Pickle twice(pickled::whole("](" + encode + text + call + "h\x01h\x02" + call + "e"), "f", "",
                                   kAnyPickle);
              }).empty());
}

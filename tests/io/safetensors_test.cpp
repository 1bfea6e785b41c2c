#include "io/safetensors.h"

#include <ATen/ATen.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "amae/error.h"
#include "base/file.h"

using namespace amae;

namespace {

class TensorFolder {
 public:
  std::filesystem::path path() const { return folder_.path() / "t.safetensors"; }

  TensorDict read(const std::string& header, const std::string& data) const {
    uint64_t length = header.size();
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    write_file(path(), bytes + header + data);
    return read_safetensors(path());
  }
  /// "FIELD: MESSAGE" of the refusal.
  std::string refusal(const std::string& header, const std::string& data) const {
    return refusal_of([&] { read(header, data); });
  }
  template <class Action>
  static std::string refusal_of(Action action) {
    try {
      action();
    } catch (const InputError& error) {
      const Problem& problem = error.problems().at(0);
      CHECK(problem.code == "SAFETENSORS");
      CHECK(problem.where.find("t.safetensors") != std::string::npos);
      return problem.field + ": " + problem.message;
    }
    FAIL("nothing was refused");
    return "";
  }

 private:
  TemporaryFolder folder_;
};

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

std::string tensor(const std::string& name, const std::string& dtype, const std::string& shape,
                   const std::string& offsets) {
  return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

}  // namespace

TEST_CASE_METHOD(TensorFolder, "every dtype, shape and the metadata survive a round trip") {
  const at::Tensor x = at::arange(-6, 6).view({3, 4});
  TensorDict tensors = {{"scalar", at::scalar_tensor(2.5, at::kFloat)},
                        {"empty", at::empty({0, 7}, at::kLong)},
                        {"turned", x.to(at::kFloat).t()},
                        {"name \"x\" \xC3\xA9", at::ones({1}, at::kByte)}};
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort, at::kChar,
                          at::kByte, at::kBool}) {
    tensors[std::string("t.") + c10::toString(type)] = x.to(type);
  }
  const std::map<std::string, std::string> metadata = {{"format", "pt"}, {"note", "a \"b\"\n"}};
  write_safetensors(path(), tensors, metadata);
  std::map<std::string, std::string> found;
  const TensorDict back = read_safetensors(path(), &found);
  CHECK(found == metadata);
  REQUIRE(back.size() == tensors.size());
  for (const auto& [name, value] : tensors) {
    INFO(name);
    CHECK(back.at(name).scalar_type() == value.scalar_type());
    CHECK(back.at(name).sizes() == value.sizes());
    CHECK(at::equal(back.at(name), value));
  }
}

TEST_CASE_METHOD(TensorFolder, "the bytes are as the format says, aligned, and equal for equal input") {
  const TensorDict tensors = {{"a", at::tensor({1, 2, 3}, at::kByte)}, {"b", at::tensor({1.0F}, at::kFloat)}};
  write_safetensors(path(), tensors, {{"k", "v"}});
  const std::string bytes = read_file(path());
  const std::string header = R"({"__metadata__":{"k":"v"},"a":{"data_offsets":[4,7],"dtype":"U8","shape":[3]},)"
                             R"("b":{"data_offsets":[0,4],"dtype":"F32","shape":[1]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  uint64_t length = padded.size();
  std::string start(8, '\0');
  std::memcpy(start.data(), &length, 8);
  CHECK(bytes == start + padded + std::string("\0\0\x80\x3F\x01\x02\x03", 7));
  write_safetensors(path(), tensors, {{"k", "v"}});
  CHECK(read_file(path()) == bytes);
  write_safetensors(path(), {});
  CHECK(read_safetensors(path()).empty());
}

TEST_CASE_METHOD(TensorFolder, "tensors own their memory: the file may go") {
  write_safetensors(path(), {{"a", at::ones({1000})}});
  const TensorDict back = read_safetensors(path());
  std::filesystem::remove(path());
  back.at("a").add_(1);
  CHECK(at::equal(back.at("a"), at::full({1000}, 2.0)));
}

TEST_CASE_METHOD(TensorFolder, "a header from elsewhere reads: any order, whitespace, trailing spaces") {
  const TensorDict back =
      read("{ " + tensor("b", "U8", "[2]", "[2,4]") + " ,\n" + tensor("a", "I16", "[1]", "[0,2]") + "}   ",
           std::string("\x05\x00\x07\x08", 4));
  CHECK(back.at("a").item<int16_t>() == 5);
  CHECK(at::equal(back.at("b"), at::tensor({7, 8}, at::kByte)));
}

TEST_CASE_METHOD(TensorFolder, "each documented fault is refused with the tensor named") {
  const std::string four(4, '\0');
  has(refusal("{" + tensor("w", "F32", "[1]", "[0,4]") + "," + tensor("w", "F32", "[1]", "[0,4]") + "}", four),
      "w: got this key twice");
  has(refusal(R"({"w":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}})", four),
      "dtype: got this key twice");
  has(refusal("{" + tensor("w", "F31", "[1]", "[0,4]") + "}", four), "w: got dtype \"F31\"");
  has(refusal("{" + tensor("w", "F32", "[2]", "[0,8]") + "}", four),
      "w: got data_offsets [0, 8], expected a range within the 4");
  has(refusal("{" + tensor("w", "F32", "[1]", "[4,0]") + "}", four), "w: got data_offsets [4, 0]");
  has(refusal("{" + tensor("w", "F32", "[1]", "[0,18446744073709551615]") + "}", four), "w: got data_offsets");
  has(refusal("{" + tensor("w", "F32", "[1]", "[-4,0]") + "}", four), "w: got no data_offsets");
  has(refusal("{" + tensor("w", "F32", "[1]", "[0,4.0]") + "}", four), "w: got no data_offsets");
  has(refusal("{" + tensor("a", "U8", "[3]", "[0,3]") + "," + tensor("b", "U8", "[2]", "[2,4]") + "}", four),
      "b: got begin 2, expected 3 (overlaps");
  has(refusal("{" + tensor("a", "U8", "[1]", "[0,1]") + "," + tensor("b", "U8", "[2]", "[2,4]") + "}", four),
      "b: got begin 2, expected 1 (a hole");
  has(refusal("{" + tensor("a", "U8", "[2]", "[2,4]") + "}", four), "a: got begin 2, expected 0 (a hole");
  has(refusal("{" + tensor("a", "U8", "[3]", "[0,3]") + "}", four), "data: got 1 bytes after the last tensor");
  has(refusal("{" + tensor("w", "F32", "[2]", "[0,4]") + "}", four), "w: got 4 bytes, expected 8");
  has(refusal("{" + tensor("w", "F32", "[4294967296,4294967296]", "[0,4]") + "}", four), "w: got shape");
  has(refusal("{" + tensor("w", "F32", "[18446744073709551615]", "[0,4]") + "}", four), "w: got shape");
  has(refusal("{" + tensor("w", "F32", "[0,4611686018427387904,4]", "[0,0]") + "}", ""), "w: got shape");
  has(refusal("{" + tensor("w", "F32", "[-1]", "[0,4]") + "}", four), "w: got a shape");
  has(refusal("{" + tensor("w", "F32", "[1.0]", "[0,4]") + "}", four), "w: got a shape");
  has(refusal("{" + tensor("w", "BOOL", "[1]", "[0,1]") + "}", "\x02"), "w: got byte 2 for a BOOL");
  has(refusal(R"({"w":{"dtype":"F32","shape":[1]}})", four), "w: got other keys");
  has(refusal(R"({"w":5})", ""), "w: got other keys");
  has(refusal(R"({"__metadata__":{"k":1}})", ""), "__metadata__.k: got no text");
  has(refusal(R"({"__metadata__":"x"})", ""), "__metadata__: got no map");
}

TEST_CASE_METHOD(TensorFolder, "a header that is no header is refused") {
  has(refusal("[1]", ""), "header: got something else");
  has(refusal("", ""), "header: got something else");
  has(refusal("{\"a\"", ""), "header: got no valid JSON");
  has(refusal("{\"\xFF\":1}", ""), "header: got no valid JSON");
  has(refusal("{\"a\":" + std::string(100'000, '['), ""), "nested deeper");
  has(refusal("{} x", ""), "header: got no valid JSON");
  write_file(path(), "1234567");
  has(refusal_of([&] { read_safetensors(path()); }), "header: got 7 bytes, expected at least 8");
  write_file(path(), std::string("\0\0\0\0\0\0\0\x80", 8) + "{}");  // 2^63
  has(refusal_of([&] { read_safetensors(path()); }), "header: got a header of 9223372036854775808 bytes");
  write_file(path(), std::string("\x64\0\0\0\0\0\0\0", 8) + "{}");
  has(refusal_of([&] { read_safetensors(path()); }), "header: got 2 bytes of the header, expected 100");
  std::filesystem::remove(path());
  has(refusal_of([&] { read_safetensors(path()); }), "no such file");
}

TEST_CASE_METHOD(TensorFolder, "a file cut at any byte is refused") {
  write_safetensors(path(), {{"a", at::ones({3})}, {"b", at::ones({2}, at::kByte)}}, {{"k", "v"}});
  const std::string whole = read_file(path());
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    INFO("cut to " << bytes);
    write_file(path(), whole.substr(0, bytes));
    CHECK_THROWS_AS(read_safetensors(path()), InputError);
  }
}

TEST_CASE_METHOD(TensorFolder, "a flipped bit in the header is refused or harmless, never anything else") {
  write_safetensors(path(), {{"a", at::ones({3})}, {"b", at::ones({2}, at::kByte)}}, {{"k", "v"}});
  const std::string whole = read_file(path());
  const size_t header_end = whole.size() - 14;
  int refused = 0;
  for (size_t bit = 0; bit < 8 * header_end; ++bit) {
    INFO("bit " << bit);
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    std::ofstream(path(), std::ios::binary) << flipped;
    try {
      const TensorDict back = read_safetensors(path());  // a flip within a name or the metadata
      CHECK(back.size() == 2);
    } catch (const InputError&) {
      ++refused;
    }
  }
  CHECK(refused > 100);
}

TEST_CASE_METHOD(TensorFolder, "what the format cannot hold is not written") {
  CHECK_THROWS_AS(write_safetensors(path(), {{"c", at::zeros({1}, at::kComplexFloat)}}), std::invalid_argument);
  CHECK_THROWS_AS(write_safetensors(path(), {{"u", at::Tensor()}}), std::invalid_argument);
  CHECK_THROWS_AS(write_safetensors(path(), {{"__metadata__", at::zeros({1})}}), std::invalid_argument);
  CHECK_THROWS_AS(write_safetensors(path(), {{"\xFF", at::zeros({1})}}), std::invalid_argument);
  CHECK_FALSE(std::filesystem::exists(path()));
  CHECK_THROWS_AS(write_safetensors(path() / "no" / "such", {}), EnvironmentError);
}

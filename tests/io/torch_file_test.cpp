#include "io/torch_file.h"

#include <ATen/ATen.h>

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <set>

#include "base/file.h"
#include "io/safetensors.h"
#include "tests/io/pickle_bytes.h"
#include "tests/problems.h"

using namespace amae;

namespace {

const std::string kTorchFiles = AMAE_TEST_DATA "/torch/";

/// What tools/testgen/torch_file_vectors.py says is in NAME.pt.
TensorDict saved_values(const std::string& name) {
  static const TensorDict all = read_safetensors(kTorchFiles + "values.safetensors");
  TensorDict values;
  for (const auto& [key, value] : all) {
    if (key.starts_with(name + "/")) values[key.substr(name.size() + 1)] = value;
  }
  return values;
}

void equal_tensors(const TensorDict& got, const TensorDict& expected) {
  CHECK(got.size() == expected.size());
  for (const auto& [name, value] : expected) {
    INFO(name);
    REQUIRE(got.count(name) == 1);
    CHECK(got.at(name).scalar_type() == value.scalar_type());
    CHECK(got.at(name).is_contiguous());
    REQUIRE(got.at(name).sizes() == value.sizes());
    CHECK(at::equal(got.at(name), value));
  }
}

class TorchFolder {
 public:
  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "t.pt"; }

  /// "FIELD: MESSAGE" of the refusal of a file with these bytes.
  [[nodiscard]] std::string refusal(const std::string& bytes) const {
    write_file(path(), bytes);
    const auto problems = problems_of([&] { read_torch_file(path()); });
    if (problems.empty()) return "";
    CHECK(problems[0].code == "TORCH");
    CHECK(contains(problems[0].where, "t.pt"));
    return problems[0].field + ": " + problems[0].message;
  }
  void refuses(const std::string& bytes, const std::string& part) const {
    const std::string text = refusal(bytes);
    INFO(text << " should say " << part);
    CHECK(contains(text, part));
  }

  /// A file around this pickle, with one storage of eight floats.
  static std::string file_of(const std::string& pickle) {
    return zip_of(
        {{"t/data.pkl", pickle}, {"t/byteorder", "little"}, {"t/data/0", std::string(32, '\1')}, {"t/version", "3\n"}});
  }
  /// One whose only tensor is this view of that storage.
  static std::string view_of(int64_t offset, const std::vector<int64_t>& sizes, const std::vector<int64_t>& strides,
                             const std::string& type = "FloatStorage", int64_t elements = 8) {
    return file_of(pickled::whole(pickled::dict(
        {pickled::text("w"), pickled::tensor(pickled::storage(type, "0", elements), offset, sizes, strides)})));
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("state dicts of torch.save read as the tensors that PyTorch had") {
  for (const char* name : {"plain", "ordered", "protocol4", "module", "parameters", "parallel", "nested", "views"}) {
    INFO(name);
    CHECK(looks_like_torch_file(kTorchFiles + name + ".pt"));
    equal_tensors(read_torch_file(kTorchFiles + name + ".pt"), saved_values(name));
  }
}

TEST_CASE("tensors that shared a storage own their memory") {
  const TensorDict tensors = read_torch_file(kTorchFiles + "views.pt");
  std::set<const void*> places;
  for (const auto& [name, tensor] : tensors) places.insert(tensor.const_data_ptr());
  CHECK(places.size() == tensors.size());
}

TEST_CASE_METHOD(TorchFolder, "what would run in Python is refused by name") {
  const auto refused_as = [&](const char* name, const std::string& part) {
    refuses(read_file(kTorchFiles + name + ".pt"), part);
  };
  refused_as("evil_global", "got posix.system, expected only tensors and plain containers; nothing was run");
  refused_as("evil_stack_global", "got builtins.eval, expected only tensors");
  refused_as("evil_nested", "got __builtin__.getattr, expected only tensors");
  refuses(file_of(pickled::whole(pickled::name("os", "system") + pickled::text("echo") + "\x85R")),
          "data.pkl, byte 2: got os.system");
}

TEST_CASE_METHOD(TorchFolder, "other formats of PyTorch are refused by name, with a way out") {
  CHECK(looks_like_torch_file(kTorchFiles + "legacy.pt"));
  refuses(read_file(kTorchFiles + "legacy.pt"), "before PyTorch 1.6");
  refuses(read_file(kTorchFiles + "legacy.pt"), "torch.save(state_dict, FILE)");
  refuses(read_file(kTorchFiles + "script.pt"), "got a TorchScript archive");
  refuses("some text", "expected a file of torch.save");
  CHECK_FALSE(looks_like_torch_file(kTorchFiles + "values.safetensors"));
}

TEST_CASE_METHOD(TorchFolder, "every cut of a file is refused") {
  const std::string bytes = read_file(kTorchFiles + "ordered.pt");
  for (size_t length = 0; length < bytes.size(); ++length) {
    INFO(length);
    CHECK_FALSE(refusal(bytes.substr(0, length)).empty());
  }
}

TEST_CASE_METHOD(TorchFolder, "no flipped bit changes what is read: in tensors and pickle it is refused by its CRC") {
  const std::string whole = read_file(kTorchFiles + "ordered.pt");
  const TensorDict expected = saved_values("ordered");
  const size_t pickle = whole.find("\x80\x02");
  REQUIRE(pickle != std::string::npos);
  size_t refused = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1 << at % 8);
    const std::string text = refusal(bytes);
    INFO("byte " << at << ": " << text);
    if (at == pickle + 20) CHECK(contains(text, "data.pkl: got bytes of another CRC-32"));
    if (!text.empty()) {
      ++refused;
    } else {
      equal_tensors(read_torch_file(path()), expected);
    }
  }
  CHECK(refused > 500);
  std::string bytes = whole;
  const at::Tensor& tensor = expected.begin()->second;
  const size_t data = whole.find(std::string(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()));
  REQUIRE(data != std::string::npos);
  bytes[data + 3] ^= 0x40;
  refuses(bytes, "ordered/data/0: got bytes of another CRC-32");
}

TEST_CASE_METHOD(TorchFolder, "a view must lie within its storage") {
  CHECK(refusal(view_of(0, {2, 4}, {4, 1})).empty());
  CHECK(refusal(view_of(7, {1}, {1})).empty());
  CHECK(refusal(view_of(0, {0, 5}, {5, 1})).empty());
  CHECK(refusal(view_of(3, {}, {})).empty());
  refuses(view_of(0, {3, 4}, {4, 1}),
          "tensor w: got offset 0, sizes [3, 4] and strides [4, 1], expected a view within");
  refuses(view_of(1, {2, 4}, {4, 1}), "expected a view within the 8 elements");
  refuses(view_of(8, {1}, {1}), "expected a view within");
  refuses(view_of(-1, {1}, {1}), "expected a view within");
  refuses(view_of(0, {2, 4}, {5, 1}), "expected a view within");
  refuses(view_of(0, {2, 4}, {1}), "got 1 strides, expected 2");
  refuses(view_of(0, {-2}, {1}), "no whole numbers from 0");
  refuses(view_of(0, {2}, {-1}), "no whole numbers from 0");
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  refuses(view_of(0, {kHuge, 3}, {0, 0}), "expected a view within");
  refuses(view_of(0, {2}, {kHuge}), "expected a view within");
  refuses(view_of(kHuge, {2}, {1}), "expected a view within");
  refuses(view_of(0, {0, kHuge, kHuge}, {1, 1, 1}), "expected a view within");
  refuses(view_of(0, {1}, {1}, "FloatStorage", 9), "got a storage of 32 bytes, expected 36");
  refuses(view_of(0, {1}, {1}, "DoubleStorage", 8), "got a storage of 32 bytes, expected 64");
  refuses(view_of(0, {1}, {1}, "FloatStorage", kHuge), "expected a view within");
  refuses(view_of(0, {1}, {1}, "ComplexFloatStorage", 4), "got torch.ComplexFloatStorage");
  refuses(view_of(0, std::vector<int64_t>(65, 1), std::vector<int64_t>(65, 1)), "got 65 sizes");
  refuses(view_of(0, {1'000'000}, {0}), "more than 4 times the file");
}

TEST_CASE_METHOD(TorchFolder, "a small pickle cannot ask for much memory: many empty tensors, long keys, long names") {
  // One empty tensor, kept in the memo ("q") and named again and again ("h"): ten bytes of pickle each.
  const auto named_again = [](int64_t times) {
    const std::string empty = pickled::tensor(pickled::storage("FloatStorage", "0", 8), 0, {0}, {1});
    std::vector<std::string> items = {pickled::text("w"), empty + std::string("q\0", 2)};
    for (int64_t i = 0; i < times; ++i) {
      items.push_back(pickled::text(std::to_string(1000 + i)));
      items.push_back(std::string("h\0", 2));
    }
    return file_of(pickled::whole(pickled::dict(items)));
  };
  CHECK(refusal(named_again(4)).empty());
  refuses(named_again(400), "more than 4 times the file");

  const auto keyed = [](const std::string& name, const std::string& key) {
    const std::string tensor = pickled::tensor(pickled::storage("FloatStorage", key, 8), 0, {8}, {1});
    return file_of(pickled::whole(pickled::dict({pickled::text(name), tensor})));
  };
  CHECK(refusal(keyed(std::string(1000, 'w'), "0")).empty());
  refuses(keyed(std::string(1001, 'w'), "0"), "got a name of 1001 bytes, expected at most 1000");
  refuses(keyed("w", std::string(100, 'k')), "got no such entry");
  refuses(keyed("w", std::string(101, 'k')), "tensor w: got a storage key of 101 bytes, expected at most 100");
}

TEST_CASE_METHOD(TorchFolder, "a bool is 0 or 1") {
  CHECK(refusal(view_of(0, {4}, {1}, "BoolStorage", 32)).empty());
  std::string bytes =
      zip_of({{"t/data.pkl",
               pickled::whole(pickled::dict(
                   {pickled::text("w"), pickled::tensor(pickled::storage("BoolStorage", "0", 2), 0, {2}, {1})}))},
              {"t/data/0", "\x01\x02"},
              {"t/version", "3\n"}});
  refuses(bytes, "w: got byte 2 for a bool");
}

TEST_CASE_METHOD(TorchFolder, "the archive must be complete, little-endian and of a known version") {
  const std::string pickle = pickled::whole(
      pickled::dict({pickled::text("w"), pickled::tensor(pickled::storage("FloatStorage", "0", 1), 0, {1}, {1})}));
  const std::string data(4, '\0');
  CHECK(refusal(zip_of({{"t/data.pkl", pickle}, {"t/data/0", data}, {"t/version", "3\n"}})).empty());
  refuses(zip_of({{"t/data.pkl", pickle}, {"t/version", "3\n"}}), "t/data/0: tensor w: got no such entry");
  refuses(zip_of({{"t/data.pkl", pickle}, {"t/data/0", data}}), "version: is missing");
  refuses(zip_of({{"t/data.pkl", pickle}, {"t/data/0", data}, {"t/version", "11\n"}}), "got version '11");
  refuses(zip_of({{"t/data.pkl", pickle}, {"t/data/0", data}, {"t/version", "3"}, {"t/byteorder", "big"}}),
          "got byte order 'big'");
  refuses(zip_of({{"t/data.pkl", pickle}, {"u/data.pkl", pickle}}), "got two files data.pkl");
  refuses(zip_of({{"t/weights", data}}), "without NAME/data.pkl");
  refuses(zip_of({{"t/data.pkl", pickle, 8, 1 << 26}, {"t/version", "3"}}), "expected a stored one");
  refuses(zip_of({{"t/data.pkl", pickle}, {"t/data/0", "x", 8, 4}, {"t/version", "3"}}), "expected a stored one");
  refuses(zip_of({{"t/data.pkl", pickle}, {"t/data/0", "x", 8, 1 << 30}, {"t/version", "3"}}), "expected a stored one");
}

TEST_CASE_METHOD(TorchFolder, "the state dict is found under its usual keys, and else the keys are told") {
  const std::string w = pickled::tensor(pickled::storage("FloatStorage", "0", 8), 0, {8}, {1});
  const std::string weights = pickled::dict({pickled::text("w"), w, pickled::text("step"), "K\x01"});
  const auto names_in = [&](const std::string& body) {
    write_file(path(), file_of(pickled::whole(body)));
    std::string names;
    for (const auto& [name, tensor] : read_torch_file(path())) names += name + " ";
    return names;
  };
  for (const char* key : {"model", "state_dict", "model_state_dict", "module"})
    CHECK(names_in(pickled::dict({pickled::text("epoch"), "K\x01", pickled::text(key), weights})) == "w ");
  CHECK(names_in(weights) == "w ");
  CHECK(names_in(pickled::dict({pickled::text("best_acc1"), w, pickled::text("state_dict"), weights})) == "w ");
  CHECK(names_in(pickled::dict({pickled::text("w"), w, pickled::text("module"), pickled::dict({})})) == "w ");
  CHECK(names_in(pickled::dict({pickled::text("module.a"), w, pickled::text("module.b"), w})) == "a b ");
  CHECK(names_in(pickled::dict({pickled::text("module.a"), w, pickled::text("b"), w})) == "b module.a ");
  refuses(file_of(pickled::whole(pickled::dict({pickled::text("net"), weights, pickled::text("epoch"), "K\x01"}))),
          "the keys are net, epoch");
  refuses(file_of(pickled::whole("}")), "the keys are none");
  refuses(file_of(pickled::whole(w)), "got a tensor at the top");
  refuses(file_of(pickled::whole(pickled::dict({pickled::text("w"), w, pickled::text("w"), w}))), "got tensor w twice");
}

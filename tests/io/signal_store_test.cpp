#include "io/signal_store.h"

#include <catch2/catch_test_macros.hpp>

#include "base/file.h"
#include "io/safetensors.h"
#include "tests/base/support.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

/// A store of three rows, and ways to spoil it.
class Store {
 public:
  Store() {
    StoreWriter writer(folder.path());
    for (int64_t row = 0; row < 3; ++row) writer.add({at::full({1, 10 + row}, 0.1), 8000, Domain::audio});
    writer.finish({Domain::audio,
                   {"a", "b"},
                   {"x", "", "long name"},
                   at::tensor({1, 0, 1}, at::kLong),
                   {1, 2, 3},
                   {},
                   {},
                   {{"modulation", {{"BPSK", "", "8PSK"}, {2, -1, 0}}}}});
  }

  /// The problem of opening the store after `spoil` changed its index.
  template <class Spoil>
  Problem spoilt(const Spoil& spoil) const {
    std::map<std::string, std::string> metadata;
    TensorDict tensors = read_safetensors(index(), &metadata);
    const std::string good = read_file(index());
    spoil(tensors, metadata);
    write_safetensors(index(), tensors, metadata);
    const Problem problem = refusal([&] { const StoreReader reader(folder.path()); });
    write_file(index(), good);
    return problem;
  }
  [[nodiscard]] fs::path index() const { return folder.path() / "index.safetensors"; }

  TemporaryFolder folder;
};

using Metadata = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("a store tells what was written, ids of any length too") {
  const Store store;
  const StoreReader reader(store.folder.path());
  CHECK(reader.size() == 3);
  CHECK(std::vector<std::string>{reader.id(0), reader.id(1), reader.id(2)} ==
        std::vector<std::string>{"x", "", "long name"});
  CHECK(reader.columns().texts.at("modulation").values == std::vector<std::string>{"BPSK", "", "8PSK"});
  CHECK(reader.columns().texts.at("modulation").index == std::vector<int32_t>{2, -1, 0});
  CHECK(reader.columns().folds == std::vector<int64_t>{1, 2, 3});
  CHECK(reader.columns().groups.empty());
  CHECK(reader.spec(2).shape == std::vector<int64_t>{1, 12});
  CHECK(reader.load(1).samples.equal(at::full({1, 11}, 0.1)));
}

TEST_CASE("the hash of a row follows its bytes, its shape and its rate, and nothing else") {
  const Store a, b;
  const StoreReader reader(a.folder.path());
  CHECK(reader.content_hash(0) == StoreReader(b.folder.path()).content_hash(0));
  std::string bytes = read_file(b.folder.path() / "samples.bin");
  bytes[3] ^= 1;
  write_file(b.folder.path() / "samples.bin", bytes);
  const StoreReader changed(b.folder.path());
  CHECK(reader.content_hash(0) != changed.content_hash(0));
  CHECK(reader.content_hash(1) == changed.content_hash(1));
}

TEST_CASE("a store whose index does not hold together is refused with the column's name") {
  const Store store;
  const auto with = [&](const std::string& name, const at::Tensor& tensor) {
    return store.spoilt([&](TensorDict& t, Metadata&) { t[name] = tensor; });
  };
  CHECK(with("offset", at::tensor({0, 40, 1'000'000}, at::kLong)).field == "offset");
  CHECK(with("offset", at::tensor({0, 40, -4}, at::kLong)).field == "offset");
  CHECK(with("offset", at::zeros({0}, at::kLong)).field == "offset");
  CHECK(with("bits", at::tensor({16, 32, 8}, at::kByte)).field == "offset");
  CHECK(with("bits", at::tensor({16, 32}, at::kByte)).field == "bits");
  CHECK(with("channels", at::tensor({1, 1, 0}, at::kLong)).field == "offset");
  CHECK(with("frames", at::tensor(std::vector<int64_t>{10, 11, int64_t{1} << 62})).field == "offset");
  CHECK(with("frames", at::tensor({10.0, 11.0, 12.0})).field == "frames");
  CHECK(with("rate_hz", at::tensor({-1.0, 8000.0, 8000.0}, at::kDouble)).field == "offset");
  CHECK(with("labels", at::tensor({1, 0, 2}, at::kLong)).field == "labels");
  CHECK(with("labels", at::zeros({3, 3})).field == "labels");
  CHECK(with("folds", at::zeros({2}, at::kLong)).field == "folds");
  CHECK(with("column.snr", at::zeros({3})).field == "column.snr");
  CHECK(with("id_ends", at::tensor({5, 1, 10}, at::kLong)).field == "id_ends");
  CHECK(with("id_ends", at::tensor({1, 1, 1000}, at::kLong)).field == "id_ends");
  CHECK(with("id_ends", at::zeros({0}, at::kLong)).field == "id_ends");
  CHECK(with("text.modulation", at::tensor({0, 3, 0}, at::kInt)).field == "text.modulation");
  CHECK(with("text.modulation", at::tensor({0, -2, 0}, at::kInt)).field == "text.modulation");
  CHECK(with("text.modulation", at::tensor({0, 0}, at::kInt)).field == "text.modulation");
  CHECK(with("text_ends.modulation", at::tensor({4, 2, 8}, at::kLong)).field == "text_ends.modulation");
  CHECK(store.spoilt([](TensorDict& t, Metadata&) { t.erase("text_bytes.modulation"); }).field ==
        "text_bytes.modulation");
  CHECK(store.spoilt([](TensorDict& t, Metadata&) { t.erase("frames"); }).field == "frames");
  CHECK(store.spoilt([](TensorDict&, Metadata& m) { m["format"] = "something else"; }).field == "format");
  CHECK(store.spoilt([](TensorDict&, Metadata& m) { m["domain"] = "smell"; }).field == "domain");
  CHECK(store.spoilt([](TensorDict&, Metadata& m) { m["classes"] = "[1"; }).field == "classes");
  CHECK(store.spoilt([](TensorDict&, Metadata& m) { m["classes"] = "[1]"; }).field == "classes");
}

TEST_CASE("rows of one shape and rate cost the index their id, label and columns, and no place") {
  const TemporaryFolder folder;
  StoreWriter writer(folder.path());
  const at::Tensor frames = at::randn({50, 2, 8});
  std::vector<std::string> ids;
  for (int64_t row = 0; row < 50; ++row) {
    writer.add({frames[row], 0, Domain::iq});
    ids.push_back("frame" + std::to_string(row));
  }
  writer.finish({Domain::iq, {}, ids, {}, {}, {}, {}, {}});
  TensorDict index = read_safetensors(folder.path() / "index.safetensors");
  CHECK(index.count("offset") == 0);
  CHECK(index.at("frames").equal(at::tensor({8}, at::kLong)));
  const StoreReader reader(folder.path());
  CHECK(reader.size() == 50);
  for (int64_t row = 0; row < 50; ++row) {
    CHECK(reader.load(row).samples.equal(frames[row]));
    CHECK(reader.id(row) == ids[static_cast<size_t>(row)]);
  }
  CHECK_THROWS_AS(reader.load(50), std::out_of_range);

  // More rows than there are samples for.
  index["frames"] = at::tensor({9}, at::kLong);
  std::map<std::string, std::string> metadata;
  read_safetensors(folder.path() / "index.safetensors", &metadata);
  write_safetensors(folder.path() / "index.safetensors", index, metadata);
  CHECK(refusal([&] { const StoreReader bad(folder.path()); }).field == "offset");
}

TEST_CASE("every float32 comes back with the same bits, zeros with a sign too") {
  const TemporaryFolder folder;
  StoreWriter writer(folder.path());
  const at::Tensor zeros = at::tensor({0.0F, -0.0F, 0.5F, -1.0F}).view({2, 2});
  const at::Tensor tiny = at::tensor({1e-45F, -3.4e38F, 1.0F, 0.1F}).view({2, 2});
  writer.add({zeros, 0, Domain::iq});
  writer.add({tiny, 0, Domain::iq});
  writer.finish({Domain::iq, {}, {"a", "b"}, {}, {}, {}, {}, {}});
  const StoreReader reader(folder.path());
  CHECK(reader.load(0).samples.view(at::kInt).equal(zeros.view(at::kInt)));
  CHECK(reader.load(1).samples.view(at::kInt).equal(tiny.view(at::kInt)));
}

TEST_CASE("a store whose samples are cut or missing is refused") {
  const Store store;
  const fs::path samples = store.folder.path() / "samples.bin";
  fs::resize_file(samples, fs::file_size(samples) - 1);
  const Problem cut = refusal([&] { const StoreReader reader(store.folder.path()); });
  CHECK(cut.where == samples.string());
  CHECK(contains(cut.message, "cut"));
  fs::remove(samples);
  CHECK(refusal([&] { const StoreReader reader(store.folder.path()); }).where == samples.string());
}

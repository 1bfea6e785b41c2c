#include "plugins/data/radioml_hdf5/radioml_hdf5.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <thread>

#include "base/file.h"
#include "io/safetensors.h"
#include "plugins/data/radioml_hdf5/rehearsal.h"
#include "tests/plugins/data/gold_file.h"
#include "tests/problems.h"

using namespace amae;

namespace {

const std::string kGoldFiles = AMAE_TEST_DATA "/radioml/";

RadioMlHdf5 open_gold(const GoldFile& file, std::vector<std::string> classes = {"a", "b", "c"}) {
  return RadioMlHdf5({file.path(), std::move(classes)});
}
/// "FIELD: MESSAGE" of what opening refuses.
std::string gold_refusal(const GoldFile& file) {
  const auto problems = problems_of([&] { static_cast<void>(open_gold(file)); });
  if (problems.empty()) return "";
  CHECK(problems[0].code == "HDF5");
  CHECK(problems[0].where == file.path());
  return problems[0].field + ": " + problems[0].message;
}

void gold_refuses(const std::vector<GoldFault>& faults) {
  for (const GoldFault& fault : faults) {
    GoldFile file;
    fault.change(file);
    file.write();
    const std::string refusal = gold_refusal(file);
    INFO(refusal << " should say " << fault.refusal);
    CHECK(refusal.starts_with(fault.refusal));
  }
}

/// "FIELD: MESSAGE" of what loading a row refuses.
std::string gold_row_refusal(const RadioMlHdf5& data, int64_t row) {
  const auto problems = problems_of([&] { static_cast<void>(data.load(row)); });
  return problems.empty() ? "" : problems[0].field + ": " + problems[0].message;
}

/// A file of these bytes, opened, and every row loaded: each is refused, or has finite numbers. Whether it opened.
bool gold_survives(const std::filesystem::path& path, const std::string& bytes,
                   const std::vector<std::string>& classes) {
  { std::ofstream(path, std::ios::binary) << bytes; }
  const auto problems = problems_of([&] {
    const RadioMlHdf5 data({path.string(), classes});
    for (int64_t row = 0; row < data.size(); ++row) {
      bool is_finite = false;
      const bool is_refused =
          !problems_of([&] { is_finite = data.load(row).samples.isfinite().all().item<bool>(); }).empty();
      if (is_finite == is_refused) FAIL_CHECK("row " << row << " is neither finite nor refused");
    }
  });
  return problems.empty();
}

/// Where the nodes of version 1 that index chunks have their entries.
std::vector<size_t> chunk_index_bytes(const std::string& bytes) {
  constexpr size_t kHead = 24, kEntry = 48;  // a key for three axes and the numbers' bytes, and an address
  std::vector<size_t> places;
  for (size_t node = bytes.find("TREE\1"); node != std::string::npos; node = bytes.find("TREE\1", node + 1)) {
    const auto entries = static_cast<size_t>(static_cast<unsigned char>(bytes.at(node + 6)));
    for (size_t i = 0; i < kHead + (entries + 1) * kEntry; ++i) places.push_back(node + i);
  }
  return places;
}

}  // namespace

TEST_CASE("HDF5 files give exactly the numbers that h5py wrote, in both orders of axes") {
  const at::Tensor expected = read_safetensors(kGoldFiles + "values.safetensors").at("gold");
  const RadioMlHdf5 plain({kGoldFiles + "gold.h5", {}}), chunked({kGoldFiles + "gold_chunked.h5", {}});
  for (const RadioMlHdf5* data : {&plain, &chunked}) {
    REQUIRE(data->size() == 48);
    CHECK(data->spec().text() == Spec{Domain::iq, {2, 16}, 0}.text());
    for (int64_t row = 0; row < data->size(); ++row) {
      CHECK(at::equal(data->load(row).samples, expected[row]));
      CHECK(data->content_hash(row) == plain.content_hash(row));
    }
    CHECK(at::equal(data->labels(), at::arange(48).div(2, "floor")));
    CHECK(data->columns().at("snr")[0] == -20);
    CHECK(data->columns().at("snr")[1] == 30);
  }
}

TEST_CASE("the classes of RML2018.01A are those of its columns, not of its classes.txt") {
  const RadioMlHdf5 data({kGoldFiles + "gold.h5", {}});
  REQUIRE(data.classes().size() == 24);
  CHECK(data.classes()[0] == "OOK");
  CHECK(data.classes()[3] == "BPSK");
  CHECK(data.classes()[17] == "AM-SSB-WC");
  CHECK(data.classes()[23] == "OQPSK");
  CHECK(data.id(8) == "QPSK/-20/0000008");
  const auto modulation = data.text_columns().at("modulation");
  CHECK(modulation.values == data.classes());
  CHECK(modulation.index[8] == 4);
}

TEST_CASE("several threads may load HDF5 rows at once") {
  const at::Tensor expected = read_safetensors(kGoldFiles + "values.safetensors").at("gold");
  const RadioMlHdf5 data({kGoldFiles + "gold_chunked.h5", {}});
  std::vector<int64_t> wrong(4, 0);
  std::vector<std::thread> threads;
  for (int64_t& count : wrong) {
    threads.emplace_back([&] {
      for (int64_t i = 0; i < 200; ++i) {
        if (!at::equal(data.load(i * 7 % 48).samples, expected[i * 7 % 48])) ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int64_t>(4, 0));
}

TEST_CASE("an HDF5 file of the right form is read, and its own classes have names of their own") {
  GoldFile good;
  good.write();
  const RadioMlHdf5 data = open_gold(good);
  CHECK(data.size() == 6);
  CHECK(data.classes() == std::vector<std::string>{"a", "b", "c"});
  const auto problems = problems_of([&] { static_cast<void>(open_gold(good, {})); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].field == "Y");
  CHECK(contains(problems[0].message, "got 3 columns, expected 24, one for each of `classes`"));
  CHECK(problems_of([&] { static_cast<void>(open_gold(good, {"a", "b", "a"})); })[0].field == "classes");
}

TEST_CASE("datasets that are missing or of another type or shape are told by name") {
  gold_refuses(gold_form_faults());
}

TEST_CASE("rows of Y and Z that are no class and no SNR are told by their number") { gold_refuses(gold_row_faults()); }

TEST_CASE("a frame that is not finite is refused when it is loaded, by its row") {
  GoldFile file;
  file.x[3 * GoldFile::kLength * 2 + 5] = std::numeric_limits<float>::infinity();
  file.write();
  const RadioMlHdf5 data = open_gold(file);
  CHECK(problems_of([&] { static_cast<void>(data.load(2)); }).empty());
  const auto problems = problems_of([&] { static_cast<void>(data.load(3)); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].field == "X, row 3");
  CHECK_THROWS(data.load(6));
}

TEST_CASE("whatever would lead out of an HDF5 file is off") { gold_refuses(gold_ways_out()); }

TEST_CASE("values that an HDF5 file only claims to have, and chunks of false sizes, are refused when it is opened") {
  gold_refuses(gold_size_faults());
}

TEST_CASE("a chunk that inflates to anything but a chunk is refused before HDF5 sees it, and the others are read") {
  const std::string zeros(50'000, '\0');
  for (const auto& [bytes, refusal] : std::vector<std::pair<std::string, std::string>>{
           {deflated(zeros), "got a chunk that inflates to more than 64 bytes, expected just these"},
           {deflated(zeros.substr(0, 20)), "got a chunk that inflates to 20 bytes, expected 64"},
           {deflated(zeros).substr(0, 40), "got a chunk that inflates to"},
           {"no zlib stream", "got a chunk that does not inflate, expected an undamaged file"}}) {
    GoldFile file;
    file.write_x = [&, &stored = bytes](hid_t f) {
      GoldFile::chunked_x(f, GoldFile::kRows, GoldFile::chunks(1, 1), file.x.data());
      GoldFile::store_chunk(f, 2, 0, stored);
    };
    file.write();
    const RadioMlHdf5 data = open_gold(file);
    INFO(gold_row_refusal(data, 2) << " should say " << refusal);
    CHECK(gold_row_refusal(data, 2).starts_with("X, row 2: " + refusal));
    for (const int64_t row : {0, 1, 3, 4, 5}) CHECK(gold_row_refusal(data, row).empty());
    CHECK(gold_row_refusal(data, 2).starts_with("X, row 2: " + refusal));  // not believed the second time
  }
}

TEST_CASE("chunks of every order of filters are read, also one that was left out of them") {
  for (const std::string order : {"d", "sd", "df", "fd", "sdf", "fsd", "sf"}) {
    GoldFile file;
    for (size_t i = 0; i < file.x.size(); ++i) file.x[i] = static_cast<float>(i);
    file.write_x = [&](hid_t f) {
      const Hdf5Id creation = GoldFile::chunks(4, 0);  // the second chunk is not full
      for (const char filter : order) {
        if (filter == 'd') H5Pset_deflate(creation.get(), 6);
        if (filter == 's') H5Pset_shuffle(creation.get());
        if (filter == 'f') H5Pset_fletcher32(creation.get());
      }
      GoldFile::chunked_x(f, GoldFile::kRows, creation, file.x.data());
      if (order != "d") return;
      const std::vector<float> halves(size_t{4} * GoldFile::kLength * 2, 0.5F);
      GoldFile::store_chunk(f, 0, 1, std::string(reinterpret_cast<const char*>(halves.data()), halves.size() * 4));
    };
    file.write();
    const RadioMlHdf5 data = open_gold(file);
    INFO(order);
    for (int64_t row = 0; row < data.size(); ++row) {
      const at::Tensor samples = data.load(row).samples;
      const at::Tensor counted = at::arange(16 * row, 16 * row + 16, at::kFloat).view({8, 2}).t();
      CHECK(at::equal(samples, order == "d" && row < 4 ? at::full({2, 8}, 0.5) : counted));
    }
  }
}

TEST_CASE("an HDF5 file cut anywhere, or with any byte turned, is read or refused row by row") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "file.h5";
  for (const char* name : {"gold.h5", "gold_chunked.h5"}) {
    const std::string bytes = read_file(kGoldFiles + name);
    for (size_t length = 0; length < bytes.size(); length += bytes.size() / 20) {
      INFO(name << " of " << length << " bytes");
      CHECK_FALSE(gold_survives(path, bytes.substr(0, length), {}));
    }
    int refused = 0;
    for (size_t at = 0; at < bytes.size(); at += bytes.size() / 60) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
      if (!gold_survives(path, damaged, {})) ++refused;
    }
    CHECK(refused > 0);
  }
}

// Its nodes have no checksums in files that any version of HDF5 reads.
TEST_CASE("an HDF5 file with any byte of its index of chunks turned is read or refused row by row") {
  for (const int deflates : {0, 1}) {
    GoldFile file;
    file.write_x = [&](hid_t f) {
      GoldFile::chunked_x(f, GoldFile::kRows, GoldFile::chunks(2, deflates), file.x.data());
    };
    file.write();
    const std::string bytes = read_file(file.path());
    const std::vector<size_t> places = chunk_index_bytes(bytes);
    REQUIRE(places.size() == 24 + 4 * 48);
    int refused = 0;
    for (const size_t at : places) {
      for (const int flip : {0x01, 0xff}) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ flip);
        INFO("byte " << at << " ^ " << flip);
        if (!gold_survives(file.path(), damaged, {"a", "b", "c"})) ++refused;
      }
    }
    CHECK(refused > 20);
  }
}

TEST_CASE("a file that a writer has locked is a fault of the machine, with its reason") {
  GoldFile file;
  file.write();
  const int fd = ::open(file.path().c_str(), O_RDWR);
  REQUIRE(::flock(fd, LOCK_EX) == 0);
  try {
    static_cast<void>(open_gold(file));
    FAIL("opened");
  } catch (const EnvironmentError& error) {
    CHECK(contains(error.what(), file.path()));
    CHECK(contains(error.what(), "Resource temporarily unavailable"));
  }
  ::close(fd);
  CHECK(gold_refusal(file).empty());
}

TEST_CASE("what is no HDF5 file is told so") {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& bytes) {
    write_file(folder.path() / "x", bytes);
    return problems_of([&] { RadioMlHdf5({(folder.path() / "x").string(), {}}); })[0].message;
  };
  CHECK(contains(refusal("(dp1\n."), "got something else, expected an HDF5 file"));
  CHECK(contains(refusal(""), "got an empty file"));
  CHECK(contains(refusal(std::string("\x89HDF\r\n\x1a\n") + std::string(2000, '\0')), "HDF5 cannot open it"));
}

TEST_CASE("a rehearsal gold_survives whatever its action does, and passes on what it refuses") {
  const auto refusal = [](const RehearsalLimits& limits, const std::function<void()>& action) {
    const auto problems = problems_of([&] { rehearse("C", "file", limits, action); });
    return problems.empty() ? "" : problems[0].where + ": " + problems[0].field + ": " + problems[0].message;
  };
  CHECK(refusal({}, [] {}).empty());
  CHECK(refusal({}, [] { throw InputError("X", "elsewhere", "field", "message"); }) == "file: field: message");
  CHECK(contains(refusal({}, [] { std::abort(); }), "died (Aborted)"));
  CHECK(contains(refusal({}, [] { ::raise(SIGSEGV); }), "died (Segmentation fault)"));
  CHECK(contains(refusal({}, [] { throw 5; }), "failed"));
  const std::string greedy = refusal({.memory_bytes = 256 << 20, .cpu_s = 60}, [] {
    std::vector<char> taken(size_t{1} << 30, 'x');
    if (taken[12345] != 'x') std::abort();
  });
  CHECK(contains(greedy, "in a trial within 60 s and 256 MiB"));
  CHECK(contains(refusal({.memory_bytes = 256 << 20, .cpu_s = 1},
                         [] {
                           for (std::atomic<uint64_t> i{0};; ++i) continue;
                         }),
                 "in a trial within 1 s"));
}

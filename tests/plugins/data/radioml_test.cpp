#include "plugins/data/radioml/radioml.h"

#include <catch2/catch_test_macros.hpp>
#include <set>

#include "base/file.h"
#include "io/safetensors.h"
#include "tests/io/pickle_bytes.h"
#include "tests/problems.h"

using namespace amae;

namespace {

const std::string kRadioMlFiles = AMAE_TEST_DATA "/radioml/";

using pickled::cell_array;
using pickled::cell_key;
using pickled::zeros;

class RadioMlFile {
 public:
  explicit RadioMlFile(const std::string& bytes) { write_file(path(), bytes); }
  [[nodiscard]] std::string path() const { return (folder_.path() / "radio.pkl").string(); }
  [[nodiscard]] RadioMl open(bool complete = true) const { return RadioMl({path(), complete}); }

 private:
  TemporaryFolder folder_;
};

/// "FIELD: MESSAGE" of each problem, a line each.
std::string radioml_refusal(const std::string& bytes, bool complete = true) {
  const RadioMlFile file(bytes);
  std::string lines;
  for (const Problem& problem : problems_of([&] { static_cast<void>(file.open(complete)); })) {
    CHECK(problem.code == "RADIOML");
    CHECK(problem.where == file.path());
    lines += problem.field + ": " + problem.message + "\n";
  }
  return lines;
}
void radioml_refuses(const std::vector<std::string>& items, const std::string& part, bool complete = true) {
  const std::string refusal = radioml_refusal(pickled::whole(pickled::dict(items)), complete);
  INFO(refusal << "should say " << part);
  CHECK(contains(refusal, part));
}

}  // namespace

TEST_CASE("RadioML files of every protocol, order and type give exactly the numbers that Python wrote") {
  const TensorDict values = read_safetensors(kRadioMlFiles + "values.safetensors");
  const RadioMl reference({kRadioMlFiles + "protocol2.pkl"});
  for (const char* name : {"protocol0", "protocol1", "protocol2", "protocol3", "protocol4", "protocol5",
                           "python2_protocol0", "python2_protocol1", "python2_protocol2", "bytes_keys", "scalar_keys",
                           "big_endian", "float64", "fortran_protocol2", "fortran_protocol5", "numpy1"}) {
    INFO(name);
    const RadioMl data({kRadioMlFiles + name + ".pkl"});
    CHECK(data.classes() == std::vector<std::string>{"8PSK", "QPSK"});
    REQUIRE(data.size() == 12);
    CHECK(data.spec().text() == Spec{Domain::iq, {2, 16}, 0}.text());
    const auto snr = data.columns().at("snr");
    const auto modulation = data.text_columns().at("modulation");
    for (int64_t row = 0; row < data.size(); ++row) {
      const std::string& label = modulation.values[static_cast<size_t>(modulation.index[static_cast<size_t>(row)])];
      const double snr_db = snr[static_cast<size_t>(row)];
      const Signal signal = data.load(row);
      CHECK(signal.domain == Domain::iq);
      const at::Tensor expected = values.at(label + (snr_db == 10 ? "/10" : "/-4"))[row % 3];
      CHECK(torch::equal(signal.samples, expected));
      // Also the sign of zero.
      CHECK(torch::equal(signal.samples.view(at::kInt), expected.contiguous().view(at::kInt)));
      CHECK(data.content_hash(row) == reference.content_hash(row));
    }
  }
}

TEST_CASE("RadioML rows are sorted by modulation and SNR, whatever the order of the dict") {
  const RadioMl data({kRadioMlFiles + "python2_protocol0.pkl"});
  CHECK(data.id(0) == "8PSK/-4/0000");
  CHECK(data.id(5) == "8PSK/10/0002");
  CHECK(data.id(11) == "QPSK/10/0002");
  CHECK(torch::equal(data.labels(), torch::tensor({0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1}, torch::kInt64)));
  std::set<std::string> ids, hashes;
  for (int64_t row = 0; row < data.size(); ++row) {
    ids.insert(data.id(row));
    hashes.insert(data.content_hash(row));
  }
  CHECK(ids.size() == 12);
  CHECK(hashes.size() == 12);
  CHECK_THROWS(data.load(-1));
  CHECK_THROWS(data.load(12));
}

TEST_CASE("a RadioML pickle cut anywhere is refused with its place") {
  for (const char* name : {"python2_protocol0.pkl", "protocol0.pkl", "protocol2.pkl", "protocol5.pkl"}) {
    const std::string bytes = read_file(kRadioMlFiles + name);
    for (size_t length = 1; length < bytes.size(); length += 13) {
      INFO(name << " of " << length << " bytes");
      CHECK(contains(radioml_refusal(bytes.substr(0, length)), "byte "));
    }
    CHECK(contains(radioml_refusal(bytes + "x"), "trailing bytes"));
  }
}

TEST_CASE("a damaged RadioML pickle is read or refused, never more") {
  const std::string bytes = read_file(kRadioMlFiles + "python2_protocol0.pkl");
  for (size_t at = 0; at < bytes.size(); at += 7) {
    for (const int flip : {1, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      radioml_refusal(damaged, false);
    }
  }
}

TEST_CASE("a RadioML pickle that names a function is refused with opcode, place and name") {
  const std::string refusal = radioml_refusal("(dp1\n(S'QPSK'\nI2\ntcposix\nsystem\n(S'touch /tmp/pwned'\ntRs.");
  CHECK(refusal == "byte 18: got posix.system, expected only arrays and plain containers; nothing was run (GLOBAL)\n");
  CHECK(contains(radioml_refusal("\x80\x04}(\x8c\x02os\x8c\x06system\x93."), "got os.system"));
  // Names that a state dict may hold are none of this file's, not even where nothing is made of them.
  for (const char* name : {"pathlib\nPath", "collections\nOrderedDict", "torch\nFloatStorage", "__builtin__\nobject"})
    CHECK(contains(radioml_refusal(std::string("(dp0\nc") + name + "\n0."), "expected only arrays"));
}

TEST_CASE("a length that a RadioML pickle only claims is not believed") {
  for (const char* claim : {"T\xff\xff\xff\x7f", "\x8b\xff\xff\xff\x7f", "X\xff\xff\xff\xff",
                            "\x8e\xff\xff\xff\xff\xff\xff\xff\x7f", "\x96\xff\xff\xff\xff\xff\xff\xff\x7f"})
    CHECK(contains(radioml_refusal(std::string("\x80\x05}(") + claim), "the pickle is cut"));
}

TEST_CASE("what a RadioML cell must not be is told with its modulation and SNR") {
  const std::string good = zeros({2, 2, 8});
  const auto beside_good = [&](const std::string& array, const std::string& part) {
    radioml_refuses({cell_key("8PSK", 0), good, cell_key("BPSK", 0), good, cell_key("QPSK", -4), array}, part, false);
  };
  beside_good(zeros({2, 2, 9}), "(QPSK, -4): got shape [2, 2, 9], expected [N, 2, 8] as most have");
  beside_good(zeros({2, 8, 2}), "(QPSK, -4): got shape [2, 8, 2], expected [N, 2, 8]");
  beside_good(zeros({16, 2}), "got shape [16, 2]");
  beside_good(zeros({0, 2, 8}), "got shape [0, 2, 8]");
  beside_good(cell_array({2, 2, 8}, std::string(100, '\0')), "(QPSK, -4): got 100 bytes, expected 128");
  beside_good(cell_array({2, 2, 8}, std::string(128, '\0'), "i4"), "(QPSK, -4): got an array of unsupported dtype <i4");
  beside_good(cell_array({2, 2, 8}, std::string(128, '\0'), "O8", "|"), "(QPSK, -4): got an array of dtype |O8");
  radioml_refuses({cell_key("QPSK", 0), zeros({5, 2, 0})}, "got shape [5, 2, 0], expected [N, 2, L]");
  radioml_refuses({cell_key("QPSK", 0), cell_array({int64_t{1} << 61, 2, 0}, "")}, "expected [N, 2, L]");
  beside_good("N", "(QPSK, -4): got None, expected a NumPy array");
  std::string numbers(128, '\0');
  numbers.replace(64 + 8, 4, std::string("\0\0\xc0\x7f", 4));
  beside_good(cell_array({2, 2, 8}, numbers), "(QPSK, -4): got a number in frame 1 of 2 that is not finite");
  std::string large(256, '\0');
  large.replace(0, 8, std::string("\0\0\0\0\0\0\xf0\x7e", 8));  // 1e300 is no float32
  beside_good(cell_array({2, 2, 8}, large, "f8"), "not finite");
}

TEST_CASE("pairs of modulation and SNR that are missing or uneven are refused unless the data set says so") {
  const std::string two = zeros({2, 2, 8});
  const std::vector<std::string> missing = {cell_key("8PSK", 0), two, cell_key("8PSK", 2), two,
                                            cell_key("QPSK", 2), two};
  radioml_refuses(missing, "(QPSK, 0): is missing, expected each of 2 modulations at each of 2 SNRs; complete: false");
  const std::vector<std::string> uneven = {cell_key("8PSK", 0), two, cell_key("BPSK", 0), two, cell_key("QPSK", 0),
                                           zeros({3, 2, 8})};
  radioml_refuses(uneven, "(QPSK, 0): got 3 frames, expected 2 as most have; complete: false");
  CHECK(RadioMlFile(pickled::whole(pickled::dict(missing))).open(false).size() == 6);
  CHECK(RadioMlFile(pickled::whole(pickled::dict(uneven))).open(false).size() == 7);
}

TEST_CASE("keys that are no modulation and SNR, come twice, or share one array are refused") {
  const std::string good = zeros({2, 2, 8});
  radioml_refuses({pickled::text("QPSK"), good}, "got a text as a key, expected (modulation, SNR)");
  radioml_refuses({pickled::tuple({pickled::text("QPSK")}), good}, "got a tuple of 1 as a key");
  radioml_refuses({pickled::tuple({"K\x01", "K\x01"}), good}, "got (an int, …) as a key");
  radioml_refuses({pickled::tuple({pickled::text("QPSK"), "N"}), good}, "got (QPSK, None) as a key");
  radioml_refuses({pickled::tuple({pickled::text("Q\nPSK"), "K\x01"}), good}, "the modulation 'Q\\x0APSK'");
  radioml_refuses({cell_key("QPSK", 100'000), good}, "got (QPSK, 100000) as a key");
  radioml_refuses({cell_key("QPSK", 0), good, cell_key("QPSK", 0), good}, "(QPSK, 0): got this key twice");
  std::vector<std::string> shared = {cell_key("QPSK", 0), good + "q\x01"};
  for (int snr_db = 1; snr_db < 20; ++snr_db) {
    shared.push_back(cell_key("QPSK", snr_db));
    shared.emplace_back("h\x01");
  }
  radioml_refuses(shared, "expected one array for each key");
}

TEST_CASE("what is no pickle of a dict is told by what it is") {
  CHECK(contains(radioml_refusal("\x89HDF\r\n\x1a\n"), "got an HDF5 file, expected the pickle of a dict; RML2018.01A"));
  CHECK(contains(radioml_refusal("BZh91AY"), "a compressed file"));
  CHECK(contains(radioml_refusal("a,b,c\n"), "something else"));
  CHECK(contains(radioml_refusal(""), "an empty file"));
  CHECK(contains(radioml_refusal(pickled::whole("]")), "got a list"));
  CHECK(contains(radioml_refusal("}."), "got an empty dict"));
  const auto missing = problems_of([&] { RadioMl({"/no/such/file.pkl"}); });
  REQUIRE(missing.size() == 1);
  CHECK(contains(missing[0].message, "no such file"));
}

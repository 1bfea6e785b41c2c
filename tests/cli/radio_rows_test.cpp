// Rows P01..P04 and N01 of the reliability plan: hostile and odd pickles and NumPy arrays through the real program,
// within the limits of M10. H01..H04 stand in radioml_hdf5_rows_test.cpp.
#include "io/write_radioml.h"
#include "tests/cli/radio_gate.h"
#include "tests/io/npy_bytes.h"
#include "tests/io/pickle_bytes.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

const fs::path kPickles = AMAE_TEST_DATA "/radioml", kArrays = AMAE_TEST_DATA "/iq_npy";

class Pickles : public RadioGate {
 public:
  Pickles() : RadioGate("radioml", "file", kPickles / "protocol2.pkl") {}

  /// A dict of these keys and values is refused so.
  void refuses_dict(const std::vector<std::string>& items, const std::string& word) {
    refuses(pickled::whole(pickled::dict(items)), {"error[RADIOML]", word});
  }
};

TEST_CASE_METHOD(Pickles, "P01: whatever a pickle could run is refused with opcode, place and name, and is not run") {
  const std::string shell = pickled::text("touch " + path("ran").string());
  const std::string call = pickled::tuple({shell}) + "R";
  const std::string known = pickled::name("numpy", "ndarray");
  struct Attack {
    std::string before, active;  ///< what stands at the opcode, and in front of it
    const char *opcode, *got;
  };
  for (const auto& [before, active, opcode, got] : std::vector<Attack>{
           {"", pickled::name("os", "system") + call, "GLOBAL", "os.system"},
           {"", pickled::name("posix", "system") + call, "GLOBAL", "posix.system"},
           {"", pickled::name("builtins", "eval") + call, "GLOBAL", "builtins.eval"},
           {pickled::text("os") + pickled::text("system"), "\x93" + call, "STACK_GLOBAL", "os.system"},
           {"(" + shell, "ios\nsystem\n", "INST", "os.system"},
           {"(" + shell, "inumpy\nndarray\n", "INST", "an opcode of protocol 0 that makes objects"},
           {"(" + known + shell, "o", "OBJ", "opcode 0x6f"},
           {shell + ")", "\x81", "NEWOBJ", "a call of a text"},
           {shell + ")}", "\x92", "NEWOBJ_EX", "a call of a text"},
           {"]}", "b", "BUILD", "a state for a list"},
           {"", "\x82\x01", "EXT1", "opcode 0x82"},
           {"", std::string("\x83\x01\x00", 3), "EXT2", "opcode 0x83"},
           {"", std::string("\x84\x01\x00\x00\x00", 5), "EXT4", "opcode 0x84"},
           {"", "Pshell\n", "PERSID", "opcode 0x50"},
           {shell, "Q", "BINPERSID", "a persistent id"},
           {known + call + pickled::tuple({shell}), "R", "REDUCE", "a call of"},
       }) {
    const std::string start = "\x80\x02}(" + pickled::cell_key("QPSK", -4) + before;
    refuses(start + active + "u.",
            {"error[RADIOML]", fmt::format("byte {}: got {}", start.size(), got), fmt::format("({})", opcode)});
  }
  refuses("(dp1\n(S'QPSK'\nI2\ntcposix\nsystem\n(S'touch " + path("ran").string() + "'\ntRs.",
          {"byte 18: got posix.system", "nothing was run (GLOBAL)"});
  CHECK_FALSE(fs::exists(path("ran")));
}

TEST_CASE_METHOD(Pickles, "P02: a pickle that is cut, or claims what it has not, is refused with its place") {
  for (const char* name : {"python2_protocol0.pkl", "protocol2.pkl", "protocol5.pkl"}) {
    const std::string bytes = read_file(kPickles / name);
    for (const size_t length : {size_t{1}, bytes.size() / 3, bytes.size() / 3 * 2, bytes.size() - 1})
      refuses(bytes.substr(0, length), {"error[RADIOML]", "data.byte "});
  }
  refuses("\x80\x02}(h\x05", {"byte 4: got memo 5, which nothing was stored in"});
  refuses("\x80\x02}R.", {"byte 3: ", "(stack underflow)"});
  for (const char* claim : {"\x8b\xff\xff\xff\x7f", "T\xff\xff\xff\x7f", "X\xff\xff\xff\x7f"})
    refuses(std::string("\x80\x02}(") + claim, {"byte 4: got 0 bytes, expected 2147483647 (the pickle is cut)"});
  refuses("\x80\x02" + std::string(1'000'000, '('), {"byte 10002: got more than 10000 levels"});
  // A value takes some 70 bytes, and while all move half of that once more: 123 MiB, measured.
  refuses("\x80\x02" + std::string(1'000'001, ']'), {"byte 1000002: got more than 1000000 values"}, 160);
}

TEST_CASE_METHOD(Pickles, "P02: a large pickle of protocol 0 costs no more than twice its numbers, whole or cut") {
  const fs::path file = path("large.pkl");
  constexpr int64_t kFrames = 1'000, kCells = 24;
  std::vector<float> numbers(kFrames * 2 * 128);
  uint32_t state = 7;
  for (float& number : numbers) {
    state = state * 1'664'525U + 1'013'904'223U;
    number = static_cast<float>(state >> 8U) / static_cast<float>(1U << 24U) - 0.5F;
  }
  RadiomlWriter writer(file);
  for (int64_t snr_db = 0; snr_db < kCells; ++snr_db) writer.add("QPSK", snr_db, numbers, {kFrames, 2, 128});
  const uint64_t bytes = writer.finish();
  const double decoded_mib = static_cast<double>(kCells * kFrames * 2 * 128 * 4) / (1 << 20);
  fmt::print("a file of {:.0f} MiB with {:.0f} MiB of numbers\n", static_cast<double>(bytes) / (1 << 20), decoded_mib);
  CHECK(bytes > 50'000'000);
  const Outcome whole = info(file);
  INFO(whole.err);
  CHECK(whole.exit == 0);
  CHECK(contains(whole.out, "24000"));
  check_cost(whole, 2 * decoded_mib, 60);
  for (const uint64_t length : {bytes - 2, bytes / 2}) {
    fs::resize_file(file, length);
    const Outcome cut = info(file);
    check_refused(cut, {"large.pkl", "data.byte "});
    check_cost(cut, 2 * decoded_mib, 60);
  }
}

TEST_CASE_METHOD(Pickles,
                 "P03: every protocol, kind of key, byte order, type and array order gives the same data set") {
  std::string samples, index;
  for (const char* name : {"protocol2", "protocol0", "protocol1", "protocol3", "protocol4", "protocol5",
                           "python2_protocol0", "python2_protocol1", "python2_protocol2", "bytes_keys", "scalar_keys",
                           "big_endian", "float64", "fortran_protocol2", "fortran_protocol5", "numpy1"}) {
    const fs::path store = path(name);
    const Outcome made = run("convert", kPickles / (std::string(name) + ".pkl"), {"--to", "store", "-o", store});
    INFO(name << ": " << made.err);
    CHECK(made.exit == 0);
    if (samples.empty()) samples = content_of(store / "samples.bin"), index = content_of(store / "index.safetensors");
    CHECK(samples.size() == 12 * 2 * 16 * sizeof(float));
    CHECK(content_of(store / "samples.bin") == samples);
    CHECK(content_of(store / "index.safetensors") == index);
  }
  for (const char* type : {"i4", "i8", "c8"}) {
    const auto item_bytes = static_cast<size_t>(type[1] - '0');
    refuses_dict(
        {pickled::cell_key("QPSK", -4), pickled::cell_array({2, 2, 128}, std::string(512 * item_bytes, '\0'), type)},
        fmt::format("(QPSK, -4): got an array of unsupported dtype <{}", type));
  }
}

TEST_CASE_METHOD(Pickles, "P04: what a cell must not be is told with its modulation and SNR, found and expected") {
  using pickled::cell_key;
  const std::string good = pickled::zeros({2, 2, 128});
  refuses_dict({cell_key("8PSK", 0), good, cell_key("8PSK", 2), good, cell_key("QPSK", 2), good},
               "(QPSK, 0): is missing, expected each of 2 modulations at each of 2 SNRs");
  const auto refuses_cell = [&](const std::string& array, const std::string& word) {
    refuses_dict({cell_key("8PSK", -4), good, cell_key("BPSK", -4), good, cell_key("QPSK", -4), array}, word);
  };
  refuses_cell(pickled::zeros({3, 2, 128}), "(QPSK, -4): got 3 frames, expected 2 as most have");
  refuses_cell(pickled::zeros({2, 128, 2}), "(QPSK, -4): got shape [2, 128, 2], expected [N, 2, 128] as most have");
  refuses_cell(pickled::cell_array({2, 2, 128}, std::string(100, '\0')), "(QPSK, -4): got 100 bytes, expected 2048");
  std::string numbers(2'048, '\0');
  numbers.replace(1'024 + 8, 4, std::string("\0\0\xc0\x7f", 4));
  refuses_cell(pickled::cell_array({2, 2, 128}, numbers),
               "(QPSK, -4): got a number in frame 1 of 2 that is not finite");
}

TEST_CASE("N01: hostile NumPy headers are refused with field and value") {
  RadioGate gate("iq_npy", "files", kArrays / "first.npy");
  const auto refuses = [&](const std::string& bytes, const std::string& word) {
    gate.refuses(bytes, {"error[NPY]", "data." + word});
  };
  refuses("text", "magic: got a file that starts with \"text\"");
  refuses(std::string("\x93NUMPY\x07\x00\x76\x00\x76\x00", 12), "version: got 7.0, expected 1.0, 2.0 or 3.0");
  refuses(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12),
          "header: got a header of 4294967295 bytes, expected at most 10000");
  refuses(npy_bytes("<f4", "(4294967296, 4294967296, 2)", ""), "shape: got (4294967296, 4294967296, 2), expected");
  refuses(npy_bytes("|O", "(2, 2, 4)", std::string(128, '\0')), "descr: got '|O' (Python objects), expected");
  refuses(npy_bytes("<f4", "(2, 2, 4)", std::string(64, '\0'), "True"), "fortran_order: got True, expected False");
  refuses(npy_bytes("<f4", "(4, 2, 6)", "1234"), "data: got 4 bytes of numbers, expected 192 for <f4 of shape");
}

}  // namespace

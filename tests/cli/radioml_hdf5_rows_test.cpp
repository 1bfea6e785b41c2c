// Rows H01..H04 of the reliability plan: hostile HDF5 files through the real program, within the limits of M10.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "tests/cli/radio_gate.h"
#include "tests/plugins/data/gold_file.h"

using namespace amae;
namespace fs = std::filesystem;

namespace {

class GoldGate : public RadioGate {
 public:
  GoldGate() : RadioGate("radioml_hdf5", "file", good_file(), {"classes=[a, b, c]"}) {}

  void refuses_all(const std::vector<GoldFault>& faults) {
    for (const GoldFault& fault : faults) {
      GoldFile file;
      fault.change(file);
      file.write();
      refuses_file(file.path(), {"error[HDF5]", "data." + fault.refusal});
    }
  }

 private:
  static fs::path good_file() {
    static const GoldFile good;
    good.write();
    return good.path();
  }
};

TEST_CASE_METHOD(GoldGate, "H01: datasets that are missing or of another form, and rows that are no class, are told") {
  refuses_all(gold_form_faults());
  refuses_all(gold_row_faults());
}

TEST_CASE_METHOD(GoldGate, "H02: links, storage and filters outside the file are off") { refuses_all(gold_ways_out()); }

TEST_CASE_METHOD(GoldGate, "H02: a cut or damaged HDF5 file is refused") {
  GoldFile file;
  file.write();
  const std::string bytes = read_file(file.path());
  for (const size_t length : {size_t{8}, bytes.size() / 2, bytes.size() - 1})
    refuses(bytes.substr(0, length), {"error[HDF5]"});
  std::string damaged = bytes;
  for (char& c : damaged) {
    if (&c >= damaged.data() + 96) c = static_cast<char>(c ^ 0x55);  // all behind the superblock
  }
  refuses(damaged, {"error[HDF5]"});
}

TEST_CASE_METHOD(GoldGate, "H03: values and chunks that the file only claims are refused before they are allocated") {
  refuses_all(gold_size_faults());
}

TEST_CASE_METHOD(GoldGate, "H03: a chunk of 130 KiB that would inflate to 128 MiB is an unreadable row and no more") {
  constexpr hsize_t kLong = 32'768;
  GoldFile file;
  const std::vector<float> numbers(GoldFile::kRows * kLong * 2, 0.25F);
  file.write_x = [&](hid_t f) {
    GoldFile::chunked_x(f, GoldFile::kRows, GoldFile::chunks(1, 1, kLong), numbers.data(), kLong);
    GoldFile::store_chunk(f, 2, 0, deflated(std::string(size_t{128} << 20, '\0')));
  };
  file.write();
  const Outcome outcome = run("check", file.path(), {"--strict"});
  INFO(outcome.out << outcome.err);
  CHECK(outcome.exit == 5);
  CHECK(contains(outcome.out, "unreadable"));
  CHECK(contains(outcome.out, "got a chunk that inflates to more than 262144 bytes"));
  check_cost(outcome);
}

TEST_CASE_METHOD(GoldGate, "H04: a file that a writer has locked is a fault of the machine, with its reason") {
  GoldFile file;
  file.write();
  const int fd = ::open(file.path().c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(::flock(fd, LOCK_EX) == 0);
  check_refused(info(file.path()), {"error[HDF5]", file.path(), "Resource temporarily unavailable"}, 3);
  ::close(fd);
  CHECK(info(file.path()).exit == 0);
}

TEST_CASE_METHOD(GoldGate, "H04: a file that may not be read is a fault of the machine, with its reason") {
  GoldFile file;
  file.write();
  fs::permissions(file.path(), fs::perms::none);
  if (::access(file.path().c_str(), R_OK) == 0) SKIP("root may read every file");
  check_refused(info(file.path()), {"error[HDF5]", file.path(), "Permission denied"}, 3);
}

}  // namespace

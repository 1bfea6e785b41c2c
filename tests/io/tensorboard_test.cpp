#include "io/tensorboard.h"

#include <boost/crc.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <limits>
#include <map>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "amae/error.h"
#include "base/file.h"
#include "io/crc32c.h"
#include "io/png.h"

using namespace amae;

namespace {

// An independent reader: another CRC implementation, and protobuf fields taken by number whatever their order.
uint32_t boost_crc(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

template <class T>
T take(std::string_view& bytes) {
  REQUIRE(bytes.size() >= sizeof(T));
  T value{};
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.remove_prefix(sizeof(T));
  return value;
}

uint64_t take_varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    REQUIRE(!bytes.empty());
    REQUIRE(shift < 64);
    const auto byte = static_cast<unsigned char>(bytes[0]);
    bytes.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) return value;
  }
}

struct Message {
  std::map<uint64_t, std::string> bytes;
  std::map<uint64_t, uint64_t> varint;
  std::map<uint64_t, double> fixed64;
  std::map<uint64_t, float> fixed32;

  explicit Message(std::string_view rest) {
    while (!rest.empty()) {
      const uint64_t key = take_varint(rest), field = key >> 3U;
      switch (key & 7U) {
        case 0:
          varint[field] = take_varint(rest);
          break;
        case 1:
          fixed64[field] = take<double>(rest);
          break;
        case 2: {
          const uint64_t size = take_varint(rest);
          REQUIRE(size <= rest.size());
          bytes[field] = rest.substr(0, size);
          rest.remove_prefix(size);
          break;
        }
        case 5:
          fixed32[field] = take<float>(rest);
          break;
        default:
          FAIL("unknown wire type");
      }
    }
  }
};

std::vector<std::string> records(std::string_view file) {
  const auto unmask = [](uint32_t masked) {
    const uint32_t rotated = masked - 0xA282EAD8U;
    return rotated >> 17U | rotated << 15U;
  };
  std::vector<std::string> out;
  while (!file.empty()) {
    const std::string_view length_bytes = file.substr(0, 8);
    const auto length = take<uint64_t>(file);
    REQUIRE(unmask(take<uint32_t>(file)) == boost_crc(length_bytes));
    REQUIRE(length <= file.size());
    const std::string_view data = file.substr(0, length);
    file.remove_prefix(length);
    REQUIRE(unmask(take<uint32_t>(file)) == boost_crc(data));
    out.emplace_back(data);
  }
  return out;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) out.push_back(entry.path());
  return out;
}

}  // namespace

TEST_CASE("CRC-32C gives the published value and agrees with Boost") {
  CHECK(crc32c("123456789") == 0xE3069283U);
  CHECK(crc32c("") == 0);
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAU);    // RFC 3720, B.4
  CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43U);  // RFC 3720, B.4
  std::string text;
  for (int i = 0; i < 300; ++i) {
    text.push_back(static_cast<char>(i * 7));
    CHECK(crc32c(text) == boost_crc(text));
  }
}

TEST_CASE("an independent reader finds the version and every scalar") {
  const TemporaryFolder folder;
  const auto events = folder.path() / "new" / "tb";
  struct Scalar {
    std::string tag;
    int64_t step;
    double value, wall;
  };
  const std::vector<Scalar> scalars = {{"train/loss", 0, 2.5, 1700000000.25},
                                       {"val/accuracy", 300, 0.1, 1700000001.5},
                                       {"big step", int64_t{1} << 40, -1e-30, 1700000002.0},
                                       {std::string(200, 'x'), -1, std::numeric_limits<double>::infinity(), 0.0}};
  {
    EventWriter writer(events, 1700000000.9);
    for (const Scalar& s : scalars) writer.scalar(s.tag, s.step, s.value, s.wall);
  }
  const auto files = files_in(events);
  REQUIRE(files.size() == 1);
  CHECK(files[0].filename().string().starts_with("events.out.tfevents.1700000000."));
  const auto found = records(read_file(files[0]));
  REQUIRE(found.size() == 1 + scalars.size());
  const Message version(found[0]);
  CHECK(version.bytes.at(3) == "brain.Event:2");
  CHECK(version.fixed64.at(1) == 1700000000.9);
  for (size_t i = 0; i < scalars.size(); ++i) {
    const Message event(found[i + 1]);
    CHECK(event.fixed64.at(1) == scalars[i].wall);
    CHECK(static_cast<int64_t>(event.varint.at(2)) == scalars[i].step);
    const Message value(Message(event.bytes.at(5)).bytes.at(1));
    CHECK(value.bytes.at(1) == scalars[i].tag);
    CHECK(value.fixed32.at(2) == static_cast<float>(scalars[i].value));
  }
}

TEST_CASE("flush makes the scalars so far readable; two writers in one second keep apart") {
  const TemporaryFolder folder;
  EventWriter one(folder.path(), 5.0);
  EventWriter two(folder.path(), 5.0);
  const auto files = files_in(folder.path());
  REQUIRE(files.size() == 2);
  for (const auto& file : files) CHECK(records(read_file(file)).size() == 1);
  one.scalar("a", 1, 1.0, 6.0);
  one.flush();
  size_t total = 0;
  for (const auto& file : files) total += records(read_file(file)).size();
  CHECK(total == 3);
}

TEST_CASE("a long run that never flushes does not keep everything in memory") {
  const TemporaryFolder folder;
  EventWriter writer(folder.path(), 5.0);
  for (int i = 0; i < 40'000; ++i) writer.scalar("some/tag", i, 1.0, 6.0);
  CHECK(std::filesystem::file_size(files_in(folder.path()).at(0)) > (1U << 20U));
}

TEST_CASE("a folder that cannot be made is the machine's fault, named") {
  const TemporaryFolder folder;
  write_file(folder.path() / "file", "x");
  try {
    EventWriter writer(folder.path() / "file" / "tb", 5.0);
    FAIL("nothing was refused");
  } catch (const EnvironmentError& error) {
    CHECK(std::string(error.what()).find("file/tb") != std::string::npos);
  }
}

TEST_CASE("an independent reader finds a picture with its size and its bytes") {
  const TemporaryFolder folder;
  const std::string png = png_bytes(at::zeros({30, 500, 3}, at::kByte));
  {
    EventWriter writer(folder.path(), 5.0);
    writer.image("reconstruction", 300, png, 7.5);
    CHECK_THROWS_AS(writer.image("reconstruction", 300, "no PNG", 7.5), std::invalid_argument);
    CHECK_THROWS_AS(writer.image("reconstruction", 300, png.substr(0, 20), 7.5), std::invalid_argument);
  }
  const auto found = records(read_file(files_in(folder.path()).at(0)));
  REQUIRE(found.size() == 2);
  const Message event(found[1]);
  CHECK(event.fixed64.at(1) == 7.5);
  CHECK(event.varint.at(2) == 300);
  const Message value(Message(event.bytes.at(5)).bytes.at(1));
  CHECK(value.bytes.at(1) == "reconstruction");
  const Message image(value.bytes.at(4));
  CHECK(image.varint.at(1) == 30);   // height
  CHECK(image.varint.at(2) == 500);  // width
  CHECK(image.varint.at(3) == 3);    // RGB
  CHECK(image.bytes.at(4) == png);
}

// Rows A01..A14 of the reliability plan: hostile and odd sound files through the real program. A refusal is exit 2 and
// one line that names the file and the numbers; nothing hangs, and no small file costs more memory than a good one by
// much.
#include "tests/cli/audio_gate.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

using namespace amae;
using namespace amae::sounds;

namespace {

const char* const kFormats = "expected WAV (PCM, float), FLAC or Ogg (Vorbis, Opus)";
const char* const kLogMel = "[{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}, {name: log}]";

std::string float_wav(const std::vector<float>& samples) {
  std::string data;
  for (const float sample : samples) data += le(std::bit_cast<uint32_t>(sample), 4);
  return wav(3, 1, 16'000, 32, data);
}

int saw(int channel, int64_t frame) { return static_cast<int>(frame * 7 % 100) - 50 + channel; }

std::string flipped(std::string bytes, size_t at) {
  bytes.at(at) = static_cast<char>(bytes.at(at) ^ 0x10);
  return bytes;
}

}  // namespace

TEST_CASE_METHOD(Gate, "A01: a WAV cut in its sound is refused with the bytes declared and present") {
  const std::string whole = wav(1, 1, 16'000, 16, saw16(1, 1'000));
  refuses("cut.wav", whole.substr(0, 44 + 777), {"error[AUDIO]", "got 777 bytes of sound data, expected 2000"});
}

TEST_CASE_METHOD(Gate, "A02: sizes that the file cannot hold are refused before anything is allocated for them") {
  const std::string data = saw16(1, 500), format = fmt_chunk(1, 1, 16'000, 16), whole = wav(1, 1, 16'000, 16, data);
  refuses("4gb.wav", riff(format + "data" + le(4'000'000'000, 4) + data),
          {"got 1000 bytes of sound data, expected 4000000000"});
  refuses("open.wav", riff(format + "data" + le(0xFFFFFFFF, 4) + data), {"got 1000 bytes", "without a length"});
  refuses("riff_0.wav", "RIFF" + le(0, 4) + whole.substr(8), {"RIFF size of 0 bytes in a file of 1044"});
  refuses("riff_ff.wav", "RIFF" + le(0xFFFFFFFF, 4) + whole.substr(8),
          {"RIFF size of 4294967295 bytes in a file of 1044"});
}

TEST_CASE_METHOD(Gate, "A03: empty and too short files are refused with what was found and what is needed") {
  refuses("empty.wav", "", {"got an empty file (0 bytes)"});
  refuses("no_frames.wav", wav(1, 1, 16'000, 16, ""), {"got 0 frames, expected at least one"});
  refuses("short.wav", wav(1, 1, 16'000, 16, saw16(1, 100)), {"got 100 samples, expected at least 513", "n_fft = 1024"},
          "{name: mel_spectrogram, n_fft: 1024, hop: 512, n_mels: 16}");
}

TEST_CASE_METHOD(Gate, "A04: content decides; what is no sound is refused with its first bytes") {
  refuses("text.wav", "hello world, this is a text", {"starts with \"hello wo\"", kFormats});
  refuses("photo.wav", std::string("\xFF\xD8\xFF\xE0\0\x10JFIF", 10) + std::string(500, 'x'),
          {"a file of JPEG that starts with \"\\xFF\\xD8\\xFF\\xE0", kFormats});
  std::string noise;
  for (uint32_t i = 0, x = 7; i < 2'000; ++i) noise += static_cast<char>((x = x * 1'664'525U + 1'013'904'223U) >> 24U);
  refuses("noise.wav", noise, {"starts with \"", kFormats});
  const std::string flac = Flac{.frames = 1'000, .sample = saw}.bytes();
  CHECK(decodes("flac_inside.wav", flac, "[]", "flac_inside.wav: got FLAC content under the extension .wav").size() ==
        1'000);
  CHECK(decodes("UPPER.WAV", wav(1, 1, 16'000, 16, saw16(1, 300))).size() == 300);
}

TEST_CASE_METHOD(Gate,
                 "A05: samples that are no numbers or beyond all measure are refused; silence and full scale are not") {
  std::vector<float> samples(2'000, 0.25F);
  for (const auto& [value, word] : {std::pair{std::numeric_limits<float>::quiet_NaN(), "not finite in frame 1234"},
                                    {std::numeric_limits<float>::infinity(), "not finite in frame 1234"},
                                    {-std::numeric_limits<float>::infinity(), "not finite in frame 1234"},
                                    {20'000.0F, "got the sample 20000 in frame 1234, expected at most 10000"}}) {
    samples[1'234] = value;
    refuses("bad.wav", float_wav(samples), {word});
  }
  CHECK_FALSE(decodes("silence.wav", float_wav(std::vector<float>(2'000, 0.0F)), kLogMel).empty());
  std::vector<float> full(2'000);
  for (size_t i = 0; i < full.size(); ++i) full[i] = i / 40 % 2 == 0 ? 1.0F : -1.0F;
  CHECK_FALSE(decodes("full_scale.wav", float_wav(full), kLogMel).empty());
}

TEST_CASE_METHOD(Gate, "A06: channels follow the rule of the config, else found and expected are told") {
  for (const int channels : {1, 2, 6, 8}) {
    const std::string bytes = wav(1, channels, 16'000, 16, saw16(channels, 400));
    CHECK(decodes("mono.wav", bytes, "[{name: channels, rule: mono}]").size() == 400);
    for (const int wanted : {1, 2}) {
      const std::string chain = fmt::format("[{{name: channels, rule: keep, count: {}}}]", wanted);
      if (channels == wanted) continue;
      refuses("keep.wav", bytes, {fmt::format("got {} channel", channels), fmt::format("expected {}", wanted)}, chain);
    }
  }
}

TEST_CASE_METHOD(Gate, "A07: 0 channels and more than 64 are refused with limit and value") {
  refuses("c0.wav", wav(1, 0, 16'000, 16, saw16(1, 100)), {"got 0 channels, expected 1 to 64"});
  refuses("c65.wav", wav(1, 65, 16'000, 16, saw16(65, 10)), {"got 65 channels, expected 1 to 64"});
  refuses("c1024.wav", wav(1, 1'024, 16'000, 16, saw16(1'024, 2)), {"got 1024 channels, expected 1 to 64"});
  // The block size of 65,535 channels does not fit its field; with one byte a sample it does.
  refuses("c65535.wav", wav(1, 65'535, 16'000, 8, std::string(65'535, '\x80')),
          {"got 65535 channels, expected 1 to 64"});
  CHECK(decodes("c64.wav", wav(1, 64, 16'000, 16, saw16(64, 10))).size() == 640);
}

TEST_CASE_METHOD(Gate, "A08: rates in range are resampled, also co-prime ones; the others are refused with the range") {
  for (const int rate : {8'000, 192'000, 44'101}) {
    const auto values = decodes("rate.wav", wav(1, 1, rate, 16, saw16(1, 8'000)), "[{name: resample, rate: 16000}]");
    const double expected = 8'000.0 * 16'000 / rate;
    CHECK(std::abs(static_cast<double>(values.size()) - expected) <= 1);
  }
  for (const int64_t rate : {int64_t{0}, int64_t{2'147'483'647}, int64_t{4'294'951'296}}) {  // the last is -16000
    std::string bytes = wav(1, 1, 16'000, 16, saw16(1, 100));
    bytes.replace(24, 4, le(static_cast<uint64_t>(rate), 4));
    refuses("rate.wav", bytes, {fmt::format("got {} Hz, expected 1000 to 768000", rate)});
  }
}

TEST_CASE_METHOD(Gate, "A10: codecs in WAV are refused by their tag, other containers by their first bytes") {
  for (const auto& [tag, word] : {std::pair{0x02, "Microsoft ADPCM"},
                                  {0x11, "IMA ADPCM"},
                                  {0x31, "GSM 6.10"},
                                  {0x17, "VOX"},
                                  {0x38, "NMS"},
                                  {0x50, "MPEG"},
                                  {0x07, "mu-law"},
                                  {0x1234, "unknown"}}) {
    refuses("codec.wav", wav(tag, 1, 8'000, 8, std::string(650, 'x')),
            {"fmt chunk", fmt::format("got format tag 0x{:04X}", tag), word,
             "expected PCM of 8, 16, 24 or 32 bits or float of 32 or 64 bits"});
  }
  for (const auto& [name, format] : {std::pair{"AIFF", SF_FORMAT_AIFF | SF_FORMAT_PCM_16},
                                     {"CAF", SF_FORMAT_CAF | SF_FORMAT_PCM_16},
                                     {"IRCAM", SF_FORMAT_IRCAM | SF_FORMAT_PCM_16}}) {
    refuses("other.wav", encoded(format, 1'000), {fmt::format("a file of {} that starts with", name), kFormats});
  }
  refuses("mpeg.wav", std::string("\xFF\xFB\x90\x64", 4) + std::string(417, '\0'), {"a file of MP3", kFormats});
}

TEST_CASE_METHOD(Gate, "A11: small files that decode to much are refused by the size their header gives") {
  const std::string eight = Flac{.channels = 8, .rate = 192'000, .block = 65'535, .frames = 120 * 192'000}.bytes();
  REQUIRE(eight.size() <= 64 << 10);
  refuses("bomb.flac", eight, {"got 23040000 frames of 8 channels, 703.1 MiB decoded", "expected at most"});
  // Ten hours by their last page, in a file of some seconds.
  auto pages = ogg_pages(encoded(SF_FORMAT_OGG | SF_FORMAT_VORBIS, 200'000));
  pages.back().granule = 36'000ULL * 16'000;
  refuses("ten_hours.ogg", ogg_bytes(pages), {"got 576000000 frames of 1 channels", "expected at most"});
  // A header that claims less than there is: the rest is not decoded behind its back.
  refuses("modest.flac", Flac{.block = 4'096, .frames = 1'000'000, .declared = 1'000}.bytes(),
          {"got 1000000 frames, expected 1000 as in the header"});
}

TEST_CASE_METHOD(Gate, "A12: FLAC and Ogg that are cut, damaged, chained or miscounted are refused") {
  const Flac flac{.block = 500, .frames = 5'000, .sample = saw};
  const std::string bytes = flac.bytes();
  refuses("cut.flac", bytes.substr(0, bytes.size() / 2), {"expected 5000 frames", "truncated"});
  refuses("flipped.flac", flipped(bytes, bytes.size() / 2), {"expected 5000 as in the header", "decoder: "});
  Flac miscounted = flac;
  miscounted.declared = 6'000;
  refuses("more.flac", miscounted.bytes(), {"got 5000 frames, expected 6000 as in the header"});
  miscounted.declared = 4'000;
  refuses("fewer.flac", miscounted.bytes(), {"got 5000 frames, expected 4000 as in the header"});

  for (const auto& [name, codec] : {std::pair{"v", SF_FORMAT_VORBIS}, {"o", SF_FORMAT_OPUS}}) {
    INFO(name);
    const std::string ogg = encoded(SF_FORMAT_OGG | codec, 200'000);
    refuses("cut.ogg", ogg.substr(0, ogg.size() - 100), {"truncated"});
    refuses("flipped.ogg", flipped(ogg, ogg.size() / 2), {"wrong checksum"});
    auto pages = ogg_pages(ogg);
    auto other = pages;
    for (OggPage& page : other) page.serial += 1;
    refuses("chained.ogg", ogg + ogg_bytes(other), {"one after the other", "expected one"});
    refuses("twice.ogg", ogg + ogg, {fmt::format("another Ogg stream at byte {}", ogg.size()), "expected one"});
    pages.back().granule += 10 * 48'000;
    refuses("miscounted.ogg", ogg_bytes(pages), {"as in the header"});
  }
}

TEST_CASE_METHOD(Gate, "A13: odd but legal RIFF decodes to the same samples; broken order is one error") {
  const std::string format = fmt_chunk(1, 1, 16'000, 8), data = chunk("data", std::string(333, '\xC0'));
  const std::vector<float> expected(333, 0.5F);
  CHECK(decodes("odd.wav", riff(chunk("odd ", "abc") + format + chunk("LIST", "x") + data)) == expected);
  CHECK(decodes("list.wav", riff(chunk("LIST", "INFOISFT" + le(4, 4) + "test") + format + data)) == expected);
  std::string tiny;
  for (int i = 0; i < 10'000; ++i) tiny += "junk" + le(0, 4);
  CHECK(decodes("tiny.wav", riff(tiny + format + data)) == expected);
  CHECK(decodes("tail.wav", riff(format + data + tiny)) == expected);
  refuses("data_first.wav", riff(data + format), {"got the data chunk before the fmt chunk"});
  refuses("two_data.wav", riff(format + data + data), {"second data chunk"});
  for (int i = 0; i < 4; ++i) tiny += tiny;
  refuses("many.wav", riff(tiny + format + data), {"more than 100000 chunks"});
}

TEST_CASE_METHOD(Gate, "A14: only regular files are read, and nothing waits for a pipe") {
  REQUIRE(::mkfifo(path("pipe.wav").c_str(), 0600) == 0);
  refuses_file(path("pipe.wav"), {"got a pipe, expected a regular file"});
  std::filesystem::create_directory(path("folder.wav"));
  refuses_file(path("folder.wav"), {"got a folder, expected a regular file"});
  for (const char* device : {"/dev/null", "/dev/zero"}) refuses_file(device, {"got a device, expected a regular file"});
  std::filesystem::create_symlink(path("loop.wav"), path("loop.wav"));
  refuses_file(path("loop.wav"), {"cannot open", "expected a readable file"});
  std::filesystem::create_symlink(path("nowhere"), path("dangling.wav"));
  refuses_file(path("dangling.wav"), {"no such file"});
  const int server = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{AF_UNIX, {}};
  std::strncpy(address.sun_path, path("socket.wav").c_str(), sizeof(address.sun_path) - 1);
  REQUIRE(::bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  refuses_file(path("socket.wav"), {"expected a"});
  ::close(server);
  // A link to a regular file is that file.
  std::filesystem::create_symlink(put("good.wav", wav(1, 1, 16'000, 16, saw16(1, 100))), path("link.wav"));
  CHECK(transform(path("link.wav"), "[]").exit == 0);
}

TEST_CASE_METHOD(Gate,
                 "A14: a file that is cut and replaced while it is read gives all of it or one error, no signal") {
  const std::string whole = wav(1, 8, 16'000, 16, saw16(8, 200'000));
  const auto file = put("restless.wav", whole);
  std::jthread restless([&](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i) {
      std::filesystem::resize_file(file, i % 2 == 0 ? 1'000'000 : whole.size());
      if (i % 5 == 4) std::filesystem::rename(put("next.wav", whole), file);
      std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
  });
  for (int i = 0; i < 5; ++i) {
    const Outcome run = transform(file, "[]");
    CHECK((run.exit == 0 || run.exit == 2));
    CHECK(std::count(run.err.begin(), run.err.end(), '\n') == (run.exit == 0 ? 0 : 1));
    if (run.exit == 0) CHECK(values_of(path("out.npy")).size() == 1'600'000);
  }
}

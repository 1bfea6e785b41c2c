// What our own reading of Ogg finds before and beside the decoder, and the limits on what a file may cost.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>

#include "base/log.h"
#include "tests/io/sound_gate.h"

using namespace amae;
using namespace amae::sounds;

TEST_CASE_METHOD(Gate, "an Ogg cut anywhere is refused from its pages") {
  const std::string whole = ogg_bytes(vorbis(4'000));
  CHECK(audio_info(put("whole.ogg", whole)).frames == 4'000);
  for (size_t bytes = 1; bytes < whole.size(); bytes += bytes < 100 ? 1 : 37) {
    INFO("cut to " << bytes << " of " << whole.size());
    static_cast<void>(refused(whole.substr(0, bytes)));
  }
  static_cast<void>(refused(whole.substr(0, whole.size() - 1)));
}

TEST_CASE_METHOD(Gate, "bits flipped in an Ogg are refused, wherever they are") {
  for (const int codec : {SF_FORMAT_VORBIS, SF_FORMAT_OPUS}) {
    const std::string whole = encoded(SF_FORMAT_OGG | codec, 4'000);
    CHECK(read_audio(put("whole.ogg", whole)).samples.size(1) == 4'000);
    for (size_t bit = 0; bit < whole.size() * 8; bit += 61) {
      INFO("bit " << bit);
      std::string bytes = whole;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
      const auto file = put("flipped.ogg", bytes);
      CHECK_FALSE(problems_of([&] { read_audio(file); }).empty());
    }
  }
}

TEST_CASE_METHOD(Gate, "Ogg pages that are missing, doubled or out of order are refused with their place") {
  const std::vector<OggPage> pages = vorbis();
  REQUIRE(pages.size() >= 5);
  auto changed = pages;
  changed.erase(changed.begin() + 3);
  CHECK_HOLDS(refused_whole(ogg_bytes(changed)), fmt::format("page number {} after number {}", 4, 2));
  changed = pages;
  changed.insert(changed.begin() + 3, pages[2]);
  CHECK_HOLDS(refused_whole(ogg_bytes(changed)), "page number 2 after number 2");
  changed = pages;
  changed[3].granule = 1;
  changed[2].granule = 2;
  CHECK_HOLDS(refused_whole(ogg_bytes(changed)), "position 1 after 2");
  const std::string bytes = ogg_bytes(pages);
  const size_t middle = ogg_bytes({pages.begin(), pages.begin() + 3}).size();
  CHECK_HOLDS(refused_whole(bytes.substr(0, middle) + "junk" + bytes.substr(middle)),
              fmt::format("no Ogg page at byte {}", middle));
}

TEST_CASE_METHOD(Gate, "header packets of an Ogg that are missing, torn or others are refused with the page") {
  const std::vector<OggPage> pages = vorbis();
  auto changed = pages;
  changed[1].body[0] = '\x01';
  CHECK_HOLDS(refused(ogg_bytes(changed)), "got another packet in the Ogg page at byte 58");
  changed = pages;
  changed[0].sizes = "\x1D\x01";
  CHECK_HOLDS(refused(ogg_bytes(changed)), "got more than one packet in the Ogg page at byte 0");
  changed = pages;
  changed[1].flags = 1;
  CHECK_HOLDS(refused(ogg_bytes(changed)), "got the rest of no packet in the Ogg page at byte 58");
  changed = {pages[0], pages[1]};
  changed[1].flags = 4;
  changed[1].sizes = std::string(1, '\x1E');
  changed[1].body.resize(30);
  CHECK_HOLDS(refused(ogg_bytes(changed)), "got the end of the stream in the Ogg page at byte 58");
}

TEST_CASE_METHOD(Gate, "chained and multiplexed Ogg files are refused") {
  auto first = vorbis(), second = vorbis();
  for (OggPage& page : first) page.serial = 1;
  for (OggPage& page : second) page.serial = 2;
  CHECK(read_audio(put("one.ogg", ogg_bytes(second))).samples.size(1) == 200'000);
  CHECK_HOLDS(refused(ogg_bytes(first) + ogg_bytes(second)),
              "one after the other (serials 00000001 and 00000002), expected one");
  // `cat a.ogg a.ogg` has one serial; its header alone looks like that of a.ogg.
  CHECK_HOLDS(refused_whole(ogg_bytes(first) + ogg_bytes(first)), "behind the end of the first");
  auto multiplexed = first;
  multiplexed.insert(multiplexed.begin() + 1, second.front());
  CHECK_HOLDS(refused(ogg_bytes(multiplexed)), "beside each other (serials 00000001 and 00000002)");
}

TEST_CASE_METHOD(Gate, "codecs in Ogg other than Vorbis and Opus are refused by name, and bad headers by value") {
  const auto with = [&](const std::string& packet) {
    auto pages = vorbis(4'000);
    pages[0].body = packet;
    pages[0].sizes = std::string(1, static_cast<char>(packet.size()));
    return refused(ogg_bytes(pages));
  };
  CHECK_HOLDS(with("\x7F"
                   "FLAC\x01"),
              "got FLAC in Ogg in an Ogg file, expected Vorbis or Opus");
  CHECK_HOLDS(with("Speex   1.2"), "got Speex");
  CHECK_HOLDS(with(std::string("\x80theora", 7)), "got Theora");
  CHECK_HOLDS(with("?"), "got an unknown codec");
  const auto identification = [](int version, int channels, int64_t rate) {
    return "\x01vorbis" + le(version, 4) + le(channels, 1) + le(rate, 4) + std::string(12, '\0') + "\xB8\x01";
  };
  CHECK_HOLDS(with(identification(0, 0, 8'000)), "got 0 channels");
  CHECK_HOLDS(with(identification(0, 255, 8'000)), "got 255 channels, expected 1 to 64");
  CHECK_HOLDS(with(identification(0, 1, 0)), "got 0 Hz");
  CHECK_HOLDS(with(identification(0, 1, 4'294'967'295)), "got 4294967295 Hz");
  CHECK_HOLDS(with(identification(7, 1, 8'000)), "version 7");
  CHECK_HOLDS(with("OpusHead"), "got 8 bytes of an Opus header");
}

TEST_CASE_METHOD(Gate, "a last Ogg page that claims more or fewer samples than there are is refused") {
  auto pages = vorbis();
  pages.back().granule = 1'000'000;
  CHECK_HOLDS(refused_whole(ogg_bytes(pages)), "expected 1000000 as in the header");
  pages.back().granule = 2;
  CHECK_HOLDS(refused_whole(ogg_bytes(pages)), "position 2 after");
  pages.back().granule = ~uint64_t{0};
  CHECK_HOLDS(refused(ogg_bytes(pages)), "got -1 as the last Ogg position");
}

TEST_CASE_METHOD(Gate, "a small file that decodes to much is refused before a sample of it is decoded") {
  // 120 s of silence, 8 channels at 192 kHz: 703 MiB of floats from some 18 KiB.
  const std::string bytes = Flac{.channels = 8, .rate = 192'000, .block = 65'535, .frames = 120 * 192'000}.bytes();
  CHECK(bytes.size() < 20'000);
  const auto file = put("bomb.flac", bytes);
  CHECK(audio_info(file).frames == 120 * 192'000);
  const std::string message = refusal([&] { read_audio(file); }).message;
  CHECK_HOLDS(message, "got 23040000 frames of 8 channels, 703.1 MiB decoded from a file of ");
  CHECK_HOLDS(message, "expected at most ");
  CHECK(at::equal(read_audio(file, 1'000'000, 1'000).samples, at::zeros({8, 1'000})));  // a part of it is fine
}

TEST_CASE("sound of any codec passes the limit on decoded bytes, and 2 GiB is the end") {
  CHECK(decoded_limit_bytes(0) >= 60 * 48'000 * 4);           // a minute of silence, mono
  CHECK(decoded_limit_bytes(750 * 600) >= 600 * 48'000 * 4);  // ten minutes of Opus at 6 kbit/s
  CHECK(decoded_limit_bytes(64 << 10) <= 64 << 20);           // what an input of 64 KiB may cost
  CHECK(decoded_limit_bytes(uint64_t{1} << 40U) == int64_t{1} << 31U);
  CHECK(decoded_limit_bytes(~uint64_t{0}) == int64_t{1} << 31U);
}

TEST_CASE_METHOD(Gate, "a file that shrinks or changes while it is read is refused") {
  const auto file = put("a.wav", wav(1, 1, 8'000, 16, saw16(1, 200'000)));
  std::vector<float> samples(1'000);
  {
    AudioDecoder decoder(file);
    decoder.read(samples.data(), 1'000);
    std::filesystem::resize_file(file, 300'000);
    decoder.seek(149'500);
    const std::string message = refusal([&] { decoder.read(samples.data(), 1'000); }).message;
    CHECK_HOLDS(message, "frames, expected 200000 as in the header");
    decoder.seek(0);
    CHECK_HOLDS(refusal([&] { decoder.read(samples.data(), 10); }).message, "got 300000 bytes, expected 400044");
  }
  static_cast<void>(put("a.wav", wav(1, 1, 8'000, 16, saw16(1, 20'000))));
  AudioDecoder decoder(file);
  std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  CHECK_HOLDS(refusal([&] { decoder.read(samples.data(), 10); }).message, "changed while it was read");
}

TEST_CASE_METHOD(Gate, "a section of a file equals that part of the whole, in every format") {
  for (const int format :
       {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_W64 | SF_FORMAT_FLOAT, SF_FORMAT_FLAC | SF_FORMAT_PCM_24,
        SF_FORMAT_OGG | SF_FORMAT_VORBIS, SF_FORMAT_OGG | SF_FORMAT_OPUS}) {
    INFO("format " << format);
    const auto file = sounds::encode(path("long"), format, 2, 100'000);
    const at::Tensor whole = read_audio(file).samples;
    for (const auto& [begin, frames] : {std::pair{0, 10}, {1, 70'000}, {77'777, 3'000}, {90'000, 5'000}, {99'999, 1}}) {
      INFO(begin << " + " << frames);
      const at::Tensor part = read_audio(file, begin, frames).samples;
      const at::Tensor expected = whole.narrow(1, begin, frames);
      if ((format & SF_FORMAT_SUBMASK) == SF_FORMAT_OPUS) {
        // Opus decodes from 80 ms before the place (RFC 7845, 4.6), by when it has nearly forgotten where it began.
        CHECK((part - expected).abs().max().item<float>() < 1e-4F);
      } else {
        CHECK(at::equal(part, expected));
      }
    }
    CHECK_HOLDS(refusal([&] { read_audio(file, 99'999, 2); }).message, "expected one within the 100000 frames");
  }
}

TEST_CASE_METHOD(Gate, "a sample beyond 10,000 times full scale is refused with its frame; 10,000 itself is not") {
  const auto of = [](float value) { return wav(3, 1, 8'000, 32, le(0, 4) + le(std::bit_cast<uint32_t>(value), 4)); };
  CHECK(read_audio(put("a.wav", of(-1e4F))).samples[0][1].item<float>() == -1e4F);
  CHECK_HOLDS(refused_whole(of(10'001)), "got the sample 10001 in frame 1, expected at most 10000");
  CHECK_HOLDS(refused_whole(of(-1e30F)), "got the sample -1e+30 in frame 1");
}

TEST_CASE_METHOD(Gate, "content decides the format, and a name that says otherwise is warned of once") {
  const auto log = path("log.txt");
  const auto wrong = put("really_flac.WAV", Flac{.frames = 40, .sample = saw}.bytes());
  const auto right = put("right.flac", Flac{.frames = 40, .sample = saw}.bytes());
  const auto silent = put("no_promise.bin", Flac{.frames = 40, .sample = saw}.bytes());
  {
    const log::File file(log);
    for (int i = 0; i < 3; ++i) {
      for (const auto& sound : {wrong, right, silent}) CHECK(audio_info(sound).format == "FLAC");
      CHECK(read_audio(wrong).samples.size(1) == 40);
    }
  }
  const std::string text = read_file(log);
  CHECK_HOLDS(text, wrong.string() + ": got FLAC content under the extension .WAV; read as FLAC");
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

TEST_CASE_METHOD(Gate, "a RIFF header that was never finished is refused with the bytes that are there") {
  const std::string whole = wav(1, 1, 8'000, 16, saw16(1, 100));
  for (const uint64_t size : {uint64_t{0}, uint64_t{0xFFFFFFFF}}) {
    CHECK_HOLDS(refused("RIFF" + le(size, 4) + whole.substr(8)),
                fmt::format("got a RIFF size of {} bytes in a file of 244", size));
  }
}

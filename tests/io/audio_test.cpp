#include "io/audio.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <sndfile.h>
#include <sys/stat.h>

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "amae/error.h"
#include "base/file.h"
#include "tests/io/sound_files.h"

using namespace amae;
using namespace amae::sounds;

namespace {

class Folder {
 public:
  std::filesystem::path put(const std::string& name, const std::string& bytes) const {
    write(folder_.path() / name, bytes);
    return folder_.path() / name;
  }
  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }

  /// The refusal of both readers, which must be the same one line naming the file.
  std::string refusal(const std::string& name, const std::string& bytes) const {
    const auto file = put(name, bytes);
    const std::string info = error_of([&] { audio_info(file); });
    CHECK(error_of([&] { read_audio(file); }) == info);
    CHECK(info.find(name) != std::string::npos);
    return info;
  }
  template <class Action>
  static std::string error_of(Action action) {
    try {
      action();
    } catch (const InputError& error) {
      CHECK(error.problems().at(0).code == "AUDIO");
      return error.what();
    }
    FAIL("nothing was refused");
    return "";
  }

  std::filesystem::path encode(const std::string& name, int format, int channels, int frames) const {
    return sounds::encode(path(name), format, channels, frames);
  }

 private:
  TemporaryFolder folder_;
};

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE_METHOD(Folder, "16-bit WAV decodes to exactly s / 32768") {
  std::string data;
  const std::vector<int> values = {0, 1, -1, 32767, -32768, 12345};
  for (const int v : values) data += le(static_cast<uint64_t>(v), 2);
  const Signal signal = read_audio(put("a.wav", wav(1, 1, 44'100, 16, data)));
  CHECK(signal.rate_hz == 44'100);
  CHECK(signal.domain == Domain::audio);
  CHECK(signal.samples.scalar_type() == at::kFloat);
  CHECK(signal.samples.is_contiguous());
  REQUIRE(signal.samples.sizes() == at::IntArrayRef({1, 6}));
  for (size_t i = 0; i < values.size(); ++i) {
    CHECK(signal.samples[0][static_cast<int64_t>(i)].item<float>() == static_cast<float>(values[i]) / 32768.0F);
  }
}

TEST_CASE_METHOD(Folder, "channels come apart: interleaved frames become rows") {
  std::string data;
  for (int n = 0; n < 4; ++n) data += le(n * 1024, 2) + le(-n * 1024, 2);
  const Signal signal = read_audio(put("a.wav", wav(1, 2, 8'000, 16, data)));
  REQUIRE(signal.samples.sizes() == at::IntArrayRef({2, 4}));
  CHECK(at::equal(signal.samples[0], at::arange(4) / 32.0F));
  CHECK(at::equal(signal.samples[1], -at::arange(4) / 32.0F));
}

TEST_CASE_METHOD(Folder, "every documented sample format of WAV decodes to the value it stands for") {
  const float half = 0.5F;
  CHECK(read_audio(put("u8.wav", wav(1, 1, 8'000, 8, le(192, 1) + le(128, 1)))).samples[0][0].item<float>() == half);
  CHECK(read_audio(put("s24.wav", wav(1, 1, 8'000, 24, le(0x400000, 3)))).samples[0][0].item<float>() == half);
  CHECK(read_audio(put("s32.wav", wav(1, 1, 8'000, 32, le(0x40000000, 4)))).samples[0][0].item<float>() == half);
  CHECK(read_audio(put("f32.wav", wav(3, 1, 8'000, 32, le(std::bit_cast<uint32_t>(half), 4))))
            .samples[0][0]
            .item<float>() == half);
  CHECK(read_audio(put("f64.wav", wav(3, 1, 8'000, 64, le(std::bit_cast<uint64_t>(0.5), 8))))
            .samples[0][0]
            .item<float>() == half);
  // RIFX: the same in big-endian order.
  const std::string rifx_chunks = "fmt " + be(16, 4) + be(1, 2) + be(1, 2) + be(8'000, 4) + be(16'000, 4) + be(2, 2) +
                                  be(16, 2) + "data" + be(2, 4) + be(0x4000, 2);
  CHECK(read_audio(put("x.wav", "RIFX" + be(4 + rifx_chunks.size(), 4) + "WAVE" + rifx_chunks))
            .samples[0][0]
            .item<float>() == half);
}

TEST_CASE_METHOD(Folder, "extensible WAV, RF64, Wave64, FLAC and Ogg files of libsndfile decode") {
  struct Kind {
    const char* name;
    int format;
    const char* container;
    float tolerance;  // of a 0.5 sine: a step of the integer format (libsndfile
                      // scales by 32767 when it writes and by 32768 when it reads), or what lossy codecs do
  };
  for (const Kind& kind : {Kind{"ext.wav", SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, "WAV", 1e-6F},
                           Kind{"extf.wav", SF_FORMAT_WAVEX | SF_FORMAT_FLOAT, "WAV", 0.0F},
                           Kind{"rf64.wav", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, "WAV", 3.1e-5F},
                           Kind{"w64.wav", SF_FORMAT_W64 | SF_FORMAT_PCM_16, "WAV", 3.1e-5F},
                           Kind{"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, "FLAC", 3.1e-5F},
                           Kind{"flac_inside.wav", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, "FLAC", 1e-6F},
                           Kind{"vorbis.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, "OGG", 0.2F},
                           Kind{"opus.ogg", SF_FORMAT_OGG | SF_FORMAT_OPUS, "OGG", 0.2F}}) {
    INFO(kind.name);
    const auto file = encode(kind.name, kind.format, 2, 4'000);
    const AudioInfo info = audio_info(file);
    CHECK(info.format == kind.container);
    CHECK(info.channels == 2);
    CHECK(info.frames == 4'000);
    CHECK(info.rate_hz == 16'000);
    const Signal signal = read_audio(file);
    REQUIRE(signal.samples.sizes() == at::IntArrayRef({2, 4'000}));
    const at::Tensor n = at::arange(4'000, at::kFloat);
    CHECK((signal.samples[0] - 0.5F * (0.05F * n).sin()).abs().max().item<float>() <= kind.tolerance + 1e-6F);
    CHECK((signal.samples[1] - 0.5F * (0.05F * 2 * n).sin()).abs().max().item<float>() <= kind.tolerance + 1e-6F);
  }
}

TEST_CASE_METHOD(Folder, "a WAV cut anywhere is refused and never decodes shorter") {
  const std::string whole =
      riff(chunk("LIST", "abcde") + fmt_chunk(1, 1, 44'100, 16) + chunk("data", std::string(400, 'x')));
  CHECK(read_audio(put("whole.wav", whole)).samples.size(1) == 200);
  for (size_t bytes = 1; bytes < whole.size(); ++bytes) {
    INFO("cut to " << bytes);
    const std::string message = refusal("cut.wav", whole.substr(0, bytes));
    if (bytes > whole.size() - 400) {
      CHECK(holds(message, "got " + std::to_string(bytes - (whole.size() - 400)) +
                               " bytes of sound data, expected 400 (truncated file)"));
    }
  }
}

TEST_CASE_METHOD(Folder, "cut FLAC, Ogg, Wave64 and RF64 files are refused") {
  for (const auto& [name, format] :
       {std::pair{"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16}, std::pair{"v.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
        std::pair{"o.ogg", SF_FORMAT_OGG | SF_FORMAT_OPUS}, std::pair{"w.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16},
        std::pair{"r.rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16}}) {
    const std::string whole = read_file(encode(name, format, 1, 48'000));
    for (const double share : {0.05, 0.5, 0.9, 0.999}) {
      INFO(name << " cut to " << share);
      const auto file = put("cut", whole.substr(0, static_cast<size_t>(share * static_cast<double>(whole.size()))));
      CHECK(!error_of([&] { read_audio(file); }).empty());
    }
  }
}

TEST_CASE_METHOD(Folder, "headers that were never finished are refused") {
  const std::string format = fmt_chunk(1, 1, 8'000, 16);
  CHECK(holds(refusal("a.wav", riff(format + "data" + le(0xFFFFFFFF, 4) + "12345678")), "without a length"));
  CHECK(holds(refusal("b.wav", riff(format + "data" + le(0, 4) + "12345678")), "never finished"));
  CHECK(holds(refusal("c.wav", riff(format + "data" + le(4'000'000'000, 4) + "12345678")),
              "got 8 bytes of sound data, expected 4000000000"));
  CHECK(holds(refusal("d.wav", riff(format + "data" + le(0, 4))), "0 frames"));
}

TEST_CASE_METHOD(Folder, "what is no audio is refused with its first bytes") {
  CHECK(holds(refusal("empty.wav", ""), "0 bytes"));
  CHECK(holds(refusal("text.wav", "hello world, this is text"),
              "got a file that starts with \"hello wo\", expected WAV (PCM, float), FLAC or Ogg (Vorbis, Opus)"));
  CHECK(holds(refusal("picture.wav", "\xFF\xD8\xFF\xE0 jpeg"), "\\xFF\\xD8"));
  CHECK(holds(refusal("film.wav", "RIFF" + le(100, 4) + "AVI LIST" + std::string(90, 'x')), "\"AVI \""));
  CHECK(holds(refusal("noise.flac", "fLaC" + std::string(100, '\x7F')), "noise.flac"));
  encode("a.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 1, 100);
  CHECK(holds(error_of([&] { read_audio(path("a.aiff")); }), "starts with \"FORM"));
}

TEST_CASE_METHOD(Folder, "codecs inside WAV are refused by their tag before a decoder sees them") {
  CHECK(holds(refusal("gsm.wav", wav(0x31, 1, 8'000, 8, std::string(65, 'x'))), "0x0031 (GSM 6.10)"));
  CHECK(holds(refusal("adpcm.wav", wav(0x11, 1, 8'000, 8, std::string(65, 'x'))), "0x0011 (IMA ADPCM)"));
  CHECK(holds(refusal("mulaw.wav", wav(7, 1, 8'000, 8, std::string(64, 'x'))), "mu-law"));
  CHECK(holds(refusal("s12.wav", wav(1, 1, 8'000, 12, std::string(64, 'x'))), "12 bits"));
}

TEST_CASE_METHOD(Folder, "impossible or unsupported headers are refused with the value") {
  const std::string data(130 * 2, '\0');
  CHECK(holds(refusal("c0.wav", wav(1, 0, 8'000, 16, data)), "got 0 channels"));
  CHECK(holds(refusal("c65.wav", wav(1, 65, 8'000, 16, data)), "got 65 channels, expected 1 to 64"));
  CHECK(holds(refusal("r0.wav", wav(1, 1, 0, 16, data)), "got 0 Hz"));
  CHECK(holds(refusal("r999.wav", wav(1, 1, 999, 16, data)), "got 999 Hz, expected 1000 to 768000"));
  CHECK(holds(refusal("rbig.wav", wav(1, 1, 2'147'483'647, 16, data)), "got 2147483647 Hz"));
  CHECK(holds(refusal("nofmt.wav", riff(chunk("data", data))), "before the fmt chunk"));
  CHECK(holds(refusal("two.wav", riff(fmt_chunk(1, 1, 8'000, 16) + chunk("data", data) + chunk("data", data))),
              "second data chunk"));
  std::string block = wav(1, 1, 8'000, 16, data);
  block[32] = 4;  // block size of a mono 16-bit file
  CHECK(holds(refusal("block.wav", block), "block size of 4 bytes, expected 2"));
  std::string many;
  for (int i = 0; i < 100'001; ++i) many += "junk" + le(0, 4);
  CHECK(holds(refusal("many.wav", riff(many)), "more than 100000 chunks"));
}

TEST_CASE_METHOD(Folder, "unknown chunks before and after the sound, and odd padding, do no harm") {
  const std::string bytes = riff(chunk("LIST", "abc") + fmt_chunk(1, 1, 8'000, 8) + chunk("junk", "x") +
                                 chunk("data", std::string(7, '\x80')) + chunk("LIST", "tail") + "garbage");
  const Signal signal = read_audio(put("a.wav", bytes));
  CHECK(at::equal(signal.samples, at::zeros({1, 7})));
}

TEST_CASE_METHOD(Folder, "a sample that is not finite is refused with its frame") {
  for (const float bad : {kNan, std::numeric_limits<float>::infinity()}) {
    std::string data;
    for (int i = 0; i < 2 * 70'000; ++i) {
      const bool is_bad = i == 2 * 69'000 + 1 || i == 2 * 69'500;
      data += le(std::bit_cast<uint32_t>(is_bad ? bad : 0.25F), 4);
    }
    const auto file = put("nan.wav", wav(3, 2, 8'000, 32, data));
    CHECK(audio_info(file).frames == 70'000);
    CHECK(holds(error_of([&] { read_audio(file); }), "not finite in frame 69000"));
  }
}

TEST_CASE_METHOD(Folder, "only regular files are opened, and nothing waits for a pipe") {
  CHECK(holds(error_of([&] { audio_info(path("missing.wav")); }), "no such file"));
  CHECK(holds(error_of([&] { audio_info(path(".")); }), "got a folder"));
  REQUIRE(::mkfifo(path("pipe").c_str(), 0600) == 0);
  CHECK(holds(error_of([&] { audio_info(path("pipe")); }), "got a pipe"));
  CHECK(holds(error_of([&] { audio_info("/dev/null"); }), "got a device"));
}

TEST_CASE_METHOD(Folder, "what write_wav writes reads back, clipped to full scale") {
  at::Tensor samples = at::arange(-32768, 32768).to(at::kFloat).view({2, -1}) / 32768.0F;
  write_wav(path("all.wav"), samples, 22'050);
  const Signal back = read_audio(path("all.wav"));
  CHECK(back.rate_hz == 22'050);
  CHECK(at::equal(back.samples, samples));  // every 16-bit value survives

  write_wav(path("loud.wav"), at::tensor({2.0F, -2.0F}).view({1, 2}), 8'000);
  const Signal loud = read_audio(path("loud.wav"));
  CHECK(loud.samples[0][0].item<float>() == 32767.0F / 32768.0F);
  CHECK(loud.samples[0][1].item<float>() == -1.0F);

  CHECK_THROWS_AS(write_wav(path("x.wav"), at::zeros({4}), 8'000), std::invalid_argument);
  CHECK_THROWS_AS(write_wav(path("x.wav"), at::full({1, 4}, kNan), 8'000), std::invalid_argument);
}

TEST_CASE("real recordings decode as about 5 s of 44.1 kHz mono") {
  const char* const given = std::getenv("AMAE_ESC10");
#ifdef AMAE_ESC10_DIR
  const std::filesystem::path root = given != nullptr ? given : AMAE_ESC10_DIR;
#else
  const std::filesystem::path root = given != nullptr ? given : "";
#endif
  if (!std::filesystem::is_directory(root / "audio")) SKIP("no ESC-10 recordings on this machine");
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root / "audio")) {
    INFO(entry.path());
    const Signal signal = read_audio(entry.path());
    CHECK(signal.rate_hz == 44'100);
    CHECK(signal.samples.size(0) == 1);
    // About 5 s: the original Ogg clips vary (3.6 s to 7.2 s), the later WAV ones do not.
    CHECK(signal.samples.size(1) >= 3 * 44'100);
    CHECK(signal.samples.size(1) < 8 * 44'100);
    CHECK(audio_info(entry.path()).frames == signal.samples.size(1));
    if (++seen == 20) break;
  }
  CHECK(seen > 0);
}

// Time and memory of opening a pickle of the form and size of RML2016.10a: 11 modulations, 20 SNRs, 1000 frames of
// [2, 128] each, as Python 2 writes it in protocol 0 (about 0.63 GB for 225 MB of numbers).
//
//   radioml_open FILE [frames=1000]
//
// Writes FILE when it is not there; remove it afterwards.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>

#include "bench/peak_memory.h"
#include "plugins/data/radioml/radioml.h"

namespace {

/// A str as Python 2's repr() writes it.
std::string quoted(const std::string& bytes) {
  std::string text = "'";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    char hex[8];
    std::snprintf(hex, sizeof hex, "\\x%02x", byte);
    if (c == '\n')
      text += "\\n";
    else if (c == '\r')
      text += "\\r";
    else if (c == '\t')
      text += "\\t";
    else if (c == '\\' || c == '\'')
      text += std::string("\\") + c;
    else if (byte >= 0x20 && byte < 0x7f)
      text += c;
    else
      text += hex;
  }
  return text + "'\n";
}

/// Frames whose mean magnitude is 1/128, as those of RML2016.10a.
std::string random_frames(int64_t frames, std::mt19937& generator) {
  std::normal_distribution<float> normal(0, 0.0062F);
  std::string bytes(static_cast<size_t>(frames) * 2 * 128 * sizeof(float), '\0');
  auto* number = reinterpret_cast<float*>(bytes.data());
  for (int64_t i = 0; i < frames * 2 * 128; ++i) number[i] = normal(generator);
  return bytes;
}

void write_pickle(const std::string& path, int64_t frames) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) throw std::runtime_error("cannot write " + path);
  const auto put = [&](const std::string& text) { std::fwrite(text.data(), 1, text.size(), file); };
  std::mt19937 generator(1);
  int memo = 1;
  const auto memoed = [&] { return "p" + std::to_string(++memo) + "\n"; };
  put("(dp1\n");
  for (const char* name :
       {"QPSK", "PAM4", "AM-DSB", "GFSK", "QAM16", "8PSK", "QAM64", "AM-SSB", "BPSK", "CPFSK", "WBFM"}) {
    for (int snr_db = -20; snr_db < 20; snr_db += 2) {
      put("(S" + quoted(name) + memoed() + "I" + std::to_string(snr_db) + "\nt" + memoed());
      put("cnumpy.core.multiarray\n_reconstruct\n" + memoed() + "(cnumpy\nndarray\n" + memoed() + "(I0\nt" + memoed() +
          "S'b'\n" + memoed() + "t" + memoed() + "R" + memoed());
      put("(I1\n(I" + std::to_string(frames) + "\nI2\nI128\nt" + memoed() + "cnumpy\ndtype\n" + memoed() + "(S'f4'\n" +
          memoed() + "I0\nI1\nt" + memoed() + "R" + memoed() + "(I3\nS'<'\n" + memoed() + "NNNI-1\nI-1\nI0\nt" +
          memoed() + "bI00\nS" + quoted(random_frames(frames, generator)) + memoed() + "t" + memoed() + "bs");
    }
  }
  put(".");
  if (std::fclose(file) != 0) throw std::runtime_error("cannot write " + path);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_radioml_open FILE [frames=1000]\n");
    return 2;
  }
  const std::string path = argv[1];
  const int64_t frames = argc > 2 ? std::atoll(argv[2]) : 1000;
  if (!std::filesystem::exists(path)) {
    std::printf("writing %s\n", path.c_str());
    write_pickle(path, frames);
  }
  std::unique_ptr<amae::RadioMl> data;
  const amae::bench::Cost cost =
      amae::bench::cost_of([&] { data = std::make_unique<amae::RadioMl>(amae::RadioMlOptions{path}); });
  const double decoded_mb =
      static_cast<double>(data->size()) * 2 * static_cast<double>(data->spec().shape[1]) * 4 / 1e6;
  std::printf("%lld frames, %.0f MB of numbers in a file of %.0f MB\n", static_cast<long long>(data->size()),
              decoded_mb, static_cast<double>(std::filesystem::file_size(path)) / 1e6);
  std::printf("opened in %.2f s, peak %.0f MB of which %.0f MB before: %.2f x the numbers beyond it\n", cost.seconds,
              cost.peak_mb, cost.before_mb, (cost.peak_mb - cost.before_mb) / decoded_mb);
  std::string last;
  const amae::bench::Cost hashes = amae::bench::cost_of([&] {
    for (int64_t row = 0; row < data->size(); ++row) last = data->content_hash(row);
  });
  std::printf("%.1f us a content hash\n", hashes.seconds * 1e6 / static_cast<double>(data->size()));
  return 0;
}

// Time and memory of opening a store of IQ frames [2, 128] as `amae data convert --to store` writes them, and of
// reading its rows: in order, at random, hashed.
//
//   signal_store_open FOLDER [frames=220000]
//
// Writes FOLDER when it is not there; remove it afterwards.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

#include "bench/peak_memory.h"
#include "io/signal_store.h"

namespace {

void write_store(const std::filesystem::path& folder, int64_t frames) {
  std::filesystem::create_directories(folder);
  amae::StoreWriter writer(folder);
  amae::StoreColumns columns;
  columns.domain = amae::Domain::iq;
  columns.classes = {"8PSK", "AM-DSB", "AM-SSB", "BPSK", "CPFSK", "GFSK", "PAM4", "QAM16", "QAM64", "QPSK", "WBFM"};
  columns.texts["modulation"].values = columns.classes;
  columns.labels = at::arange(frames, at::kLong).remainder(11);
  const at::Tensor noise = at::randn({1024, 2, 128}) / 128;
  for (int64_t row = 0; row < frames; ++row) {
    writer.add({noise[row % 1024], 0, amae::Domain::iq});
    columns.columns["snr"].push_back(static_cast<double>(-20 + 2 * (row / 11 % 20)));
    columns.texts["modulation"].index.push_back(static_cast<int32_t>(row % 11));
    columns.ids.push_back(columns.classes[static_cast<size_t>(row % 11)] + "/" + std::to_string(row / 11));
  }
  writer.finish(columns);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_signal_store_open FOLDER [frames=220000]\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  if (!std::filesystem::exists(folder)) write_store(folder, argc > 2 ? std::atoll(argv[2]) : 220'000);
  std::unique_ptr<amae::StoreReader> store;
  const amae::bench::Cost open = amae::bench::cost_of([&] { store = std::make_unique<amae::StoreReader>(folder); });
  const auto rows = static_cast<double>(store->size());
  std::printf("%.0f rows, %.0f MB of samples; opened in %.3f s, peak %.1f MB beyond the %.0f before\n", rows,
              static_cast<double>(std::filesystem::file_size(folder / "samples.bin")) / 1e6, open.seconds,
              open.peak_mb - open.before_mb, open.before_mb);
  const auto timed = [&](const char* what, const auto& work) {
    const amae::bench::Cost cost = amae::bench::cost_of([&] {
      for (int64_t i = 0; i < store->size(); ++i) work(i);
    });
    std::printf("%.2f us a row %s\n", cost.seconds * 1e6 / rows, what);
  };
  std::mt19937_64 random(1);
  const auto count = static_cast<uint64_t>(store->size());
  timed("in order", [&](int64_t row) { static_cast<void>(store->load(row)); });
  timed("at random", [&](int64_t) { static_cast<void>(store->load(static_cast<int64_t>(random() % count))); });
  timed("hashed", [&](int64_t row) { static_cast<void>(store->content_hash(row)); });
  return 0;
}

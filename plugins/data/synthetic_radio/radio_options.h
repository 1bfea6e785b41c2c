// What can be chosen about computed frames of radio.
#pragma once

#include <string>
#include <vector>

#include "amae/options.h"

namespace amae {

struct SyntheticRadioOptions {
  std::string mode = "clean";
  std::vector<std::string> classes = {"8PSK", "AM-DSB", "AM-SSB", "BPSK", "CPFSK", "GFSK",
                                      "PAM4", "QAM16",  "QAM64",  "QPSK", "WBFM"};  // RML2016.10a's, in its order
  std::vector<double> snr = {-20, -18, -16, -14, -12, -10, -8, -6, -4, -2, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18};  // dB
  int64_t frames_per_cell = 1000;
  int64_t seed = 0;

  // Of mode clean; the published generator fixes them.
  int64_t length = 128;  // samples
  double rate = 200e3;   // Hz
  int64_t samples_per_symbol = 8;
  double roll_off = 0.35;
  double carrier_offset = 0.01;    // cycles per symbol
  double sample_rate_offset = 50;  // parts per million
  std::string fading = "rician";
  double rician_k = 4;
  std::vector<double> path_delays = {0, 0.9, 1.7};  // samples
  std::vector<double> path_gains = {1, 0.3, 0.1};

  void describe(Fields& fields) {
    fields.add("mode", mode, "clean: independent frames; rml2016a_faithful: as RML2016.10a was made, flaws included")
        .choices({"clean", "rml2016a_faithful"});
    fields.add("classes", classes, "modulations in label order, by their names in RML2016.10a or RML2018.01A");
    fields.add("snr", snr, "labels; clean: signal power over noise power in the whole sampled band")
        .unit("dB")
        .range(-100, 100);
    fields.add("frames_per_cell", frames_per_cell, "frames of each modulation at each SNR").range(1, 1e6);
    fields.add("seed", seed, "another seed gives other frames; mode rml2016a_faithful: and another channel for all")
        .min(0);
    fields.add("length", length, "of a frame").unit("samples").range(16, 1 << 20);
    fields.add("rate", rate, "sample rate; matters to analog modulations alone").unit("Hz").range(50e3, 1e9);
    fields.add("samples_per_symbol", samples_per_symbol, "of digital modulations").range(2, 64);
    fields.add("roll_off", roll_off, "of the root-raised-cosine pulse").range(0.1, 1);
    fields.add("carrier_offset", carrier_offset, "largest, either way, in cycles per symbol").range(0, 0.5);
    fields.add("sample_rate_offset", sample_rate_offset, "largest, either way, in parts per million").range(0, 10'000);
    fields.add("fading", fading, "rician: the first path has a steady part; rayleigh: none has; none: one path")
        .choices({"none", "rician", "rayleigh"});
    fields.add("rician_k", rician_k, "power of the first path's steady part over that of its random part")
        .range(0, 1000);
    fields.add("path_delays", path_delays, "of the paths").unit("samples").range(0, 4);
    fields.add("path_gains", path_gains, "root mean square amplitude of each path").range(0, 100);
  }

  [[nodiscard]] bool is_faithful() const { return mode != "clean"; }

  /// Throws InputError naming the option: unknown or repeated classes (both names of one modulation count as one) and
  /// SNRs, none of either, paths without gains, and in mode rml2016a_faithful what that mode fixes.
  void check() const;
};

}  // namespace amae

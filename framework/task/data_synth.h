// A data set of IQ frames as a file in a published data set's format.
#pragma once

#include <string>

#include "task/data_info.h"

namespace amae {

struct Synthesized {
  int64_t rows = 0;
  int64_t cells = 0;  ///< pairs of modulation and SNR
  double bytes = 0;
};

/// Writes `file` as RML2016.10a is (io/write_radioml.h): an array for each pair of modulation and SNR, frames in the
/// data set's order. The data set gives frames [2, L] of one length, a text column "modulation" and whole decibels in
/// "snr". Replaces a file that is there. Memory: one pair. Throws InputError (code SYNTH) for another data set;
/// EnvironmentError when the disk says no.
Synthesized synth_radioml(const DataTarget& target, const std::filesystem::path& file,
                          const DataProgress& progress = {});

/// The data set that makes frames when asked for no other: the only one registered that has an option
/// "frames_per_cell". Throws InputError (code SYNTH) when none or several have.
std::string frame_maker(const Registry& registry);

}  // namespace amae

#include "config/units.h"

#include <array>

namespace amae::config {

std::span<const Suffix> suffixes_of(std::string_view unit) {
  static constexpr std::array<Suffix, 6> kSeconds{
      {{"us", 1, 1'000'000}, {"ms", 1, 1'000}, {"s"}, {"min", 60}, {"h", 3'600}, {"d", 86'400}}};
  static constexpr std::array<Suffix, 3> kHertz{{{"Hz"}, {"kHz", 1'000}, {"MHz", 1'000'000}}};
  static constexpr std::array<Suffix, 7> kBytes{{{"B"},
                                                 {"KiB", 1 << 10},
                                                 {"MiB", 1 << 20},
                                                 {"GiB", 1 << 30},
                                                 {"kB", 1'000},
                                                 {"MB", 1'000'000},
                                                 {"GB", 1'000'000'000}}};
  static constexpr std::array<Suffix, 1> kFraction{{{"%", 1, 100}}};
  static constexpr std::array<Suffix, 1> kDecibel{{{"dB"}}};
  if (unit == "s") return kSeconds;
  if (unit == "Hz") return kHertz;
  if (unit == "bytes") return kBytes;
  if (unit == "fraction") return kFraction;
  if (unit == "dB") return kDecibel;
  return {};
}

}  // namespace amae::config

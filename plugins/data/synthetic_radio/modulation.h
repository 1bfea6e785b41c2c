// The modulations that can be made, by the names of RML2016.10a and of RML2018.01A.
#pragma once

#include <complex>
#include <string>
#include <vector>

namespace amae {

/// How a modulation is made. "Points" are complex symbols.
enum class Family {
  linear,     ///< points through a root-raised-cosine pulse
  offset,     ///< the same, with the quadrature half a symbol late
  cpfsk,      ///< continuous phase, rectangular frequency pulse, modulation index 0.5
  gfsk,       ///< continuous phase, Gaussian frequency pulse of BT 0.35, index 0.8 / pi (RML2016.10a's)
  gmsk,       ///< continuous phase, Gaussian frequency pulse of BT 0.3, index 0.5
  am_dsb_wc,  ///< two sidebands and the carrier
  am_dsb_sc,  ///< two sidebands alone
  am_ssb_wc,  ///< one sideband and the carrier
  am_ssb_sc,  ///< one sideband alone
  wbfm,       ///< frequency modulation of 75 kHz peak deviation
};

[[nodiscard]] inline bool is_digital(Family family) { return family <= Family::gmsk; }

struct Modulation {
  std::string name;        ///< as RML2016.10a writes it where that has it, else as RML2018.01A does
  std::string other_name;  ///< as RML2018.01A writes it where the names differ, else empty
  Family family;
  std::vector<std::complex<double>> points = {};  ///< of linear and offset: equally likely, mean power 1

  /// Bits that choose one point, or a frequency; 0 for analog modulations.
  [[nodiscard]] int bits() const;
};

/// All of them. What the names leave open, and is chosen here:
/// - OOK, 4ASK and 8ASK have the amplitudes 0 .. M-1 times a constant, on one side of zero; PAM4 has {-3, -1, 1, 3}.
///   (Some libraries mean the opposite; how RML2018.01A's ASK was made has not been published.)
/// - PSK: one point at 0 degrees, QPSK and OQPSK at 45.
/// - QAM of 16, 64 and 256 points: square grid; of 32 and 128: the grid of 36 or 144 without its corners.
/// - 16APSK and 32APSK: DVB-S2 at code rate 3/4 (ETSI EN 302 307-1, tables 9 and 10). 64APSK: rings of 4, 12, 20 and
///   28 points at 1 : 2.4 : 4.3 : 7 (DVB-S2X, EN 302 307-2). 128APSK: rings of 8, 16, 24, 36 and 44 at 1 : 2 : 3 : 4 :
///   5, an own choice.
const std::vector<Modulation>& modulations();

/// By either name; null when there is none.
const Modulation* find_modulation(const std::string& name);

}  // namespace amae

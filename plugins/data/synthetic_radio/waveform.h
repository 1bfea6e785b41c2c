// Digital modulation at any instants: sums of pulses.
#pragma once

#include <span>
#include <vector>

#include "iq.h"
#include "pulse.h"

namespace amae {

/// out[n] = sum over k of symbols[k] pulse(times[n] - delay - k), for the in-phase or the quadrature part. Times are in
/// symbols and may be any; the symbols that a pulse reaches from any of them must be there:
/// reach - 1 <= time - delay < symbols.size() - reach.
void shape(const Pulse& pulse, std::span<const float> symbols, std::span<const double> times, double delay,
           std::vector<float>& out);

/// Continuous phase modulation: out[n] = exp(j (start + pi index sum over k of symbols[k] q(times[n] - k))), with q a
/// phase pulse from 0 to 1. Symbols and times as for shape().
void modulate_phase(const Pulse& phase_pulse, double index, double start, std::span<const float> symbols,
                    std::span<const double> times, Iq& out);

/// exp(j phase), for a phase of any size.
void unit_phasor(double phase, float& i, float& q);

}  // namespace amae

// What transforms give, as pixels: one panel below the other, one strip a channel.
#pragma once

#include <string>
#include <vector>

#include "amae/signal.h"
#include "report/canvas.h"

namespace amae {

/// How values become colours. Energies, which reach over many powers of ten, are shown in decibels below their peak.
struct Shade {
  double low = 0, high = 1;  ///< of the values, or of the decibels
  bool in_decibels = false;

  /// A shade that suits all of `values` together; waveforms are never energies.
  static Shade over(const std::vector<at::Tensor>& values, Domain domain);
  /// What `low` to `high` are drawn from: the values or their decibels, without anything that is not finite.
  [[nodiscard]] at::Tensor apply(const at::Tensor& values) const;
  [[nodiscard]] std::string text() const;  ///< "-80 to 3.1 dB", "0 to 12"
};

struct Panel {
  std::string title;
  Spec spec;
  at::Tensor x;  ///< [C, N] or [C, F, T], as the spec says
  Shade shade;   ///< for waveforms its high is what reaches the edge
};

/// All panels with titles and axes; time runs over the same width in each. Of many channels the first four are drawn.
Canvas picture_of(const std::vector<Panel>& panels);

}  // namespace amae

// The letters of pictures made of pixels: five columns wide, seven rows above the line and two below it.
#pragma once

namespace amae::font {

inline constexpr int kWidth = 5, kHeight = 9, kAdvance = 6;  ///< pixels at scale 1; kAdvance: to the next letter

/// Whether a pixel of a letter is set; column 0..4, row 0..8 from above. Anything but printable ASCII is '?'.
bool pixel(char letter, int column, int row);

}  // namespace amae::font

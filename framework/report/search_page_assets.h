// The constant parts of search_page(): what goes into <style> and <script>.
#pragma once

#include <string_view>

namespace amae {

/// Light and dark by the reader's preference; colours safe for colour blindness (Okabe-Ito).
std::string_view search_page_style();

/// One sound at a time, pictures as play buttons with a playhead, arrow keys. Without it the page still shows and
/// plays.
std::string_view search_page_script();

}  // namespace amae

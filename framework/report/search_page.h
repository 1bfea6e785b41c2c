// Searches for similar clips as one HTML page to look at and listen to: no network, no other file, works from file://.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace amae {

/// A clip as it is shown. Sound and picture are both of the clip itself: of the section, not of the file around it.
struct PageClip {
  std::string id;
  std::string label;            ///< empty: none
  std::string facts;            ///< "5 s, 44100 Hz, fold 1"
  double score = 0;             ///< similarity or distance; of a query ignored
  std::string score_text = {};  ///< empty: `score` with three decimals
  std::string audio = {};       ///< bytes of a sound file; empty: none. 16-bit WAV and FLAC play in every browser
  std::string audio_type = "audio/wav";
  std::string picture = {};             ///< bytes of a PNG, its full width being the time of `audio`; empty: none
  std::string note = {};                ///< why there is no sound or picture; shown in its place
  std::optional<bool> same_label = {};  ///< as the query's; none: unknown. Of a query ignored
  double start_s = 0, end_s = 0;        ///< section of its file that the clip is; end 0: the whole
};

struct PageSearch {
  PageClip query;
  std::vector<PageClip> results;  ///< best first
};

struct SearchPage {
  std::string title;
  std::vector<std::pair<std::string, std::string>> about;  ///< name and value of each line of the footer
  std::vector<PageSearch> searches;
  bool are_distances = false;  ///< scores are distances: less is nearer
};

/// The page; equal input gives equal bytes. A click on a picture plays its sound, one at a time; arrow keys move
/// between the clips. All text is escaped. A score's bar is score / max(1, largest of its search): a cosine as it is,
/// another similarity beside the nearest. That of a distance d is F / (F + d), F the farthest of its search: from the
/// whole for what is equal to half for the farthest. Sounds and pictures grow by a third (base64).
std::string search_page(const SearchPage& page);

}  // namespace amae

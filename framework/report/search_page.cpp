#include "report/search_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/base64.h"
#include "report/search_page_assets.h"
#include "report/svg.h"

namespace amae {
namespace {

using svg::escape;

constexpr std::string_view kSame = "\u2713", kOther = "\u2715";  // check mark, cross: neither has an emoji form

/// " width=.. height=.." of a PNG, so that the page does not jump while its pictures are decoded; empty when it is
/// none.
std::string size_attributes(std::string_view png) {
  if (png.size() < 24 || !png.starts_with("\x89PNG\r\n\x1A\n")) return "";
  const auto number = [&](size_t at) {
    uint32_t value = 0;
    for (size_t i = at; i < at + 4; ++i) value = value << 8U | static_cast<unsigned char>(png[i]);
    return value;
  };
  return fmt::format(" width=\"{}\" height=\"{}\"", number(16), number(20));
}

std::string name_of(const PageClip& clip) {
  return escape(clip.label.empty() ? clip.id : fmt::format("{} ({})", clip.id, clip.label));
}

std::string score_of(const PageClip& clip) {
  if (!clip.score_text.empty()) return escape(clip.score_text);
  return std::isfinite(clip.score) ? fmt::format("{:.3f}", clip.score) : "none";
}

std::string facts_of(const PageClip& clip) {
  const std::string section =
      clip.end_s > 0 ? fmt::format("{} to {} s of its file", svg::number(clip.start_s), svg::number(clip.end_s)) : "";
  return escape(clip.facts) + (clip.facts.empty() || section.empty() ? "" : ", ") + section;
}

std::string note_of(const PageClip& clip, std::string_view otherwise) {
  return clip.note.empty() ? std::string(otherwise) : escape(clip.note);
}

/// A label that says by colour, symbol and words whether it is the query's.
std::string badge(const PageClip& clip, std::optional<bool> same) {
  if (clip.label.empty() && !same) return "";
  const std::string label = clip.label.empty() ? "no label" : escape(clip.label);
  if (!same) return fmt::format("<span class=\"badge\">{}</span>", label);
  const std::string_view words = *same ? "same label as the query" : "other label than the query";
  return fmt::format(
      "<span class=\"badge {}\" title=\"{}\"><span aria-hidden=\"true\">{}</span><span>{}<span class=\"sr\">, {}</span>"
      "</span></span>",
      *same ? "same" : "other", words, *same ? kSame : kOther, label, words);
}

/// How many results share the query's label, of those for which it is known.
struct Agreement {
  size_t same = 0, known = 0;
  std::string marks;  ///< one symbol for each result, best first

  explicit Agreement(const PageSearch& search) {
    constexpr size_t kMost = 20;  // more symbols would be a carpet
    for (const PageClip& clip : search.results) {
      if (!clip.same_label) continue;
      ++known;
      same += *clip.same_label ? 1 : 0;
      marks += fmt::format("<span class=\"{}\">{}</span>", *clip.same_label ? "mark-same" : "mark-other",
                           *clip.same_label ? kSame : kOther);
    }
    marks =
        known > 0 && known <= kMost ? fmt::format("<span class=\"marks\" aria-hidden=\"true\">{}</span>", marks) : "";
  }

  [[nodiscard]] std::string share() const { return known > 0 ? fmt::format("{} of {}", same, known) : ""; }
};

/// What is seen of a clip; with sound a button that plays it.
void add_view(std::string& out, const PageClip& clip) {
  const bool sounds = !clip.audio.empty(), bare = clip.picture.empty();
  out += fmt::format("<{} class=\"view{}\">", sounds ? "button type=\"button\" aria-pressed=\"false\"" : "div",
                     bare ? " bare" : "");
  if (bare) {
    out += fmt::format("<span class=\"note\">{}</span>", note_of(clip, sounds ? "no picture" : "no sound or picture"));
  } else {
    out += fmt::format("<img alt=\"Spectrogram and waveform of {}\"{} src=\"data:image/png;base64,", name_of(clip),
                       size_attributes(clip.picture));
    out += base64(clip.picture) + "\">";
  }
  if (sounds) {
    out += "<span class=\"playhead\"></span><span class=\"cue\" aria-hidden=\"true\"></span>";
    out += fmt::format("<span class=\"sr\"> Play{}</span>", bare ? " " + name_of(clip) : "");
  }
  out += sounds ? "</button>\n" : "</div>\n";
}

void add_name(std::string& out, const PageClip& clip, std::string_view heading) {
  out += fmt::format("<div><{0} class=\"id\">{1}</{0}>", heading, escape(clip.id));
  const std::string facts = facts_of(clip);
  if (!facts.empty()) out += fmt::format("<p class=\"facts\">{}</p>", facts);
  out += "</div>\n";
}

void add_player(std::string& out, const PageClip& clip) {
  if (!clip.audio.empty()) {
    out += fmt::format("<audio controls preload=\"metadata\" src=\"data:{};base64,", escape(clip.audio_type));
    out += base64(clip.audio) + "\"></audio>\n";
  } else if (!clip.picture.empty()) {  // with neither, the note stands where the picture would
    out += fmt::format("<p class=\"note\">{}</p>\n", note_of(clip, "no sound"));
  }
}

void open_card(std::string& out, const PageClip& clip, std::string_view kind, const std::string& title) {
  // Arrow keys need a place to go: the play button, or without one the card.
  out += fmt::format("<article class=\"card{}\" aria-label=\"{}\"{}>\n", kind, title,
                     clip.audio.empty() ? " tabindex=\"0\"" : "");
  add_view(out, clip);
  out += "<div class=\"body\">\n";
}

void add_query(std::string& out, const PageSearch& search) {
  const PageClip& clip = search.query;
  open_card(out, clip, " query", "Query: " + escape(clip.id));
  out += fmt::format("<div class=\"line\"><span class=\"eyebrow\">Query</span>{}</div>\n", badge(clip, {}));
  add_name(out, clip, "h2");
  add_player(out, clip);
  if (const Agreement tally(search); tally.known > 0) {
    out += fmt::format("<p class=\"tally\">{}<span>{} with the same label</span></p>\n", tally.marks, tally.share());
  }
  out += "</div>\n</article>\n";
}

/// How much of its bar a score fills, 0 to 1.
double share_of(const PageClip& clip, double largest, bool are_distances) {
  if (!std::isfinite(clip.score)) return 0;
  if (are_distances) return largest > 0 ? std::clamp(largest / (largest + clip.score), 0.0, 1.0) : 1;
  return std::clamp(clip.score / std::max(1.0, largest), 0.0, 1.0);
}

void add_result(std::string& out, const PageClip& clip, size_t rank, double largest, bool are_distances) {
  open_card(out, clip, "", fmt::format("Result {}: {}", rank, escape(clip.id)));
  out += fmt::format(
      "<div class=\"line\"><span class=\"rank\">{}</span>{}<span class=\"score\">{}{}</span>"
      "</div>\n",
      rank, badge(clip, clip.same_label), are_distances ? "distance " : "<span class=\"sr\">score </span>",
      score_of(clip));
  out += fmt::format("<div class=\"bar\"><span style=\"width:{}%\"></span></div>\n",
                     svg::number(100 * share_of(clip, largest, are_distances)));
  add_name(out, clip, "h3");
  add_player(out, clip);
  out += "</div>\n</article>\n";
}

/// The same without pictures and sound, for screen readers and for copying.
void add_table(std::string& out, const PageSearch& search, bool are_distances) {
  out += fmt::format(
      "<details>\n<summary>as a table</summary>\n<div class=\"scroll\">\n<table>\n<caption>Results for {}</caption>\n"
      "<thead><tr><th scope=\"col\" class=\"right\">rank</th><th scope=\"col\">clip</th><th scope=\"col\">label</th>"
      "<th scope=\"col\">same label</th><th scope=\"col\" class=\"right\">{}</th><th scope=\"col\">facts</th></tr>"
      "</thead>\n<tbody>\n",
      name_of(search.query), are_distances ? "distance" : "score");
  for (size_t i = 0; i < search.results.size(); ++i) {
    const PageClip& clip = search.results[i];
    out += fmt::format(
        "<tr><td class=\"right\">{}</td><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td class=\"right\">{}</td>"
        "<td>{}</td></tr>\n",
        i + 1, escape(clip.id), escape(clip.label),
        clip.same_label ? fmt::format("{} {}", *clip.same_label ? kSame : kOther, *clip.same_label ? "yes" : "no")
                        : "unknown",
        score_of(clip), facts_of(clip));
  }
  out += "</tbody>\n</table>\n</div>\n</details>\n";
}

void add_search(std::string& out, const PageSearch& search, size_t number, bool are_distances) {
  out += fmt::format("<section class=\"search\" id=\"search-{}\" aria-label=\"Similar to {}\">\n", number,
                     escape(search.query.id));
  add_query(out, search);
  if (search.results.empty()) {
    out += "<p class=\"empty\">nothing was found</p>\n</section>\n";
    return;
  }
  double largest = 0;
  for (const PageClip& clip : search.results) {
    if (std::isfinite(clip.score)) largest = std::max(largest, clip.score);
  }
  out += "<div class=\"results\">\n";
  for (size_t i = 0; i < search.results.size(); ++i) add_result(out, search.results[i], i + 1, largest, are_distances);
  out += "</div>\n";
  add_table(out, search, are_distances);
  out += "</section>\n";
}

void add_nav(std::string& out, const std::vector<PageSearch>& searches) {
  out += "<nav aria-label=\"Queries\">\n<ol>\n";
  for (size_t i = 0; i < searches.size(); ++i) {
    const PageClip& query = searches[i].query;
    const Agreement tally(searches[i]);
    out += fmt::format("<li><a href=\"#search-{}\"><span class=\"name\">{}</span>", i + 1, escape(query.id));
    if (!query.label.empty()) out += fmt::format("<span class=\"kind\">{}</span>", escape(query.label));
    if (tally.known > 0) {
      out += fmt::format("{}<span class=\"share\">{}<span class=\"sr\"> with the same label</span></span>", tally.marks,
                         tally.share());
    }
    out += "</a></li>\n";
  }
  out += "</ol>\n</nav>\n";
}

bool sounds(const SearchPage& page) {
  const auto has_sound = [](const PageClip& clip) { return !clip.audio.empty(); };
  return std::ranges::any_of(page.searches, [&](const PageSearch& search) {
    return has_sound(search.query) || std::ranges::any_of(search.results, has_sound);
  });
}

size_t expected_size(const SearchPage& page) {
  size_t bytes = 0, clips = 0;
  const auto add = [&](const PageClip& clip) {
    bytes += (clip.audio.size() + clip.picture.size()) / 3 * 4;
    ++clips;
  };
  for (const PageSearch& search : page.searches) {
    add(search.query);
    std::ranges::for_each(search.results, add);
  }
  return bytes + 2000 * clips + 20'000;
}

}  // namespace

std::string search_page(const SearchPage& page) {
  std::string out;
  out.reserve(expected_size(page));
  out +=
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; media-src data:; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n";
  out += fmt::format("<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<header>\n<h1>{}</h1>\n",
                     escape(page.title), search_page_style(), escape(page.title));
  if (sounds(page)) {
    out +=
        "<p class=\"hint\">Click a picture to hear it.<span class=\"keys\"> Or with the keyboard: <kbd>space</kbd> "
        "plays, <kbd>\u2190</kbd> <kbd>\u2192</kbd> <kbd>\u2191</kbd> <kbd>\u2193</kbd> move between the clips.</span>"
        "</p>\n";
  }
  if (page.searches.size() > 1) add_nav(out, page.searches);
  out += "</header>\n<main>\n";
  if (page.searches.empty()) out += "<p class=\"empty\">no searches</p>\n";
  for (size_t i = 0; i < page.searches.size(); ++i) add_search(out, page.searches[i], i + 1, page.are_distances);
  out += "</main>\n<footer>\n";
  if (!page.about.empty()) {
    out += "<dl>\n";
    for (const auto& [name, value] : page.about) {
      out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(value));
    }
    out += "</dl>\n";
  }
  out += fmt::format("</footer>\n<script>{}</script>\n</body>\n</html>\n", search_page_script());
  return out;
}

}  // namespace amae

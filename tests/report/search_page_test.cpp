#include "report/search_page.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace amae;

namespace {

size_t found_in(std::string_view text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// What stands behind each `before` up to the next `end`.
std::vector<std::string> all_between(const std::string& text, std::string_view before, std::string_view end) {
  std::vector<std::string> found;
  for (size_t at = text.find(before); at != std::string::npos; at = text.find(before, at)) {
    at += before.size();
    found.push_back(text.substr(at, text.find(end, at) - at));
  }
  return found;
}

/// Written apart from base64(), bit by bit.
std::string decoded(std::string_view text) {
  std::string bytes;
  unsigned bits = 0, held = 0;
  for (const char c : text) {
    if (c == '=') break;
    const size_t value = std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/").find(c);
    REQUIRE(value != std::string_view::npos);
    bits = (bits << 6U | static_cast<unsigned>(value)) & 0xFFFFU;
    held += 6;
    if (held >= 8) bytes += static_cast<char>(bits >> (held -= 8) & 255U);
  }
  return bytes;
}

/// Bytes of all values, beginning as a PNG of 640 x 264 does.
std::string some_png(size_t size) {
  std::string png("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\x08", 24);
  while (png.size() < size) png += static_cast<char>(png.size() * 37 % 256);
  return png;
}

std::string some_wav(size_t size) {
  std::string wav = "RIFF";
  while (wav.size() < size) wav += static_cast<char>(wav.size() * 91 % 256);
  return wav;
}

PageClip clip(const std::string& id, const std::string& label, double score = 0, std::optional<bool> same = {}) {
  PageClip clip{.id = id, .label = label, .facts = "5 s, 44100 Hz", .score = score};
  clip.audio = some_wav(100 + id.size());
  clip.picture = some_png(200 + id.size());
  clip.same_label = same;
  return clip;
}

SearchPage two_searches() {
  SearchPage page{.title = "Similar sounds", .about = {{"store", "runs/esc10"}, {"index", "flat"}}, .searches = {}};
  page.searches.push_back({clip("dog-1", "dog"), {clip("dog-2", "dog", 0.9, true), clip("cat-1", "cat", 0.75, false)}});
  page.searches.push_back({clip("rain-1", "rain"), {clip("sea-1", "", 0.5)}});
  return page;
}

/// For eyes: set AMAE_PLOTS to a folder to get the page as a file.
std::string made(const std::string& name, const SearchPage& page) {
  std::string html = search_page(page);
  if (const char* const folder = std::getenv("AMAE_PLOTS")) std::ofstream(std::string(folder) + "/" + name) << html;
  return html;
}

/// The page without its constant style and script, and without the bytes of sounds and pictures.
std::string markup(const std::string& html) {
  std::string out;
  for (size_t at = 0; at < html.size();) {
    size_t cut = html.size(), next = html.size();
    for (const auto& [before, end] : std::array<std::array<std::string_view, 2>, 3>{
             {{"<style>", "</style>"}, {"<script>", "</script>"}, {";base64,", "\""}}}) {
      if (const size_t found = html.find(before, at); found < cut) {
        cut = found + before.size();
        next = html.find(end, cut);
      }
    }
    out += html.substr(at, cut - at);
    at = next;
  }
  return out;
}

}  // namespace

TEST_CASE("a search page has a card for every clip, in order, and its elements balance") {
  const std::string html = made("search.html", two_searches());
  CHECK(html.starts_with("<!DOCTYPE html>\n"));
  CHECK(html.ends_with("</html>\n"));
  for (const std::string element :
       {"html",    "head",   "body",  "header", "main", "footer", "nav", "ol",    "li",    "section",
        "article", "button", "audio", "div",    "p",    "span",   "h1",  "h2",    "h3",    "details",
        "summary", "table",  "tr",    "td",     "dl",   "dt",     "dd",  "title", "style", "script"}) {
    INFO(element);
    CHECK(found_in(html, "<" + element + ">") + found_in(html, "<" + element + " ") ==
          found_in(html, "</" + element + ">"));
    CHECK(contains(html, "</" + element + ">"));
  }
  CHECK(found_in(html, "<article ") == 5);
  CHECK(found_in(html, "<article class=\"card query\"") == 2);
  size_t last = 0;
  for (const char* id : {">dog-1</h2>", ">dog-2</h3>", ">cat-1</h3>", ">rain-1</h2>", ">sea-1</h3>"}) {
    INFO(id);
    REQUIRE(contains(html, id));
    CHECK(html.find(id) > last);
    last = html.find(id);
  }
  CHECK(contains(html, "<dt>store</dt><dd>runs/esc10</dd>"));
  CHECK(all_between(html, "class=\"rank\">", "<") == std::vector<std::string>{"1", "2", "1"});
}

TEST_CASE("a page needs nothing from outside, and says so to the browser") {
  const std::string html = search_page(two_searches());
  CHECK(contains(html,
                 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
                 "media-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"));
  CHECK_FALSE(contains(html, "http://"));
  CHECK_FALSE(contains(html, "https://"));
  CHECK_FALSE(contains(html, "<link"));
  CHECK_FALSE(contains(html, "@import"));
  CHECK_FALSE(contains(html, "url("));
  for (const std::string& source : all_between(html, " src=\"", "\"")) CHECK(source.starts_with("data:"));
  for (const std::string& link : all_between(html, " href=\"", "\"")) CHECK(link.starts_with("#search-"));
}

TEST_CASE("sounds and pictures are in the page byte by byte") {
  SearchPage page = two_searches();
  page.searches[0].results[1].audio_type = "audio/flac";
  const std::string html = search_page(page);
  std::vector<std::string> sounds, pictures;
  for (const PageSearch& search : page.searches) {
    sounds.push_back(search.query.audio);
    pictures.push_back(search.query.picture);
    for (const PageClip& result : search.results) {
      sounds.push_back(result.audio);
      pictures.push_back(result.picture);
    }
  }
  std::vector<std::string> found;
  for (const std::string& source : all_between(html, "<audio controls preload=\"metadata\" src=\"data:audio/", "\"")) {
    found.push_back(decoded(source.substr(source.find(',') + 1)));
  }
  CHECK(found == sounds);
  found.clear();
  for (const std::string& text : all_between(html, " src=\"data:image/png;base64,", "\"")) {
    found.push_back(decoded(text));
  }
  CHECK(found == pictures);
  CHECK(found_in(html, "data:audio/flac;base64,") == 1);
  CHECK(found_in(html, "data:audio/wav;base64,") == 4);
  CHECK(contains(html, "<img alt=\"Spectrogram and waveform of cat-1 (cat)\" width=\"640\" height=\"264\" src="));
}

TEST_CASE("a clip without sound or picture shows why, and only what sounds has a button") {
  PageClip silent = clip("silent", "BPSK"), unseen = clip("unseen", ""), gone = clip("gone", ""), bare;
  silent.audio.clear();
  silent.note = "radio: nothing to hear";
  unseen.picture.clear();
  gone.audio.clear();
  gone.picture.clear();
  gone.note = "the file is gone";
  bare.id = "bare";
  const std::string html =
      made("notes.html", {.title = "t", .about = {}, .searches = {{silent, {unseen, gone, bare}}}});
  CHECK(found_in(html, "<audio") == 1);
  CHECK(found_in(html, "<button") == 1);
  CHECK(found_in(html, "<img") == 1);
  CHECK(found_in(html, "tabindex=\"0\"") == 3);  // the others, for the arrow keys
  CHECK(contains(html, "<p class=\"note\">radio: nothing to hear</p>"));
  CHECK(contains(html, "<span class=\"note\">no picture</span>"));
  CHECK(contains(html, "<span class=\"note\">the file is gone</span>"));
  CHECK(contains(html, "<span class=\"note\">no sound or picture</span>"));
  CHECK(found_in(html, "the file is gone") == 1);
  CHECK_FALSE(contains(html, "<nav"));  // a single search
  CHECK(contains(html, "Click a picture to hear it."));
  CHECK_FALSE(contains(search_page({.title = "t", .about = {}, .searches = {{silent, {gone, bare}}}}), "to hear it"));
}

TEST_CASE("a badge tells by symbol and words whether the label is the query's") {
  SearchPage page = two_searches();
  page.searches[0].results.push_back(clip("nameless", "", 0.1, false));
  const std::string html = search_page(page);
  CHECK(contains(html,
                 "<span class=\"badge same\" title=\"same label as the query\"><span aria-hidden=\"true\">\u2713</span>"
                 "<span>dog<span class=\"sr\">, same label as the query</span></span></span>"));
  CHECK(contains(html,
                 "<span class=\"badge other\" title=\"other label than the query\"><span aria-hidden=\"true\">\u2715"
                 "</span><span>cat<span class=\"sr\">, other label than the query</span></span></span>"));
  CHECK(contains(html, "<span>no label<span class=\"sr\">, other label than the query</span>"));
  CHECK(contains(html, "<span class=\"badge\">rain</span>"));
  CHECK(found_in(html, "class=\"badge") == 5);  // none where there is no label and nothing known
  CHECK(contains(html, "<span>1 of 3 with the same label</span>"));
  CHECK(found_in(html, "with the same label") == 2);  // beside the query and in the list of queries, for the first only
  CHECK(contains(html, "<td>\u2713 yes</td>"));
  CHECK(contains(html, "<td>\u2715 no</td>"));
  CHECK(contains(html, "<td>unknown</td>"));
}

TEST_CASE("a bar shows a similarity as it is and a distance beside the farthest") {
  const auto bars = [](const std::vector<double>& scores) {
    PageSearch search{clip("q", "a"), {}};
    for (const double score : scores) search.results.push_back(clip("r", "a", score));
    return all_between(search_page({.title = "t", .about = {}, .searches = {search}}), "style=\"width:", "%");
  };
  CHECK(bars({1, 0.5, 0.123, -0.2}) == std::vector<std::string>{"100", "50", "12.3", "0"});
  CHECK(bars({2, 5, 8}) == std::vector<std::string>{"25", "62.5", "100"});
  CHECK(bars({std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 0.5}) ==
        std::vector<std::string>{"0", "0", "50"});

  PageClip own = clip("r", "a", 0.25);
  own.score_text = "25 %";
  const std::string html = search_page({.title = "t", .about = {}, .searches = {{clip("q", ""), {own}}}});
  CHECK(contains(html, "score </span>25 %</span>"));
  CHECK(contains(search_page(two_searches()), "score </span>0.900</span>"));
}

TEST_CASE("a section is named with its times") {
  PageClip section = clip("r", "a", 0.25);
  section.start_s = 2.5;
  section.end_s = 10;
  const std::string html = search_page({.title = "t", .about = {}, .searches = {{clip("q", ""), {section}}}});
  CHECK(contains(html, "<p class=\"facts\">5 s, 44100 Hz, 2.5 to 10 s of its file</p>"));
  CHECK(contains(html, "<p class=\"facts\">5 s, 44100 Hz</p>"));
}

TEST_CASE("the text of a search page is escaped wherever it stands") {
  const std::string evil = "\"'><script>alert(1)</script>&{}\x01\xFF";
  PageClip first = clip(evil, evil, 0.5, true), second = clip(evil, evil, 0.5, false), third = clip(evil, evil);
  for (PageClip* const one : {&first, &second, &third}) one->facts = one->score_text = one->audio_type = evil;
  second.audio.clear();
  third.picture.clear();
  second.note = third.note = evil;
  const std::string html =
      made("escaped.html",
           {.title = evil, .about = {{evil, evil}}, .searches = {{first, {first, second, third}}, {third, {}}}});
  const std::string text = markup(html);
  CHECK(found_in(html, "<script") == 1);
  CHECK_FALSE(contains(text, "alert(1)</script"));
  CHECK_FALSE(contains(text, "\"'>"));
  CHECK_FALSE(contains(text, "\x01"));
  CHECK(found_in(text, "alert(1)") ==
        found_in(text, "&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;{}\uFFFD\uFFFD"));
  CHECK(found_in(text, "alert(1)") > 30);
}

TEST_CASE("equal searches give equal pages, and none or empty ones a page that says so") {
  CHECK(search_page(two_searches()) == search_page(two_searches()));
  CHECK(contains(search_page({}), "no searches"));
  CHECK(contains(search_page({.title = "t", .about = {}, .searches = {{clip("q", "a"), {}}}}), "nothing was found"));
}

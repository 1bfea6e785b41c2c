#include "report/search_page_assets.h"

namespace amae {
namespace {

constexpr std::string_view kStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --well: #eceff2; --line: #dfe3e8; --ink: #1b1f24; --soft: #59636e;
  --accent: #0072b2; --accent-wash: #eaf3f9; --shadow: 0 1px 2px rgb(16 24 32 / 6%), 0 4px 14px rgb(16 24 32 / 5%);
  --same: #00664a; --same-wash: #dff3ec; --same-line: #009e73;
  --other: #7a4a00; --other-wash: #fdf0d3; --other-line: #e69f00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #121517; --card: #1b1f23; --well: #23282d; --line: #30363d; --ink: #e8ebee; --soft: #9ba6b1;
    --accent: #56b4e9; --accent-wash: #17242d; --shadow: none;
    --same: #63d6b3; --same-wash: #10312a; --same-line: #009e73;
    --other: #f4c25c; --other-wash: #38290c; --other-line: #b87f00;
  }
  img { filter: brightness(0.92); }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
header, main, footer {
  box-sizing: content-box; max-width: 1400px; margin: 0 auto; padding: 0 clamp(16px, 2.4vw, 32px);
}
h1, h2, h3, p, ol, dl, dd { margin: 0; }
h1 { font-size: 26px; line-height: 1.25; font-weight: 650; letter-spacing: -0.012em; overflow-wrap: anywhere; }
header { padding-top: 36px; padding-bottom: 28px; }
.hint { color: var(--soft); font-size: 14px; margin-top: 6px; }
kbd {
  font: inherit; font-size: 12px; padding: 1px 6px; border: 1px solid var(--line); border-bottom-width: 2px;
  border-radius: 5px; background: var(--card); color: var(--ink);
}
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

nav { margin-top: 22px; }
nav ol { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 10px; }
nav li { max-width: 100%; }
nav a {
  display: flex; flex-wrap: wrap; align-items: center; gap: 2px 12px; padding: 8px 14px; border-radius: 10px;
  background: var(--card); border: 1px solid var(--line); color: inherit; text-decoration: none; font-size: 14px;
}
nav a:hover { border-color: var(--accent); }
nav .name { font-weight: 600; overflow-wrap: anywhere; }
nav .kind, nav .share { color: var(--soft); }
.marks { letter-spacing: 0.14em; font-size: 13px; }
.mark-same { color: var(--same); }
.mark-other { color: var(--other); }

.search {
  display: grid; grid-template-columns: 384px minmax(0, 1fr); gap: 20px 32px; align-items: start;
  padding: 28px 0; border-top: 1px solid var(--line); scroll-margin-top: 0;
}
.results { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(270px, 100%), 1fr)); gap: 20px; }
.empty { color: var(--soft); padding: 28px 0; }

.card {
  display: flex; flex-direction: column; overflow: hidden; background: var(--card); border: 1px solid var(--line);
  border-radius: 14px; box-shadow: var(--shadow); scroll-margin: 16px; transition: border-color 0.15s;
}
.card.playing { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent), var(--shadow); }
.view {
  position: relative; display: block; width: 100%; margin: 0; padding: 0; border: 0; background: var(--well);
  color: var(--soft); font: inherit; text-align: inherit; overflow: hidden; flex: none;
}
button.view { cursor: pointer; }
.view:focus-visible { outline-color: transparent; }  /* would lie below a picture with a filter: drawn by ::after */
.view:focus-visible::after {
  content: ""; position: absolute; inset: 0; border: 3px solid var(--accent); box-shadow: inset 0 0 0 2px #fff;
}
.view img { display: block; width: 100%; height: auto; }
.view .note { display: flex; align-items: center; justify-content: center; min-height: 132px; padding: 18px 24px; }
.note { color: var(--soft); font-size: 13px; text-align: center; overflow-wrap: anywhere; }
.bare { flex: 1 0 auto; display: flex; flex-direction: column; justify-content: center; }
.playhead {
  position: absolute; top: 0; bottom: 0; left: 0; width: 2px; margin-left: -1px; background: #fff;
  box-shadow: 0 0 0 1px rgb(0 0 0 / 55%); opacity: 0; pointer-events: none;
}
.heard .playhead { opacity: 1; }
.cue {
  position: absolute; right: 10px; bottom: 10px; width: 34px; height: 34px; border-radius: 50%; opacity: 0;
  background: rgb(10 14 18 / 78%); box-shadow: 0 0 0 1px rgb(255 255 255 / 28%); transition: opacity 0.15s;
}
.cue::before {
  content: ""; position: absolute; left: 12px; top: 10px; width: 13px; height: 14px; background: #fff;
  clip-path: polygon(0 0, 100% 50%, 0 100%);
}
.playing .cue::before {
  left: 11px; width: 12px;
  clip-path: polygon(0 0, 34% 0, 34% 100%, 66% 100%, 66% 0, 100% 0, 100% 100%, 0 100%);
}
.view:hover .cue, .view:focus-visible .cue { opacity: 1; }
@media (hover: none) { .card:not(.playing) .cue { opacity: 0.9; } }

.body { display: flex; flex-direction: column; gap: 10px; padding: 14px 16px 16px; }
.results .body { flex: 1; }
.results .bare + .body { flex: none; }
.line { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; }
.rank { min-width: 1.1em; font-weight: 650; font-size: 17px; line-height: 1; color: var(--soft); }
.score { margin-left: auto; font-weight: 600; font-size: 15px; min-width: 0; overflow-wrap: anywhere; }
.badge {
  display: inline-flex; align-items: baseline; gap: 6px; padding: 1px 10px; border-radius: 12px; max-width: 100%;
  border: 1px solid var(--line); background: var(--well); color: var(--ink); font-size: 13px; line-height: 20px;
  font-weight: 550; overflow-wrap: anywhere;
}
.badge.same { color: var(--same); background: var(--same-wash); border-color: var(--same-line); }
.badge.other { color: var(--other); background: var(--other-wash); border-color: var(--other-line); }
.bar { height: 3px; border-radius: 2px; background: var(--well); overflow: hidden; }
.bar span { display: block; height: 100%; border-radius: 2px; background: var(--accent); }
.id { font-size: 14px; line-height: 1.4; font-weight: 600; overflow-wrap: anywhere; }
.facts { margin-top: 1px; color: var(--soft); font-size: 13px; line-height: 1.45; overflow-wrap: anywhere; }
audio { display: block; width: 100%; height: 40px; }
.results audio, .results .body > .note { margin-top: auto; }
.body > .note { padding: 9px 12px; border: 1px dashed var(--line); border-radius: 10px; }

.query { border: 2px solid var(--accent); background: var(--accent-wash); }
.query .body { gap: 12px; padding: 16px 20px 20px; }
.query .id { font-size: 19px; line-height: 1.3; letter-spacing: -0.008em; }
.query .facts { font-size: 14px; margin-top: 3px; }
.query .badge { background: var(--card); }
.eyebrow {
  color: var(--accent); font-size: 12px; font-weight: 650; letter-spacing: 0.09em; text-transform: uppercase;
}
.query .line { justify-content: space-between; }
.tally { font-size: 14px; display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: baseline; }
@media (min-width: 1001px) and (min-height: 620px) { .query { position: sticky; top: 16px; } }
@media (max-width: 1000px) {
  .search { grid-template-columns: minmax(0, 1fr); }
}
@media (min-width: 641px) and (max-width: 1000px) {
  .query { flex-direction: row; align-items: stretch; }
  .query .view { flex: 0 0 52%; min-height: 190px; }
  .query .view img { position: absolute; inset: 0; height: 100%; }
  .query .body { flex: 1; min-width: 0; justify-content: center; }
}

details { grid-column: -2 / -1; font-size: 14px; }
summary { width: fit-content; color: var(--soft); cursor: pointer; border-radius: 6px; padding: 2px 4px; }
summary:hover { color: var(--ink); }
.scroll { overflow-x: auto; margin-top: 8px; }
table { border-collapse: collapse; min-width: 60%; }
th, td { padding: 6px 18px 6px 0; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
thead th { color: var(--soft); font-weight: 500; }
caption { text-align: left; padding-bottom: 6px; color: var(--soft); }
.right { text-align: right; }

footer { padding-top: 24px; padding-bottom: 48px; }
footer dl {
  display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 20px; padding-top: 20px;
  border-top: 1px solid var(--line); font-size: 13px; color: var(--soft);
}
footer dd { color: var(--ink); overflow-wrap: anywhere; }
@media (max-width: 480px) {
  header { padding-top: 24px; padding-bottom: 20px; }
  h1 { font-size: 22px; }
  .keys { display: none; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; scroll-behavior: auto !important; } }
@media print {
  :root {
    --page: #fff; --card: #fff; --well: #f0f2f4; --line: #c9ced4; --ink: #000; --soft: #444; --shadow: none;
    --accent: #0072b2; --accent-wash: #fff; --same: #00664a; --same-wash: #fff; --other: #7a4a00; --other-wash: #fff;
  }
  body { font-size: 12px; }
  img { filter: none; }
  audio, .hint, nav, details, .cue, .playhead { display: none; }
  .search { display: block; }
  .results { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 12px; margin-top: 12px; }
  .badge { font-size: 11px; }
  .card { position: static !important; break-inside: avoid; }
  .view, .bar span, .badge { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

constexpr std::string_view kScript = R"js(
(() => {
  'use strict';
  const cards = [...document.querySelectorAll('.card')];
  const sounds = [...document.querySelectorAll('audio')];
  const place = (card) => card.querySelector('button.view') || card;

  for (const audio of sounds) {
    const card = audio.closest('.card');
    const button = card.querySelector('button.view');
    const head = button.querySelector('.playhead');
    let frame = 0;
    const draw = () => {  // once a frame while it plays: timeupdate alone comes four times a second
      cancelAnimationFrame(frame);
      const share = audio.duration > 0 ? audio.currentTime / audio.duration : 0;
      head.style.left = 100 * Math.min(share, 1) + '%';
      card.classList.toggle('heard', audio.currentTime > 0 && !audio.ended);
      if (!audio.paused) frame = requestAnimationFrame(draw);
    };
    const mark = () => {
      const on = !audio.paused && !audio.ended;
      card.classList.toggle('playing', on);
      button.setAttribute('aria-pressed', String(on));
      draw();
    };
    const fail = () => {
      if (card.querySelector('.trouble')) return;
      const note = document.createElement('p');
      note.className = 'note trouble';
      note.textContent = 'this browser cannot play the sound';
      audio.after(note);
    };
    audio.addEventListener('play', () => {
      for (const other of sounds) if (other !== audio) other.pause();
      mark();
    });
    for (const name of ['pause', 'ended']) audio.addEventListener(name, mark);
    for (const name of ['seeking', 'timeupdate']) audio.addEventListener(name, draw);
    audio.addEventListener('error', fail);
    if (audio.error) fail();
    button.addEventListener('click', () => {
      if (audio.paused) audio.play().catch(() => {});  // failures come as `error` events
      else audio.pause();
    });
  }

  // The nearest row above or below, and in it the card that is least far aside.
  const beside = (card, down) => {
    const from = card.getBoundingClientRect();
    const rows = [];
    for (const other of cards) {
      const to = other.getBoundingClientRect();
      const gap = down ? to.top - from.bottom : from.top - to.bottom;
      if (other === card || gap < -1) continue;
      rows.push({other, gap, aside: Math.abs(to.left + to.right - from.left - from.right)});
    }
    const nearest = Math.min(...rows.map((row) => row.gap));
    const row = rows.filter((one) => one.gap < nearest + 24).sort((a, b) => a.aside - b.aside);
    return row.length > 0 ? row[0].other : undefined;
  };
  document.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const card = event.target.closest('.card');
    if (!card || event.target !== place(card)) return;  // within a player the arrows seek
    const at = cards.indexOf(card);
    const to = {
      ArrowRight: () => cards[at + 1],
      ArrowLeft: () => cards[at - 1],
      ArrowDown: () => beside(card, true),
      ArrowUp: () => beside(card, false),
    }[event.key]?.();
    if (!to) return;
    event.preventDefault();
    place(to).focus({focusVisible: true});
  });
})();
)js";

}  // namespace

std::string_view search_page_style() { return kStyle; }

std::string_view search_page_script() { return kScript; }

}  // namespace amae

/** The index as a map: near means similar. Hover names and plays, a click shows, a loop selects, the legend filters. */

import {$, announce, el, on, onTheme, put} from './dom.js';
import {Scatter} from './scatter.js';
import {address, aborted, ask, askMap, words} from './api.js';
import {count, plural} from './format.js';
import {hush, itemCard} from './itemcard.js';
import {NONE, stamp} from './palette.js';
import {solo} from './sounds.js';

const LISTED = 50;

export class ClipMap {
  #hover = solo(new Audio());
  #flight;

  constructor(onopen) {
    this.onopen = onopen;
    this.scatter = new Scatter($('map'), {
      onhover: (i, x, y) => this.#tip(i, x, y),
      onpick: (i) => this.#show(i),
      onselect: (indices) => this.#select(indices),
      onopen: async (i) => onopen(await ask(`v1/items/${this.rows[i]}`)),
      onplay: () => $('map-item').querySelector('button.view')?.click(),
    });
    on('map-in', 'click', () => this.scatter.zoom(1.5));
    on('map-out', 'click', () => this.scatter.zoom(1 / 1.5));
    on('map-reset', 'click', () => this.scatter.reset());
    on('map-lasso', 'click', () => {
      this.scatter.lasso = !this.scatter.lasso;
      $('map-lasso').setAttribute('aria-pressed', String(this.scatter.lasso));
      $('map').classList.toggle('lasso', this.scatter.lasso);
    });
    on('map-clear', 'click', () => this.#select([]));
    on('legend-all', 'click', () => this.#toggleAll());
    on('legend-filter', 'input', () => this.#filter());
  }

  /** Asks for the map once; later calls do nothing. */
  async load() {
    if (this.loading) return;
    this.loading = true;
    put('map-note', 'Loading the map…');
    try {
      const map = await askMap(() => { put('map-note', 'The server is computing the map. This happens once.'); });
      this.#take(map);
    } catch (error) {
      this.loading = false;  // the next visit tries again
      put('map-note', words(error));
    }
  }

  #take({method, classes, points, ids}) {
    this.classes = classes;
    this.ids = ids;
    this.groups = points.map(([, , group]) => group);
    this.rows = points.map(([, , , row]) => row);
    this.index = new Map(this.rows.map((row, i) => [row, i]));
    $('map-body').hidden = false;
    this.scatter.show(points.map(([x]) => x), points.map(([, y]) => y), this.groups);
    put('map-note', `${plural(points.length, 'clip')}, laid out by ${method.toUpperCase()}: near means similar to the model.`);
    this.#legend();
    this.#ring();
  }

  /** The clip's neighbours (and the clip itself, when it is an item): ringed. */
  mark(rows) {
    this.marked = rows;
    this.#ring();
  }

  #ring() {
    if (!this.index) return;
    this.scatter.ringed = (this.marked ?? []).map((row) => this.index.get(row)).filter((i) => i !== undefined);
    $('map-ringed').hidden = this.scatter.ringed.length === 0;
    this.scatter.redraw();
  }

  name(i) { return this.groups[i] === NONE ? 'no label' : this.classes[this.groups[i]]; }

  #tip(i, x, y) {
    const tip = $('map-tip');
    tip.hidden = i < 0;
    if (i === this.hovered) return;
    this.hovered = i;
    clearTimeout(this.dwell);
    this.#hover.pause();
    if (i < 0) return;
    tip.replaceChildren(el('b', {}, this.name(i)), el('span', {}, this.ids[i]));
    const right = x > $('map').clientWidth / 2;
    tip.style.left = right ? 'auto' : `${x + 14}px`;
    tip.style.right = right ? `${$('map').clientWidth - x + 14}px` : 'auto';
    tip.style.top = `${Math.max(4, y - 20)}px`;
    if (!$('map-hover-play').checked) return;
    this.dwell = setTimeout(() => {
      this.#hover.src = address(`v1/items/${this.rows[i]}/audio`);
      this.#hover.play().catch(() => {});  // radio signals have no sound
    }, 150);
  }

  async #show(i) {
    this.#flight?.abort();
    this.#flight = new AbortController();
    const host = $('map-item');
    hush(host);
    try {
      const item = await ask(`v1/items/${this.rows[i]}`, {signal: this.#flight.signal});
      host.replaceChildren(itemCard(item, {onopen: this.onopen}));
      announce(`${this.name(i)}, ${this.ids[i]}`);
    } catch (error) {
      if (!aborted(error)) host.replaceChildren(el('p', {class: 'soft'}, error.message));
    }
  }

  #select(indices) {
    const some = indices.length > 0;
    this.scatter.selected = null;
    if (some) {
      this.scatter.selected = new Uint8Array(this.rows.length);
      for (const i of indices) this.scatter.selected[i] = 1;
    }
    this.scatter.redraw();
    $('map-selection').hidden = !some;
    if (!some) return;
    const tally = new Map();
    for (const i of indices) tally.set(this.name(i), (tally.get(this.name(i)) ?? 0) + 1);
    const rows = [...tally].sort((a, b) => b[1] - a[1]);
    put('map-selected', `${plural(indices.length, 'clip')} selected`);
    $('map-tally').replaceChildren(...rows.map(([label, n]) =>
      el('tr', {}, el('th', {scope: 'row'}, label), el('td', {}, count(n)))));
    $('map-list').replaceChildren(...indices.slice(0, LISTED).map((i) => el('li', {},
      el('button', {class: 'plain', onclick: () => this.scatter.pick(i)}, `${this.ids[i]} · ${this.name(i)}`))));
    put('map-rest', indices.length > LISTED ? `and ${count(indices.length - LISTED)} more` : '');
    announce(`${plural(indices.length, 'clip')} selected`);
  }

  #legend() {
    const totals = new Map();
    for (const group of this.groups) totals.set(group, (totals.get(group) ?? 0) + 1);
    const groups = [...totals.keys()].sort((a, b) => (a === NONE) - (b === NONE) || a - b);
    this.entries = groups.map((group) => {
      const button = el('button', {'aria-pressed': 'true'},
        el('canvas', {width: 1, height: 1, 'aria-hidden': 'true'}), el('span', {class: 'label'}, group === NONE ? 'no label' : this.classes[group]),
        el('span', {class: 'soft'}, count(totals.get(group))));
      button.addEventListener('click', () => this.#toggle([group], !this.scatter.hidden.has(group)));
      return {group, button, item: el('li', {}, button)};
    });
    $('legend').replaceChildren(...this.entries.map(({item}) => item));
    $('legend-filter').hidden = this.entries.length < 16;
    this.#swatches();
    onTheme(() => this.#swatches());
  }

  #swatches() {
    for (const {group, button} of this.entries) {
      const {canvas, side} = stamp(group, 5);
      canvas.style.width = canvas.style.height = `${side}px`;
      canvas.setAttribute('aria-hidden', 'true');
      button.firstChild.replaceWith(canvas);
    }
  }

  #toggle(groups, hide) {
    for (const group of groups) {
      if (hide) this.scatter.hidden.add(group);
      else this.scatter.hidden.delete(group);
    }
    for (const {group, button} of this.entries) button.setAttribute('aria-pressed', String(!this.scatter.hidden.has(group)));
    put('legend-all', this.scatter.hidden.size > 0 ? 'Show all' : 'Hide all');
    this.scatter.redraw();
  }

  #toggleAll() { this.#toggle(this.entries.map(({group}) => group), this.scatter.hidden.size === 0); }

  #filter() {
    const text = $('legend-filter').value.trim().toLowerCase();
    for (const {button, item} of this.entries) item.hidden = !button.textContent.toLowerCase().includes(text);
  }
}

/** Clips of the index: a few to begin with, and a dialog to look through them all. */

import {$, el, on, put} from './dom.js';
import {aborted, ask, words} from './api.js';
import {conditions} from './where.js';
import {count} from './format.js';
import {hush, itemCard} from './itemcard.js';

const PAGE = 24;
const FEW = 8;   // suggestions

export class Items {
  #flight;

  constructor(onopen) {
    const dialog = this.dialog = $('items');
    this.onopen = (item) => {
      dialog.close();
      onopen(item);
    };
    on('pick', 'click', () => {
      dialog.showModal();
      if (!this.loaded) this.#search();
    });
    dialog.addEventListener('close', () => hush(dialog));
    dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });  // on the backdrop
    on('items-close', 'click', () => dialog.close());
    on('items-form', 'submit', (event) => {
      event.preventDefault();
      this.#search();
    });
    on('items-more', 'click', () => this.#more());
  }

  /** A handful of items from all over the index, of different labels where there are some, to try the model with. */
  async suggest(rows, host, onopen) {
    const looks = Math.min(3 * FEW, rows);
    const offsets = Array.from({length: looks}, (_, i) => (Math.floor(i * rows / looks) + i) % rows);
    const pages = await Promise.all(offsets.map((offset) => ask('v1/items', {query: {offset, limit: 1}})));
    const found = pages.flatMap(({items}) => items);
    const fresh = found.filter((item, i) => found.findIndex(({label}) => label === item.label) === i);
    const chosen = [...new Set([...fresh, ...found])].slice(0, FEW);
    host.replaceChildren(...chosen.map((item) => el('li', {}, itemCard(item, {onopen, openText: 'Try'}))));
  }

  #search() {
    this.loaded = true;
    this.offset = 0;
    this.where = conditions($('items-where').value);
    hush(this.dialog);
    $('items-cards').replaceChildren();
    return this.#more();
  }

  async #more() {
    this.#flight?.abort();
    this.#flight = new AbortController();
    const fresh = this.offset === 0;
    try {
      const query = {offset: this.offset, limit: PAGE, where: this.where};
      const {total, items} = await ask('v1/items', {query, signal: this.#flight.signal});
      this.offset += items.length;
      const cards = items.map((item) => el('li', {}, itemCard(item, {onopen: this.onopen})));
      $('items-cards').append(...cards);
      put('items-note', total === 0 ? 'No item fits.' : `${count(this.offset)} of ${count(total)}`);
      $('items-more').hidden = this.offset >= total;
      if (!fresh) cards[0]?.querySelector('button')?.focus();
    } catch (error) {
      if (aborted(error)) return;
      put('items-note', words(error));
      $('items-more').hidden = true;
    }
  }
}

/** The nearest items of the index to the clip. */

import {$, el, on, put} from './dom.js';
import {aborted, words} from './api.js';
import {conditions} from './where.js';
import {hush, itemCard} from './itemcard.js';
import {plural} from './format.js';

export class Neighbours {
  #flight;

  constructor(onopen, onhits) {
    this.onopen = onopen;
    this.onhits = onhits;
    on('neighbour-form', 'submit', (event) => {
      event.preventDefault();
      this.#ask();
    });
    on('neighbour-k', 'change', () => this.#ask());
  }

  show(clip) {
    this.clip = clip;
    return this.#ask();
  }

  async #ask() {
    this.#flight?.abort();
    this.#flight = new AbortController();
    const signal = this.#flight.signal;
    const host = $('neighbour-cards');
    host.setAttribute('aria-busy', 'true');
    try {
      const options = {k: Number($('neighbour-k').value), where: conditions($('neighbour-where').value)};
      const {hits, metric} = await this.clip.post('v1/search', options, signal);
      hush(host);
      host.replaceChildren(...hits.map((hit, i) => el('li', {}, itemCard(hit, {onopen: this.onopen, rank: i + 1}))));
      put('neighbour-note', hits.length === 0 ? 'No item of the index fits that filter.'
        : `${plural(hits.length, 'item')}, nearest first (${metric}).`);
      this.onhits(hits);
    } catch (error) {
      if (aborted(error)) return;
      hush(host);
      host.replaceChildren();
      put('neighbour-note', words(error));
      this.onhits([]);
    }
    host.removeAttribute('aria-busy');
  }
}

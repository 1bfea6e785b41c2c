/**
 * Many small pictures, one of which is chosen: the channels of a layer, the heads of an attention. A radio group with one
 * tab stop: arrows move by picture and by line. A picture is drawn when it first comes into view.
 */

import {el, modified} from './dom.js';
import {settings} from './settings.js';

export class MapGrid {
  #buttons = [];
  #watch;

  constructor(host, label, onchoose) {
    this.host = host;
    this.onchoose = onchoose;
    host.classList.add('mapgrid');
    host.setAttribute('role', 'radiogroup');
    host.setAttribute('aria-label', label);
    host.addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (button) this.#choose(button);
    });
    host.addEventListener('keydown', (event) => this.#key(event));
    settings.addEventListener('change', () => this.repaint());
  }

  /** `order`: indices as they shall stand; `name(i)`: text below; `paint(i, canvas)`; `chosen`: an index. */
  show({order, name, title, paint, chosen}) {
    this.paint = paint;
    this.#watch?.disconnect();
    this.#watch = new IntersectionObserver((entries) => {
      for (const {target, isIntersecting} of entries) {
        if (!isIntersecting) continue;
        this.#watch.unobserve(target);
        this.#draw(target);
      }
    }, {rootMargin: '200px'});
    this.#buttons = order.map((index) => el('button', {
      role: 'radio', 'data-index': index, 'aria-label': title(index), 'aria-checked': 'false', tabindex: '-1',
    }, el('canvas', {}), el('span', {'aria-hidden': 'true'}, name(index))));
    this.host.replaceChildren(...this.#buttons);
    for (const button of this.#buttons) this.#watch.observe(button);
    const button = this.#buttons.find((one) => Number(one.dataset.index) === chosen) ?? this.#buttons[0];
    if (button) this.#choose(button);
  }

  repaint() {
    for (const button of this.#buttons) if (button.drawn) this.#draw(button);
  }

  #draw(button) {
    button.drawn = true;
    this.paint(Number(button.dataset.index), button.firstChild);
  }

  #choose(button) {
    for (const one of this.#buttons) {
      const on = one === button;
      one.setAttribute('aria-checked', String(on));
      one.tabIndex = on ? 0 : -1;
    }
    this.onchoose(Number(button.dataset.index));
  }

  #key(event) {
    const at = this.#buttons.indexOf(event.target);
    if (at < 0 || modified(event)) return;
    const line = this.#buttons.filter((one) => one.offsetTop === this.#buttons[0].offsetTop).length;
    const to = {
      ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + line, ArrowUp: at - line, Home: 0, End: this.#buttons.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const button = this.#buttons[to];
    if (!button) return;
    this.#choose(button);
    button.focus();
  }
}

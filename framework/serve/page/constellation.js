/** I against Q: what a radio engineer looks at first. */

import {$, css, el, onTheme, prepare, put} from './dom.js';
import {plural, figure} from './format.js';
import {ticks, tickText} from './axis.js';

export class Constellation {
  constructor() {
    this.host = $('constellation-picture');
    this.canvas = el('canvas', {role: 'img', 'aria-label': 'Constellation: I to the right, Q upwards'});
    this.host.append(this.canvas);
    new ResizeObserver(() => this.#draw()).observe(this.host);
    onTheme(() => this.#draw());
  }

  show({points, snr_db: snr}) {
    this.points = points;
    put('snr', snr === null || snr === undefined ? 'unknown' : `${figure(snr)} dB`);
    put('constellation-facts', plural(points.length, 'sample'));
    this.#draw();
  }

  #draw() {
    const side = this.host.clientWidth;
    if (!this.points || side === 0) return;
    const g = prepare(this.canvas, side, side);
    const sizes = this.points.map(([i, q]) => Math.max(Math.abs(i), Math.abs(q))).sort((a, b) => a - b);
    const reach = 1.15 * (sizes[Math.floor(0.995 * (sizes.length - 1))] || 1);  // one wild sample does not squeeze the rest
    const at = (value) => (value / reach + 1) / 2 * side;
    g.fillStyle = css('--well');
    g.fillRect(0, 0, side, side);
    g.strokeStyle = css('--line');
    g.fillStyle = css('--soft');
    const marks = ticks(-reach, reach, 6);
    for (const mark of marks) {
      g.lineWidth = mark === 0 ? 1.5 : 1;
      g.beginPath();
      g.moveTo(at(mark), 0);
      g.lineTo(at(mark), side);
      g.moveTo(0, at(-mark));
      g.lineTo(side, at(-mark));
      g.stroke();
      if (mark !== 0 && at(mark) < side - 30) g.fillText(tickText(mark, marks[1] - marks[0]), at(mark) + 3, side - 5);
    }
    g.fillText('I', side - 12, side / 2 - 6);
    g.fillText('Q', side / 2 + 6, 13);
    g.fillStyle = css('--accent');
    g.globalAlpha = 0.45;
    for (const [i, q] of this.points) {
      g.beginPath();
      g.arc(at(i), at(-q), 2, 0, 7);
      g.fill();
    }
    g.globalAlpha = 1;
  }
}

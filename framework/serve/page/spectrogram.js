/** A picture of values over frequency (rows, any spacing) and time, in the chosen colour map, with a veil over it if wanted. */

import {Plot} from './plot.js';
import {css} from './dom.js';
import {figure, hertz, seconds} from './format.js';
import {frequencyTicks, rowOf, ticks} from './axis.js';
import {limits, paint, veil} from './raster.js';
import {settings} from './settings.js';

export class Spectrogram extends Plot {
  #image = document.createElement('canvas');
  #veil = document.createElement('canvas');

  constructor(host, options) {
    super(host, options);
    this.map = options.map;  // a fixed colour map; without it the user's
    settings.addEventListener('change', () => this.#render());
  }

  /**
   * values [rows, cols], row 0 the lowest; span = [first, last] in the unit of the time axis.
   * frequencies: a number a row or null; cycles: they are cycles per sample, not Hz; hidden [rows, cols]: 1 is greyed out;
   * scale: values that set the contrast instead of these.
   */
  show({values, rows, cols, span, frequencies = null, cycles = false, hidden = null, scale = values}) {
    this.data = {values, rows, cols, span, frequencies, cycles, hidden, scale};
    this.#render();
  }

  /** Lays bytes [rows, cols] over all frequencies and `span`. `smooth` bends between them. */
  cover(bytes, rows, cols, {strength, smooth, span}) {
    this.over = {smooth, span, image: veil(this.#veil, bytes, rows, cols, strength)};
    this.redraw();
  }

  #render() {
    if (!this.data) return;
    const {values, rows, cols, hidden, scale} = this.data;
    paint(this.#image, values, rows, cols, limits(scale, settings.clip), this.map ?? settings.map, hidden);
    this.redraw();
  }

  paint(g, box) {
    if (!this.data) return;
    const {span, rows, cols, hidden} = this.data;
    const left = this.x(span[0]);
    const width = this.x(span[1]) - left;
    this.#unseen(g, box, left, left + width);
    if (hidden) {
      g.fillStyle = css('--hidden');
      g.fillRect(left, box.top, width, box.height);
    }
    g.imageSmoothingQuality = 'high';
    g.imageSmoothingEnabled = width * devicePixelRatio < cols || box.height * devicePixelRatio < rows;  // cells stay cells
    g.drawImage(this.#image, left, box.top, width, box.height);
    if (!this.over) return;
    g.fillStyle = 'rgb(0 0 0 / 45%)';
    g.fillRect(left, box.top, width, box.height);
    const from = this.x(this.over.span[0]);
    g.imageSmoothingEnabled = this.over.smooth;
    g.drawImage(this.over.image, from, box.top, this.x(this.over.span[1]) - from, box.height);
  }

  /** Where the clip goes on and the model did not look. */
  #unseen(g, box, from, to) {
    g.fillStyle = css('--soft');
    g.textAlign = 'center';
    g.textBaseline = 'middle';
    for (const [a, b] of [[box.left, from], [to, box.left + box.width]]) {
      if (b - a > 150) g.fillText('not seen by the model', (a + b) / 2, box.top + box.height / 2);
    }
  }

  labels(g, box) {
    if (!this.data) return;
    const {rows, frequencies, cycles} = this.data;
    const y = (row) => box.top + box.height * (1 - (row + 0.5) / rows);
    const wanted = Math.max(2, box.height / 40);
    if (!frequencies) {
      this.leftLabels(g, box, ticks(0, rows - 1, wanted).map((row) => [y(row), `row ${Math.round(row)}`]));
      return;
    }
    const text = cycles ? (f) => figure(f, 2) : (f) => hertz(f).replace('kHz', 'k').replace(' k', ' kHz');
    const marks = frequencyTicks(frequencies, wanted).map((f) => [rowOf(frequencies, f), f]);
    this.leftLabels(g, box, marks.filter(([row]) => row !== null).map(([row, f]) => [y(row), text(f)]));
  }

  describe(t, share) {
    if (!this.data) return null;
    const {values, rows, cols, span, frequencies, cycles} = this.data;
    const col = Math.floor((t - span[0]) / (span[1] - span[0]) * cols);
    const row = Math.floor(share * rows);
    if (col < 0 || col >= cols || row < 0 || row >= rows) return null;
    const at = this.unit === 's' ? seconds(t) : `frame ${col}`;
    const f = !frequencies ? `row ${row}` : cycles ? `${figure(frequencies[row])} cycles/sample` : hertz(frequencies[row]);
    return `${at} · ${f} · ${figure(values[row * cols + col])}`;
  }
}

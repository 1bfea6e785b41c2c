/**
 * A canvas over a time axis: sharp at any pixel ratio, redrawn when its size or the theme changes, with the play cursor
 * over it; click or drag seeks, hover reads out. Subclasses paint.
 */

import {css, el, onTheme, prepare} from './dom.js';
import {ticks, tickText} from './axis.js';

export class Plot {
  range = [0, 1];
  unit = 's';  // or 'samples', where the rate is not known: then nothing plays

  constructor(host, {height, label, player, axis = true, readout}) {
    Object.assign(this, {host, player, readout, high: height});
    this.canvas = el('canvas', {role: 'img', 'aria-label': label});
    this.cursor = el('div', {class: 'cursor'});
    this.cursor.hidden = true;
    host.classList.add('plot');
    this.setAxis(axis);
    host.append(this.canvas, this.cursor);
    new ResizeObserver(() => this.redraw()).observe(host);
    onTheme(() => this.redraw());
    player?.frame(() => this.#follow());
    this.canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || !this.seekable) return;
      this.canvas.setPointerCapture(event.pointerId);
      this.player.seek(this.time(event.offsetX));
    });
    this.canvas.addEventListener('pointermove', (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) this.player.seek(this.time(event.offsetX));
      this.#hover(event);
    });
    this.canvas.addEventListener('pointerleave', () => { if (readout) readout.textContent = ''; });
  }

  get seekable() { return this.player?.ready && this.unit === 's'; }

  get box() {
    const left = this.host.clientWidth < 480 ? 46 : 58;
    return {
      left, top: 1, width: Math.max(1, this.host.clientWidth - left - 1),
      height: Math.max(1, this.host.clientHeight - 2 - (this.axis ? 22 : 0)),
    };
  }

  x(t) { return this.box.left + (t - this.range[0]) / (this.range[1] - this.range[0]) * this.box.width; }
  time(x) { return this.range[0] + (x - this.box.left) / this.box.width * (this.range[1] - this.range[0]); }

  /** With or without labels of the time below. */
  setAxis(on) {
    this.axis = on;
    this.host.style.height = `${this.high + (on ? 22 : 0)}px`;
  }

  setRange(range, unit) {
    this.range = range;
    this.unit = unit;
    this.redraw();
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      const {clientWidth: width, clientHeight: height} = this.host;
      if (width === 0) return;  // in a hidden panel: the ResizeObserver calls when it shows
      const g = prepare(this.canvas, width, height);
      const box = this.box;
      g.fillStyle = css('--well');
      g.fillRect(box.left, box.top, box.width, box.height);
      g.save();
      g.beginPath();
      g.rect(box.left, box.top, box.width, box.height);
      g.clip();
      this.paint(g, box);
      g.restore();
      this.labels(g, box);
      if (this.axis) this.#timeAxis(g, box);
      this.#follow();
    });
  }

  paint() {}
  labels() {}
  describe() { return null; }  // text for the readout at (time, share of the height from below)

  /** Tick labels left of the box, lowest first; drops those that would touch. `marks`: [[y, text]]. */
  leftLabels(g, box, marks) {
    g.fillStyle = css('--soft');
    g.strokeStyle = css('--line');
    g.textAlign = 'right';
    g.textBaseline = 'middle';
    let last = Infinity;
    for (const [y, text] of marks) {
      if (last - y < 15) continue;
      last = y;
      g.fillText(text, box.left - 7, Math.min(Math.max(y, 7), box.top + box.height - 5));
      g.beginPath();
      g.moveTo(box.left - 4, y);
      g.lineTo(box.left, y);
      g.stroke();
    }
  }

  #timeAxis(g, box) {
    const marks = ticks(...this.range, Math.max(2, Math.min(10, box.width / 80)));
    const step = marks.length > 1 ? marks[1] - marks[0] : 1;
    const y = box.top + box.height;
    g.fillStyle = css('--soft');
    g.strokeStyle = css('--line');
    g.textBaseline = 'top';
    for (const t of marks) {
      const x = this.x(t);
      const text = `${tickText(t, step)}${this.unit === 's' ? ' s' : ''}`;
      const half = g.measureText(text).width / 2;
      g.textAlign = 'center';
      g.fillText(text, Math.min(Math.max(x, half), box.left + box.width - half), y + 8);
      g.beginPath();
      g.moveTo(x, y);
      g.lineTo(x, y + 4);
      g.stroke();
    }
  }

  #follow() {
    const on = this.unit === 's' && this.player?.started;
    const t = on ? this.player.time : 0;
    this.cursor.hidden = !on || t < this.range[0] || t > this.range[1];
    if (!this.cursor.hidden) this.cursor.style.transform = `translateX(${this.x(t)}px)`;
  }

  #hover(event) {
    if (!this.readout) return;
    const box = this.box;
    const share = 1 - (event.offsetY - box.top) / box.height;
    const inside = event.offsetX >= box.left && event.offsetX < box.left + box.width && share >= 0 && share < 1;
    this.readout.textContent = (inside && this.describe(this.time(event.offsetX), share)) || '';
  }
}

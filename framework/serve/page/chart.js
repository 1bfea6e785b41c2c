/** Lines over steps on a canvas: linear or logarithmic, with a legend that names the values at the pointer, or the last ones. */

import {css, el, onTheme, prepare} from './dom.js';
import {decades, ticks, tickText} from './axis.js';
import {figure} from './format.js';

const HEIGHT = 190;

/** Exponential mean with a start that is not pulled to the first value; weight 0 leaves the points as they are. */
function smoothed(points, weight) {
  if (weight === 0) return points;
  let mean = 0;
  let norm = 0;
  return points.map(([x, y]) => {
    mean = weight * mean + (1 - weight) * y;
    norm = weight * norm + (1 - weight);
    return [x, mean / norm];
  });
}

const nearest = (points, x) => points.reduce((best, point) => Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best, points[0]);

export class Chart {
  options = {log: false, weight: 0, xName: 'step'};
  series = [];

  constructor(name) {
    this.name = name;
    this.canvas = el('canvas', {role: 'img'});
    this.plot = el('div', {class: 'chart-plot'}, this.canvas);
    this.legend = el('p', {class: 'chart-legend'});
    this.node = el('section', {class: 'chart card'}, el('h3', {}, name), this.legend, this.plot);
    this.plot.style.height = `${HEIGHT}px`;
    new ResizeObserver(() => this.redraw()).observe(this.plot);
    onTheme(() => this.redraw());
    this.canvas.addEventListener('pointermove', (event) => this.#hover(event.offsetX));
    this.canvas.addEventListener('pointerleave', () => this.#hover(null));
  }

  /** series: [{name, colour (css variable), dash, points: [[x, y]] rising in x}] */
  show(series, options) {
    this.series = series;
    this.options = {...this.options, ...options};
    this.redraw();
  }

  redraw() {
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.#draw();
    });
  }

  #draw() {
    const width = this.plot.clientWidth;
    this.#legend();
    if (width === 0) return;
    const g = prepare(this.canvas, width, HEIGHT);
    const {log, weight} = this.options;
    const usable = ([, y]) => Number.isFinite(y) && (!log || y > 0);
    this.lines = this.series.map((one) => {
      const raw = one.points.filter(usable);
      return {...one, raw, points: smoothed(raw, weight)};
    });
    const all = this.lines.flatMap(({raw}) => raw);
    if (all.length === 0) {
      g.fillStyle = css('--soft');
      g.fillText(log ? 'no value above zero' : 'no values yet', 50, HEIGHT / 2);
      return;
    }
    const least = (axis) => all.reduce((best, point) => Math.min(best, point[axis]), Infinity);
    const most = (axis) => all.reduce((best, point) => Math.max(best, point[axis]), -Infinity);
    let [x0, x1, y0, y1] = [least(0), most(0), least(1), most(1)];
    if (x0 === x1) x1 = x0 + 1;
    const room = log ? 1.06 : (y1 - y0 || Math.abs(y0) || 1) * 0.06;
    [y0, y1] = log ? [y0 / room, y1 * room] : [y0 - room, y1 + room];
    const grade = log ? Math.log : (y) => y;
    const box = {left: 50, right: width - 8, top: 6, bottom: HEIGHT - 22};
    this.x = (x) => box.left + (x - x0) / (x1 - x0) * (box.right - box.left);
    this.unx = (px) => x0 + (px - box.left) / (box.right - box.left) * (x1 - x0);
    const y = (value) => box.bottom - (grade(value) - grade(y0)) / (grade(y1) - grade(y0)) * (box.bottom - box.top);
    this.#grid(g, box, {x0, x1, y0, y1, y, log});
    for (const {colour, dash, raw, points} of this.lines) {
      g.strokeStyle = css(colour);
      g.lineJoin = 'round';
      if (weight > 0) this.#line(g, raw, y, 1, [], 0.25);
      this.#line(g, points, y, 2, dash ? [6, 4] : [], 1);
      if (points.length < 40) this.#dots(g, points, y, css(colour));
    }
    if (this.at !== undefined) {
      g.strokeStyle = css('--ink');
      g.lineWidth = 1;
      g.beginPath();
      g.moveTo(this.x(this.at), box.top);
      g.lineTo(this.x(this.at), box.bottom);
      g.stroke();
    }
  }

  #line(g, points, y, width, dash, alpha) {
    g.beginPath();
    for (const [px, py] of points) g.lineTo(this.x(px), y(py));
    g.lineWidth = width;
    g.setLineDash(dash);
    g.globalAlpha = alpha;
    g.stroke();
    g.globalAlpha = 1;
    g.setLineDash([]);
  }

  #dots(g, points, y, colour) {
    g.fillStyle = colour;
    for (const [px, py] of points) {
      g.beginPath();
      g.arc(this.x(px), y(py), 2.5, 0, 7);
      g.fill();
    }
  }

  #grid(g, box, {x0, x1, y0, y1, y, log}) {
    g.strokeStyle = css('--line');
    g.fillStyle = css('--soft');
    g.lineWidth = 1;
    g.textAlign = 'right';
    g.textBaseline = 'middle';
    let rows = log ? decades(y0, y1) : ticks(y0, y1, 4);
    if (rows.length < 2) rows = ticks(y0, y1, 4);  // less than a decade
    let last = Infinity;
    for (const value of rows) {
      if (last - y(value) < 14) continue;
      last = y(value);
      g.beginPath();
      g.moveTo(box.left, last);
      g.lineTo(box.right, last);
      g.stroke();
      g.fillText(log ? figure(value) : tickText(value, rows[1] - rows[0] || 1), box.left - 6, last);
    }
    g.textBaseline = 'top';
    const columns = ticks(x0, x1, Math.max(2, (box.right - box.left) / 90));
    for (const value of columns) {
      const text = tickText(value, columns[1] - columns[0] || 1);
      g.textAlign = 'center';
      const half = g.measureText(text).width / 2;
      g.fillText(text, Math.min(this.x(value), box.right + 8 - half), box.bottom + 7);
    }
  }

  /** Each line's value at the pointer's step, or its last. */
  #legend() {
    const values = this.series.map(({points}) => this.at === undefined ? points.at(-1) : nearest(points, this.at));
    const parts = this.series.map(({name, colour, dash}, i) => {
      const key = el('span', {class: dash ? 'key dashed' : 'key', 'aria-hidden': 'true'});
      key.style.borderColor = `var(${colour})`;
      return el('span', {}, key, name, ' ', el('b', {}, figure(values[i]?.[1])));
    });
    this.legend.replaceChildren(...parts,
      el('span', {class: 'at'}, this.at === undefined ? '' : `${this.options.xName} ${figure(this.at)}`));
    const text = this.series.map(({name, points}) => `${name} ${figure(points.at(-1)?.[1])} at ${this.options.xName} ${points.at(-1)?.[0]}`);
    this.canvas.setAttribute('aria-label', `${this.name}: ${text.join(', ')}`);
  }

  #hover(px) {
    const steps = px !== null && this.x ? this.lines.flatMap(({raw}) => raw.map(([x]) => [x])) : [];
    this.at = steps.length > 0 ? nearest(steps, this.unx(px))[0] : undefined;
    this.redraw();
  }
}

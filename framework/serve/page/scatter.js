/**
 * Points on a canvas: wheel, pinch and keys zoom, drag moves, a drawn loop selects. Knows nothing of what the points are.
 *
 * Points lie in a unit square (y upwards); `view` maps it to the canvas: pixel = view.k * unit + view.(x, y).
 */

import {css, el, modified, onTheme, prepare} from './dom.js';
import {NONE, stamp} from './palette.js';

const STEP = 40;     // pixels an arrow key moves
const REACH = 14;    // pixels around the pointer within which a point counts as meant

export class Scatter {
  view = {k: 1, x: 0, y: 0};
  lasso = false;
  picked = -1;
  ringed = [];
  selected = null;   // Uint8Array, 1 for each selected point, or null
  #pointers = new Map();
  #loop = null;

  /** Calls: onhover(index or -1, x, y), onpick(index), onselect([indices]), onopen(index), onplay(index). */
  constructor(host, calls) {
    this.host = host;
    this.calls = calls;
    this.canvas = el('canvas', {});
    host.append(this.canvas);
    new ResizeObserver(() => this.redraw()).observe(host);
    onTheme(() => { this.stamps = null; this.redraw(); });
    const listen = (name, call) => this.canvas.addEventListener(name, call);
    listen('pointerdown', (event) => this.#down(event));
    listen('pointermove', (event) => this.#move(event));
    listen('pointerup', (event) => this.#up(event));
    listen('pointercancel', (event) => { this.#pointers.delete(event.pointerId); this.#loop = null; });
    listen('pointerleave', () => calls.onhover(-1));
    this.canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0015)), event.offsetX, event.offsetY);
    }, {passive: false});
    host.addEventListener('keydown', (event) => this.#key(event));
  }

  /** xs, ys in any unit; groups: a class a point, -1 for none. */
  show(xs, ys, groups) {
    const reach = (list) => [list.reduce((a, b) => Math.min(a, b), Infinity), list.reduce((a, b) => Math.max(a, b), -Infinity)];
    const [left, right] = reach(xs);
    const [bottom, top] = reach(ys);
    const size = Math.max(right - left, top - bottom) || 1;
    this.wide = [(right - left) / size || 1, (top - bottom) / size || 1];
    this.xs = Float32Array.from(xs, (x) => (x - left) / size);
    this.ys = Float32Array.from(ys, (y) => (top - y) / size);
    this.groups = groups;
    this.hidden = new Set();
    this.size = xs.length;
    this.stamps = null;
    this.home = true;
    this.redraw();
  }

  get radius() { return (this.size > 8000 ? 2.2 : this.size > 1500 ? 3.2 : 4.8) * Math.min(1.8, Math.sqrt(this.view.k / this.fit.k)); }
  shown(i) { return !this.hidden.has(this.groups[i]); }
  at(i) { return [this.xs[i] * this.view.k + this.view.x, this.ys[i] * this.view.k + this.view.y]; }

  reset() {
    this.home = true;
    this.redraw();
  }

  zoom(factor, x = this.host.clientWidth / 2, y = this.host.clientHeight / 2) {
    const k = Math.min(Math.max(this.view.k * factor, this.fit.k * 0.5), this.fit.k * 200);
    const real = k / this.view.k;
    this.view = {k, x: x - (x - this.view.x) * real, y: y - (y - this.view.y) * real};
    this.home = false;
    this.redraw();
  }

  pan(dx, dy) {
    this.view.x += dx;
    this.view.y += dy;
    this.home = false;
    this.redraw();
  }

  pick(i) {
    this.picked = i;
    const [x, y] = this.at(i);
    const {clientWidth: w, clientHeight: h} = this.host;
    if (x < 0 || y < 0 || x > w || y > h) this.pan(w / 2 - x, h / 2 - y);
    this.redraw();
    this.calls.onpick(i);
  }

  /** The shown point nearest to (x, y), or -1 when none is within `reach`. */
  nearest(x, y, reach = REACH) {
    let best = -1;
    let least = reach * reach;
    for (let i = 0; i < this.size; ++i) {
      const dx = this.xs[i] * this.view.k + this.view.x - x;
      const dy = this.ys[i] * this.view.k + this.view.y - y;
      const away = dx * dx + dy * dy;
      if (away < least && this.shown(i)) {
        least = away;
        best = i;
      }
    }
    return best;
  }

  redraw() {
    if (this.waiting || !this.xs) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.#draw();
    });
  }

  #draw() {
    const {clientWidth: width, clientHeight: height} = this.host;
    if (width === 0) return;
    const pad = 20;
    const k = Math.min((width - 2 * pad) / this.wide[0], (height - 2 * pad) / this.wide[1]);
    this.fit = {k, x: (width - k * this.wide[0]) / 2, y: (height - k * this.wide[1]) / 2};
    if (this.home) this.view = {...this.fit};
    const g = prepare(this.canvas, width, height);
    const r = this.radius;
    if (!this.stamps || this.stamps.r !== r) this.stamps = {r};
    for (let i = 0; i < this.size; ++i) {
      if (!this.shown(i)) continue;
      const [x, y] = this.at(i);
      if (x < -9 || y < -9 || x > width + 9 || y > height + 9) continue;
      const group = this.groups[i];
      const {canvas, side} = this.stamps[group] ??= stamp(group, r);
      g.globalAlpha = this.selected && !this.selected[i] ? 0.16 : group === NONE ? 0.55 : 0.9;
      g.drawImage(canvas, x - side / 2, y - side / 2, side, side);
    }
    g.globalAlpha = 1;
    for (const i of this.ringed) this.#ring(g, i, r + 3, 1.5);
    if (this.picked >= 0) this.#ring(g, this.picked, r + 6, 3);
    if (this.#loop) {
      g.beginPath();
      for (const [x, y] of this.#loop) g.lineTo(x, y);
      g.closePath();
      g.strokeStyle = css('--ink');
      g.setLineDash([5, 4]);
      g.stroke();
      g.globalAlpha = 0.08;
      g.fillStyle = css('--ink');
      g.fill();
    }
  }

  #ring(g, i, r, width) {
    const [x, y] = this.at(i);
    for (const [colour, line] of [[css('--card'), width + 2], [css('--ink'), width]]) {
      g.beginPath();
      g.arc(x, y, r, 0, 7);
      g.strokeStyle = colour;
      g.lineWidth = line;
      g.stroke();
    }
  }

  #down(event) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    this.moved = 0;
    if (this.#pointers.size === 1 && (this.lasso || event.shiftKey)) this.#loop = [[event.offsetX, event.offsetY]];
    if (this.#pointers.size === 2) this.#loop = null;
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    const now = [event.offsetX, event.offsetY];
    if (!before) {
      if (event.pointerType !== 'touch') this.calls.onhover(this.nearest(...now), ...now);
      return;
    }
    this.moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (this.#loop) {
      this.#loop.push(now);
      this.redraw();
    } else if (this.#pointers.size === 2) {
      const [other] = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      const apart = (at) => Math.hypot(at[0] - other[0], at[1] - other[1]) || 1;
      this.zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else this.pan(now[0] - before[0], now[1] - before[1]);
    this.#pointers.set(event.pointerId, now);
  }

  #up(event) {
    if (!this.#pointers.delete(event.pointerId)) return;
    const loop = this.#loop;
    this.#loop = null;
    if (loop && loop.length > 3 && this.moved > 12) this.calls.onselect(this.#inside(loop));
    else if (this.moved < 5) {
      const i = this.nearest(event.offsetX, event.offsetY);
      if (i >= 0) this.pick(i);
    }
    this.redraw();
  }

  /** Shown points inside a closed loop (even-odd rule). */
  #inside(loop) {
    const out = [];
    for (let i = 0; i < this.size; ++i) {
      if (!this.shown(i)) continue;
      const [x, y] = this.at(i);
      let within = false;
      for (let a = 0, b = loop.length - 1; a < loop.length; b = a++) {
        const [ax, ay] = loop[a];
        const [bx, by] = loop[b];
        if (ay > y !== by > y && x < (bx - ax) * (y - ay) / (by - ay) + ax) within = !within;
      }
      if (within) out.push(i);
    }
    return out;
  }

  /** From the picked point to the nearest one in a direction; points far aside count as farther. */
  #beside(dx, dy) {
    if (this.picked < 0) return this.nearest(this.host.clientWidth / 2, this.host.clientHeight / 2, Infinity);
    const [x, y] = this.at(this.picked);
    let best = -1;
    let least = Infinity;
    for (let i = 0; i < this.size; ++i) {
      if (i === this.picked || !this.shown(i)) continue;
      const [px, py] = this.at(i);
      const along = (px - x) * dx + (py - y) * dy;
      const aside = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
      if (along <= 0.5 || aside > 2 * along) continue;
      if (along + 2 * aside < least) {
        least = along + 2 * aside;
        best = i;
      }
    }
    return best;
  }

  #key(event) {
    if (event.target !== this.host || modified(event) || !this.xs) return;
    const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
    const picked = this.picked;
    const action = way ? () => {
      if (event.shiftKey) return this.pan(-STEP * way[0], -STEP * way[1]);
      const i = this.#beside(...way);
      if (i >= 0) this.pick(i);
    } : {
      '+': () => this.zoom(1.4), '=': () => this.zoom(1.4), '-': () => this.zoom(1 / 1.4), '0': () => this.reset(),
      Escape: () => this.calls.onselect([]),
      Enter: () => { if (picked >= 0) this.calls.onopen(picked); },
      ' ': () => { if (picked >= 0) this.calls.onplay(picked); },
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}

/** One value a time step, as an area. */

import {Plot} from './plot.js';
import {css} from './dom.js';
import {figure, seconds} from './format.js';

export class Profile extends Plot {
  show(values, span) {
    this.values = values;
    this.span = span;
    this.low = Math.min(0, ...values);
    this.high = Math.max(...values, this.low + 1e-12);
    this.redraw();
  }

  paint(g, box) {
    if (!this.values) return;
    const y = (value) => box.top + box.height * (1 - 0.94 * (value - this.low) / (this.high - this.low)) - 1;
    const x = (i) => this.x(this.span[0] + i / this.values.length * (this.span[1] - this.span[0]));
    g.beginPath();
    g.moveTo(x(0), y(0));
    this.values.forEach((value, i) => {
      g.lineTo(x(i), y(value));
      g.lineTo(x(i + 1), y(value));
    });
    g.lineTo(x(this.values.length), y(0));
    g.fillStyle = css('--second');
    g.globalAlpha = 0.35;
    g.fill();
    g.globalAlpha = 1;
    g.strokeStyle = css('--second');
    g.lineWidth = 1.5;
    g.stroke();
  }

  labels(g, box) {
    if (this.values) this.leftLabels(g, box, [[box.top + box.height, figure(this.low, 2)], [box.top, figure(this.high, 2)]]);
  }

  describe(t) {
    const i = Math.floor((t - this.span[0]) / (this.span[1] - this.span[0]) * this.values.length);
    const at = this.unit === 's' ? seconds(t) : `sample ${Math.floor(t)}`;
    return i >= 0 && i < this.values.length ? `${at} · mean over frequency ${figure(this.values[i])}` : null;
  }
}

/** Peaks of the sound over time, a lane a channel. I and Q of a radio signal are two channels. */

import {Plot} from './plot.js';
import {css} from './dom.js';
import {figure, seconds} from './format.js';

export class Waveform extends Plot {
  /** `channels`: [{min: [], max: []}], spread evenly over `span` = [first, last] in the unit of the axis. */
  show(channels, span) {
    this.channels = channels;
    this.span = span;
    this.peak = 1e-6;
    for (const {min, max} of channels) {
      for (let i = 0; i < max.length; ++i) this.peak = Math.max(this.peak, max[i], -min[i]);
    }
    this.redraw();
  }

  paint(g, box) {
    if (!this.channels) return;
    const lane = box.height / this.channels.length;
    this.channels.forEach(({min, max}, index) => {
      const middle = box.top + (index + 0.5) * lane;
      const scale = 0.46 * lane / this.peak;
      g.strokeStyle = css('--line');
      g.beginPath();
      g.moveTo(box.left, middle);
      g.lineTo(box.left + box.width, middle);
      g.stroke();
      g.fillStyle = index % 2 ? css('--second') : css('--accent');
      const [left, right] = this.span.map((t) => this.x(t));
      const bins = max.length / Math.max(1, right - left);  // a pixel
      const wide = Math.max(1, 1 / bins);
      for (let px = left; px < right; px += wide) {
        const first = Math.min(max.length - 1, Math.floor((px - left) * bins + 1e-6));
        let [low, high] = [min[first], max[first]];
        for (let i = first + 1; i < Math.min(max.length, (px - left + wide) * bins); ++i) {
          low = Math.min(low, min[i]);
          high = Math.max(high, max[i]);
        }
        g.fillRect(px, middle - high * scale - 0.5, wide + 0.3, (high - low) * scale + 1);
      }
    });
  }

  labels(g, box) {
    if (!this.channels) return;
    if (this.title) {
      g.fillStyle = css('--soft');
      g.textAlign = 'right';
      g.fillText(this.title, box.left + box.width - 6, box.top + 14);
    }
    const lane = box.height / this.channels.length;
    const marks = [];
    for (let index = this.channels.length - 1; index >= 0; --index) {
      const middle = box.top + (index + 0.5) * lane;
      if (lane >= 44) marks.push([middle + 0.46 * lane, `−${figure(this.peak, 2)}`]);
      marks.push([middle, this.names?.[index] ?? '0']);
      if (lane >= 44) marks.push([middle - 0.46 * lane, figure(this.peak, 2)]);
    }
    this.leftLabels(g, box, marks);
  }

  describe(t, share) {
    if (!this.channels) return null;
    const index = Math.min(this.channels.length - 1, Math.floor((1 - share) * this.channels.length));
    const {min, max} = this.channels[index];
    const i = Math.floor((t - this.span[0]) / (this.span[1] - this.span[0]) * max.length);
    if (i < 0 || i >= max.length) return null;
    const at = this.unit === 's' ? seconds(t) : `sample ${Math.floor(t)}`;
    return `${at} · ${figure(min[i], 2)} to ${figure(max[i], 2)}`;
  }
}

/** Samples to at most 1,200 pairs of least and greatest. */
export function peaks(samples, bins = 1200) {
  const size = Math.min(bins, samples.length);
  const min = new Array(size);
  const max = new Array(size);
  for (let b = 0; b < size; ++b) {
    let low = Infinity;
    let high = -Infinity;
    const end = Math.floor((b + 1) * samples.length / size);
    for (let i = Math.floor(b * samples.length / size); i < end; ++i) {
      low = Math.min(low, samples[i]);
      high = Math.max(high, samples[i]);
    }
    min[b] = low;
    max[b] = high;
  }
  return {min, max};
}

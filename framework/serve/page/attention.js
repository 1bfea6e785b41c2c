/** Where a transformer looks: for each layer and head, how much the summary takes from every patch of the spectrogram. */

import {$, on, put, segmented} from './dom.js';
import {MapGrid} from './mapgrid.js';
import {Spectrogram} from './spectrogram.js';
import {paint} from './raster.js';
import {plane, tensor} from './tensor.js';
import {plural} from './format.js';
import {settings} from './settings.js';

const ALL = -1;  // the mean of the heads

/** Mean over the heads in real values, as bytes from least to greatest. */
function meanOfHeads(layer, maps) {
  const [heads, rows, cols] = maps.shape;
  const mean = new Float32Array(rows * cols);
  for (let h = 0; h < heads; ++h) {
    const scale = (layer.max[h] - layer.min[h]) / 255;
    plane(maps, h).forEach((byte, i) => { mean[i] += (layer.min[h] + byte * scale) / heads; });
  }
  const low = mean.reduce((a, b) => Math.min(a, b), Infinity);
  const high = mean.reduce((a, b) => Math.max(a, b), -Infinity);
  return Uint8Array.from(mean, (value) => high > low ? Math.round(255 * (value - low) / (high - low)) : 0);
}

export class Attention {
  constructor(player) {
    this.picture = new Spectrogram($('attention-picture'), {
      height: 240, label: 'Attention over the spectrogram', player, map: 'grey', readout: $('attention-readout'),
    });
    this.grid = new MapGrid($('attention-grid'), 'Heads', (head) => {
      this.head = head;
      this.#cover();
    });
    on('attention-strength', 'input', () => this.#cover());
  }

  show(attention, seen, span, unit) {
    Object.assign(this, {attention, span, head: this.head ?? ALL});
    const last = attention.length - 1;  // the last layer is the one that decides
    const kept = attention.findIndex((layer) => layer.name === this.layer?.name);
    segmented($('attention-layers'), 'Layer', attention.map((layer, i) => ({value: i, text: layer.name.replace(/^attention/, '')})),
      kept >= 0 ? kept : last, (i) => this.#choose(i));
    this.picture.show(seen);
    this.picture.setRange(span, unit);
    this.#choose(kept >= 0 ? kept : last);
  }

  #choose(index) {
    const layer = this.layer = this.attention[index];
    this.maps = tensor(layer);
    this.mean = meanOfHeads(layer, this.maps);
    const [heads, rows, cols] = this.maps.shape;
    put('attention-facts', `${plural(heads, 'head')} over ${rows} × ${cols} patches (bands × steps).`);
    this.grid.show({
      order: [ALL, ...Array(heads).keys()], chosen: Math.min(this.head, heads - 1),
      name: (h) => h === ALL ? 'all' : String(h), title: (h) => h === ALL ? 'Mean of all heads' : `Head ${h}`,
      paint: (h, canvas) => paint(canvas, this.#bytes(h), rows, cols, [0, 255], settings.map),
    });
  }

  #bytes(head) { return head === ALL ? this.mean : plane(this.maps, head); }

  #cover() {
    const [, rows, cols] = this.maps.shape;
    put('attention-name', `${this.layer.name}, ${this.head === ALL ? 'mean of all heads' : `head ${this.head}`}`);
    this.picture.cover(this.#bytes(this.head), rows, cols,
      {strength: Number($('attention-strength').value), smooth: false, span: this.span});
  }
}

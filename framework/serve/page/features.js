/**
 * What each layer makes of the sound: its channels as small pictures, the chosen one large over the spectrogram, and below
 * it when in the sound the channel fires.
 */

import {$, on, put, segmented} from './dom.js';
import {MapGrid} from './mapgrid.js';
import {Profile} from './profile.js';
import {Spectrogram} from './spectrogram.js';
import {figure, plural, seconds} from './format.js';
import {paint} from './raster.js';
import {plane, tensor} from './tensor.js';
import {settings} from './settings.js';

/** Standard deviation of each channel, in the layer's own values: a channel that never changes tells nothing. */
function activities(layer, maps) {
  return layer.min.map((min, c) => {
    const bytes = plane(maps, c);
    let sum = 0;
    let squares = 0;
    for (const b of bytes) {
      sum += b;
      squares += b * b;
    }
    const mean = sum / bytes.length;
    return Math.sqrt(Math.max(0, squares / bytes.length - mean * mean)) / 255 * (layer.max[c] - min);
  });
}

/** Mean over the frequencies, for every time step, in the layer's own values. */
function profile(bytes, rows, cols, min, max) {
  const out = new Float32Array(cols);
  for (let row = 0; row < rows; ++row) for (let col = 0; col < cols; ++col) out[col] += bytes[row * cols + col];
  return out.map((sum) => min + (max - min) * sum / (255 * rows));
}

export class Features {
  constructor(player) {
    this.player = player;
    this.grid = new MapGrid($('feature-grid'), 'Channels', (channel) => this.#choose(channel));
    this.picture = new Spectrogram($('feature-picture'), {
      height: 250, label: 'The chosen channel over the spectrogram', player, map: 'grey', axis: false, readout: $('feature-readout'),
    });
    this.profile = new Profile($('feature-profile'), {height: 90, label: 'When the channel fires', player, readout: $('feature-readout')});
    on('feature-sort', 'change', () => this.#layer());
    on('feature-scale', 'change', () => this.grid.repaint());
    on('feature-strength', 'input', () => this.#cover());
    on('feature-peak', 'click', () => {
      player.seek(this.peak - 0.15);
      player.play();
    });
  }

  /** `seen`: what Spectrogram.show takes, or null when the model takes waveforms; span and unit of the time axis. */
  show(features, seen, span, unit) {
    Object.assign(this, {features, seen, span, unit, made: new Map(), channel: undefined});
    const kept = features.findIndex((layer) => layer.name === this.layer?.name);
    this.index = kept >= 0 ? kept : 0;
    const options = features.map((layer, i) => ({value: i, text: layer.name}));
    segmented($('feature-layers'), 'Layer', options, this.index, (i) => {
      this.index = i;
      this.channel = undefined;
      this.#layer();
    });
    if (seen) this.picture.show(seen);
    this.picture.host.hidden = !seen;
    for (const plot of [this.picture, this.profile]) plot.setRange(span, unit);
    this.#layer();
  }

  #layer() {
    const layer = this.layer = this.features[this.index];
    if (!this.made.has(this.index)) {
      const maps = tensor(layer);
      this.made.set(this.index, {maps, activity: activities(layer, maps)});
    }
    const {maps, activity} = this.made.get(this.index);
    this.maps = maps;
    const order = activity.map((_, c) => c);
    if ($('feature-sort').value === 'activity') order.sort((a, b) => activity[b] - activity[a]);
    const silent = activity.filter((a) => a === 0).length;
    const [channels, rows, cols] = layer.of;
    const shrunk = layer.shape.some((n, i) => n !== layer.of[i]);
    put('feature-facts', `${plural(channels, 'channel')} of ${rows === 1 ? plural(cols, 'step') : `${rows} × ${cols} (frequency × time)`}`
      + (shrunk ? `, shown ${layer.shape[0]} of ${layer.shape[1]} × ${layer.shape[2]}` : '')
      + (silent > 0 ? `, ${silent} without any activity` : '') + '.');
    $('feature-grid').classList.toggle('flat', layer.shape[1] === 1);
    this.grid.show({
      order, chosen: this.channel ?? order[0], name: String, title: (c) => `Channel ${c}`,
      paint: (c, canvas) => this.#thumb(c, canvas),
    });
  }

  #thumb(c, canvas) {
    const [, rows, cols] = this.maps.shape;
    let range = [0, 255];
    if ($('feature-scale').value === 'layer') {  // bytes of this channel at which the whole layer's limits lie
      const low = Math.min(...this.layer.min);
      const high = Math.max(...this.layer.max);
      const own = this.layer.max[c] - this.layer.min[c];
      range = own > 0 ? [(low - this.layer.min[c]) / own * 255, (high - this.layer.min[c]) / own * 255] : [0, 255];
    }
    paint(canvas, plane(this.maps, c), rows, cols, range, settings.map);
  }

  #choose(channel) {
    this.channel = channel;
    const [, rows, cols] = this.maps.shape;
    const min = this.layer.min[channel];
    const max = this.layer.max[channel];
    const values = profile(plane(this.maps, channel), rows, cols, min, max);
    const at = values.indexOf(Math.max(...values));
    this.peak = this.span[0] + (at + 0.5) / cols * (this.span[1] - this.span[0]);
    put('feature-name', `${this.layer.name}, channel ${channel}`);
    put('feature-range', `Values ${figure(min)} to ${figure(max)}`);
    $('feature-peak').hidden = this.unit !== 's' || max === min || !this.player.audible;
    put('feature-peak', `Play where it fires (${seconds(this.peak)})`);
    this.profile.show(values, this.span);
    this.#cover();
  }

  #cover() {
    const [, rows, cols] = this.maps.shape;
    this.picture.cover(plane(this.maps, this.channel), rows, cols,
      {strength: Number($('feature-strength').value), smooth: true, span: this.span});
  }
}

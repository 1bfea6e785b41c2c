/** What a masked autoencoder makes of a sound of which it saw only a part. The slider asks the server again. */

import {$, on, put} from './dom.js';
import {Spectrogram} from './spectrogram.js';
import {aborted} from './api.js';
import {figure, percent} from './format.js';
import {plane, tensor} from './tensor.js';

export class Reconstruction {
  #flight;

  /** `again(ratio, signal)` gives the prediction's `reconstruction` at another ratio. */
  constructor(player, again) {
    this.again = again;
    const plot = (id, label, axis) => new Spectrogram($(id), {height: 132, label, player, axis, readout: $('reconstruction-readout')});
    this.plots = {
      input: plot('reconstruction-input', 'The input', false),
      seen: plot('reconstruction-seen', 'What the model saw', false),
      prediction: plot('reconstruction-prediction', 'What the model made of it', true),
    };
    on('mask-ratio', 'input', () => { put('mask-text', percent(this.ratio).replace('.0', '')); });
    on('mask-ratio', 'change', () => this.#ask());
    on('keep-visible', 'change', () => this.#draw());
  }

  get ratio() { return Number($('mask-ratio').value) / 100; }

  show(reconstruction, seen, span, unit) {
    this.#flight?.abort();
    Object.assign(this, {seen, span, unit});
    this.#take(reconstruction);
  }

  async #ask() {
    this.#flight?.abort();
    this.#flight = new AbortController();
    const signal = this.#flight.signal;
    $('reconstruction-plots').setAttribute('aria-busy', 'true');
    put('reconstruction-note', '');
    try {
      this.#take(await this.again(this.ratio, signal));
    } catch (error) {
      if (!aborted(error)) put('reconstruction-note', error.message);
    } finally {
      if (!signal.aborted) $('reconstruction-plots').removeAttribute('aria-busy');
    }
  }

  #take({mask_ratio: ratio, loss, input, prediction, hidden}) {
    $('reconstruction-plots').removeAttribute('aria-busy');
    $('mask-ratio').value = Math.round(100 * ratio);
    put('mask-text', percent(ratio).replace('.0', ''));
    put('mask-loss', `Loss over the hidden patches: ${figure(loss)}`);
    this.data = {input: plane(tensor(input), 0), prediction: plane(tensor(prediction), 0), hidden: tensor(hidden)};
    this.#draw();
  }

  #draw() {
    const {input, prediction, hidden: {values: hidden, shape: [rows, cols]}} = this.data;
    const common = {rows, cols, span: this.span, frequencies: this.seen.frequencies, cycles: this.seen.cycles, scale: input};
    const mixed = $('keep-visible').checked ? prediction.map((value, i) => hidden[i] ? value : input[i]) : prediction;
    this.plots.input.show({...common, values: input});
    this.plots.seen.show({...common, values: input, hidden});
    this.plots.prediction.show({...common, values: mixed});
    for (const plot of Object.values(this.plots)) plot.setRange(this.span, this.unit);
  }
}

/** The clip on its time axis: the whole sound above, below it what the model got of it. */

import {$, fill, on, put, segmented} from './dom.js';
import {MAPS} from './colormap.js';
import {Spectrogram} from './spectrogram.js';
import {Waveform, peaks} from './waveform.js';
import {count, figure, hertz, plural} from './format.js';
import {plane, tensor} from './tensor.js';
import {settings} from './settings.js';

const IQ = ['I', 'Q'];

/** {unit, whole, model}: the clip's span and the model's, in seconds, or in samples when the rate is not known. */
function spans({clip, spectrogram}) {
  const timed = clip.seconds !== null && clip.seconds !== undefined;
  const whole = [0, timed ? clip.seconds : clip.samples];
  const length = spectrogram?.shape.at(-1);
  let model = whole;
  if (spectrogram && timed && spectrogram.frame_s) {
    const start = spectrogram.start_s ?? 0;
    model = [start, start + length * spectrogram.frame_s];
  } else if (spectrogram?.kind === 'waveform' && !timed) model = [0, length];
  return {unit: timed ? 's' : 'samples', whole, model};
}

export class Seen {
  constructor(player) {
    this.waveform = new Waveform($('waveform'), {height: 84, label: 'Waveform', player, axis: false, readout: $('seen-readout')});
    this.spectrogram = new Spectrogram($('spectrogram'), {height: 250, label: 'Spectrogram', player, readout: $('seen-readout')});
    this.samples = new Waveform($('model-samples'), {height: 110, label: 'Samples that the model got', player, readout: $('seen-readout')});
    fill($('colour-map'), Object.keys(MAPS).map((name) => ({value: name, text: name})), settings.map);
    on('colour-map', 'change', () => settings.set({map: $('colour-map').value}));
    $('contrast').value = settings.clip;
    const contrast = () => { put('contrast-text', `cut ${settings.clip}%`); };
    contrast();
    on('contrast', 'input', () => {
      settings.set({clip: Number($('contrast').value)});
      contrast();
    });
    on('seen-channel', 'change', () => this.#picture());
  }

  /** Shows an answer of /v1/predict. Then `seen` is what Spectrogram.show takes (or null), `span` and `unit` its time. */
  show(answer) {
    this.answer = answer;
    const {unit, whole, model} = this.times = spans(answer);
    this.unit = unit;
    this.span = model;
    const iq = answer.clip.domain === 'iq';
    this.waveform.names = this.samples.names = iq ? IQ : null;
    this.samples.title = "model's input";
    this.waveform.host.hidden = !answer.waveform;
    if (answer.waveform) this.waveform.show(answer.waveform.channels, whole);
    this.got = answer.spectrogram ? tensor(answer.spectrogram) : null;
    const samples = answer.spectrogram?.kind === 'waveform';
    const channels = this.got && !samples ? this.got.shape[0] : 1;
    fill($('seen-channel'), Array.from({length: channels}, (_, i) => ({value: i, text: `channel ${i + 1}`})), 0);
    $('seen-channel-box').hidden = channels === 1;
    this.samples.host.hidden = !samples;
    if (samples) this.samples.show(Array.from({length: this.got.shape[0]}, (_, c) => peaks(plane(this.got, c))), model);
    this.#picture();
    this.#ranges();
  }

  #picture() {
    const {spectrogram, constellation} = this.answer;
    const shape = this.got?.shape;
    put('spectrogram-note', '');
    if (spectrogram && spectrogram.kind !== 'waveform') {
      const [, rows, cols] = shape;
      this.seen = {
        values: plane(this.got, Number($('seen-channel').value)), rows, cols, span: this.span, frequencies: spectrogram.frequencies_hz,
      };
      put('seen-facts', `Exactly what went into the model: ${rows} × ${cols} values`
        + `${spectrogram.values ? ` (${spectrogram.values})` : ''}, ${figure(spectrogram.min)} to ${figure(spectrogram.max)}.`);
    } else if (constellation?.spectrogram) {
      const own = constellation.spectrogram;
      const {shape: [rows, cols], values} = tensor(own);
      const start = own.start_s ?? 0;
      const span = this.unit === 's' && own.frame_s ? [start, start + cols * own.frame_s] : this.times.whole;
      this.seen = {values, rows, cols, span, frequencies: own.frequencies_hz ?? own.frequencies_cycles ?? null, cycles: !own.frequencies_hz};
      put('spectrogram-note', 'For the eye only: in dB below the peak.');
    } else this.seen = null;
    if (spectrogram?.kind === 'waveform') {
      put('seen-facts', `The model takes the samples themselves: ${plural(shape[0], 'channel')} of ${count(shape[1])}.`);
    }
    if (!spectrogram) put('seen-facts', '');
    $('spectrogram').hidden = $('picture-tools').hidden = !this.seen;
    this.samples.setAxis(!this.seen);
    if (!this.seen) return;
    const f = this.seen.frequencies;
    const reach = f && !this.seen.cycles ? `, ${hertz(f[0])} to ${hertz(f.at(-1))}` : '';
    this.spectrogram.canvas.setAttribute('aria-label', `Spectrogram, ${this.seen.rows} rows by ${this.seen.cols} frames${reach}`);
    this.spectrogram.show(this.seen);
  }

  /** The axis: all of the clip and of what the model got; where these differ much, the user chooses. */
  #ranges() {
    const {whole, model, unit} = this.times;
    const both = [Math.min(whole[0], model[0]), Math.max(whole[1], model[1])];
    const apart = (model[1] - model[0]) / (both[1] - both[0]) < 0.95;
    const set = (range) => {
      for (const plot of [this.waveform, this.spectrogram, this.samples]) plot.setRange(range, unit);
    };
    $('seen-range').replaceChildren();
    if (apart) {
      segmented($('seen-range'), 'Time axis', [{value: 'both', text: 'Whole clip'}, {value: 'model', text: "Model's part"}], 'both',
        (value) => set(value === 'both' ? both : model));
    }
    set(both);
  }
}

/** Every way a sound comes in by hand: dropped anywhere, pasted, chosen, recorded. Hands on a list of files. */

import {$, announce, on, put} from './dom.js';
import {LONGEST_S, Recorder, cannotRecord} from './recorder.js';

export class Input {
  #recorder = null;

  constructor(onfiles, onerror) {
    this.onfiles = onfiles;
    this.onerror = onerror;
    const file = $('file');
    on('choose', 'click', () => file.click());
    file.addEventListener('change', () => {
      const files = [...file.files];
      file.value = '';  // choosing the same file again shall ask again
      this.#take(files);
    });
    document.addEventListener('paste', (event) => {
      if (event.clipboardData?.files.length > 0) this.#take([...event.clipboardData.files]);
    });
    this.#drops();
    const reason = cannotRecord();
    $('record').disabled = reason !== null;
    put('record-note', reason ?? '');
    on('record', 'click', () => this.#record());
  }

  #take(files) {
    if (files.length > 0) this.onfiles(files);
  }

  #drops() {
    let depth = 0;  // enter and leave come for every element on the way
    const files = (event) => event.dataTransfer?.types.includes('Files');
    const over = (on) => document.body.classList.toggle('dropping', on);
    document.addEventListener('dragenter', (event) => { if (files(event)) over(++depth > 0); });
    document.addEventListener('dragleave', (event) => { if (files(event)) over(--depth > 0); });
    document.addEventListener('dragover', (event) => { if (files(event)) event.preventDefault(); });
    document.addEventListener('drop', (event) => {
      depth = 0;
      over(false);
      if (!files(event)) return;
      event.preventDefault();
      this.#take([...event.dataTransfer.files]);
    });
  }

  async #record() {
    if (this.#recorder) return this.#stop();
    $('record').disabled = true;
    try {
      this.#recorder = await Recorder.start((s, peak) => {
        put('record-time', `${s.toFixed(1)} s`);
        $('record-level').style.transform = `scaleX(${Math.min(1, Math.sqrt(peak))})`;
        if (s >= LONGEST_S && this.#recorder) this.#stop();
      });
      announce('Recording.');
    } catch (error) {
      this.onerror(error);
    }
    $('record').disabled = false;
    this.#show();
  }

  async #stop() {
    const recorder = this.#recorder;
    this.#recorder = null;
    this.#show();
    const file = await recorder.stop();
    if (file) this.#take([file]);
  }

  #show() {
    const on = this.#recorder !== null;
    $('record').classList.toggle('on', on);
    put('record-text', on ? 'Stop and predict' : 'Record');
    $('recording').hidden = !on;
  }
}

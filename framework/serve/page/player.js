/**
 * The clip's sound: an <audio> element behind our own buttons, so that one cursor can run over every picture of the clip.
 * `frame(call)` calls at each screen refresh while it plays and at each jump.
 */

import {$, modified, on, put} from './dom.js';
import {solo} from './sounds.js';

const clock = (s) => `${Math.floor(s / 60)}:${(s % 60).toFixed(1).padStart(4, '0')}`;

export class Player {
  #audio = solo(new Audio());
  #calls = new Set();
  #frame = 0;
  #address = null;

  constructor() {
    const audio = this.#audio;
    audio.id = 'audio';
    audio.preload = 'auto';
    $('player').append(audio);  // without `controls` it shows nothing
    for (const name of ['play', 'pause', 'ended', 'seeking', 'seeked', 'loadedmetadata', 'emptied']) {
      audio.addEventListener(name, () => this.#update());
    }
    audio.addEventListener('error', () => {
      if (!audio.getAttribute('src')) return;
      this.#off('This browser cannot play the sound; the model can still read it.');
    });
    on('play', 'click', () => this.toggle());
    on('seek', 'input', () => this.seek(Number($('seek').value)));
    on('loop', 'change', () => { audio.loop = $('loop').checked; });
    document.addEventListener('keydown', (event) => this.#key(event));
  }

  /** Takes a Blob, or null with the reason why there is nothing to hear. */
  load(sound, reason = '') {
    this.#audio.pause();
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = sound ? URL.createObjectURL(sound) : null;
    if (!sound) {
      this.#audio.removeAttribute('src');
      this.#audio.load();
      this.#off(reason);
      return;
    }
    $('player').classList.remove('off');
    put('player-note', '');
    $('play').disabled = $('seek').disabled = false;
    this.#audio.src = this.#address;
  }

  get audible() { return this.#address !== null; }
  get ready() { return !$('play').disabled && this.#audio.duration > 0; }
  get time() { return this.#audio.currentTime; }
  get started() { return this.ready && (this.time > 0 || !this.#audio.paused); }

  seek(s) {
    if (!this.ready) return;
    this.#audio.currentTime = Math.min(Math.max(s, 0), this.#audio.duration);
    this.#update();
  }

  play() { this.#audio.play().catch(() => {}); }  // a failure comes as an `error` event
  toggle() {
    if (this.#audio.paused) this.play();
    else this.#audio.pause();
  }

  frame(call) { this.#calls.add(call); }

  #off(reason) {
    $('player').classList.add('off');
    put('player-note', reason);
    $('play').disabled = $('seek').disabled = true;
    this.#update();
  }

  #update() {
    cancelAnimationFrame(this.#frame);
    const audio = this.#audio;
    const length = this.ready ? audio.duration : 0;
    $('play').setAttribute('aria-label', audio.paused ? 'Play' : 'Pause');
    $('play').classList.toggle('on', !audio.paused);
    $('seek').max = length || 1;
    $('seek').value = audio.currentTime;
    $('seek').setAttribute('aria-valuetext', `${audio.currentTime.toFixed(1)} of ${length.toFixed(1)} seconds`);
    put('time', `${clock(audio.currentTime)} / ${clock(length)}`);
    for (const call of this.#calls) call();
    if (!audio.paused) this.#frame = requestAnimationFrame(() => this.#update());
  }

  /** Space and arrows, where they mean nothing else: on the plots, or with no control in focus. */
  #key(event) {
    if (modified(event) || !this.ready || $('panel-clip').hidden) return;
    const target = event.target;
    if (target !== document.body && !target.closest('[data-player-keys]')) return;
    if (document.querySelector('dialog[open]')) return;
    const step = event.shiftKey ? 1 : 0.1;
    const action = {
      ' ': () => this.toggle(),
      ArrowRight: () => this.seek(this.time + step),
      ArrowLeft: () => this.seek(this.time - step),
      Home: () => this.seek(0),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}

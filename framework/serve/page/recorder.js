/**
 * The microphone as a WAV file. MediaRecorder would give WebM or MP4, which the server does not read; so the samples come
 * from an audio worklet, raw: echo and noise suppression are made for speech and would bend what the model hears.
 */

import {ApiError} from './api.js';
import {wav} from './wav.js';

export const LONGEST_S = 60;

/** Why recording is not possible here, or null. */
export function cannotRecord() {
  if (!window.isSecureContext) return 'Browsers give the microphone only to https pages and to localhost.';
  return navigator.mediaDevices && window.AudioWorkletNode ? null : 'This browser cannot record.';
}

export class Recorder {
  #blocks = [];
  #frames = 0;

  /** Asks for the microphone and starts. `onblock(seconds, peak)` while it runs. */
  static async start(onblock) {
    const recorder = new Recorder();
    try {
      recorder.stream = await navigator.mediaDevices.getUserMedia({
        audio: {channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false},
      });
    } catch (error) {
      throw new ApiError(error.name === 'NotFoundError'
        ? {code: 'MICROPHONE', message: 'No microphone was found.', hint: 'plug one in, or drop a file instead'}
        : {code: 'MICROPHONE', message: 'The microphone may not be used.', hint: "allow it in the browser's address bar"});
    }
    const context = recorder.context = new AudioContext();
    await context.audioWorklet.addModule(new URL('./recorder_worklet.js', import.meta.url));
    const node = new AudioWorkletNode(context, 'amae-recorder', {numberOfOutputs: 0});
    node.port.onmessage = ({data}) => {
      recorder.#blocks.push(data);
      recorder.#frames += data.length;
      onblock(recorder.#frames / context.sampleRate, data.reduce((peak, x) => Math.max(peak, Math.abs(x)), 0));
    };
    context.createMediaStreamSource(recorder.stream).connect(node);
    return recorder;
  }

  /** Lets go of the microphone; the File, or null when nothing was heard. */
  async stop() {
    for (const track of this.stream.getTracks()) track.stop();
    const rate = this.context.sampleRate;
    await this.context.close();
    if (this.#frames === 0) return null;
    const samples = new Float32Array(this.#frames);
    let at = 0;
    for (const block of this.#blocks) {
      samples.set(block, at);
      at += block.length;
    }
    return wav(samples, rate, `recording ${new Date().toTimeString().slice(0, 8).replaceAll(':', '.')}.wav`);
  }
}

// Runs on the audio thread: hands each block of the first channel over as it comes.
registerProcessor('amae-recorder', class extends AudioWorkletProcessor {
  process([input]) {
    if (input[0]) this.port.postMessage(input[0].slice());
    return true;
  }
});

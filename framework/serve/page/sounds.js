/** One sound at a time: whichever starts stops the one before. */

let current = null;

export function solo(audio) {
  audio.addEventListener('play', () => {
    if (current && current !== audio) current.pause();
    current = audio;
  });
  return audio;
}

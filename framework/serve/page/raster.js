/** Values to pixels. Pictures here have row 0 (the lowest frequency) at the bottom. */

import {table} from './colormap.js';

/** [low, high] between which all but `percent` of the values at each end lie. */
export function limits(values, percent) {
  const stride = Math.max(1, Math.floor(values.length / 50000));
  const some = new Float32Array(Math.ceil(values.length / stride));
  for (let i = 0; i < some.length; ++i) some[i] = values[i * stride];
  some.sort();
  const at = (share) => some[Math.round(share * (some.length - 1))] ?? 0;
  const low = at(percent / 100);
  const high = at(1 - percent / 100);
  return high > low ? [low, high] : [low - 0.5, low + 0.5];
}

/** Paints `values` [rows, cols] onto `canvas`, one pixel a value. `hidden` [rows, cols]: 1 becomes transparent. */
export function paint(canvas, values, rows, cols, [low, high], map, hidden) {
  canvas.width = cols;
  canvas.height = rows;
  const g = canvas.getContext('2d');
  const image = g.createImageData(cols, rows);
  const colours = table(map);
  const scale = high > low ? 255 / (high - low) : 0;
  for (let row = 0; row < rows; ++row) {
    let out = 4 * (rows - 1 - row) * cols;
    for (let i = row * cols; i < (row + 1) * cols; ++i, out += 4) {
      const level = 3 * Math.min(255, Math.max(0, Math.round((values[i] - low) * scale)));
      image.data[out] = colours[level];
      image.data[out + 1] = colours[level + 1];
      image.data[out + 2] = colours[level + 2];
      image.data[out + 3] = hidden?.[i] ? 0 : 255;
    }
  }
  g.putImageData(image, 0, 0);
  return canvas;
}

/** Paints bytes [rows, cols] as a warm veil, clear where 0: to lie over a grey spectrogram. `strength` 0..1. */
export function veil(canvas, bytes, rows, cols, strength) {
  canvas.width = cols;
  canvas.height = rows;
  const g = canvas.getContext('2d');
  const image = g.createImageData(cols, rows);
  for (let row = 0; row < rows; ++row) {
    let out = 4 * (rows - 1 - row) * cols;
    for (let i = row * cols; i < (row + 1) * cols; ++i, out += 4) {
      image.data[out] = 255;
      image.data[out + 1] = 100 + 0.6 * bytes[i];  // from orange to yellow
      image.data[out + 2] = 0;
      image.data[out + 3] = strength * bytes[i];
    }
  }
  g.putImageData(image, 0, 0);
  return canvas;
}

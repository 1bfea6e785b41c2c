/**
 * A mark for every class: the eight colours of Okabe and Ito (2008), told apart by every kind of colour blindness, and a
 * new shape for every further eight. Beyond 48 classes marks repeat; the legend's filter then tells them apart.
 */

import {css, prepare} from './dom.js';

const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442', 'ink'];
const SHAPES = ['circle', 'square', 'triangle', 'diamond', 'cross', 'down'];

export const NONE = -1;

export function markOf(index) {
  if (index === NONE) return {colour: 'soft', shape: 'circle'};
  return {colour: COLOURS[index % COLOURS.length], shape: SHAPES[Math.floor(index / COLOURS.length) % SHAPES.length]};
}

/** Traces `shape` around (x, y); all shapes look about as large as a circle of radius r. */
export function trace(g, shape, x, y, r) {
  g.beginPath();
  const polygon = (...corners) => {
    corners.forEach(([dx, dy]) => g.lineTo(x + dx * r, y + dy * r));
    g.closePath();
  };
  if (shape === 'square') polygon([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]);
  else if (shape === 'triangle') polygon([0, -1.2], [1.15, 0.8], [-1.15, 0.8]);
  else if (shape === 'down') polygon([0, 1.2], [1.15, -0.8], [-1.15, -0.8]);
  else if (shape === 'diamond') polygon([0, -1.3], [1.1, 0], [0, 1.3], [-1.1, 0]);
  else if (shape === 'cross') {
    const a = 0.42;
    const b = 1.2;
    polygon([-a, -b], [a, -b], [a, -a], [b, -a], [b, a], [a, a], [a, b], [-a, b], [-a, a], [-b, a], [-b, -a], [-a, -a]);
  } else g.arc(x, y, r, 0, 7);
}

/** A little canvas with the mark drawn once: stamping it is far faster than tracing it 20,000 times. */
export function stamp(index, r) {
  const {colour, shape} = markOf(index);
  const side = 2 * Math.ceil(1.5 * r + 1);
  const canvas = document.createElement('canvas');
  const g = prepare(canvas, side, side);
  trace(g, shape, side / 2, side / 2, r);
  g.fillStyle = colour.startsWith('#') ? colour : css(`--${colour}`);
  g.fill();
  g.strokeStyle = css('--mark-edge');
  g.lineWidth = 0.8;
  g.stroke();
  return {canvas, side};
}

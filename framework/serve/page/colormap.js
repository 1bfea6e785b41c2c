/**
 * Colour maps: tables of 256 colours through anchors, straight lines in sRGB between them. All rise evenly in lightness,
 * so they survive a grey print and every kind of colour blindness.
 *
 * Source of the anchors: viridis, magma (van der Walt and Smith 2015), cividis (Nuñez et al. 2018), sampled
 * at even steps.
 */

export const MAPS = {
  viridis: '440154 482475 414487 355f8d 2a788e 21918c 22a884 44bf70 7ad151 bddf26 fde725',
  magma: '000004 140e36 3b0f70 641a80 8c2981 b73779 de4968 f7705c fe9f6d fecf92 fcfdbf',
  cividis: '00204d 00336f 39486b 575c6d 707173 8a8779 a69d75 c4b56c e4cf5b ffea46',
  grey: '000000 ffffff',
};

const channels = (hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
const made = new Map();

/** Uint8ClampedArray of 256 × (r, g, b). */
export function table(name) {
  if (made.has(name)) return made.get(name);
  const anchors = MAPS[name].split(' ').map(channels);
  const out = new Uint8ClampedArray(768);
  for (let i = 0; i < 256; ++i) {
    const at = i / 255 * (anchors.length - 1);
    const left = Math.min(Math.floor(at), anchors.length - 2);
    for (let c = 0; c < 3; ++c) out[3 * i + c] = anchors[left][c] + (at - left) * (anchors[left + 1][c] - anchors[left][c]);
  }
  made.set(name, out);
  return out;
}

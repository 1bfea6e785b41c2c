/**
 * A stand-in for `amae serve`, for working on the page without a model: the page's own files under the same content
 * security policy, and every answer of the interface made up from synthetic sounds.
 *
 *   node mock_server.mjs [--port 8090] [--iq] [--encoder] [--no-index] [--no-runs] [--rows 200] [--delay MS]
 *
 * A clip is labelled as the item of the index whose mean spectrum is nearest, so /v1/items/0/audio makes a test sound.
 */

import {createHash} from 'node:crypto';
import {createServer} from 'node:http';
import {deflateSync} from 'node:zlib';
import {readFileSync} from 'node:fs';
import {join, dirname} from 'node:path';
import {fileURLToPath} from 'node:url';

const flag = (name) => process.argv.includes(`--${name}`);
const option = (name, fallback) => flag(name) ? process.argv[process.argv.indexOf(`--${name}`) + 1] : fallback;
const PORT = Number(option('port', 8090));
const ROWS = Number(option('rows', 200));
const IQ = flag('iq');
const PAGE = join(dirname(fileURLToPath(import.meta.url)), '../../../framework/serve/page');
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
  + "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";
const RATE = 16000;
const LABELS = IQ ? ['BPSK', 'QPSK', '8PSK', 'QAM16']
  : ['dog', 'rain', 'siren', 'clock tick', 'crying baby', 'church bells', 'engine', 'footsteps', 'insects', '<b>glass</b> breaking'];

// -- numbers ------------------------------------------------------------------------------------------------------------
function random(seed) {
  let s = seed * 2654435761 >>> 0 || 1;
  return () => {
    s ^= s << 13; s >>>= 0; s ^= s >>> 17; s ^= s << 5; s >>>= 0;
    return s / 4294967296;
  };
}
const gauss = (next) => Math.sqrt(-2 * Math.log(next() + 1e-12)) * Math.cos(6.2831853 * next());
const tensor = (shape, values, dtype = 'float32') => ({
  shape, dtype, data: Buffer.from((dtype === 'uint8' ? Uint8Array : Float32Array).from(values).buffer).toString('base64'),
});

// -- sounds -------------------------------------------------------------------------------------------------------------
/** Two seconds of a class; `seed` varies it. */
function sound(label, seed) {
  const next = random(seed + 17);
  const out = new Float32Array(2 * RATE);
  const tilt = 0.85 + 0.3 * next();
  let noise = 0;
  let phase = 0;
  for (let i = 0; i < out.length; ++i) {
    const t = i / RATE;
    const white = next() * 2 - 1;
    noise += 0.08 * (white - noise);
    const burst = (period, decay, from = 0) => Math.exp(-(((t - from + 9 * period) % period) / decay));
    let f = 0;
    let v = 0;
    switch (LABELS.indexOf(label) % 10) {
      case 0: f = 500 * tilt * (1 + burst(0.7, 0.1)); v = burst(0.7, 0.12, 0.15) * (Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.3 * white); break;
      case 1: v = 0.3 * white * tilt; break;
      case 2: f = 900 * tilt + 400 * Math.sin(6.28 * t); v = 0.6 * Math.sin(phase) + 0.2 * Math.sin(3 * phase); break;
      case 3: v = burst(0.5, 0.008, 0.2) * white; break;
      case 4: f = (420 + 160 * Math.sin(5 * t)) * tilt; v = 0.3 * [1, 2, 3, 4, 5].reduce((s, h) => s + Math.sin(h * phase) / h, 0) * (0.3 + 0.7 * Math.abs(Math.sin(2.5 * t))); break;
      case 5: v = burst(1, 0.5, 0.1) * [1, 2.41, 3.9, 5.2].reduce((s, h) => s + Math.sin(6.2832 * 310 * h * tilt * t) / h, 0) * 0.4; break;
      case 6: f = 55 * tilt; v = 0.15 * [1, 2, 3, 4, 6, 8].reduce((s, h) => s + Math.sin(h * phase), 0) + noise; break;
      case 7: v = 3 * noise * burst(0.55, 0.06, 0.3); break;
      case 8: v = 0.25 * Math.sin(6.2832 * 5200 * tilt * t) * (Math.sin(6.28 * 28 * t) > 0 ? 1 : 0.1); break;
      default: v = burst(2, 0.25, 0.4) * (0.6 * white + Math.sin(6.2832 * 4100 * tilt * t) + Math.sin(6.2832 * 6300 * t)) * 0.4;
    }
    phase += 6.2831853 * f / RATE;
    out[i] = Math.max(-1, Math.min(1, 0.7 * v + 0.003 * white));
  }
  return out;
}

function wav(samples) {
  const out = Buffer.alloc(44 + 2 * samples.length);
  out.write('RIFF', 0); out.writeUInt32LE(36 + 2 * samples.length, 4); out.write('WAVEfmt ', 8);
  out.writeUInt32LE(16, 16); out.writeUInt16LE(1, 20); out.writeUInt16LE(1, 22); out.writeUInt32LE(RATE, 24);
  out.writeUInt32LE(2 * RATE, 28); out.writeUInt16LE(2, 32); out.writeUInt16LE(16, 34);
  out.write('data', 36); out.writeUInt32LE(2 * samples.length, 40);
  samples.forEach((x, i) => out.writeInt16LE(Math.round(32767 * x), 44 + 2 * i));
  return out;
}

function unwav(bytes) {
  if (bytes.length < 44 || bytes.toString('latin1', 0, 4) !== 'RIFF') return null;
  const channels = bytes.readUInt16LE(22);
  const samples = new Float32Array(Math.floor((bytes.length - 44) / 2 / channels));
  for (let i = 0; i < samples.length; ++i) samples[i] = bytes.readInt16LE(44 + 2 * channels * i) / 32768;
  return {rate: bytes.readUInt32LE(24), channels, samples};
}

const N = 512;
const WINDOW = Float64Array.from({length: N}, (_, i) => 0.5 - 0.5 * Math.cos(6.2831853 * i / N));
/** In-place radix-2 FFT of N values. */
const TURN = Array.from({length: N / 2}, (_, k) => [Math.cos(-6.2831853 * k / N), Math.sin(-6.2831853 * k / N)]);
function fft(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; ++i) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
    if (i < j) { [re[i], re[j]] = [re[j], re[i]]; [im[i], im[j]] = [im[j], im[i]]; }
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let k = 0; k < size / 2; ++k) {
      const [c, s] = TURN[k * n / size];
      for (let i = k; i < n; i += size) {
        const j = i + size / 2;
        const [a, b] = [re[j] * c - im[j] * s, re[j] * s + im[j] * c];
        re[j] = re[i] - a; im[j] = im[i] - b; re[i] += a; im[i] += b;
      }
    }
  }
}
const mel = (f) => 2595 * Math.log10(1 + f / 700);
const unmel = (m) => 700 * (10 ** (m / 2595) - 1);
const BANDS = 64;
const EDGES = Array.from({length: BANDS + 2}, (_, i) => unmel(i / (BANDS + 1) * mel(RATE / 2)));
const MEL_HZ = EDGES.slice(1, -1);

/** Log mel, [BANDS, T], hop 160. */
function melgram(samples, hop = 160) {
  const T = Math.max(1, Math.floor(samples.length / hop));
  const out = new Float32Array(BANDS * T);
  for (let t = 0; t < T; ++t) {
    const re = new Float64Array(N);
    const im = new Float64Array(N);
    for (let i = 0; i < N; ++i) re[i] = (samples[t * hop + i - N / 2] ?? 0) * WINDOW[i];
    fft(re, im);
    for (let b = 0; b < BANDS; ++b) {
      let sum = 1e-8;
      for (let k = Math.max(0, Math.floor(EDGES[b] * N / RATE)); k <= EDGES[b + 2] * N / RATE && k <= N / 2; ++k) {
        const f = k * RATE / N;
        const w = f < EDGES[b + 1] ? (f - EDGES[b]) / (EDGES[b + 1] - EDGES[b]) : (EDGES[b + 2] - f) / (EDGES[b + 2] - EDGES[b + 1]);
        sum += Math.max(0, w) * (re[k] ** 2 + im[k] ** 2);
      }
      out[b * T + t] = 10 * Math.log10(sum);
    }
  }
  return {values: out, T};
}
function spectrum({values, T}) {
  const mean = new Float32Array(BANDS);
  for (let b = 0; b < BANDS; ++b) for (let t = 0; t < T; ++t) mean[b] += values[b * T + t] / T;
  const level = mean.reduce((a, x) => a + x, 0) / BANDS;
  const size = Math.hypot(...mean.map((x) => x - level));
  return mean.map((x) => (x - level) / size);
}

// -- the index ----------------------------------------------------------------------------------------------------------
const items = Array.from({length: ROWS}, (_, row) => {
  const label = LABELS[row % LABELS.length];
  return {
    row, id: row === 3 ? '<img src=x onerror=alert(1)>' : `${1 + row % 5}-${100032 + 7 * row}-A-${row % LABELS.length}`, label, fold: String(1 + row % 5),
    path: `audio/${row}.wav`, start_s: 0, end_s: 2, columns: {esc10: String(row % 2)},
    audio: IQ ? null : `/v1/items/${row}/audio`, picture: `/v1/items/${row}/picture`,
  };
});
const cache = new Map();  // made once each: they cost
const once = (key, make) => cache.has(key) ? cache.get(key) : (cache.set(key, make()), cache.get(key));
const clipOf = (row) => once(`clip${row}`, () => sound(items[row].label, row));
const vectorOf = (row) => once(`vector${row}`, () => spectrum(melgram(clipOf(row), 800)));

function picture(row) {
  const [w, h, wave] = [640, 204, 60];
  const samples = clipOf(row);
  const {values, T} = melgram(samples);
  const pixels = Buffer.alloc(h * (1 + 3 * w));
  const peaks = Array.from({length: w}, (_, x) => {
    const at = Math.floor(x / w * samples.length);
    return samples.subarray(at, at + 50).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  });
  for (let y = 0; y < h; ++y) {
    for (let x = 0; x < w; ++x) {
      let v;
      if (y < h - wave) v = (values[Math.floor((1 - (y + 1) / (h - wave)) * BANDS) * T + Math.floor(x / w * T)] + 60) / 90;
      else v = Math.abs(y - h + wave / 2) < peaks[x] * wave / 2 ? 0.75 : 0.06;
      v = Math.min(1, Math.max(0, v));
      pixels.set([255 * Math.min(1, 1.4 * v), 255 * v * v, 255 * (0.25 + 0.5 * Math.sin(3.14 * v))], y * (1 + 3 * w) + 1 + 3 * x);
    }
  }
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(8);
    out.writeUInt32BE(data.length, 0);
    out.writeUInt32BE(crc(body), 4);
    return Buffer.concat([out.subarray(0, 4), body, out.subarray(4)]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(w, 0); head.writeUInt32BE(h, 4); head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', deflateSync(pixels)), chunk('IEND', Buffer.alloc(0))]);
}
const CRC = Uint32Array.from({length: 256}, (_, n) => { for (let k = 0; k < 8; ++k) n = n & 1 ? 0xedb88320 ^ n >>> 1 : n >>> 1; return n >>> 0; });
const crc = (bytes) => (bytes.reduce((c, b) => CRC[(c ^ b) & 255] ^ c >>> 8, 0xffffffff) ^ 0xffffffff) >>> 0;  // Node 18 has none of its own

// -- answers ------------------------------------------------------------------------------------------------------------
const CARD = {id: '3f9a01234567', sha256: createHash('sha256').update('mock').digest('hex'), name: IQ ? 'iq-resnet' : 'resnet'};
const RETURNS = IQ ? ['waveform', 'spectrogram', 'features', 'constellation'] : ['waveform', 'spectrogram', 'features', 'attention', 'reconstruction'];
const CLASSES = flag('encoder') ? [] : LABELS;
const model = {
  ...CARD, task: 'classification', classes: CLASSES, multi_label: false, width: 512, parameters: 11181642,
  input: IQ ? {domain: 'iq', rate_hz: null, channels: 2, seconds: null} : {domain: 'audio', rate_hz: RATE, channels: 1, seconds: 2},
  transforms: IQ ? [{name: 'normalize', per: 'clip'}]
    : [{name: 'resample', rate_hz: RATE}, {name: 'mel', bands: BANDS, window_ms: 32, hop_ms: 10, f_min_hz: 0}, {name: 'log', floor: 1e-8}],
  model: {name: 'resnet', depth: 18, stem: 'small', dropout: 0.1}, returns: RETURNS, device: 'cpu', deterministic: false, amae: '0.1.0',
  limits: {body_bytes: 32e6, queue: 128, batch: 16}, runs: !flag('no-runs'),
  index: flag('no-index') ? null : {rows: ROWS, dimension: 512, metric: 'cosine', type: 'flat', columns: ['label', 'fold', 'esc10']},
};

class Refusal extends Error {
  constructor(status, code, message, more = {}) { super(message); Object.assign(this, {status, error: {code, message, ...more}}); }
}

/** Body to {samples, rate, row, options}. */
function readClip(request, url, body) {
  const options = {};
  for (const key of ['top_k', 'k', 'mask_ratio']) if (url.searchParams.has(key)) options[key] = Number(url.searchParams.get(key));
  options.return = (url.searchParams.get('return') ?? '').split(',').filter(Boolean);
  options.where = url.searchParams.getAll('where');
  const type = (request.headers['content-type'] ?? '').split(';')[0];
  if (type === 'application/json') {
    const json = JSON.parse(body);
    Object.assign(options, json);
    if (!items[json.row]) throw new Refusal(404, 'QUERY', `row ${json.row} is not in the index`);
    return {samples: clipOf(json.row), rate: IQ ? null : RATE, channels: IQ ? 2 : 1, row: json.row, options};
  }
  if (IQ) {
    if (/^(no sound|This is)/.test(body.toString('latin1', 0, 9))) throw new Refusal(422, 'NPY', 'the file is no NumPy array', {hint: 'save it by numpy.save'});
    return {samples: sound('BPSK', 5), rate: null, channels: 2, options};
  }
  const found = unwav(body);
  if (!found) throw new Refusal(422, 'AUDIO', 'the file is not a sound in a format that is known here', {hint: 'WAV, FLAC and Ogg can be read'});
  if (found.samples.length < 800) throw new Refusal(422, 'AUDIO', 'the sound is shorter than one window', {hint: 'give at least 50 ms'});
  return {...found, options};
}

function peaks(samples, bins = 1200) {
  const min = [];
  const max = [];
  for (let b = 0; b < bins; ++b) {
    const part = samples.subarray(Math.floor(b * samples.length / bins), Math.max(Math.floor(b * samples.length / bins) + 1, Math.floor((b + 1) * samples.length / bins)));
    min.push(Math.min(...part));
    max.push(Math.max(...part));
  }
  return {min, max};
}

/** Scales float maps [C, size] to bytes a channel. */
function bytesOf(maps) {
  const min = maps.map((m) => Math.min(...m));
  const max = maps.map((m) => Math.max(...m));
  return {min, max, bytes: maps.flatMap((m, c) => [...m].map((v) => max[c] > min[c] ? Math.round(255 * (v - min[c]) / (max[c] - min[c])) : 0))};
}

/** Random 3×3 filters, rectified and pooled: looks like a network's first layers, well enough. */
function layer(name, values, rows, cols, channels, shrink, seed) {
  const next = random(seed);
  const [H, W] = [Math.max(1, Math.floor(rows / shrink)), Math.max(1, Math.floor(cols / shrink))];
  const maps = Array.from({length: channels}, (_, c) => {
    const kernel = Array.from({length: 9}, () => gauss(next));
    const bias = gauss(next) * 1.5;
    const map = new Float32Array(H * W);
    if (c % 16 === 9) return map;
    for (let y = 0; y < H; ++y) for (let x = 0; x < W; ++x) {
      let sum = bias;
      for (let k = 0; k < 9; ++k) {
        const r = Math.min(rows - 1, Math.max(0, y * shrink + (Math.floor(k / 3) - 1) * Math.ceil(shrink / 2)));
        const q = Math.min(cols - 1, Math.max(0, x * shrink + (k % 3 - 1) * Math.ceil(shrink / 2)));
        sum += kernel[k] * values[r * cols + q];
      }
      map[y * W + x] = Math.max(0, sum);
    }
    return map;
  });
  const {min, max, bytes} = bytesOf(maps);
  return {name, ...tensor([channels, H, W], bytes, 'uint8'), of: [channels, H, W], min, max};
}

function predict({samples, rate, channels, row, options}) {
  options.return.forEach((name, i) => {
    if (!RETURNS.includes(name)) throw new Refusal(400, 'REQUEST', `this model gives no ${name}`, {field: `/return/${i}`});
  });
  const wants = (name) => options.return.includes(name);
  const out = {model: CARD, clip: {format: IQ ? 'NPY' : 'WAV', domain: IQ ? 'iq' : 'audio', rate_hz: rate, channels, samples: samples.length, seconds: rate ? samples.length / rate : null}};
  const used = samples.length > 2 * RATE ? samples.subarray(0, 2 * RATE) : samples;
  const grid = melgram(used);
  const {values, T} = grid;
  const mean = values.reduce((a, v) => a + v, 0) / values.length;
  const spread = Math.sqrt(values.reduce((a, v) => a + (v - mean) ** 2, 0) / values.length) || 1;
  const normal = values.map((v) => (v - mean) / spread);
  const vector = spectrum(grid);
  const scores = LABELS.map((_, c) => Math.exp(18 * Math.max(...[0, 1, 2, 3].map((n) => c + n * LABELS.length).filter((r) => r < ROWS)
    .map((r) => vectorOf(r).reduce((s, v, b) => s + v * vector[b], 0)))));
  const total = scores.reduce((a, b) => a + b);
  out.top = CLASSES.map((label, i) => ({label, class: i, score: scores[i] / total})).sort((a, b) => b.score - a.score).slice(0, options.top_k ?? 5);
  out.timing_ms = {decode: 1.2, front_end: 3.1, queue: 0.4, model: 8.0, total: 12.9};
  out.batch = 1;
  const lanes = IQ ? [samples, samples.map((v, i) => samples[(i + 40) % samples.length])] : [samples];
  if (wants('waveform')) out.waveform = {bins: 1200, seconds: out.clip.seconds, channels: lanes.map((lane) => peaks(lane))};
  if (wants('spectrogram')) {
    out.spectrogram = IQ
      ? {...tensor([2, 4096], lanes.flatMap((lane) => [...lane.subarray(0, 4096)])), kind: 'waveform', min: -1, max: 1, start_s: 0, frame_s: null, frequencies_hz: null}
      : {...tensor([1, BANDS, T], values), kind: 'spectrogram', min: Math.min(...values), max: Math.max(...values), start_s: 0, frame_s: 0.01, frequencies_hz: MEL_HZ, values: 'logarithms'};
  }
  if (wants('features')) {
    out.features = IQ ? [layer('block1', used.subarray(0, 1024).map((v) => 3 * v), 1, 1024, 32, 2, 1), layer('block2', used.subarray(0, 1024).map((v) => 3 * v), 1, 1024, 64, 8, 2)]
      : [layer('stem', normal, BANDS, T, 64, 2, 1), layer('layer1', normal, BANDS, T, 64, 2, 2), layer('layer2', normal, BANDS, T, 128, 4, 3),
        layer('layer3', normal, BANDS, T, 256, 8, 4), layer('layer4', normal, BANDS, T, 512, 16, 5)];
  }
  if (wants('attention')) {
    const [rows, cols] = [BANDS / 16, Math.ceil(T / 16)];
    out.attention = Array.from({length: 6}, (_, l) => {
      const next = random(50 + l);
      const maps = Array.from({length: 6}, () => {
        const [where, sharp] = [next(), 0.5 + 2 * next()];
        return Float32Array.from({length: rows * cols}, (_, i) => {
          const [r, c] = [Math.floor(i / cols), i % cols];
          const energy = normal[Math.min(BANDS - 1, r * 16 + 8) * T + Math.min(T - 1, c * 16 + 8)];
          return 1 / (1 + Math.exp(-sharp * energy + 6 * (r / rows - where) ** 2 + 1.5 + 0.6 * next())) / 50;
        });
      });
      const {min, max, bytes} = bytesOf(maps);
      return {name: `attention${l + 1}`, ...tensor([6, rows, cols], bytes, 'uint8'), min, max};
    });
  }
  if (wants('reconstruction')) {
    const ratio = options.mask_ratio ?? 0.75;
    const next = random(Math.round(ratio * 100) + 3);
    const cols = Math.ceil(T / 16);
    const patches = Array.from({length: BANDS / 16 * cols}, () => next() < ratio);
    const hidden = Uint8Array.from({length: BANDS * T}, (_, i) => patches[Math.floor(i / T / 16) * cols + Math.floor(i % T / 16)]);
    const blur = normal.map((_, i) => {
      let sum = 0;
      let n = 0;
      for (let dy = -4; dy <= 4; dy += 2) for (let dx = -6; dx <= 6; dx += 3) {
        const [r, c] = [Math.floor(i / T) + dy, i % T + dx];
        if (r >= 0 && r < BANDS && c >= 0 && c < T) { sum += normal[r * T + c]; ++n; }
      }
      return sum / n;
    });
    out.reconstruction = {mask_ratio: ratio, loss: 0.2 + 0.4 * ratio, input: tensor([1, BANDS, T], normal), prediction: tensor([1, BANDS, T], blur), hidden: tensor([BANDS, T], hidden, 'uint8')};
  }
  if (wants('constellation')) {
    const g = random(9);
    const points = Array.from({length: 2048}, () => [Math.sign(g() - 0.5) * 0.7 + 0.09 * gauss(g), Math.sign(g() - 0.5) * 0.7 + 0.09 * gauss(g)]);
    const F = 64;
    const S = 200;
    const field = Float32Array.from({length: F * S}, (_, i) => -60 + 50 * Math.exp(-(((Math.floor(i / S) - 36 - 4 * Math.sin(i % S / 20)) / 9) ** 2)) + 5 * gauss(g));
    out.constellation = {points, snr_db: 14.2, spectrogram: {...tensor([F, S], field), start_s: 0, frame_s: null, frequencies_hz: null, frequencies_cycles: Array.from({length: F}, (_, i) => i / F - 0.5)}};
  }
  return out;
}

const keep = (where) => (item) => where.every((condition) => {
  const [, key, no, value] = /^([^=!]+)(!?)=(.*)$/.exec(condition) ?? [];
  if (key === undefined || !(key in item || key in item.columns)) throw new Refusal(422, 'QUERY', `"${condition}" names no column of the index`, {hint: 'columns: label, fold, esc10'});
  return (String(item[key] ?? item.columns[key]) === value) !== (no === '!');
});

function search({samples, row, options}) {
  const vector = row !== undefined ? vectorOf(row) : spectrum(melgram(samples, 800));
  const hits = items.filter(keep(options.where ?? [])).filter((item) => item.row !== row)
    .map((item) => ({...item, score: vectorOf(item.row).reduce((s, v, b) => s + v * vector[b], 0)}))
    .sort((a, b) => b.score - a.score).slice(0, options.k ?? 10);
  return {model: CARD, clip: row === undefined ? {} : null, metric: 'cosine', more_is_nearer: true, hits, timing_ms: {total: 3}};
}

function mapAnswer() {
  const next = random(77);
  const centre = LABELS.map((_, c) => [3 * Math.cos(c * 2.4) * (1 + c % 3), 3 * Math.sin(c * 2.4) * (1 + c % 3)]);
  return {
    method: 'umap', classes: LABELS, columns: ['label', 'fold', 'esc10'], ids: items.map(({id}) => id),
    points: items.map(({row}) => { const c = row % LABELS.length; return [centre[c][0] + 0.8 * gauss(next), centre[c][1] + 0.8 * gauss(next), row % 41 === 40 ? -1 : c, row]; }),
  };
}

// -- runs ---------------------------------------------------------------------------------------------------------------
const RUNS = [
  {id: 'esc10/20251120-140312-3f9a', name: 'esc10', task: 'classification', state: 'running', started: '2025-11-20T14:03:12Z', epochs: 30, epoch: 12, figures: {'val/accuracy': 0.91, 'val/loss': 0.31}},
  {id: 'esc50-resnet18/20251118-090100-77aa', name: 'esc50-resnet18', task: 'classification', state: 'finished', started: '2025-11-18T09:01:00Z', epochs: 60, epoch: 60, figures: {'val/accuracy': 0.842}},
  {id: 'audiomae/20251117-201500-01bc', name: 'audiomae-pretrain', task: 'pretraining', state: 'failed', started: '2025-11-17T20:15:00Z', epochs: 100, epoch: 7, figures: {}},
  {id: 'iq/20251116-080000-9d01', name: 'iq-resnet', task: 'classification', state: 'interrupted', started: '2025-11-16T08:00:00Z', epochs: 20, epoch: 9, figures: {'val/accuracy': 0.604}},
];
function metrics(run) {
  const next = random(run.name.length);
  const out = [];
  for (let epoch = 1; epoch <= run.epoch; ++epoch) {
    for (let i = 1; i <= 10; ++i) {
      const step = (epoch - 1) * 40 + 4 * i;
      out.push({step, epoch, split: 'train', name: 'loss', value: 2.3 * Math.exp(-step / 180) + 0.08 + 0.12 * next()});
      out.push({step, epoch, split: 'train', name: 'lr', value: 0.001 * (0.5 + 0.5 * Math.cos(3.14 * step / (40 * run.epochs)))});
    }
    out.push({step: 40 * epoch, epoch, split: 'train', name: 'accuracy', value: 1 - 0.88 * Math.exp(-epoch / 4) - 0.01 * next()});
    out.push({step: 40 * epoch, epoch, split: 'val', name: 'loss', value: 2.1 * Math.exp(-epoch / 5) + 0.22 + 0.05 * next()});
    out.push({step: 40 * epoch, epoch, split: 'val', name: 'accuracy', value: 0.92 - 0.8 * Math.exp(-epoch / 5) - 0.03 * next()});
  }
  return out;
}
function stream(run, response) {
  response.writeHead(200, {...HEADERS, 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store'});
  let line = 0;
  const metric = (one) => response.write(`id: ${++line}\nevent: metric\ndata: ${JSON.stringify(one)}\n\n`);
  metrics(run).forEach(metric);
  response.write(`event: state\ndata: {"state": "${run.state}"}\n\n`);
  let step = 40 * run.epoch;
  const timer = setInterval(() => {
    step += 4;
    metric({step, epoch: 1 + Math.floor(step / 40), split: 'train', name: 'loss', value: 2.3 * Math.exp(-step / 180) + 0.08 + 0.12 * Math.random()});
    if (step % 40 === 0) metric({step, epoch: step / 40, split: 'val', name: 'accuracy', value: 0.9 + 0.02 * Math.random()});
  }, 400);
  response.on('close', () => clearInterval(timer));
}

// -- the server ---------------------------------------------------------------------------------------------------------
const HEADERS = {'Content-Security-Policy': CSP, 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer'};
const TYPES = {html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml'};
let mapAsked = 0;

async function route(request, response) {
  const url = new URL(request.url, 'http://mock');
  const path = url.pathname;
  const give = (body, type = 'application/json', status = 200) => {
    response.writeHead(status, {...HEADERS, 'Content-Type': type});
    response.end(type === 'application/json' ? JSON.stringify(body) : body);
  };
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const needIndex = () => { if (!model.index) throw new Refusal(404, 'ROUTE', 'no index is loaded', {hint: 'amae serve RUN --index DIR'}); };
  if (path === '/') return give(readFileSync(join(PAGE, 'index.html')), TYPES.html);
  const file = /^\/page\/([a-z_]+\.(html|js|css|svg))$/.exec(path);
  if (file) return give(readFileSync(join(PAGE, file[1])), TYPES[file[2]]);
  if (path === '/v1/model') return give(model);
  if (path === '/v1/predict' && request.method === 'POST') {
    await new Promise((done) => setTimeout(done, Number(option('delay', 0))));
    return give(predict(readClip(request, url, body)));
  }
  if (path === '/v1/search' && request.method === 'POST') return needIndex(), give(search(readClip(request, url, body)));
  if (path === '/v1/items') {
    needIndex();
    const found = items.filter(keep(url.searchParams.getAll('where')));
    const offset = Number(url.searchParams.get('offset') ?? 0);
    return give({total: found.length, offset, items: found.slice(offset, offset + Number(url.searchParams.get('limit') ?? 50))});
  }
  const item = /^\/v1\/items\/(\d+)(\/audio|\/picture)?$/.exec(path);
  if (item) {
    needIndex();
    if (!items[item[1]]) throw new Refusal(404, 'QUERY', `row ${item[1]} is not in the index`);
    if (!item[2]) return give(items[item[1]]);
    return item[2] === '/audio' ? give(wav(clipOf(Number(item[1]))), 'audio/wav') : give(once(`picture${item[1]}`, () => picture(Number(item[1]))), 'image/png');
  }
  if (path === '/v1/map') return needIndex(), ++mapAsked < 2 ? give({state: 'computing'}, 'application/json', 202) : give(once('map', mapAnswer));
  if (path === '/v1/runs' && model.runs) return give({runs: RUNS});
  const run = /^\/v1\/runs\/([^/]+?)(\/events)?$/.exec(path);
  if (run && model.runs) {
    const found = RUNS.find(({id}) => id === decodeURIComponent(run[1]));
    if (!found) throw new Refusal(404, 'QUERY', 'no such run');
    return run[2] ? stream(found, response) : give({...found, metrics: metrics(found)});
  }
  if (path === '/openapi.json') return give({openapi: '3.1.0'});
  if (path === '/metrics') return give('amae_requests_total 1\n', 'text/plain');
  throw new Refusal(404, 'ROUTE', `${path} is not known`);
}

createServer((request, response) => route(request, response).catch((error) => {
  if (!(error instanceof Refusal)) console.error(error);
  response.writeHead(error.status ?? 500, {...HEADERS, 'Content-Type': 'application/json'});
  response.end(JSON.stringify({error: error.error ?? {code: 'INTERNAL', message: 'the server failed'}}));
})).listen(PORT, '127.0.0.1', () => console.error(`mock: http://127.0.0.1:${PORT}`));

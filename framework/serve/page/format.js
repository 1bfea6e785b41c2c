/** Numbers as people read them. */

export const count = (n) => n.toLocaleString('en');
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

export function percent(share) {
  if (share > 0 && share < 0.0005) return '< 0.1%';
  return `${(100 * share).toFixed(1)}%`;
}

/** Three or four figures, never a long tail: 0.0123, 12.3, 1,230, 1.2e-7. */
export function figure(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e7) return value.toExponential(digits - 1);
  if (size >= 1000) return Math.round(value).toLocaleString('en');
  return minus(String(Number(value.toPrecision(digits))));
}

export const minus = (text) => text.replace('-', '−');

export function hertz(f) {
  const size = Math.abs(f);
  const [scale, unit] = size >= 1e9 ? [1e9, 'GHz'] : size >= 1e6 ? [1e6, 'MHz'] : size >= 1e3 ? [1e3, 'kHz'] : [1, 'Hz'];
  return minus(`${Number((f / scale).toPrecision(4))} ${unit}`);
}

export function seconds(s) {
  const size = Math.abs(s);
  if (size > 0 && size < 1e-3) return `${Number((s * 1e6).toPrecision(3))} µs`;
  if (size > 0 && size < 0.1) return `${Number((s * 1e3).toPrecision(3))} ms`;
  return `${s.toFixed(size < 10 ? 2 : 1)} s`;
}

export function bytes(n) {
  if (n < 1e3) return `${n} B`;
  return n < 1e6 ? `${(n / 1e3).toFixed(0)} kB` : `${(n / 1e6).toFixed(n < 1e7 ? 1 : 0)} MB`;
}

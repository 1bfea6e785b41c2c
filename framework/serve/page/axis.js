/** Ticks for axes. */

/** Round numbers (1, 2, 5 times a power of ten) within [low, high], about `wanted` of them. */
export function ticks(low, high, wanted) {
  if (!(high > low)) return [low];
  const raw = (high - low) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw * 0.999);
  const out = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) out.push(i * step + 0);  // + 0: never −0
  return out;
}

/** Decades and, where there is room, 2 and 5 within; for positive ranges. */
export function decades(low, high) {
  const out = [];
  if (!(low > 0 && high < Infinity)) return out;
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; ++power) {
    for (const n of [1, 2, 5]) if (n * 10 ** power >= low && n * 10 ** power <= high) out.push(n * 10 ** power);
  }
  return out;
}

/** As many decimals as the step between ticks needs. */
export function tickText(value, step) {
  if (value !== 0 && (Math.abs(value) >= 1e6 || step < 1e-4)) return Number(value.toPrecision(3)).toExponential();
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  return value.toLocaleString('en', {minimumFractionDigits: decimals, maximumFractionDigits: decimals}).replace('-', '−');
}

/** Position (in rows, 0 = lowest, fractional) of frequency `f` in the rising list `rows`; null when outside. */
export function rowOf(rows, f) {
  if (f < rows[0] || f > rows[rows.length - 1]) return null;
  let low = 0;
  let high = rows.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (rows[middle] <= f) low = middle;
    else high = middle;
  }
  const gap = rows[high] - rows[low];
  return gap > 0 ? low + (f - rows[low]) / gap : low;
}

/** Frequencies worth a label: even steps on a linear axis, 1-2-5 on a bent one (mel, log). */
export function frequencyTicks(rows, wanted) {
  const first = rows[0];
  const last = rows[rows.length - 1];
  const middle = rows[rows.length >> 1];
  const even = Math.abs((middle - first) / (last - first) - (rows.length >> 1) / (rows.length - 1)) < 0.02;
  return even ? ticks(first, last, wanted) : decades(Math.max(first, last / 1000), last);
}

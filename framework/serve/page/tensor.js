/** Tensors of the API: {shape, dtype, data: base64 of little-endian values, C order} to typed arrays. */

const TYPES = {float32: Float32Array, uint8: Uint8Array};

function unpack(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) out[i] = text.charCodeAt(i);
  return out;
}

/** {shape, values}. Throws when shape and data do not agree. */
export function tensor({shape, dtype, data}) {
  const Type = TYPES[dtype];
  if (!Type) throw new Error(`a tensor of type ${dtype} is not known here`);
  const values = new Type(unpack(data).buffer);
  const size = shape.reduce((product, n) => product * n, 1);
  if (values.length !== size) throw new Error(`a tensor of shape ${shape.join('×')} came with ${values.length} values`);
  return {shape, values};
}

/** Plane `index` of a tensor [C, ...rest]: a view, not a copy. */
export function plane({shape, values}, index) {
  const size = shape.slice(1).reduce((product, n) => product * n, 1);
  return values.subarray(index * size, (index + 1) * size);
}

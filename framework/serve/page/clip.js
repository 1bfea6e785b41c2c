/**
 * A clip to ask the server about: a file, a SigMF pair or an item of the index.
 * {name, size, note, sound: Blob or null, item: Item or null, post(path, options, signal)}
 */

import {ApiError, ask, blob} from './api.js';
import {bytes} from './format.js';

const TYPES = {
  wav: 'audio/wav', wave: 'audio/wav', flac: 'audio/flac', ogg: 'audio/ogg', oga: 'audio/ogg', opus: 'audio/ogg',
  npy: 'application/x-npy', sigmf: 'application/x-sigmf',
};
const ending = (name) => name.slice(name.lastIndexOf('.') + 1).toLowerCase();
const refuse = (code, message, hint) => { throw new ApiError({code, message, hint}); };

/** A clip of the files dropped, pasted or chosen together; `limit` in bytes. Throws ApiError, in plain words. */
export function clipOfFiles(files, limit) {
  const meta = files.find((file) => ending(file.name) === 'sigmf-meta');
  const data = files.find((file) => ending(file.name) === 'sigmf-data');
  if ((meta && !data) || (data && !meta)) {
    refuse('FILES', `A SigMF recording is two files, and ${meta ? 'the .sigmf-data' : 'the .sigmf-meta'} is missing.`,
      'drop or choose both together, or pack them as one .sigmf archive');
  }
  const file = meta ?? files[0];
  const size = file.size + (meta ? data.size : 0);
  if (size === 0) refuse('FILES', 'The file is empty.', 'is it still being copied?');
  if (limit && size > limit) {
    refuse('SIZE', `The file has ${bytes(size)}; this server takes ${bytes(limit)} at most.`,
      'cut it, or start the server with a larger --max-body');
  }
  const kind = ending(file.name);
  const silent = ['npy', 'sigmf', 'sigmf-meta'].includes(kind);
  const post = (path, options, signal) => {
    const query = {...options, return: options.return?.join(',')};
    if (meta) {
      const form = new FormData();
      form.append('audio', meta);
      form.append('data', data);
      return ask(path, {method: 'POST', query, body: form, signal});
    }
    return ask(path, {method: 'POST', query, body: file, signal, headers: {'Content-Type': TYPES[kind] ?? 'application/octet-stream'}});
  };
  const rest = files.length - (meta ? 2 : 1);
  const note = rest > 0 ? `one clip at a time: ${rest} more left out` : null;
  return {name: file.name || 'pasted sound', size, note, sound: async () => silent ? null : file, item: null, post};
}

/** A clip of an item of the index. */
export function clipOfItem(item) {
  const post = (path, options, signal) => ask(path, {
    method: 'POST', body: JSON.stringify({row: item.row, ...options}), signal, headers: {'Content-Type': 'application/json'},
  });
  // The sound comes whole: a browser can only seek in a stream when the server knows ranges.
  return {name: item.id, size: null, sound: async (signal) => item.audio ? blob(item.audio, signal) : null, item, post};
}

/** The server's HTTP interface. Every failure becomes an ApiError with the server's code, message and hint. */

const base = new URL('.', document.baseURI);  // also right below a path of a reverse proxy

/** Address of `path` ("/v1/items", with or without the first slash). Query values may be arrays: the key repeats. */
export function address(path, query = {}) {
  const url = new URL(path.replace(/^\/+/, ''), base);
  for (const [key, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== undefined && one !== null && one !== '') url.searchParams.append(key, one);
  }
  return url.href;
}

export class ApiError extends Error {
  constructor({code, message, hint, field}, status = 0) {
    super(message);
    Object.assign(this, {name: 'ApiError', code, hint, field, status});
  }
}

/** The failure in one line. */
export const words = ({message, hint}) => hint ? `${message} (${hint})` : message;

export const aborted = (error) => error?.name === 'AbortError';

async function failure(response) {
  try {
    const {error} = await response.json();
    if (error?.message) return new ApiError(error, response.status);
  } catch (error) {
    if (aborted(error)) throw error;
  }
  return new ApiError({code: 'HTTP', message: `the server answered ${response.status} ${response.statusText}`.trim()},
    response.status);
}

async function send(path, {query, ...options} = {}) {
  let response;
  try {
    response = await fetch(address(path, query), options);
  } catch (error) {
    if (aborted(error)) throw error;
    throw new ApiError({code: 'NETWORK', message: 'the server does not answer', hint: 'is `amae serve` still running?'});
  }
  if (!response.ok) throw await failure(response);
  return response;
}

const pause = (ms, signal) => new Promise((resolve, reject) => {
  signal?.addEventListener('abort', () => reject(signal.reason), {once: true});
  setTimeout(resolve, ms);
});

/** JSON of a GET, or of a POST when `body` is there. A busy server (503 BUSY) is asked again up to three times. */
export async function ask(path, options = {}) {
  for (let tries = 3; ; --tries) {
    try {
      return await (await send(path, options)).json();
    } catch (error) {
      if (error.code !== 'BUSY' || tries === 0) throw error;
      await pause(1000, options.signal);
    }
  }
}

export const blob = async (path, signal) => (await send(path, {signal})).blob();

/** The 2-D map; while the server computes it, calls `waiting()` and asks again. */
export async function askMap(waiting, signal) {
  for (;;) {
    const response = await send('v1/map', {signal});
    if (response.status !== 202) return response.json();
    waiting();
    await pause(1000, signal);
  }
}

/** Live events of a run; the caller closes the EventSource. */
export const events = (run) => new EventSource(address(`v1/runs/${encodeURIComponent(run)}/events`));

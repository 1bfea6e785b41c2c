/** What is being served, for people who want to know exactly: identity, input, front end, limits, and how to ask by hand. */

import {$, el, put} from './dom.js';
import {address} from './api.js';
import {bytes, count, hertz, plural, seconds} from './format.js';

const options = (object) => Object.entries(object).filter(([key]) => key !== 'name')
  .map(([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : value}`).join(', ');

export function showModel(card) {
  const {input, index} = card;
  const code = (text) => el('code', {}, text);
  const facts = [
    ['Model', card.name], ['Id', code(card.id)], ['SHA-256', code(card.sha256)], ['Task', card.task],
    ['Input', [input.domain === 'iq' ? 'radio (IQ)' : 'sound', input.rate_hz ? hertz(input.rate_hz) : null,
      input.channels ? plural(input.channels, 'channel') : null, input.seconds ? seconds(input.seconds) : 'any length'].filter(Boolean).join(', ')],
    ['Embedding', plural(card.width, 'number')], ['Parameters', count(card.parameters)],
    ['Options', options(card.model) || 'none'],
    ['Index', index ? `${plural(index.rows, 'clip')}, ${index.metric}, ${index.type}` : 'none (amae serve RUN --index DIR)'],
    ['Limits', `${bytes(card.limits.body_bytes)} a request, queue of ${card.limits.queue}, batches of up to ${card.limits.batch}`],
    ['Device', card.device + (card.deterministic ? ', deterministic' : '')], ['amae', card.amae],
  ];
  $('model-facts').replaceChildren(...facts.flatMap(([key, value]) => [el('dt', {}, key), el('dd', {}, value)]));
  $('model-transforms').replaceChildren(...card.transforms.map((transform) =>
    el('li', {}, el('b', {}, transform.name), ' ', el('span', {class: 'soft'}, options(transform)))));
  $('model-front').hidden = card.transforms.length === 0;
  $('model-classes').replaceChildren(...card.classes.map((label) => el('li', {}, label)));
  put('model-class-count', plural(card.classes.length, 'class', 'classes'));
  $('model-class-box').hidden = card.classes.length === 0;
  const type = input.domain === 'iq' ? ['application/x-npy', 'recording.npy'] : ['audio/wav', 'sound.wav'];
  put('model-curl', `curl --data-binary @${type[1]} -H 'Content-Type: ${type[0]}' '${address('v1/predict', {top_k: 3})}'`);
}

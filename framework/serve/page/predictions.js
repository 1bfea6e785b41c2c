/** The answer: labels with bars, and in small print which model gave it and where the time went. */

import {$, announce, el, put} from './dom.js';
import {count, percent} from './format.js';

const FEW = 5;

export function showPredictions({top, model, timing_ms: timing, batch}, card, round) {
  const rows = top.map(({label, score}, rank) => {
    const bar = el('span');
    bar.style.width = `${Math.max(0, Math.min(1, score)) * 100}%`;
    return el('tr', {class: rank === 0 ? 'first' : null, hidden: rank >= FEW},
      el('th', {scope: 'row'}, el('span', {class: 'label'}, label), el('span', {class: 'bar', 'aria-hidden': 'true'}, bar)),
      el('td', {}, percent(score)));
  });
  $('top').replaceChildren(...rows);
  $('top-more').hidden = top.length <= FEW;
  put('top-more', `Show all ${top.length}`);
  $('top-more').onclick = () => {
    for (const row of rows) row.hidden = false;
    $('top-more').hidden = true;
  };
  $('top-table').hidden = top.length === 0;
  $('no-top').hidden = top.length > 0;
  put('answer-title', top.length > 0 ? 'Prediction' : 'Embedding');
  put('no-top', `This model is an encoder: it gives ${count(card.width)} numbers, not labels.`);
  put('top-note', top.length === 0 ? ''
    : card.multi_label ? `Each label is judged on its own: the scores need not add up to 100%.`
      : card.classes.length > top.length ? `Best ${top.length} of ${count(card.classes.length)} classes.` : '');
  const parts = [['decode', 'decode'], ['front_end', 'front end'], ['queue', 'queue'], ['model', 'model']];
  $('timing').replaceChildren(...[...parts, ['total', 'total']].flatMap(([key, name]) =>
    timing[key] === undefined ? [] : [el('dt', {}, name), el('dd', {}, `${timing[key].toFixed(1)} ms`)]),
    el('dt', {}, 'seen from here'), el('dd', {}, `${round.toFixed(0)} ms`));
  $('answered').replaceChildren('Answered by ', el('b', {}, model.name), ' ', el('code', {}, model.id),
    batch > 1 ? `, in a batch of ${batch}.` : '.');
  announce(top.length > 0 ? `${top[0].label}, ${percent(top[0].score)}` : 'The clip is ready.');
}

/** One item of the index as a card: its picture (which plays it, with a cursor), label, id and facts, and a way to open it. */

import {calm, el} from './dom.js';
import {address} from './api.js';
import {solo} from './sounds.js';
import {figure, minus} from './format.js';

/** `onopen(item)` opens it as the clip; `score` and `rank` only for neighbours. */
export function itemCard(item, {onopen, rank, openText = 'Open'} = {}) {
  const picture = el('img', {src: address(item.picture), alt: '', loading: 'lazy', width: 640, height: 204});
  const head = el('span', {class: 'playhead'});
  const view = item.audio
    ? el('button', {class: 'view', 'aria-pressed': 'false', 'aria-label': `Play ${item.label ?? ''} ${item.id}`},
      picture, head, el('span', {class: 'cue'}))
    : el('div', {class: 'view'}, picture);
  const body = el('div', {class: 'body'},
    el('p', {class: 'line'}, rank ? el('span', {class: 'rank'}, String(rank)) : null,
      item.label !== undefined && item.label !== null && item.label !== '' ? el('b', {class: 'label'}, item.label) : null,
      item.score !== undefined ? el('span', {class: 'score'}, Math.abs(item.score) < 10 ? minus(item.score.toFixed(3)) : figure(item.score)) : null),
    el('p', {class: 'line'}, el('span', {class: 'id'}, item.id),
      onopen ? el('button', {class: 'small', 'aria-label': `${openText} ${item.id}`, onclick: () => onopen(item)}, openText) : null));
  const card = el('article', {class: 'item'}, view, body);
  if (item.audio) playable(item, card, view, head, body);
  return card;
}

function playable(item, card, view, head, body) {
  let audio = null;
  let frame = 0;
  const draw = () => {
    cancelAnimationFrame(frame);
    const share = audio.duration > 0 ? audio.currentTime / audio.duration : 0;
    head.style.left = `${100 * Math.min(share, 1)}%`;
    card.classList.toggle('playing', !audio.paused);
    card.classList.toggle('heard', audio.currentTime > 0 && !audio.ended);
    view.setAttribute('aria-pressed', String(!audio.paused));
    if (!audio.paused && !calm()) frame = requestAnimationFrame(draw);
  };
  const make = () => {
    audio = solo(new Audio(address(item.audio)));
    card.audio = audio;
    for (const name of ['play', 'pause', 'ended', 'timeupdate']) audio.addEventListener(name, draw);
    audio.addEventListener('error', () => {
      if (!card.querySelector('.trouble')) body.append(el('p', {class: 'trouble'}, 'This browser cannot play the sound.'));
    });
  };
  view.addEventListener('click', () => {
    if (!audio) make();
    if (audio.paused) audio.play().catch(() => {});  // a failure comes as an `error` event
    else audio.pause();
  });
}

/** Stops whatever plays among the cards in `host`, before they go. */
export function hush(host) {
  for (const card of host.querySelectorAll('.item')) card.audio?.pause();
}

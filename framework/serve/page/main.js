/** The page of `amae serve`: wires input, answer and views together. Each view lives in a file of its own. */

import {$, announce, on, put} from './dom.js';
import {ApiError, aborted, ask} from './api.js';
import {Attention} from './attention.js';
import {ClipMap} from './map.js';
import {Constellation} from './constellation.js';
import {Features} from './features.js';
import {Input} from './input.js';
import {Items} from './items.js';
import {Neighbours} from './neighbours.js';
import {Player} from './player.js';
import {Reconstruction} from './reconstruction.js';
import {Runs} from './runs.js';
import {Seen} from './seen.js';
import {Tabs} from './tabs.js';
import {bytes, count, hertz, plural, seconds} from './format.js';
import {clipOfFiles, clipOfItem} from './clip.js';
import {showModel} from './model_card.js';
import {showPredictions} from './predictions.js';

const TOP = 10;

const player = new Player();
const seen = new Seen(player);
const features = new Features(player);
const attention = new Attention(player);
const constellation = new Constellation();
const reconstruction = new Reconstruction(player, async (ratio, signal) =>
  (await current.post('v1/predict', {return: ['reconstruction'], mask_ratio: ratio}, signal)).reconstruction);
const openItem = (item) => open(clipOfItem(item));
const map = new ClipMap(openItem);
const neighbours = new Neighbours(openItem, (hits) =>
  map.mark([...(current?.item ? [current.item.row] : []), ...hits.map(({row}) => row)]));
const items = new Items(openItem);
const runs = new Runs();

const pages = new Tabs($('pages'), (id) => {
  history.replaceState(null, '', id === 'tab-clip' ? location.pathname : `#${id.slice(4)}`);
  if (id === 'tab-map' && card?.index) map.load();
  if (id === 'tab-runs' && card?.runs) runs.load();
});
const views = new Tabs($('views'));
new Input((files) => {
  pages.choose($('tab-clip'));
  try {
    open(clipOfFiles(files, card?.limits.body_bytes));
  } catch (error) {
    flight?.abort();
    busy(false);
    fail(error, files[0]?.name);
  }
}, (error) => fail(error));
on('cancel', 'click', () => {
  flight?.abort();
  busy(false);
  announce('Cancelled.');
});
on('retry', 'click', () => (last ? open(last) : start()));

let card = null;     // /v1/model
let current = null;  // the clip on show
let last = null;     // the clip asked for last
let flight = null;   // the request under way

/** Asks for everything the model gives about a clip and shows it. A newer clip cancels an older one. */
async function open(clip) {
  flight?.abort();
  flight = new AbortController();
  const {signal} = flight;
  last = clip;
  pages.choose($('tab-clip'));
  $('error').hidden = true;
  busy(true, clip.name);
  try {
    if (!card) await start();
    const since = performance.now();
    const [answer, sound] = await Promise.all([
      clip.post('v1/predict', {top_k: Math.min(TOP, Math.max(1, card?.classes.length ?? TOP)), return: card?.returns ?? []}, signal),
      clip.sound(signal),
    ]);
    if (signal.aborted) return;
    show(clip, answer, sound, performance.now() - since);
  } catch (error) {
    if (aborted(error) || signal.aborted) return;
    fail(error, clip.name);
  }
  busy(false);
}

function show(clip, answer, sound, round) {
  current = clip;
  document.body.classList.add('has-clip', 'has-result');
  $('result').hidden = false;
  put('clip-name', clip.name);
  const {format, rate_hz: rate, channels, seconds: length, samples, domain} = answer.clip;
  put('clip-facts', [clip.item?.label ? `labelled ${clip.item.label}` : null, format,
    rate ? hertz(rate) : domain === 'iq' ? 'rate unknown' : null,
    domain === 'iq' ? 'IQ' : channels === 1 ? 'mono' : channels === 2 ? 'stereo' : plural(channels, 'channel'),
    length === null || length === undefined ? `${count(samples)} samples` : seconds(length),
    clip.size ? bytes(clip.size) : null, clip.note].filter(Boolean).join(' · '));
  showPredictions(answer, card, round);
  player.load(sound, domain === 'iq' ? 'A radio signal has no sound to play.' : 'This clip has no sound to play.');
  seen.show(answer);
  const {span, unit} = seen;
  view('features', answer.features?.length > 0, () => features.show(answer.features, seen.seen, span, unit));
  view('attention', answer.attention?.length > 0 && seen.seen, () => attention.show(answer.attention, seen.seen, span, unit));
  view('reconstruction', answer.reconstruction && seen.seen, () => reconstruction.show(answer.reconstruction, seen.seen, span, unit));
  view('constellation', answer.constellation, () => constellation.show(answer.constellation));
  view('neighbours', true, () => { if (card.index) neighbours.show(clip); });
  if (!views.chosen || views.chosen.hidden) views.choose(views.tabs.find((tab) => !tab.hidden));
}

/** A view of the clip, when this model gives it. */
function view(name, given, draw) {
  $(`view-${name}`).hidden = !given;
  if (given) draw();
  else if (views.chosen === $(`view-${name}`)) $(`panel-${name}`).hidden = true;
}

function busy(on, name = '') {
  $('progress').hidden = !on;
  put('progress-text', on ? `Asking the model about ${name}…` : '');
  $('result').setAttribute('aria-busy', String(on));
}

function fail(error, name) {
  const known = error instanceof ApiError;
  if (!known) console.error(error);
  document.body.classList.toggle('has-clip', Boolean(name) || document.body.classList.contains('has-clip'));
  document.body.classList.remove('has-result');
  $('result').hidden = true;
  player.load(null);
  current = null;
  put('error-title', name ? `${name} could not be used` : 'That did not work');
  put('error-message', known ? error.message : `This page could not show the answer: ${error.message}`);
  put('error-hint', error.hint ? `Hint: ${error.hint}.` : '');
  put('error-code', known ? error.code : 'PAGE');
  $('retry').hidden = !['NETWORK', 'BUSY', 'DRAINING'].includes(error.code);
  $('error').hidden = false;
}

/** Learns what is served and fits the page to it. */
async function start() {
  try {
    card = await ask('v1/model');
  } catch (error) {
    fail(error);
    return;
  }
  $('error').hidden = true;
  const {input, index} = card;
  const iq = input.domain === 'iq';
  document.title = `amae: ${card.name}`;
  put('model-line', `${card.name} · ${card.classes.length > 0 ? plural(card.classes.length, 'class', 'classes') : 'embeddings'}`);
  put('welcome-title', iq ? 'Drop a radio recording and see what the model makes of it'
    : 'Drop a sound and see what the model makes of it');
  const formats = iq ? 'NumPy (.npy) or SigMF, as an archive or as both files together' : 'WAV, FLAC or Ogg';
  put('welcome-hint', `${formats}, up to ${bytes(card.limits.body_bytes)}. Pasting a file works, too.`);
  $('record').hidden = $('record-note').hidden = iq;
  $('pick').hidden = !index;
  $('suggestions').hidden = !index;
  $('neighbour-form').hidden = !index;
  $('neighbour-none').hidden = Boolean(index);
  $('map-none').hidden = Boolean(index);
  $('runs-none').hidden = card.runs;
  $('runs-reload').hidden = !card.runs;
  if (index) {
    const columns = index.columns?.length > 0 ? ` Columns: ${index.columns.slice(0, 8).join(', ')}.` : '';
    put('items-hint', `A label, or conditions with commas between: label!=dog, fold=1.${columns}`);
    $('labels').replaceChildren(...card.classes.slice(0, 1000).map((label) => Object.assign(document.createElement('option'), {value: label})));
    items.suggest(index.rows, $('suggested'), openItem).catch(() => { $('suggestions').hidden = true; });
  }
  showModel(card);
  const asked = $(`tab-${location.hash.slice(1)}`);
  if (asked && pages.tabs.includes(asked)) pages.choose(asked);
}

start();

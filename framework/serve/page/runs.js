/** Training runs: a list, and the curves of the chosen one, live while it trains. */

import {$, el, on, put, segmented} from './dom.js';
import {Chart} from './chart.js';
import {aborted, ask, events, words} from './api.js';
import {figure} from './format.js';

const LOOKS = {train: {colour: '--accent', dash: false}, val: {colour: '--second', dash: true}};
const look = (split) => LOOKS[split] ?? {colour: '--good', dash: true};
const when = (text) => {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? String(text ?? '') : date.toLocaleString('en-GB', {dateStyle: 'medium', timeStyle: 'short'});
};

export class Runs {
  #stream = null;
  #flight;
  xAxis = 'step';

  constructor() {
    on('runs-log', 'change', () => this.#draw());
    on('runs-smooth', 'input', () => this.#draw());
    on('runs-reload', 'click', () => this.load());
    segmented($('runs-x'), 'Over', [{value: 'step', text: 'Step'}, {value: 'epoch', text: 'Epoch'}], 'step', (value) => {
      this.xAxis = value;
      this.#draw();
    });
  }

  async load() {
    try {
      const {runs} = await ask('v1/runs');
      put('runs-note', runs.length === 0 ? 'No runs yet. Start one with `amae run CONFIG`.' : '');
      $('runs-body').hidden = runs.length === 0;
      this.buttons = new Map(runs.map((run) => [run.id, this.#entry(run)]));
      $('runs-list').replaceChildren(...[...this.buttons.values()].map((button) => el('li', {}, button)));
      const next = runs.find(({id}) => id === this.run?.id) ?? runs[0];
      if (next) this.#choose(next);
    } catch (error) {
      put('runs-note', words(error));
      $('runs-body').hidden = true;
    }
  }

  #entry(run) {
    const best = Object.entries(run.figures ?? {})[0];
    return el('button', {onclick: () => this.#choose(run)},
      el('span', {class: 'line'}, el('b', {class: 'label'}, run.name), el('span', {class: `state ${run.state}`}, run.state)),
      el('span', {class: 'soft'}, `${when(run.started)} · epoch ${run.epoch} of ${run.epochs}`),
      best ? el('span', {class: 'soft'}, `${best[0]} ${figure(best[1])}`) : null);
  }

  async #choose(run) {
    this.#stream?.close();
    this.#flight?.abort();
    this.#flight = new AbortController();
    this.run = run;
    this.metrics = new Map();  // name -> split -> [{step, epoch, value}]
    this.charts = new Map();
    for (const [id, button] of this.buttons) button.setAttribute('aria-current', String(id === run.id));
    put('run-name', run.name);
    put('run-id', run.id);
    $('run-figures').replaceChildren(...Object.entries(run.figures ?? {}).map(([key, value]) =>
      el('div', {}, el('dt', {}, key), el('dd', {}, figure(value)))));
    $('charts').replaceChildren();
    put('charts-note', 'Loading…');
    this.#state(run.state);
    if (run.state === 'running') this.#listen(run);
    else {
      try {
        const {metrics} = await ask(`v1/runs/${encodeURIComponent(run.id)}`, {signal: this.#flight.signal});
        metrics.forEach((metric) => this.#add(metric));
        this.#draw();
      } catch (error) {
        if (!aborted(error)) put('charts-note', error.message);
      }
    }
  }

  #listen(run) {
    const stream = this.#stream = events(run.id);
    const mine = (call) => ({data}) => { if (this.#stream === stream) call(JSON.parse(data)); };
    stream.addEventListener('metric', mine((metric) => {
      this.#add(metric);
      this.drawing ||= setTimeout(() => {
        this.drawing = 0;
        this.#draw();
      }, 100);
    }));
    stream.addEventListener('state', mine(({state}) => {
      this.#state(state);
      if (state !== 'running') stream.close();
    }));
    stream.addEventListener('open', () => {  // on a new connection lines may come again: #add drops those it has
      $('run-live').hidden = false;
      put('charts-note', this.metrics.size === 0 ? 'Waiting for the first metric…' : '');
    });
    stream.addEventListener('error', () => { $('run-live').hidden = true; });
  }

  #state(state) {
    $('run-state').className = `state ${state}`;
    put('run-state', state);
    $('run-live').hidden = state !== 'running';
    const mark = this.buttons.get(this.run.id)?.querySelector('.state');
    if (mark) {
      mark.className = `state ${state}`;
      mark.textContent = state;
    }
  }

  #add({name, split, step, epoch, value}) {
    if (!this.metrics.has(name)) this.metrics.set(name, new Map());
    const splits = this.metrics.get(name);
    if (!splits.has(split)) splits.set(split, []);
    const list = splits.get(split);
    if (list.length === 0 || step > list.at(-1).step) list.push({step, epoch, value});
  }

  #draw() {
    if (!this.metrics) return;
    put('charts-note', this.metrics.size === 0 ? 'This run has written no metrics.' : '');
    const options = {log: $('runs-log').checked, weight: Number($('runs-smooth').value), xName: this.xAxis};
    for (const [name, splits] of this.metrics) {
      if (!this.charts.has(name)) {
        this.charts.set(name, new Chart(name));
        $('charts').append(this.charts.get(name).node);
      }
      const series = [...splits].map(([split, list]) =>
        ({name: split, ...look(split), points: list.map((one) => [one[this.xAxis] ?? one.step, one.value])}));
      this.charts.get(name).show(series, options);
    }
  }
}

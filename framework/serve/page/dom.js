/**
 * Small helpers over the DOM. Labels, ids and file names are hostile, so text only ever becomes text nodes:
 * nothing on this page sets innerHTML.
 */

export const $ = (id) => document.getElementById(id);

export const on = (id, event, call) => $(id).addEventListener(event, call);
/** Sets the text of an element. */
export const put = (id, text) => { $(id).textContent = text; };
export const onTheme = (call) => document.addEventListener('themechange', call);
export const modified = (event) => event.altKey || event.ctrlKey || event.metaKey;

/** An element. Keys: `class`, `on…` (listener), booleans (attribute present or not), anything else an attribute. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') node.addEventListener(key.slice(2), value);
    else if (key === 'class') node.className = value;
    else node.setAttribute(key, value === true ? '' : String(value));
  }
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

let groups = 0;

/** A row of radio buttons that looks like one switch. `options`: [{value, text}]; calls `onchange(value)`. */
export function segmented(host, legend, options, value, onchange) {
  const name = `group${++groups}`;
  const choice = ({value: own, text}) => el('label', {},
    el('input', {type: 'radio', name, value: own, checked: own === value, onchange: () => onchange(own)}),
    el('span', {}, text));
  host.replaceChildren(el('fieldset', {class: 'segmented'}, el('legend', {}, legend),
    el('div', {}, ...options.map(choice))));
}

/** Fills a <select>; keeps nothing of what was in it. */
export function fill(select, options, value) {
  select.replaceChildren(...options.map(({value: own, text}) => el('option', {value: own}, text)));
  if (value !== undefined) select.value = value;
}

/** Says something to screen readers, once. */
export function announce(text) { $('live').textContent = text; }

/** Sizes a canvas for this screen, clears it, and gives its context in CSS pixels. */
export function prepare(canvas, width, height) {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const g = canvas.getContext('2d');
  g.scale(ratio, ratio);
  g.font = '11px system-ui, sans-serif';
  return g;
}

export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

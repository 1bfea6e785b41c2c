import {$, modified} from './dom.js';

const panelOf = (tab) => $(tab.id.replace(/^[a-z]+/, 'panel'));

/**
 * Tabs after the ARIA pattern: one tab stop a list, arrows (Home, End) move and choose at once.
 * The panel of #tab-map or #view-map is #panel-map; a hidden tab is skipped.
 */
export class Tabs {
  constructor(list, onchange = () => {}) {
    this.tabs = [...list.querySelectorAll('[role=tab]')];
    this.onchange = onchange;
    for (const tab of this.tabs) {
      const panel = panelOf(tab);
      tab.setAttribute('aria-controls', panel.id);
      panel.setAttribute('role', 'tabpanel');
      panel.setAttribute('aria-labelledby', tab.id);
      tab.tabIndex = tab.ariaSelected === 'true' ? 0 : -1;
      tab.ariaSelected ??= 'false';
    }
    list.addEventListener('click', (event) => {
      const tab = event.target.closest('[role=tab]');
      if (tab) this.choose(tab);
    });
    list.addEventListener('keydown', (event) => {
      const shown = this.tabs.filter((tab) => !tab.hidden);
      const at = shown.indexOf(event.target);
      const to = {ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: shown.length - 1}[event.key];
      if (at < 0 || to === undefined || modified(event)) return;
      event.preventDefault();
      const tab = shown[(to + shown.length) % shown.length];
      this.choose(tab);
      tab.focus();
    });
  }

  get chosen() { return this.tabs.find((tab) => tab.getAttribute('aria-selected') === 'true'); }

  choose(tab) {
    for (const one of this.tabs) {
      const on = one === tab;
      one.setAttribute('aria-selected', String(on));
      one.tabIndex = on ? 0 : -1;
      panelOf(one).hidden = !on;
    }
    const bar = tab.parentElement;  // alone: the page itself stays where it is
    bar.scrollLeft = Math.min(tab.offsetLeft - bar.offsetLeft, Math.max(bar.scrollLeft, tab.offsetLeft - bar.offsetLeft + tab.offsetWidth - bar.clientWidth));
    this.onchange(tab.id);
  }
}

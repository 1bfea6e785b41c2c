/** What the user set for the eye, on every picture of the page: colour map and contrast. Remembered in this browser. */

import {MAPS} from './colormap.js';

class Settings extends EventTarget {
  map = 'magma';
  clip = 1;  // percent of the values cut at each end

  constructor() {
    super();
    try {
      const kept = JSON.parse(localStorage.getItem('amae.picture') ?? '{}');
      if (kept.map in MAPS) this.map = kept.map;
      if (kept.clip >= 0 && kept.clip <= 20) this.clip = kept.clip;
    } catch { /* no storage, or not ours */ }
  }

  set(change) {
    Object.assign(this, change);
    try { localStorage.setItem('amae.picture', JSON.stringify({map: this.map, clip: this.clip})); } catch { /* as above */ }
    this.dispatchEvent(new Event('change'));
  }
}

export const settings = new Settings();

// Light or dark. A classic script in <head>: it sets the theme before the first paint.
// The system's wish holds until the toggle is used; the choice is then remembered here.
(() => {
  'use strict';
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = null;
  try { chosen = localStorage.getItem('amae.theme'); } catch { /* storage may be off */ }

  const apply = () => {
    const theme = chosen === 'light' || chosen === 'dark' ? chosen : system.matches ? 'dark' : 'light';
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    document.dispatchEvent(new Event('themechange'));  // canvases take their colours anew
  };
  apply();
  system.addEventListener('change', apply);
  document.addEventListener('DOMContentLoaded', () => {
    document.getElementById('theme').addEventListener('click', () => {
      chosen = root.dataset.theme === 'dark' ? 'light' : 'dark';
      try { localStorage.setItem('amae.theme', chosen); } catch { /* then only for this visit */ }
      apply();
    });
  });
})();

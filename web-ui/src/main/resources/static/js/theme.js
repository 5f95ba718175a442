import { load, save } from './store.js';

/** @typedef {'system'|'light'|'dark'} Theme */

/** In the order in which the button goes through them. */
export const THEMES = ['system', 'light', 'dark'];

/** @returns {Theme} */
export function currentTheme() {
  const theme = load('theme');
  return THEMES.includes(theme) ? theme : 'system';
}

/**
 * Shows and remembers a theme.
 * @param {Theme} theme
 */
export function setTheme(theme) {
  save('theme', theme === 'system' ? null : theme);
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  document.dispatchEvent(new CustomEvent('themechange', { detail: theme }));
}

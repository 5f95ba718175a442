import { byId, el } from './dom.js';
import { SAMPLING, parseSampling } from './settings.js';
import { THEMES, currentTheme, setTheme } from './theme.js';

/**
 * The settings dialog and the theme button. Every change counts at once.
 * @param {import('./settings.js').Settings} settings
 */
export function bindSettings(settings) {
  const dialog = byId('settings');
  byId('open-settings').addEventListener('click', () => openSheet(dialog));
  closeOnBackdrop(dialog);
  bindTheme();

  byId('system').addEventListener('input', event => settings.set({ system: event.target.value }));
  byId('single-keys').addEventListener('change', event => settings.set({ singleKeys: event.target.checked }));
  for (const name of Object.keys(SAMPLING)) {
    byId(name).addEventListener('input', event => readSampling(settings, name, event.target));
  }
  byId('reset-settings').addEventListener('click', () => {
    settings.set({ system: '', sampling: {}, singleKeys: true });
    fill(settings);
  });
  fill(settings);
}

/**
 * Shows a dialog as a sheet over the page.
 * @param {HTMLDialogElement} dialog
 */
export function openSheet(dialog) {
  if (!dialog.open) dialog.showModal();
}

/**
 * Lets a click beside the dialog close it.
 * @param {HTMLDialogElement} dialog
 */
export function closeOnBackdrop(dialog) {
  dialog.addEventListener('click', event => event.target === dialog && dialog.close());
}

function fill(settings) {
  byId('system').value = settings.system;
  byId('single-keys').checked = settings.singleKeys;
  for (const name of Object.keys(SAMPLING)) {
    byId(name).value = settings.sampling[name] ?? '';
    showProblem(byId(name), '');
  }
}

function readSampling(settings, name, input) {
  try {
    const value = parseSampling(name, input.value);
    const sampling = { ...settings.sampling };
    if (value === null) delete sampling[name];
    else sampling[name] = value;
    settings.set({ sampling });
    showProblem(input, '');
  } catch (error) {
    showProblem(input, error.message);
  }
}

function showProblem(input, text) {
  const field = input.closest('.field');
  field.querySelector('.problem')?.remove();
  input.ariaInvalid = text === '' ? null : 'true';
  if (text !== '') field.append(el('p.problem', { role: 'alert' }, text));
}

function bindTheme() {
  const button = byId('theme');
  const radios = document.querySelectorAll('input[name=theme]');
  const show = () => {
    const theme = currentTheme();
    button.dataset.theme = theme;
    button.ariaLabel = `Theme: ${theme}`;
    button.title = `Theme: ${theme} (Alt+T)`;
    for (const radio of radios) radio.checked = radio.value === theme;
  };
  button.addEventListener('click', () => setTheme(THEMES[(THEMES.indexOf(currentTheme()) + 1) % THEMES.length]));
  for (const radio of radios) radio.addEventListener('change', () => setTheme(radio.value));
  document.addEventListener('themechange', show);
  show();
}

import { announce } from './announcer.js';
import { el, icon } from './dom.js';

const SHOWN_MS = 1_500;

/**
 * Puts a text on the clipboard and says so.
 * @param {string} text
 * @param {HTMLElement|null} button whose sign changes for a moment
 */
export async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text);
  }
  announce('Copied.');
  if (!button) return;
  button.replaceChildren(icon('check'));
  setTimeout(() => button.replaceChildren(icon('copy')), SHOWN_MS);
}

/**
 * Copies the code that a button stands above.
 * @param {HTMLElement|null} button
 */
export async function copyCode(button) {
  if (!button) return;
  await copyText(button.closest('.code').querySelector('code').textContent, null);
  button.textContent = 'Copied';
  setTimeout(() => (button.textContent = 'Copy'), SHOWN_MS);
}

/** For pages that came over plain HTTP from another machine, where browsers offer no clipboard. */
function copyBySelection(text) {
  const area = el('textarea.unseen', { value: text });
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

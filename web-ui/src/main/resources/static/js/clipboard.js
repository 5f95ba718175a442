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
 * Copies the code that a button stands above, also where it is long and in pieces.
 * @param {HTMLElement|null} button
 */
export async function copyCode(button) {
  if (!button) return;
  const boxes = [...button.closest('.md').querySelectorAll('.code')];
  const first = boxes.indexOf(button.closest('.code'));
  const next = boxes.findIndex((box, i) => i > first && !box.matches('.goes-on'));
  await copyText(boxes.slice(first, next < 0 ? boxes.length : next).reduce(joined, ''), null);
  button.textContent = 'Copied';
  setTimeout(() => (button.textContent = 'Copy'), SHOWN_MS);
}

/** Each piece ends with a line end, which is not its own where it was cut inside a line. */
function joined(text, box) {
  return (box.matches('.mid-line') ? text.slice(0, -1) : text) + box.querySelector('code').textContent;
}

/** For pages that came over plain HTTP from another machine, where browsers offer no clipboard. */
function copyBySelection(text) {
  const area = el('textarea.unseen', { value: text });
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

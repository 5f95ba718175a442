import { el } from './dom.js';

/**
 * Says at the end of a box what is wrong with what was written in it.
 * @param {HTMLElement} box
 * @param {string} text empty where nothing is
 */
export function showProblem(box, text) {
  box.querySelector(':scope > .problem')?.remove();
  if (text !== '') box.append(el('p.problem', { role: 'alert' }, text));
}

import { announce } from './announcer.js';
import { byId, el, icon } from './dom.js';

const SHOWN_MS = 10_000;

/**
 * Says something for a while, at the foot of the page; it stays as long as one is at it.
 * @param {string} text
 * @param {{label: string, run: () => void}} [action]
 */
export function toast(text, action) {
  let timer = 0;
  const box = el('div.toast', {}, el('p', {}, text));
  const close = () => {
    clearTimeout(timer);
    box.remove();
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(close, SHOWN_MS);
  };
  if (action) {
    const run = () => {
      close();
      action.run();
    };
    box.append(el('button.plain', { type: 'button', onclick: run }, action.label));
  }
  box.append(el('button.quiet.round', { type: 'button', ariaLabel: 'Close this note', onclick: close }, icon('close')));
  for (const type of ['pointerenter', 'focusin']) box.addEventListener(type, () => clearTimeout(timer));
  for (const type of ['pointerleave', 'focusout']) box.addEventListener(type, wait);
  const toasts = byId('toasts');
  toasts.append(box);
  while (toasts.childElementCount > 3) toasts.firstElementChild.remove();
  announce(action ? `${text} ${action.label} is offered at the foot of the page.` : text);
  wait();
}

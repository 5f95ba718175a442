import { announce } from './announcer.js';
import { byId, el, icon } from './dom.js';

const SHOWN_MS = 10_000;
/** Presses the button of the newest note that has one. */
export const OFFER_KEYS = ['Alt', 'Z'];

/**
 * Says something for a while, at the foot of the page; it stays as long as one points at it or has the focus in it, or
 * looks at another page.
 * @param {string} text
 * @param {{label: string, run: () => void}} [action]
 */
export function toast(text, action) {
  let timer = 0;
  const box = el('div.toast', {}, el('p', {}, text));
  const close = () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', wait);
    box.remove();
  };
  function wait() {
    clearTimeout(timer);
    if (!document.hidden && !box.matches(':hover, :focus-within')) timer = setTimeout(close, SHOWN_MS);
  }
  if (action) {
    const run = () => {
      close();
      action.run();
    };
    box.append(el('button.plain.offer', { type: 'button', title: `${action.label} (${OFFER_KEYS.join('+')})`, onclick: run }, action.label));
  }
  box.append(el('button.quiet.round', { type: 'button', ariaLabel: 'Close this note', onclick: close }, icon('close')));
  // What leaves is not yet known to have left when the event comes.
  for (const type of ['pointerenter', 'pointerleave', 'focusin', 'focusout']) box.addEventListener(type, () => setTimeout(wait));
  document.addEventListener('visibilitychange', wait);
  const toasts = byId('toasts');
  toasts.append(box);
  while (toasts.childElementCount > 3) toasts.firstElementChild.remove();
  announce(action ? `${text} ${OFFER_KEYS.join('+')}: ${action.label}.` : text);
  wait();
}

/** Takes what the newest note offers. */
export function takeOffer() {
  [...byId('toasts').querySelectorAll('.offer')].at(-1)?.click();
}

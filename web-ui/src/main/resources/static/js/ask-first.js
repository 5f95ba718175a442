import { el } from './dom.js';
import { makeSheet, openSheet } from './sheet.js';

/**
 * Asks before something is done that cannot be undone.
 * @param {{title: string, text: string, yes: string, no: string}} question with the labels of its two answers
 * @returns {Promise<boolean>}
 */
export function askFirst({ title, text, yes, no }) {
  return new Promise(resolve => {
    const answer = value => el('button.plain', { value }, value === 'yes' ? yes : no);
    const [does, stays] = [answer('yes'), answer('no')];
    does.classList.add('danger');
    const dialog = makeSheet('ask-first', { title, closeLabel: no, isSmall: true },
      el('p', { id: 'ask-first-text' }, text), el('form.answers', { method: 'dialog' }, stays, does));
    dialog.setAttribute('aria-describedby', 'ask-first-text');
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    openSheet(dialog);
    stays.focus();
  });
}

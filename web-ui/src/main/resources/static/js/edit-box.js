import { el, isComposing } from './dom.js';
import { formatBytes } from './format.js';
import { LONGEST_TYPED } from './pasted-texts.js';

/**
 * Lets one put a message in other words, in the place of its text.
 * @param {HTMLElement} message whose other parts make room
 * @param {object} how
 * @param {string} how.text as it is
 * @param {string} how.label of the box
 * @param {string} how.verb on the button that takes the new words; Ctrl+Enter does so too
 * @param {boolean} how.isLine whether Enter alone does so as well, as where one writes a question
 * @param {(text: string) => boolean|Promise<boolean>} how.onTaken told the new words; the box stays where it says no
 */
export function editInPlace(message, { text, label, verb, isLine, onTaken }) {
  if (message.classList.contains('editing')) return;
  const begin = beginOf(text);
  const rest = text.slice(begin.length);
  const box = el('textarea', { value: begin, ariaLabel: label, dir: 'auto' });
  const about = rest === '' ? null : el('p.about', {}, `… and ${formatBytes(rest.length)} more, which stay as they are.`);
  const form = el('form.edit-box', {}, box, about, el('div.edit-actions', {},
    el('button.plain', { type: 'button', onclick: end }, 'Cancel'),
    el('button.plain.strong.idle-only', { type: 'submit' }, verb)));
  const fit = () => {
    box.style.height = 'auto';
    box.style.height = `${box.scrollHeight + 2}px`;
  };
  function end() {
    const hadFocus = form.contains(document.activeElement);
    form.remove();
    message.classList.remove('editing');
    if (hadFocus) message.querySelector('[data-action=edit]')?.focus();
  }
  form.addEventListener('submit', async event => {
    event.preventDefault();
    const words = (box.value + rest).trim();
    if (words === '' || words === text.trim()) return end();
    if (box.readOnly) return;
    box.readOnly = true;
    if (await onTaken(words)) end();
    box.readOnly = false;
  });
  box.addEventListener('keydown', event => {
    if (isComposing(event)) return;
    if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      end();
    } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey || (isLine && !event.shiftKey))) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  box.addEventListener('input', fit);
  message.classList.add('editing');
  message.append(form);
  fit();
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}

/** Of a text that is too long for a box the beginning, up to the end of a line. */
function beginOf(text) {
  if (text.length <= LONGEST_TYPED) return text;
  return text.slice(0, text.lastIndexOf('\n', LONGEST_TYPED / 2) + 1 || LONGEST_TYPED / 2);
}

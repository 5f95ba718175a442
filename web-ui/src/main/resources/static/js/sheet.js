import { el, icon } from './dom.js';

/**
 * A dialog as a sheet over the page, with a heading and a button that closes it.
 * @param {string} id
 * @param {{title: string, closeLabel: string, isSmall?: boolean}} what
 * @param {...Node} body
 * @returns {HTMLDialogElement}
 */
export function makeSheet(id, { title, closeLabel, isSmall = false }, ...body) {
  const close = el('button.quiet.round', { ariaLabel: closeLabel }, icon('close'));
  const head = el('form.sheet-head', { method: 'dialog' }, el('h2', { id: `${id}-title` }, title), close);
  const dialog = el(`dialog.sheet${isSmall ? '.small' : ''}`, { id }, head, el('div.sheet-body', {}, ...body));
  dialog.setAttribute('aria-labelledby', `${id}-title`);
  document.body.append(dialog);
  closeOnBackdrop(dialog);
  return dialog;
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

import { el } from './dom.js';
import { PasswordField } from './password-field.js';
import { RequestForm } from './request-form.js';
import { makeSheet, openSheet } from './sheet.js';
import { toast } from './toast.js';

/** The sheet in which one changes one's password. */
export class PasswordSheet {
  #session;
  /** For the browser's own store of passwords, which asks whose it is. */
  #email = el('input', { type: 'email', name: 'email', autocomplete: 'username', hidden: true });
  #current = new PasswordField('current-password', 'Current password', 'current-password');
  #next = new PasswordField('new-password', 'New password', 'new-password');
  #form = new RequestForm(() => this.#send(), { does: 'Change password', busy: 'Changing…' }, this.#email, this.#current.element, this.#next.element);
  #dialog = makeSheet('password-sheet', { title: 'Change password', closeLabel: 'Close without a change', isSmall: true }, this.#form.element);

  /** @param {import('./session.js').Session} session */
  constructor(session) {
    this.#session = session;
    this.#current.input.name = 'current_password';
    this.#next.input.name = 'password';
    this.#dialog.addEventListener('close', () => this.#clear());
  }

  /** Shows the sheet. */
  open() {
    this.#email.value = this.#session.account.email;
    openSheet(this.#dialog);
    this.#current.input.focus();
  }

  async #send() {
    await this.#session.changePassword(this.#current.value, this.#next.value);
    this.#dialog.close();
    toast('Your password is changed. Where else you were signed in, you have to sign in again.');
  }

  #clear() {
    this.#form.tell('');
    for (const field of [this.#current, this.#next]) field.clear();
  }
}

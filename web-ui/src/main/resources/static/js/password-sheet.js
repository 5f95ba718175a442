import { el } from './dom.js';
import { PasswordField } from './password-field.js';
import { RequestForm } from './request-form.js';
import { makeSheet, openSheet } from './sheet.js';
import { toast } from './toast.js';

/** What the sheet is for: to change a password, or to have one at all. */
const CHANGE = { title: 'Change password', labels: { does: 'Change password', busy: 'Changing…' }, done: 'Your password is changed.' };
const SET = { title: 'Set a password', labels: { does: 'Set password', busy: 'Setting…' }, done: 'You have a password now.' };

/** The sheet in which one changes one's password, or sets the first one. */
export class PasswordSheet {
  #session;
  #task = CHANGE;
  /** For the browser's own store of passwords, which asks whose it is. */
  #email = el('input', { type: 'email', name: 'email', autocomplete: 'username', hidden: true });
  #current = new PasswordField('current-password', 'Current password', 'current-password');
  #next = new PasswordField('new-password', 'New password', 'new-password');
  #form = new RequestForm(() => this.#send(), CHANGE.labels, this.#email, this.#current.element, this.#next.element);
  #dialog = makeSheet('password-sheet', { title: CHANGE.title, closeLabel: 'Close without a change', isSmall: true }, this.#form.element);

  /** @param {import('./session.js').Session} session */
  constructor(session) {
    this.#session = session;
    this.#current.input.name = 'current_password';
    this.#next.input.name = 'password';
    this.#dialog.addEventListener('close', () => this.#clear());
  }

  /** Shows the sheet. */
  open() {
    const { email, has_password: hasPassword } = this.#session.account;
    this.#email.value = email;
    this.#choose(hasPassword === false ? SET : CHANGE);
    openSheet(this.#dialog);
    (this.#current.element.hidden ? this.#next : this.#current).input.focus();
  }

  #choose(task) {
    this.#task = task;
    this.#dialog.querySelector('h2').textContent = task.title;
    this.#form.labels = task.labels;
    this.#current.element.hidden = task === SET;
    this.#current.input.required = task !== SET;
  }

  async #send() {
    const password = this.#next.value;
    await this.#session.changePassword(this.#task === SET ? { password } : { current_password: this.#current.value, password });
    this.#dialog.close();
    toast(`${this.#task.done} Where else you were signed in, you have to sign in again.`);
  }

  #clear() {
    this.#form.tell('');
    for (const field of [this.#current, this.#next]) field.clear();
  }
}

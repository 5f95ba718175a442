import { changeAccount } from './accounts-api.js';
import { PasswordField } from './password-field.js';
import { RequestForm } from './request-form.js';
import { makeSheet, openSheet } from './sheet.js';

/** The sheet in which an administrator gives somebody else a new password. */
export class ResetPasswordSheet {
  #id = '';
  #onDone = null;
  #password = new PasswordField('reset-password', 'New password', 'new-password');
  #form = new RequestForm(() => this.#send(), { does: 'Reset password', busy: 'Resetting…' }, this.#password.element);
  #dialog = makeSheet('reset-password-sheet', { title: 'Reset password', closeLabel: 'Close without a change', isSmall: true }, this.#form.element);

  constructor() {
    this.#password.input.name = 'password';
    this.#dialog.addEventListener('close', () => {
      this.#form.tell('');
      this.#password.clear();
    });
  }

  /**
   * Shows the sheet.
   * @param {string} id of the account
   * @param {string} name as one reads it
   * @param {() => void} onDone
   */
  open(id, name, onDone) {
    this.#id = id;
    this.#onDone = onDone;
    this.#dialog.querySelector('h2').textContent = `Password of ${name}`;
    openSheet(this.#dialog);
    this.#password.input.focus();
  }

  async #send() {
    await changeAccount(this.#id, { password: this.#password.value });
    this.#dialog.close();
    this.#onDone();
  }
}

import { AccountRow } from './account-row.js';
import { createAccount, listAccounts } from './accounts-api.js';
import { el } from './dom.js';
import { Menu } from './menu.js';
import { PasswordField } from './password-field.js';
import { RequestForm } from './request-form.js';
import { ResetPasswordSheet } from './reset-password-sheet.js';
import { ROLES } from './roles.js';
import { RowList } from './row-list.js';
import { makeSheet, openSheet } from './sheet.js';

/** The sheet in which administrators look after everybody's accounts. */
export class AccountsView {
  #session;
  #email = el('input', { id: 'account-email', name: 'email', type: 'email', autocomplete: 'off', required: true, spellcheck: false });
  #name = el('input', { id: 'account-name', name: 'name', autocomplete: 'off', maxLength: 100 });
  #password = new PasswordField('account-password', 'Password', 'new-password');
  #role = el('select', { id: 'account-role', name: 'role' }, ...['user', 'admin'].map(value => el('option', { value }, ROLES[value])));
  #form = new RequestForm(() => this.#create(), { does: 'Add account', busy: 'Adding…' }, ...this.#fields());
  #summary = el('summary', {}, 'Add an account');
  #adding = el('details.more-fields', {}, this.#summary, this.#form.element);
  #popover = el('div.menu', { role: 'menu', ariaLabel: 'Change the account', popover: 'auto' });
  #note = el('p.about', { role: 'status' });
  #list = this.#makeList();
  #dialog = makeSheet('accounts-sheet', { title: 'Accounts', closeLabel: 'Close the accounts' }, this.#adding, this.#note, this.#list.element, this.#popover);

  /** @param {import('./session.js').Session} session */
  constructor(session) {
    this.#session = session;
    this.#password.input.name = 'password';
    this.#dialog.addEventListener('close', () => this.#clear());
  }

  /** Shows the sheet. */
  async open() {
    openSheet(this.#dialog);
    this.#summary.focus();
    await this.#read('');
  }

  #fields() {
    const field = (input, label) => el('div.field', {}, el('label', { htmlFor: input.id }, label), input);
    return [
      el('div.key-line', {}, field(this.#email, 'E-mail'), field(this.#role, 'Role')),
      field(this.#name, 'Name'),
      this.#password.element,
    ];
  }

  #makeList() {
    const around = {
      menu: new Menu(this.#popover),
      password: new ResetPasswordSheet(),
      ownId: () => this.#session.account?.id,
      onDone: done => this.#read(done),
    };
    return new RowList(el('ul.people', { ariaLabel: 'Accounts' }), () => new AccountRow(around), () => this.#summary.focus());
  }

  async #create() {
    this.#password.hide();
    const wanted = { email: this.#email.value.trim(), password: this.#password.value, name: this.#name.value.trim(), role: this.#role.value };
    const { email } = await createAccount(wanted);
    this.#clear();
    this.#summary.focus();
    await this.#read(`${email} can sign in now.`);
  }

  #clear() {
    this.#form.element.reset();
    this.#form.tell('');
    this.#password.clear();
    this.#adding.open = false;
  }

  /** @param {string} done what was done before, in words */
  async #read(done) {
    const problem = await listAccounts().then(accounts => this.#list.show(accounts), error => error.message);
    this.#note.textContent = `${done} ${problem ?? ''}`.trim();
  }
}

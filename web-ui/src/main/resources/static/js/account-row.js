import { changeAccount, removeAccount } from './accounts-api.js';
import { ApiError } from './api.js';
import { askFirst } from './ask-first.js';
import { dayOf } from './days.js';
import { el, icon } from './dom.js';
import { showProblem } from './problem.js';
import { ROLES } from './roles.js';

/** One account in an administrator's list, with the menu of what can be done with it. */
export class AccountRow {
  #around;
  #account = null;
  #name = el('h3', { dir: 'auto' });
  #mark = el('span.person-mark');
  #lines = el('p.about');
  #button = el('button.quiet.round', { type: 'button', title: 'What can be done', ariaHasPopup: 'menu', ariaExpanded: 'false', onclick: () => this.#open() }, icon('more'));
  element = el('li.person', {}, el('div.key-head', {}, this.#name, this.#mark), this.#button, this.#lines);

  /**
   * @param {object} around
   * @param {import('./menu.js').Menu} around.menu
   * @param {import('./reset-password-sheet.js').ResetPasswordSheet} around.password
   * @param {() => string} around.ownId the account of who looks
   * @param {(done: string) => Promise<void>} around.onDone something is done, in words
   */
  constructor(around) {
    this.#around = around;
  }

  /** @param {import('./auth-api.js').Account} account */
  show(account) {
    this.#account = account;
    const { id, email, role, disabled, created_at: created } = account;
    const isOwn = id === this.#around.ownId();
    this.#name.textContent = this.#called;
    this.#mark.textContent = disabled ? 'disabled' : isOwn ? 'you' : '';
    this.#mark.dataset.state = disabled ? 'disabled' : '';
    const who = account.name === '' ? [] : [email];
    this.#lines.textContent = [...who, ROLES[role] ?? role, `since ${dayOf(created)}`].join(' · ');
    this.#button.ariaLabel = `Change the account of ${this.#called}`;
    // One would shut oneself out.
    this.#button.hidden = isOwn;
  }

  get #called() {
    return this.#account.name || this.#account.email;
  }

  #open() {
    const { menu, password, onDone } = this.#around;
    const { id, role, disabled } = this.#account;
    const name = this.#called;
    menu.open(this.#button, [
      role === 'admin'
        ? menu.item('person', 'Make a user', () => this.#change({ role: 'user' }, `${name} is a user now.`))
        : menu.item('person', 'Make an administrator', () => this.#change({ role: 'admin' }, `${name} is an administrator now.`)),
      menu.item('lock', 'Reset password', () => password.open(id, name, () => onDone(`${name} has a new password, and has to sign in again.`))),
      disabled
        ? menu.item('check', 'Enable', () => this.#change({ disabled: false }, `${name} is let in again.`))
        : menu.item('stop', 'Disable', () => this.#change({ disabled: true }, `${name} is let in no more.`)),
      menu.item('remove', 'Remove', () => this.#remove(), 'danger'),
    ]);
  }

  #change(changes, done) {
    return this.#attempt(() => changeAccount(this.#account.id, changes), done);
  }

  async #remove() {
    const { email } = this.#account;
    const name = this.#called;
    const text = `The account of ${name} goes for good, and with it all its chats, its API keys, and what else is stored for it. Programs that use its keys stop working.`;
    if (!(await askFirst({ title: `Remove ${email}?`, text, yes: 'Remove', no: 'Keep' }))) return;
    await this.#attempt(() => removeAccount(this.#account.id), `The account of ${name} is removed.`);
  }

  async #attempt(work, done) {
    showProblem(this.element, '');
    try {
      await work();
      await this.#around.onDone(done);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      showProblem(this.element, error.message);
    }
  }
}

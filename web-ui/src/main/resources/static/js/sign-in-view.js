import { announce } from './announcer.js';
import { byId, el } from './dom.js';
import { PasswordField } from './password-field.js';
import { RequestForm } from './request-form.js';
import { takeReason, waysTo } from './sign-in-elsewhere.js';

/** How long the page may stay empty while it is not known who is there. */
const PATIENCE_MS = 700;

/** What the view is for: to sign in, to make an account, or to make the first one of all. */
const TASKS = {
  'sign-in': { title: 'Sign in', about: '', labels: { does: 'Sign in', busy: 'Signing in…' } },
  register: { title: 'Create an account', about: '', labels: { does: 'Create account', busy: 'Creating the account…' } },
  first: {
    title: 'Create the first account',
    about: 'Nobody has an account here yet. This one becomes the administrator’s, and owns the chats that are stored already.',
    labels: { does: 'Create account', busy: 'Creating the account…' },
  },
};

/**
 * What stands in place of the page until it is known who is there, and whenever nobody is.
 */
export class SignInView {
  #session;
  #health;
  #task = '';
  #state = '';
  #leftFocus = null;
  /** Why somebody came back from another site without being let in. */
  #cameBack = '';
  #title = el('h1');
  #about = el('p.entrance-about', { hidden: true });
  #note = el('p.entrance-note', { role: 'status' });
  #name = el('input', { id: 'sign-in-name', name: 'name', autocomplete: 'name', maxLength: 100 });
  #nameField = el('div.field', {}, el('label', { htmlFor: 'sign-in-name' }, 'Name'), this.#name);
  #email = el('input', { id: 'sign-in-email', name: 'email', type: 'email', autocomplete: 'username', required: true, spellcheck: false });
  #emailField = el('div.field', {}, el('label', { htmlFor: 'sign-in-email' }, 'E-mail'), this.#email);
  #password = new PasswordField('sign-in-password', 'Password', 'current-password');
  #form = new RequestForm(() => this.#send(), TASKS['sign-in'].labels, this.#nameField, this.#emailField, this.#password.element);
  #ways = el('nav.entrance-ways', { ariaLabel: 'Other ways to sign in', hidden: true });
  #switchText = el('span');
  #switchButton = el('button.link', { type: 'button', onclick: () => this.#switch() });
  #switchLine = el('p.entrance-switch', { hidden: true }, this.#switchText, ' ', this.#switchButton);
  #card = el('div.entrance-card', { hidden: true }, this.#title, this.#about, this.#form.element, this.#ways, this.#switchLine);
  #root = el('main.entrance', { id: 'sign-in', hidden: true });

  /**
   * @param {import('./session.js').Session} session
   * @param {import('./health.js').HealthWatch} health
   */
  constructor(session, health) {
    this.#session = session;
    this.#health = health;
    this.#password.input.name = 'password';
    const brand = document.querySelector('.brand').cloneNode(true);
    this.#root.append(el('div.entrance-box', {}, brand, this.#note, this.#card));
    byId('toasts').before(this.#root);
    session.addEventListener('change', () => this.#show());
    health.addEventListener('change', () => this.#meetHealth());
    addEventListener('hashchange', () => this.#showWays());
    setTimeout(() => this.#state === '' && this.#tell(), PATIENCE_MS);
  }

  #show() {
    const { state, problem } = this.#session;
    if (problem !== '') this.#tell();
    if (state === 'unknown' || state === this.#state) return;
    this.#state = state;
    if (state === 'out') this.#open();
    else this.#close();
  }

  #open() {
    closeAllOver();
    this.#leftFocus = document.activeElement;
    document.documentElement.dataset.access = 'out';
    document.title = 'Sign in · Chasqui';
    this.#email.value = this.#session.account?.email ?? this.#email.value;
    this.#cameBack = takeReason();
    this.#choose('sign-in');
    this.#showWays();
    this.#card.hidden = false;
    this.#tell();
    this.#focus();
  }

  #close() {
    document.documentElement.dataset.access = 'in';
    this.#root.hidden = true;
    this.#card.hidden = true;
    this.#cameBack = '';
    this.#password.clear();
    this.#leftFocus?.focus();
    this.#leftFocus = null;
  }

  #meetHealth() {
    if (this.#state === 'out') this.#choose(this.#task);
    this.#showWays();
    if (this.#state === 'out' || this.#health.current.phase === 'away') this.#tell();
  }

  /** Says why one has to wait, or to sign in. */
  #tell() {
    if (this.#state === 'in') return;
    const text = this.#reason();
    if (this.#note.textContent !== text) this.#note.textContent = text;
    this.#note.hidden = text === '';
    this.#root.hidden = false;
  }

  #reason() {
    const { state, problem, account, hasEnded } = this.#session;
    if (this.#health.current.phase === 'away') return 'The server is not reachable. Trying again every second.';
    if (state === 'unknown') return problem || 'Connecting…';
    if (this.#cameBack !== '') return this.#cameBack;
    if (!hasEnded) return '';
    return account === null
      ? 'This server wants to know who you are from now on. What you were writing is kept.'
      : 'Your session has ended. Sign in again to go on; what you were writing is kept.';
  }

  /** What is wanted, as far as the server lets one. What was written stays. */
  #choose(wanted) {
    const { registration } = this.#health.current;
    const task = registration === 'first' ? 'first' : wanted === 'first' || registration === 'closed' ? 'sign-in' : wanted;
    this.#switchLine.hidden = registration !== 'open';
    if (task === this.#task) return;
    this.#task = task;
    const { title, about, labels } = TASKS[task];
    const isNew = task !== 'sign-in';
    this.#title.textContent = title;
    this.#about.textContent = about;
    this.#about.hidden = about === '';
    this.#nameField.hidden = !isNew;
    this.#password.purpose = isNew ? 'new-password' : 'current-password';
    this.#form.labels = labels;
    this.#form.tell('');
    this.#switchText.textContent = isNew ? 'Already have an account?' : 'No account yet?';
    this.#switchButton.textContent = isNew ? 'Sign in' : 'Create one';
  }

  /** They come back to the chat that the address names. What has the focus is left alone. */
  #showWays() {
    const ways = waysTo(this.#health.current.sites);
    const shown = [...this.#ways.querySelectorAll('a')];
    this.#ways.hidden = ways.length === 0;
    if (ways.length === shown.length && ways.every(({ href }, i) => shown[i].getAttribute('href') === href)) return;
    this.#ways.replaceChildren(
      el('p.entrance-or', {}, 'or'),
      ...ways.map(({ name, href }) => el('a.plain', { href }, `Continue with ${name}`)));
  }

  #switch() {
    this.#choose(this.#task === 'sign-in' ? 'register' : 'sign-in');
    announce(this.#title.textContent);
    this.#focus();
  }

  #focus() {
    const inputs = [this.#name, this.#email, this.#password.input].filter(input => !input.closest('[hidden]'));
    (inputs.find(({ value }) => value === '') ?? this.#password.input).focus();
  }

  async #send() {
    this.#password.hide();
    const credentials = { email: this.#email.value.trim(), password: this.#password.value };
    if (this.#task === 'sign-in') await this.#session.signIn(credentials);
    else await this.#session.register({ ...credentials, name: this.#name.value.trim() });
  }
}

/** What lies over the page would lie over this view too, and keep the focus. */
function closeAllOver() {
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  for (const menu of document.querySelectorAll(':popover-open')) menu.hidePopover();
}

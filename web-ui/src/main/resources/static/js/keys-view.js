import { whoAmI } from './auth-api.js';
import { copyText } from './clipboard.js';
import { dayOf, momentOf } from './days.js';
import { byId, el, icon } from './dom.js';
import { createKey, listKeys, revokeKey } from './keys-api.js';
import { RequestForm } from './request-form.js';
import { RowList } from './row-list.js';
import { ScopeChoice } from './scope-choice.js';
import { makeSheet, openSheet } from './sheet.js';

/** How long a key may be good for, as the server takes it. */
const LIFETIMES = { '': 'never', '7d': 'in 7 days', '30d': 'in 30 days', '90d': 'in 90 days', '365d': 'in a year' };
/** Limits by their names in a request. */
const LIMITS = { requests_per_minute: 'Requests a minute', tokens_per_minute: 'Tokens a minute', parallel: 'Requests at once' };

/** The sheet in which keys for programs are made, looked at and revoked. */
export class KeysView {
  #name = el('input', { id: 'key-name', name: 'name', autocomplete: 'off', maxLength: 100, placeholder: 'What it is for' });
  #lifetime = el('select', { id: 'key-lifetime', name: 'expires_in' }, ...Object.entries(LIFETIMES).map(([value, text]) => el('option', { value }, text)));
  #limits = Object.keys(LIMITS).map(name => el('input', { id: `key-${name}`, name, inputMode: 'numeric', autocomplete: 'off', placeholder: 'the server’s own' }));
  #scopes = new ScopeChoice();
  #more = this.#makeMore();
  #form = new RequestForm(() => this.#create(), { does: 'Create key', busy: 'Creating…' }, this.#firstLine(), this.#more);
  #made = el('section.new-key', { hidden: true, ariaLabel: 'The new key' });
  #list = new RowList(el('ul.keys-list', { ariaLabel: 'API keys' }), id => new KeyRow(id, () => this.#read()), () => this.#name.focus());
  #note = el('p.about', { role: 'status' });
  #dialog = makeSheet('keys-sheet', { title: 'API keys', closeLabel: 'Close the API keys' },
    el('p.about', {}, 'With a key a program uses this server in your name, such as one with OpenAI’s or Anthropic’s library.'),
    this.#form.element, this.#made, el('div.keys-kept', {}, this.#list.element, this.#note));

  constructor() {
    this.#dialog.addEventListener('close', () => this.#forgetMade());
    byId('open-keys').addEventListener('click', () => {
      byId('settings').close();
      this.open();
    });
  }

  /** Offers itself in the settings where the server has keys, and this page may see them. */
  async offer() {
    byId('keys-field').hidden = await listKeys().then(() => false, () => true);
  }

  /** Shows the sheet. */
  async open() {
    this.#form.tell('');
    openSheet(this.#dialog);
    this.#name.focus();
    await Promise.all([this.#read(), this.#offerScopes()]);
  }

  /** Where it is not known what one may give, a key gets what the server gives to all. */
  async #offerScopes() {
    const { scopes = [] } = await whoAmI().catch(() => ({}));
    this.#scopes.offer(scopes);
  }

  #firstLine() {
    const field = (input, label) => el('div.field', {}, el('label', { htmlFor: input.id }, label), input);
    return el('div.key-line', {}, field(this.#name, 'Name'), field(this.#lifetime, 'Expires'));
  }

  #makeMore() {
    const fields = this.#limits.map(input => el('div.field', {}, el('label', { htmlFor: input.id }, LIMITS[input.name]), input));
    return el('details.more-fields', {}, el('summary', {}, 'More'), this.#scopes.element, el('div.limit-line', {}, ...fields));
  }

  async #create() {
    const wanted = { name: this.#name.value.trim(), scopes: this.#scopes.value };
    if (this.#lifetime.value !== '') wanted.expires_in = this.#lifetime.value;
    const limits = this.#limits.filter(({ value }) => value.trim() !== '').map(({ name, value }) => [name, numberOr(value.trim())]);
    if (limits.length > 0) wanted.limits = Object.fromEntries(limits);
    const made = await createKey(wanted);
    this.#form.element.reset();
    this.#more.open = false;
    this.#showMade(made);
    await this.#read();
  }

  /** The key itself, which the server will not tell again. */
  #showMade({ key, name }) {
    const copy = el('button.quiet.round', { type: 'button', ariaLabel: 'Copy the key', title: 'Copy the key' }, icon('copy'));
    copy.onclick = () => copyText(key, copy);
    const done = el('button.plain', { type: 'button', onclick: () => this.#done() }, 'Done');
    this.#made.replaceChildren(
      el('p', { role: 'alert' }, `${name ? `“${name}”` : 'The key'} is made. Copy it now: it is shown this once.`),
      el('div.new-key-line', {}, el('code', {}, key), copy), done);
    this.#made.hidden = false;
    copy.focus();
  }

  #done() {
    this.#forgetMade();
    this.#name.focus();
  }

  #forgetMade() {
    this.#made.hidden = true;
    this.#made.replaceChildren();
  }

  async #read() {
    try {
      this.#show(await listKeys());
    } catch (error) {
      this.#note.textContent = error.message;
    }
  }

  #show(keys) {
    this.#list.show(keys);
    this.#note.textContent = keys.length === 0 ? 'You have no keys yet.' : '';
  }
}

/** One key, with what it was used for, and the way to revoke it. */
class KeyRow {
  #id;
  #onRevoked;
  #name = el('h3', { dir: 'auto' });
  #hint = el('code.key-hint');
  #status = el('span.key-status');
  #lines = el('div.key-lines');
  #actions = el('div.model-actions');
  #problem = el('p.problem', { role: 'alert', hidden: true });
  element = el('li.key', {}, el('div.key-head', {}, this.#name, this.#status), this.#actions, this.#hint, this.#lines, this.#problem);

  /**
   * @param {string} id
   * @param {() => void} onRevoked
   */
  constructor(id, onRevoked) {
    this.#id = id;
    this.#onRevoked = onRevoked;
  }

  show(key) {
    this.#name.textContent = key.name || 'Key without a name';
    this.#hint.textContent = key.hint;
    this.#status.textContent = key.status;
    this.#status.dataset.status = key.status;
    this.#lines.replaceChildren(...describe(key).map(line => el('p.about', {}, line)));
    if (this.#actions.childElementCount === 0) this.#offer();
  }

  #offer() {
    this.#actions.replaceChildren(this.#control('Revoke', `Revoke ${this.#name.textContent}`, () => this.#ask()));
  }

  /** A program that uses it fails from then on. */
  #ask() {
    const label = `Revoke ${this.#name.textContent} for good`;
    const keep = this.#control('Keep', `Keep ${this.#name.textContent}`, () => {
      this.#offer();
      this.#actions.firstElementChild.focus();
    });
    this.#actions.replaceChildren(el('span.model-question', {}, 'Revoke it?'), this.#control('Revoke', label, () => this.#revoke()), keep);
    keep.focus();
  }

  async #revoke() {
    try {
      await revokeKey(this.#id);
      await this.#onRevoked();
    } catch (error) {
      this.#problem.textContent = error.message;
      this.#problem.hidden = false;
    }
  }

  #control(text, label, run) {
    return el('button.plain', { type: 'button', ariaLabel: label, onclick: run }, text);
  }
}

/**
 * A key in lines of few words.
 * @param {import('./keys-api.js').Key} key
 * @returns {string[]}
 */
function describe({ scopes, limits, created_at: created, expires_at: expires, last_used_at: used, status, usage }) {
  const ends = expires === null ? 'never expires' : `${status === 'expired' ? 'expired' : 'expires'} ${dayOf(expires)}`;
  const counts = [[usage.requests, 'request', 'requests'], [usage.prompt_tokens, 'token read', 'tokens read'], [usage.completion_tokens, 'written', 'written']];
  const most = Object.entries(limits ?? {}).filter(([, value]) => value !== null).map(([name, value]) => `${value.toLocaleString('en')} ${LIMITS[name].toLowerCase()}`);
  return [
    [scopes.join(', '), ...(most.length > 0 ? [`at most ${most.join(', ')}`] : [])],
    [`made ${dayOf(created)}`, ends],
    used === null ? ['never used'] : [`last used ${momentOf(used)}`, ...counts.map(([count, one, many]) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`)],
  ].map(parts => parts.join(' · '));
}

/** A number as the server wants it; what is none it shall refuse in its own words. */
function numberOr(text) {
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

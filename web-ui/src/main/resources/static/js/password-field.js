import { el, icon } from './dom.js';

/**
 * A field for a password, which can be shown while it is written.
 */
export class PasswordField {
  input;
  #label;
  #toggle = el('button.quiet.round', { type: 'button', onclick: () => this.#show(this.input.type === 'password') }, icon('eye'));
  #about = el('p.about', { hidden: true });
  element;

  /**
   * @param {string} id
   * @param {string} label
   * @param {'current-password'|'new-password'} purpose by which browsers know what to offer
   */
  constructor(id, label, purpose) {
    this.input = el('input', { id, required: true, spellcheck: false, autocapitalize: 'off' });
    this.#label = el('label', { htmlFor: id }, label);
    this.#about.id = `${id}-about`;
    this.element = el('div.field', {}, this.#label, el('div.password-line', {}, this.input, this.#toggle), this.#about);
    this.purpose = purpose;
    this.#show(false);
  }

  get value() {
    return this.input.value;
  }

  set purpose(purpose) {
    this.input.autocomplete = purpose;
    this.#about.textContent = purpose === 'new-password' ? '8 to 200 characters.' : '';
    this.#about.hidden = this.#about.textContent === '';
    this.input.setAttribute('aria-describedby', this.#about.hidden ? '' : this.#about.id);
  }

  /** Empties it, and hides what will be written into it. */
  clear() {
    this.input.value = '';
    this.#show(false);
  }

  /** Hides what is written, as when it is sent. */
  hide() {
    this.#show(false);
  }

  #show(isShown) {
    this.input.type = isShown ? 'text' : 'password';
    this.#toggle.ariaPressed = String(isShown);
    this.#toggle.ariaLabel = 'Show password';
    this.#toggle.title = isShown ? 'Hide password' : 'Show password';
  }
}

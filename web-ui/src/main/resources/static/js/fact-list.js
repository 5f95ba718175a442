import { el } from './dom.js';
import { setText } from './set-text.js';

/**
 * Facts under their names. Each stays where it is while its value changes.
 *
 * @typedef {object} Fact
 * @property {string} name
 * @property {string} value
 * @property {string} [about] said beside it, in small
 * @property {number} [share] 0 to 1, drawn as a bar
 * @property {string} [state] of a dot in front of the value
 */
export class FactList {
  element;
  #entries = new Map();

  /** @param {string} kind class */
  constructor(kind) {
    this.element = el(`dl.facts.${kind}`);
  }

  /** @param {(Fact|null)[]} facts in their order; null for what is not known */
  show(facts) {
    const known = facts.filter(fact => fact !== null);
    const entries = known.map(fact => {
      if (!this.#entries.has(fact.name)) this.#entries.set(fact.name, new Entry(fact.name));
      const entry = this.#entries.get(fact.name);
      entry.show(fact);
      return entry.element;
    });
    if (entries.some((entry, i) => this.element.children[i] !== entry) || entries.length !== this.element.childElementCount) this.element.replaceChildren(...entries);
    this.element.hidden = known.length === 0;
  }
}

class Entry {
  #dot = el('span.dot', { hidden: true });
  #value = el('span');
  #about = el('dd.fact-about', { dir: 'auto' });
  #bar = new ShareBar();
  element;

  constructor(name) {
    this.element = el('div', {}, el('dt', {}, name), el('dd.fact-value', {}, this.#dot, this.#value), this.#about, el('dd.fact-bar', {}, this.#bar.element));
  }

  show({ value, about = '', share = null, state = null }) {
    setText(this.#value, value);
    setText(this.#about, about);
    this.#about.hidden = about === '';
    this.#dot.hidden = state === null;
    this.#dot.dataset.state = state ?? '';
    this.#bar.element.parentElement.hidden = share === null;
    this.#bar.show(share ?? 0);
  }
}

/** A share as a bar, for those who see; it is said in words beside it. */
export class ShareBar {
  #fill = el('div.share-fill');
  element = el('div.share', { ariaHidden: 'true' }, this.#fill);

  /** @param {number} share 0 to 1 */
  show(share) {
    this.#fill.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  }
}

/** @returns {number|null} null where one of them is not known */
export const shareOf = (part, whole) => (part === null || !(whole > 0) ? null : part / whole);

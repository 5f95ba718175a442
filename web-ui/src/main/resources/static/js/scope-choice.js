import { el } from './dom.js';

/** The scopes in a few words. */
const ABOUT = {
  inference: 'all that a model computes',
  conversations: 'stored chats',
  keys: 'your keys',
  models: 'fetch, load and delete models',
  metrics: 'what the server measures',
  admin: 'accounts, and everybody’s keys',
};
/** What the server gives a key that asks for nothing else. */
const USUAL = 'inference';

/** Boxes to tick what a key shall be good for. */
export class ScopeChoice {
  #boxes = [];
  element = el('fieldset.scopes', { hidden: true }, el('legend', {}, 'Good for'));

  /**
   * Offers these, and leaves what is ticked already.
   * @param {string[]} scopes that one has, of which a key can have no others
   */
  offer(scopes) {
    this.element.hidden = scopes.length === 0;
    if (scopes.join() === this.#boxes.map(({ value }) => value).join()) return;
    const before = new Map(this.#boxes.map(({ value, checked }) => [value, checked]));
    this.#boxes = scopes.map(scope => el('input', { type: 'checkbox', name: `scope-${scope}`, value: scope, defaultChecked: scope === USUAL }));
    for (const box of this.#boxes) box.checked = before.get(box.value) ?? box.defaultChecked;
    this.element.replaceChildren(this.element.firstElementChild, ...this.#boxes.map(box => labelled(box)));
  }

  /** @returns {string[]|undefined} what is ticked; undefined where there was nothing to choose from */
  get value() {
    return this.#boxes.length === 0 ? undefined : this.#boxes.filter(({ checked }) => checked).map(({ value }) => value);
  }
}

function labelled(box) {
  const about = ABOUT[box.value];
  return el('label.check', {}, box, el('span', {}, box.value, about !== undefined && el('span.about', {}, ` ${about}`)));
}

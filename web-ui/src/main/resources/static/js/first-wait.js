import { el } from './dom.js';

/** After how long it is said that there is nothing yet. */
const SAID_AFTER_MS = 3_000;
const EVERY_MS = 1_000;

/** Says how long an answer's first word is waited for, where that takes long: the model may be reading much, or busy. */
export class FirstWait {
  element = el('p.first-wait', { hidden: true });
  #since = 0;
  #timer = 0;

  /** @param {boolean} isWaiting */
  show(isWaiting) {
    if (isWaiting === (this.#timer !== 0)) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.element.hidden = true;
    if (!isWaiting) return;
    this.#since = performance.now();
    this.#timer = setTimeout(() => this.#say(), SAID_AFTER_MS);
  }

  #say() {
    // The chat was left.
    if (!this.element.isConnected) return;
    this.element.textContent = `Waiting for the first word: ${Math.round((performance.now() - this.#since) / 1000)} s`;
    this.element.hidden = false;
    this.#timer = setTimeout(() => this.#say(), EVERY_MS);
  }
}

/**
 * Something that is done again and again while somebody looks: begun and ended by its owner, and at rest while the page is
 * hidden. What is under way when it ends, or is begun anew, counts no more.
 */
export class Repeated {
  #work;
  #everyMs;
  #isOn = false;
  #timer = 0;
  /** What is under way; null for nothing. */
  #turn = null;

  /**
   * @param {(counts: () => boolean) => Promise<void>} work asks `counts` before it shows what has come
   * @param {number} everyMs between its end and the next time
   */
  constructor(work, everyMs) {
    this.#work = work;
    this.#everyMs = everyMs;
    document.addEventListener('visibilitychange', () => this.#look());
  }

  start() {
    this.#isOn = true;
    this.again();
  }

  stop() {
    this.#isOn = false;
    this.#turn = null;
    clearTimeout(this.#timer);
  }

  /** Does it now, in place of what is under way. */
  async again() {
    if (!this.#isOn) return;
    clearTimeout(this.#timer);
    const turn = {};
    this.#turn = turn;
    try {
      await this.#work(() => turn === this.#turn);
    } finally {
      if (turn === this.#turn) this.#rest();
    }
  }

  #rest() {
    this.#turn = null;
    if (!document.hidden) this.#timer = setTimeout(() => this.again(), this.#everyMs);
  }

  #look() {
    clearTimeout(this.#timer);
    if (this.#isOn && this.#turn === null && !document.hidden) this.again();
  }
}

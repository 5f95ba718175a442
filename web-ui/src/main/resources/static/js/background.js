const LONGEST_MS = 10_000;
const MOST_FAILURES = 3;

/**
 * Work that is done beside the page, one piece after the other, so that no text can hold up typing or scrolling. A
 * piece that takes too long is given up, and after a few of those all others too.
 */
export class Background {
  #script;
  #worker = null;
  #isReady = false;
  #waiting = [];
  #timer = 0;
  #failures = 0;

  /** @param {URL} script a module that posts `ready`, and then one answer for each message */
  constructor(script) {
    this.#script = script;
  }

  /**
   * @param {*} piece
   * @returns {Promise<*>} the script's answer, or null where the piece took too long; rejects where the script could
   *   not be fetched
   */
  ask(piece) {
    if (this.#failures >= MOST_FAILURES) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ piece, resolve, reject });
      if (this.#worker === null) this.#begin();
      else if (this.#isReady && this.#waiting.length === 1) this.#next();
    });
  }

  #begin() {
    this.#isReady = false;
    const worker = new Worker(this.#script, { type: 'module' });
    this.#worker = worker;
    worker.onmessage = ({ data }) => {
      if (this.#isReady) this.#answer(data);
      this.#isReady = true;
      this.#next();
    };
    worker.onerror = () => {
      const all = this.#end();
      for (const { reject } of all) reject(new Error(`${this.#script.pathname} cannot run`));
    };
  }

  #next() {
    if (this.#waiting.length === 0) return;
    this.#timer = setTimeout(() => this.#giveUp(), LONGEST_MS);
    this.#worker.postMessage(this.#waiting[0].piece);
  }

  #answer(data) {
    clearTimeout(this.#timer);
    this.#waiting.shift().resolve(data);
  }

  #giveUp() {
    this.#failures++;
    const [{ resolve }, ...others] = this.#end();
    resolve(null);
    if (this.#failures >= MOST_FAILURES) {
      for (const other of others) other.resolve(null);
    } else if (others.length > 0) {
      this.#waiting = others;
      this.#begin();
    }
  }

  /** Ends the worker; returns what was not done. */
  #end() {
    clearTimeout(this.#timer);
    this.#worker.terminate();
    this.#worker = null;
    return this.#waiting.splice(0);
  }
}

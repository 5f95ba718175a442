/** Nothing is said before so much time has passed, and such a part of the work is done. */
const FIRST_MS = 2_000;
const FIRST_PART = 0.02;

/** How long something will take, as far as its progress so far tells. */
export class TimeLeft {
  #work = '';
  #began = 0;
  #from = 0;

  /**
   * @param {string} work which it is; another one begins anew
   * @param {number} fraction of it that is done: 0 to 1
   * @param {number} now in milliseconds
   * @returns {number|null} seconds; null while nothing can be said
   */
  after(work, fraction, now) {
    if (work !== this.#work || fraction < this.#from) {
      this.#work = work;
      this.#began = now;
      this.#from = fraction;
    }
    const took = now - this.#began;
    const done = fraction - this.#from;
    return took < FIRST_MS || done < FIRST_PART ? null : ((1 - fraction) * took) / done / 1000;
  }
}

/**
 * A time as one says it of something that is not known well: `a few seconds`, `about 25 s`, `about 3 min`.
 * @param {number} seconds
 * @returns {string}
 */
export function roughTime(seconds) {
  if (seconds < 8) return 'a few seconds';
  if (seconds < 57) return `about ${Math.ceil(seconds / 5) * 5} s`;
  return `about ${Math.max(1, Math.round(seconds / 60))} min`;
}

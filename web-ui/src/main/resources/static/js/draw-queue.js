const SLICE_MS = 8;

/** Does work in slices so short that the page stays smooth. */
export class DrawQueue {
  #jobs = [];
  #timer = 0;

  /** Whether everything is done. */
  get isEmpty() {
    return this.#jobs.length === 0;
  }

  /** @param {(() => void)[]} jobs in their order; takes the place of what was not done yet */
  replace(jobs) {
    clearTimeout(this.#timer);
    this.#jobs = jobs.reverse();
    this.#timer = setTimeout(() => this.#run());
  }

  #run() {
    const end = performance.now() + SLICE_MS;
    while (this.#jobs.length > 0 && performance.now() < end) this.#jobs.pop()();
    if (this.#jobs.length > 0) this.#timer = setTimeout(() => this.#run());
  }
}

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

/** Takes elements out of the page, large ones part by part: even that takes a browser its time. */
export class Removal {
  #elements = [];
  #timer = 0;

  /** @param {HTMLElement} element is not seen from now on */
  remove(element) {
    if (element.querySelector('.part') === null) return element.remove();
    element.className = 'leaving';
    element.inert = true;
    this.#elements.push(element);
    this.#timer ||= setTimeout(() => this.#run());
  }

  #run() {
    const end = performance.now() + SLICE_MS;
    while (this.#elements.length > 0 && performance.now() < end) {
      const element = this.#elements.at(-1);
      (element.querySelector('.part:last-child') ?? this.#elements.pop()).remove();
    }
    this.#timer = this.#elements.length > 0 ? setTimeout(() => this.#run()) : 0;
  }
}

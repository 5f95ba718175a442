/** Lets the browser do what else there is; what follows is a task of its own. */
export function nextTask() {
  return globalThis.scheduler?.yield?.() ?? new Promise(resolve => setTimeout(resolve));
}

/** Work that is put off: behind the next frame, in a task of its own, or just to the next task. */
export class Later {
  #work;
  #frame = 0;
  #timer = 0;

  /** @param {() => void} work */
  constructor(work) {
    this.#work = work;
  }

  /** Once, however often it is asked for. Laying out what is new is enough for the frame's own task. */
  afterFrame() {
    this.#frame ||= requestAnimationFrame(() => this.soon());
  }

  /** In the next task. */
  soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#frame = 0;
      this.#work();
    });
  }

  cancel() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = 0;
  }
}

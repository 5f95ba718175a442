import { announce } from './announcer.js';
import * as api from './models-api.js';

/** What a model's states are called. */
export const STATES = {
  ready: 'ready',
  loading: 'loading',
  downloading: 'downloading',
  on_disk: 'on disk',
  absent: 'not fetched yet',
  failed: 'failed',
};

const EVERY_MS = 1_000;
const BUSY = new Set(['downloading', 'loading']);

/**
 * The server's models, and what is done with them. While one is fetched or loaded, by this page or any other, or while
 * somebody looks at it closely, the list is read every second. Event: `change`.
 */
export class ModelList extends EventTarget {
  /** @type {import('./models-api.js').ModelInfo[]} */
  models = [];
  /** Why the last thing that was tried with a model did not work, by name. */
  problems = new Map();
  #timer = 0;
  #last = '';
  /** Downloads and loads that this page waits for. */
  #awaited = 0;
  #isWatched = false;

  constructor() {
    super();
    document.addEventListener('visibilitychange', () => !document.hidden && this.#isBusy && this.refresh());
  }

  /** @param {string} name */
  get(name) {
    return this.models.find(model => model.name === name) ?? null;
  }

  /** Whether somebody looks at all models, so that what others do with them is to be seen soon. */
  set isWatched(isWatched) {
    this.#isWatched = isWatched;
    if (isWatched) this.refresh();
  }

  /** Reads the list anew. Without an answer it stays as it was. */
  async refresh() {
    clearTimeout(this.#timer);
    const seen = await api.fetchModels().catch(() => this.models);
    const text = JSON.stringify(seen);
    this.models = seen;
    clearTimeout(this.#timer);
    if (this.#isBusy && !document.hidden) this.#timer = setTimeout(() => this.refresh(), EVERY_MS);
    if (text !== this.#last) {
      this.#last = text;
      this.dispatchEvent(new Event('change'));
    }
  }

  get #isBusy() {
    return this.#isWatched || this.#awaited > 0 || this.models.some(({ state }) => BUSY.has(state));
  }

  /**
   * Fetches a model; one of the list, or one that a person has typed.
   * @param {string} name
   * @returns {Promise<void>} rejects with what the server said
   */
  pull(name) {
    return this.#long(name, api.pullModel(name), 'is on disk');
  }

  /** Brings a model into memory. */
  load(name) {
    return this.#long(name, api.loadModel(name), 'is ready');
  }

  cancel(name) {
    return this.#do(name, api.cancelPull(name));
  }

  unload(name) {
    return this.#do(name, api.unloadModel(name));
  }

  delete(name) {
    return this.#do(name, api.deleteModel(name));
  }

  async #long(name, work, done) {
    this.#awaited++;
    // So that the list shows it soon; from then on it is read by itself.
    setTimeout(() => this.refresh(), 100);
    await this.#do(name, work.finally(() => this.#awaited--));
    if (!this.problems.has(name)) announce(`${name} ${done}.`);
  }

  async #do(name, work) {
    this.problems.delete(name);
    try {
      await work;
    } catch (error) {
      if (error.code !== 'cancelled') this.problems.set(name, error.message);
    }
    this.#last = '';
    await this.refresh();
  }
}

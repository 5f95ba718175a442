import { ApiError } from './api.js';
import { listChats } from './stored-chats.js';

const WAIT_MS = 180;

/**
 * Looks for words in all chats: on the server, and where it is away in the titles that the page knows.
 * Event: `change`.
 */
export class ChatSearch extends EventTarget {
  words = '';
  /** @type {object[]} what was found, each with a `snippet`; of the words before while `searching` */
  found = [];
  searching = false;
  /** Whether only titles that the page knows were looked through. */
  isPartial = false;
  #library;
  #timer = 0;
  #next = null;
  #asked = 0;

  /** @param {import('./library.js').Library} library */
  constructor(library) {
    super();
    this.#library = library;
  }

  /** @param {string} words empty to end the search */
  look(words) {
    const trimmed = words.trim();
    if (trimmed === this.words) return;
    this.words = trimmed;
    clearTimeout(this.#timer);
    this.#asked++;
    this.searching = trimmed !== '';
    if (trimmed === '') this.found = [];
    else this.#timer = setTimeout(() => this.#ask(), WAIT_MS);
    this.dispatchEvent(new Event('change'));
  }

  get hasMore() {
    return this.#next !== null && !this.searching;
  }

  /** Reads more of what was found. */
  more() {
    if (this.hasMore) return this.#ask(this.#next);
  }

  /**
   * Leaves a chat out that is no more.
   * @param {string} id
   */
  drop(id) {
    this.found = this.found.filter(chat => chat.id !== id);
    this.dispatchEvent(new Event('change'));
  }

  async #ask(after = '') {
    const asked = ++this.#asked;
    this.searching = true;
    try {
      const { conversations, next } = await listChats({ query: this.words.slice(0, 200), after });
      if (asked !== this.#asked) return;
      this.found = after === '' ? conversations : [...this.found, ...conversations];
      this.#next = next;
      this.isPartial = false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (asked !== this.#asked) return;
      const words = this.words.toLowerCase();
      this.found = this.#library.chats.filter(({ title }) => title.toLowerCase().includes(words));
      this.#next = null;
      this.isPartial = true;
    }
    this.searching = false;
    this.dispatchEvent(new Event('change'));
  }
}

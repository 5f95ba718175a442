import { load, save } from './store.js';

const LAST = 'last-chat';
const CHAT = /^#\/c\/([\w-]{1,80})$/;
export const NEW = '#/new';

/**
 * The address of a chat in this page.
 * @param {string} id
 */
export const addressOf = id => `#/c/${id}`;

/** Which chat the page's address names. Event: `change`. A page without one goes to the chat that was open last. */
export class Router extends EventTarget {
  constructor() {
    super();
    addEventListener('hashchange', () => {
      // A link to a place in the page, as the one that skips to the message box, names no chat.
      if (CHAT.test(location.hash) || location.hash === NEW) this.dispatchEvent(new Event('change'));
    });
  }

  /** Id of the chat; null for a new one. */
  get chatId() {
    const id = CHAT.exec(location.hash)?.[1];
    if (id) return id;
    const last = load(LAST);
    return location.hash !== NEW && typeof last === 'string' && /^[\w-]{1,80}$/.test(last) ? last : null;
  }

  /**
   * Goes to a chat, as if one had followed a link.
   * @param {string|null} id null for a new one
   */
  go(id) {
    const hash = id === null ? NEW : addressOf(id);
    if (location.hash === hash) this.dispatchEvent(new Event('change'));
    else location.hash = hash;
  }

  /**
   * The chat that is open has this address now.
   * @param {string|null} id
   */
  settle(id) {
    save(LAST, id);
    const hash = id === null ? NEW : addressOf(id);
    if (location.hash !== hash) history.replaceState(null, '', hash);
  }
}

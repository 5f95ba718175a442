// What the page keeps in this browser. A browser that refuses (private mode, full) costs the memory, not the chat.

const PREFIX = 'chasqui.';

/**
 * @param {string} key
 * @returns {unknown} the value kept, or null
 */
export function load(key) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key));
  } catch {
    return null;
  }
}

/**
 * Keeps a value; null forgets it.
 * @param {string} key
 * @param {unknown} value anything that JSON can carry
 * @returns {boolean} whether it is kept
 */
export function save(key, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/**
 * The keys that begin so, without this beginning.
 * @param {string} beginning
 * @returns {string[]}
 */
export function keysOf(beginning) {
  try {
    return Object.keys(localStorage)
      .filter(key => key.startsWith(PREFIX + beginning))
      .map(key => key.slice(PREFIX.length + beginning.length));
  } catch {
    return [];
  }
}

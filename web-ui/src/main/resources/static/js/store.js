// What the page keeps in this browser. A browser that refuses (private mode, full) costs the memory, not the chat.
// Each account's is apart. What is kept where nobody has to sign in has no account in its name, nor has the account that
// owns the chats of that time, so that both find the same.

const PREFIX = 'chasqui.';
/** Kept for the browser, whoever uses it. */
const OF_BROWSER = new Set(['theme', 'sidebar', 'signed-in']);
/** The account whose chats are those that were stored while nobody had to sign in. */
export const LOCAL = 'local';

let ofAccount = PREFIX;
let isClosed = false;

/**
 * From now on whatever belongs to an account is this one's.
 * @param {string} accountId
 */
export function keepFor(accountId) {
  ofAccount = accountId === LOCAL ? PREFIX : `chasqui@${accountId}.`;
}

/** Nothing more is kept by this page: whoever it was for has signed out, and it is about to go. */
export function closeStore() {
  isClosed = true;
}

/** Forgets all that is kept for the account, and closes the store, so that what the page does on leaving brings nothing back. */
export function forgetAccount() {
  for (const key of keysOf('')) if (!OF_BROWSER.has(key)) save(key, null);
  save('signed-in', null);
  closeStore();
}

const nameOf = key => (OF_BROWSER.has(key) ? PREFIX : ofAccount) + key;

/**
 * @param {string} key
 * @returns {unknown} the value kept, or null
 */
export function load(key) {
  try {
    return JSON.parse(localStorage.getItem(nameOf(key)));
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
  if (isClosed) return false;
  try {
    if (value === null) localStorage.removeItem(nameOf(key));
    else localStorage.setItem(nameOf(key), JSON.stringify(value));
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
  const whole = ofAccount + beginning;
  try {
    return Object.keys(localStorage)
      .filter(key => key.startsWith(whole))
      .map(key => key.slice(whole.length));
  } catch {
    return [];
  }
}

/**
 * Tells when another page of this browser has changed what is kept under a key.
 * @param {string} key
 * @param {(value: unknown) => void} onChange told null where it was forgotten
 */
export function watch(key, onChange) {
  addEventListener('storage', event => event.key === nameOf(key) && onChange(load(key)));
}

import { byId, el, isComposing } from './dom.js';
import { closeOnBackdrop, openSheet } from './sheet.js';
import { OFFER_KEYS, takeOffer } from './toast.js';

/**
 * @typedef {object} Shortcut
 * @property {string[]} keys as they are shown
 * @property {string} does
 * @property {(event: KeyboardEvent) => boolean} [matches] absent where another part of the page listens
 * @property {() => void} [run]
 */

const alt = code => event => event.altKey && !event.ctrlKey && !event.metaKey && event.code === code;
const command = key => event => event.key.toLowerCase() === key && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
const single = key => event => event.key === key && !event.altKey && !event.ctrlKey && !event.metaKey;

/**
 * The page's keyboard shortcuts, and the list of them.
 * @param {object} actions
 * @param {import('./chat.js').Chat} actions.chat
 * @param {import('./composer.js').Composer} actions.composer
 * @param {import('./settings.js').Settings} actions.settings
 * @param {import('./sidebar.js').Sidebar} actions.sidebar
 * @param {() => void} actions.copyLast
 * @param {() => void} actions.editLast
 * @param {() => void} actions.newChat
 * @param {() => void} actions.openSettings
 * @param {(step: number) => void} actions.goBy to the chat so many places further down the list
 */
export function bindShortcuts({ chat, composer, settings, sidebar, copyLast, editLast, newChat, openSettings, goBy }) {
  const dialog = byId('shortcuts');
  closeOnBackdrop(dialog);
  byId('open-shortcuts').addEventListener('click', () => openSheet(dialog));
  /** @type {Shortcut[]} */
  const shortcuts = [
    { keys: ['Enter'], does: 'Send' },
    { keys: ['Shift', 'Enter'], does: 'New line' },
    { keys: ['Esc'], does: 'Stop the answer', matches: event => event.key === 'Escape' && chat.busy, run: () => chat.stop() },
    { keys: ['Alt', 'N'], does: 'New chat', matches: alt('KeyN'), run: newChat },
    { keys: ['Ctrl', 'K'], does: 'Search all chats', matches: command('k'), run: () => sidebar.search() },
    { keys: ['Alt', '↑'], does: 'Chat above', matches: alt('ArrowUp'), run: () => goBy(-1) },
    { keys: ['Alt', '↓'], does: 'Chat below', matches: alt('ArrowDown'), run: () => goBy(1) },
    { keys: ['Alt', 'B'], does: 'Show or hide the chats', matches: alt('KeyB'), run: () => sidebar.toggle() },
    { keys: ['F2'], does: 'Rename a chat of the list' },
    { keys: ['Del'], does: 'Delete a chat of the list' },
    { keys: OFFER_KEYS, does: 'Bring it back (while that is offered)', matches: alt('KeyZ'), run: takeOffer },
    { keys: ['Alt', 'E'], does: 'Edit the last question', matches: alt('KeyE'), run: editLast },
    { keys: ['Alt', 'R'], does: 'Answer again', matches: alt('KeyR'), run: () => chat.regenerate() },
    { keys: ['Alt', 'C'], does: 'Copy the last answer', matches: alt('KeyC'), run: copyLast },
    { keys: ['Alt', 'S'], does: 'Settings', matches: alt('KeyS'), run: openSettings },
    { keys: ['Alt', 'T'], does: 'Next theme', matches: alt('KeyT'), run: () => byId('theme').click() },
    { keys: ['/'], does: 'Go to the message box', matches: single('/'), run: () => composer.focus() },
    { keys: ['?'], does: 'This list', matches: single('?'), run: () => openSheet(dialog) },
  ];
  byId('shortcut-list').append(...shortcuts.flatMap(describe));
  addEventListener('keydown', event => {
    const shortcut = shortcuts.find(({ matches }) => matches?.(event));
    if (!shortcut || event.defaultPrevented || isComposing(event) || document.querySelector('dialog[open], #sign-in:not([hidden])')) return;
    const isSingle = shortcut.keys.length === 1 && shortcut.keys[0].length === 1;
    if (isSingle && (!settings.singleKeys || isTyping(event.target))) return;
    event.preventDefault();
    shortcut.run();
  });
}

function isTyping(target) {
  return target.matches?.('input, textarea, select, [contenteditable]') ?? false;
}

function describe({ keys, does }) {
  return [el('dt', {}, ...keys.map(key => el('kbd', {}, key))), el('dd', {}, does)];
}

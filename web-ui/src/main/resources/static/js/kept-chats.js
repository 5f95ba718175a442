import { restoreMessages } from './conversation.js';
import { keysOf, load, save } from './store.js';

// Chats in this browser: copies of those that were open last, to be read while the server is away, and those that only
// this browser has, because the server could not store them.

const COPIES = 'copies';
const COPY = 'copy.';
const LOCAL = 'chat.';
const UNSENT = 'unsent.';
const MOST_COPIES = 12;
/** Characters. A browser keeps about five million for a page. */
const LONGEST_COPY = 300_000;

/** @typedef {{conversation: import('./conversation.js').Conversation, messages: import('./message-tree.js').Message[]}} KeptChat */

/**
 * Keeps a copy of a chat that the server has.
 * @param {import('./conversation.js').Conversation} conversation
 * @param {import('./message-tree.js').Message[]} messages
 */
export function keepCopy(conversation, messages) {
  const { id } = conversation;
  const length = messages.reduce((sum, { content, reasoning = '' }) => sum + content.length + reasoning.length + 400, 0);
  const ids = copies().filter(each => each !== id);
  const kept = length <= LONGEST_COPY && save(COPY + id, { conversation, messages });
  if (kept) ids.unshift(id);
  else save(COPY + id, null);
  for (const old of ids.splice(MOST_COPIES)) save(COPY + old, null);
  save(COPIES, ids);
}

/**
 * @param {string} id
 * @returns {KeptChat|null}
 */
export function loadCopy(id) {
  const kept = load(COPY + id);
  return kept?.conversation?.id === id && Array.isArray(kept.messages) ? kept : null;
}

/** @param {string} id */
export function forgetCopy(id) {
  save(COPY + id, null);
  save(COPIES, copies().filter(each => each !== id));
}

function copies() {
  const ids = load(COPIES);
  return Array.isArray(ids) ? ids : [];
}

/**
 * Keeps a chat that only this browser has.
 * @param {import('./conversation.js').Conversation} conversation
 * @param {import('./message-tree.js').Message[]} messages
 * @returns {boolean} whether there is room
 */
export function keepLocal(conversation, messages) {
  return save(LOCAL + conversation.id, { conversation, messages });
}

/**
 * @param {string} id
 * @returns {KeptChat|null}
 */
export function loadLocal(id) {
  const kept = load(LOCAL + id);
  return kept?.conversation?.id === id ? { ...kept, messages: restoreMessages(kept.messages) } : null;
}

/** All chats that only this browser has, the last changed first. */
export function localChats() {
  return keysOf(LOCAL)
    .map(loadLocal)
    .filter(kept => kept !== null)
    .sort((one, other) => Date.parse(other.conversation.updated_at) - Date.parse(one.conversation.updated_at));
}

/** @param {string} id */
export function forgetLocal(id) {
  save(LOCAL + id, null);
}

/**
 * Keeps a question that did not reach the server; null forgets it.
 * @param {string} chat id of the conversation, or `new`
 * @param {import('./message-tree.js').Message|null} question
 */
export function keepUnsent(chat, question) {
  save(UNSENT + chat, question);
}

/**
 * @param {string} chat
 * @returns {import('./message-tree.js').Message|null}
 */
export function loadUnsent(chat) {
  return restoreMessages([load(UNSENT + chat)])[0] ?? null;
}

/** How many questions there are that did not reach the server. */
export const unsentCount = () => keysOf(UNSENT).length;

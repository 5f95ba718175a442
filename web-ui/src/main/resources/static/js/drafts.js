import { load, save } from './store.js';

const KEY = 'drafts';
const MOST = 50;

/**
 * What was begun to be written in a chat.
 * @param {string} chat id, or `new`
 * @returns {string}
 */
export function draftOf(chat) {
  const text = load(KEY)?.[chat];
  return typeof text === 'string' ? text : '';
}

/**
 * @param {string} chat
 * @param {string} text empty to forget it
 */
export function keepDraft(chat, text) {
  const { [chat]: before, ...others } = load(KEY) ?? {};
  if (text === '' && before === undefined) return;
  const entries = Object.entries(others).slice(-MOST + 1);
  if (text !== '') entries.push([chat, text]);
  save(KEY, entries.length === 0 ? null : Object.fromEntries(entries));
}

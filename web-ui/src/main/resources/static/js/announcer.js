import { byId } from './dom.js';

const LONGEST = 1_500;

/**
 * Says something to people who use a screen reader: once, not with every token.
 * @param {string} text
 */
export function announce(text) {
  byId('announcer').textContent = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

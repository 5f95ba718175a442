import { parseJson } from './api.js';

// A file with chats as requests that the server takes. Pure: no DOM, no network.

/** Characters of a request. The server takes 10 MB, and a character may be three bytes. */
const LONGEST = 3_000_000;
const MOST_CHATS = 500;

/**
 * What to ask for a file to be brought in: one request after the other, each with as many chats as it may have.
 * @param {string} name of the file
 * @param {string} text
 * @returns {Generator<string>} JSON
 */
export function* requestsOf(name, text) {
  if (/\.(?:md|markdown|txt)$/i.test(name)) return yield JSON.stringify({ markdown: text });
  const chats = parseJson(text)?.conversations;
  // What is none of our files the server refuses with a reason.
  if (!Array.isArray(chats)) return yield text;
  let portion = [];
  let length = 0;
  for (const chat of chats) {
    const json = JSON.stringify(chat);
    if (portion.length > 0 && (portion.length === MOST_CHATS || length + json.length > LONGEST)) {
      yield requestOf(portion);
      portion = [];
      length = 0;
    }
    portion.push(json);
    length += json.length;
  }
  yield requestOf(portion);
}

const requestOf = portion => `{"conversations":[${portion.join()}]}`;

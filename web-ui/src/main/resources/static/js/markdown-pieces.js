import { blocksOf } from './markdown.js';

// Where a Markdown text can be cut, so that each piece is drawn once and none takes long. Pure: no DOM.

/** Characters that are looked at, and drawn, at once. */
export const PIECE = 2_500;
/** The same of a single block, a table say; one that is longer is cut. */
const BLOCK = 4_500;
/** Lines of such a piece: each is a few elements, and a browser's work is by elements. */
const LINES = 60;
/** The same of code, which is drawn quickly; where it is cut it has no colours. */
export const CODE = 20_000;

/** A code block with both its fences, the closing one at least as long as the opening one. */
const FENCED = /^ {0,3}(`{3,}|~{3,})(?![`~])[\s\S]*\n {0,3}\1[`~]*\s*$/;
const OPENING = /^(?: {0,3}\n)* {0,3}(`{3,}|~{3,})(?![`~]).*\n/;
const ITEM = /\n(?=(?:[-*+]|\d{1,9}[.)])[ \t])/g;
/** Where an open block is cut if nothing of its own kind says where; the best first. */
const SEAMS = ['\n\n', '\n', ' '];

/**
 * A piece of a text that can be drawn for good.
 * @typedef {object} Piece
 * @property {string} markdown to draw
 * @property {number} length of the text that this is
 * @property {string} carry what is read in front of the text that follows: a table's head, or the fence of code
 * @property {boolean} isCutCode whether it ends inside a code block, which goes on in the next one
 * @property {boolean} isMidLine whether that is inside a line
 */

/**
 * The next piece, or null where more text must come first.
 * @param {string} text from where the piece before it ended
 * @param {string} carry of that piece
 * @param {boolean} isWhole whether nothing more will come
 * @returns {Piece|null}
 */
export function nextPiece(text, carry, isWhole) {
  const source = carry + text.slice(0, CODE + 1);
  if (isWhole && carry.length + text.length <= PIECE) return text === '' ? null : piece(carry + text, text.length);
  const isCode = OPENING.test(source);
  const most = isCode ? CODE : BLOCK;
  const isAll = isWhole && carry.length + text.length <= most;
  const settled = settledLength(source.slice(0, PIECE)) || firstSettled(source.slice(0, most));
  if (settled > carry.length) return piece(source.slice(0, settled), settled - carry.length);
  if (settled > 0) return nextPiece(text, '', isWhole);
  if (isAll) return piece(carry + text, text.length);
  if (source.length <= most) return null;
  const end = isCode ? most : carry.length + lengthOfLines(source.slice(carry.length, most));
  return cutInside(source.slice(0, end), carry);
}

/** Of as many lines as a piece may have. */
function lengthOfLines(text) {
  let end = -1;
  for (let lines = 0; lines < LINES; lines++) {
    end = text.indexOf('\n', end + 1);
    if (end < 0) return text.length;
  }
  return end + 1;
}

function piece(markdown, length, carry = '', isCutCode = false, isMidLine = false) {
  return { markdown, length, carry, isCutCode, isMidLine };
}

/** Of a block that is longer than what is looked at. */
function cutInside(view, carry) {
  const { type } = blocksOf(view).find(block => block.type !== 'space') ?? {};
  const lines = view.lastIndexOf('\n') + 1;
  const code = type === 'code' ? OPENING.exec(view) : null;
  if (code) {
    const [opening, fence] = code;
    const isMidLine = lines <= Math.max(opening.length, carry.length);
    const end = isMidLine ? wholeCharacters(view) : lines;
    return piece(`${view.slice(0, end)}${isMidLine ? '\n' : ''}${fence}\n`, end - carry.length, opening, true, isMidLine);
  }
  const head = type === 'table' ? /^\s*.*\n.*\n/.exec(view)[0] : '';
  if (head !== '' && lines > Math.max(head.length, carry.length)) return piece(view.slice(0, lines), lines - carry.length, head);
  const end = type === 'list' ? lastItem(view) : seam(view);
  return piece(view.slice(0, end), Math.max(1, end - carry.length));
}

function lastItem(view) {
  const at = [...view.matchAll(ITEM)].at(-1)?.index ?? -1;
  return at < 0 ? seam(view) : at + 1;
}

function seam(view) {
  for (const mark of SEAMS) {
    const at = view.lastIndexOf(mark);
    if (at > view.length / 2) return at + mark.length;
  }
  return wholeCharacters(view);
}

/** The text's length without half a character at its end. */
function wholeCharacters(text) {
  return /[\uD800-\uDBFF]$/.test(text) ? text.length - 1 : text.length;
}

/**
 * How much of a growing text is settled: the blocks in front of this offset are complete, and nothing that may still
 * come changes them. The block that is being written is never among them.
 * @param {string} source the text so far, from a block's beginning, with LF line ends
 * @returns {number}
 */
export function settledLength(source) {
  return settledBlocks(source).reduce((length, block) => length + block.raw.length, 0);
}

function firstSettled(source) {
  const blocks = settledBlocks(source);
  const first = blocks.findIndex(({ type }) => type !== 'space');
  return blocks.slice(0, first + 1).reduce((length, block) => length + block.raw.length, 0);
}

function settledBlocks(source) {
  // A line says what it is (the next list item, a new paragraph) only when it is complete.
  const blocks = blocksOf(source.slice(0, source.lastIndexOf('\n') + 1));
  let last = blocks.length - 1;
  while (last >= 0 && blocks[last].type === 'space') last--;
  return blocks.slice(0, last >= 0 && isClosed(blocks[last]) ? last + 1 : Math.max(last, 0));
}

/** Whether a block says itself that it is complete; most end only when another one begins. */
function isClosed({ type, raw, isClosed }) {
  return type === 'heading' || type === 'hr' || (type === 'code' && FENCED.test(raw)) || (type === 'mathBlock' && isClosed);
}

const DEFINITION = /^ {0,3}\[[^\]\n]{1,200}\]:[ \t]*\S.*$/gm;
const MOST_DEFINITIONS = 4_000;

/**
 * The lines that say where links by reference go, for pieces that do not have them; empty where there are none, or so
 * many that it would take long.
 * @param {string} text
 * @returns {string}
 */
export function definitionsOf(text) {
  const lines = text.includes(']:') ? (text.match(DEFINITION) ?? []).join('\n') : '';
  return lines.length > MOST_DEFINITIONS ? '' : lines;
}

/**
 * Plain text in pieces that are laid out one by one, cut at ends of lines where there are any.
 * @param {string} text
 * @returns {string[]}
 */
export function plainPieces(text) {
  const pieces = [];
  for (let from = 0; from < text.length; from += pieces.at(-1).length) {
    const view = text.slice(from, from + BLOCK);
    pieces.push(from + BLOCK >= text.length ? view : view.slice(0, Math.max(view.lastIndexOf('\n') + 1, 0) || seam(view)));
  }
  return pieces;
}

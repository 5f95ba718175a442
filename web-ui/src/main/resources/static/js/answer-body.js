import { el } from './dom.js';
import { highlightCode } from './highlight.js';
import { drawMath } from './math.js';
import { PIECE, definitionsOf, nextPiece } from './markdown-pieces.js';
import { mend, toHtml } from './markdown.js';
import { morph } from './morph.js';
import { safeFragment } from './safe-dom.js';
import { Later } from './tasks.js';

const SLICE_MS = 8;
/** The same while it grows: what is new is also seen, and laid out. */
const SEEN_SLICE_MS = 4;

/**
 * Shows a Markdown text that grows. Blocks that are complete are drawn once; only the open one is drawn again, at most
 * once a frame. A long text is drawn in pieces, and what follows its first one is in parts that the browser lays out
 * only where they are seen.
 */
export class AnswerBody {
  element = el('div.md');
  /** Whether it was opened as a whole, and its end is not drawn yet. */
  isBehind = false;
  #text = '';
  #isWhole = false;
  /** How much of the text is drawn for good, and what is read in front of the rest. */
  #settled = 0;
  #carry = '';
  #isMidLine = false;
  /** Where the next block goes: the element, or a part of it; how many of its nodes are there for good, of how much text. */
  #place = this.element;
  #nodes = 0;
  #length = 0;
  #definitions = '';
  #drawing = new Later(() => this.#draw());

  /**
   * The text as it is so far; it must begin with what was given before.
   * @param {string} text
   */
  grow(text) {
    this.#text = text;
    this.#isWhole = this.isBehind = false;
    this.#drawing.afterFrame();
  }

  /**
   * The whole text; nothing more will come.
   * @param {string} text
   */
  finish(text) {
    const whole = normalize(text);
    if (this.#isWhole && whole === this.#text) return;
    this.#drawing.cancel();
    const isShort = whole.length <= PIECE;
    this.isBehind = !isShort && this.#text === '';
    this.#definitions = isShort ? '' : definitionsOf(whole);
    // A short text is read as a whole once more, and keeps the elements that it has.
    if (isShort && this.#place === this.element) this.#begin();
    else if (isShort || this.#definitions !== '' || !whole.startsWith(this.#text.slice(0, this.#settled))) this.#beginAnew();
    this.#text = whole;
    this.#isWhole = true;
    // Of a long text a first piece: there is more to do now than this.
    this.#draw(0);
  }

  #beginAnew() {
    this.element.replaceChildren();
    this.#place = this.element;
    this.#begin();
  }

  #begin() {
    this.#settled = this.#nodes = this.#length = 0;
    this.#carry = '';
    this.#isMidLine = false;
  }

  #draw(milliseconds = this.isBehind ? SLICE_MS : SEEN_SLICE_MS) {
    this.#drawing.cancel();
    this.#text = normalize(this.#text);
    const end = performance.now() + milliseconds;
    for (let piece = this.#next(); piece !== null; piece = this.#next()) {
      const isLast = this.#isWhole && this.#settled + piece.length === this.#text.length;
      this.#put(piece, isLast);
      if (isLast) {
        this.isBehind = false;
        return;
      }
      if (performance.now() < end) continue;
      if (this.isBehind) this.#drawing.soon();
      else this.#drawing.afterFrame();
      return;
    }
    if (!this.#isWhole) this.#putOpen();
    // Everything was there for good; the cursor goes.
    else morph(this.#place, new DocumentFragment(), this.#nodes);
  }

  #next() {
    return nextPiece(this.#text.slice(this.#settled), this.#carry, this.#isWhole);
  }

  #putOpen() {
    this.#makeRoom();
    const open = this.#elements(mend(this.#carry + this.#text.slice(this.#settled)), false);
    addCursor(open);
    morph(this.#place, open, this.#nodes);
    drawMath(this.#place);
  }

  /** Of the last piece of a text nothing is there for good: the text may be continued. */
  #put({ markdown, length, carry, isCutCode, isMidLine }, isLast) {
    this.#makeRoom();
    const blocks = this.#elements(this.#definitions === '' ? markdown : `${this.#definitions}\n\n${markdown}`, isCutCode);
    const count = blocks.childNodes.length;
    morph(this.#place, blocks, this.#nodes);
    drawMath(this.#place);
    highlightCode(this.#place);
    if (isLast) return;
    this.#settled += length;
    this.#length += length;
    this.#nodes += count;
    this.#carry = carry;
    this.#isMidLine = isMidLine;
  }

  #elements(markdown, isCutCode) {
    return decorated(safeFragment(toHtml(markdown)), { isCutCode, goesOn: /^\s*[`~]{3}/.test(this.#carry), isMidLine: this.#isMidLine });
  }

  /** What is drawn for good is never moved again, so that what is selected in it stays so. */
  #makeRoom() {
    if (this.#length < PIECE) return;
    this.#place = el('div.part');
    this.#nodes = this.#length = 0;
    this.element.append(this.#place);
  }
}

function normalize(text) {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

/**
 * Gives code blocks a head with the language and a copy button, tables a box to scroll in, and each block the direction
 * of its own words. Code that was cut has one head, and no colours, which would begin wrongly in each piece.
 */
function decorated(fragment, { isCutCode, goesOn, isMidLine }) {
  const blocks = [...fragment.querySelectorAll('pre')];
  blocks.forEach((pre, i) => {
    const code = pre.firstElementChild;
    const language = /language-(\S+)/.exec(code?.className ?? '')?.[1] ?? 'text';
    const continues = goesOn && i === 0;
    const isCut = isCutCode && i === blocks.length - 1;
    if (continues || isCut) code.removeAttribute('class');
    const head = el('div.code-head', {}, el('span.code-language', {}, language), el('button.code-copy', { type: 'button' }, 'Copy'));
    const box = el('div.code', { dir: 'ltr' });
    box.classList.toggle('cut', isCut);
    box.classList.toggle('goes-on', continues);
    box.classList.toggle('mid-line', continues && isMidLine);
    pre.replaceWith(box);
    pre.tabIndex = 0;
    if (!continues) box.append(head);
    box.append(pre);
  });
  for (const table of fragment.querySelectorAll('table')) {
    const box = el('div.table-box', { tabIndex: 0 });
    table.replaceWith(box);
    box.append(table);
  }
  for (const block of fragment.children) block.dir ||= 'auto';
  return fragment;
}

/** Puts the blinking cursor behind the last character. */
function addCursor(fragment) {
  let place = fragment;
  for (let last = lastContent(place); isOpenElement(last); last = lastContent(place)) {
    place = last;
  }
  if (place === fragment) {
    place = el('p');
    fragment.append(place);
  }
  const end = place.lastChild;
  // The line end at a code block's end would put the cursor on a line of its own.
  if (end?.nodeType === Node.TEXT_NODE) end.data = end.data.replace(/\n$/, '');
  place.append(el('span.cursor', { ariaHidden: 'true' }));
}

/** Whether the cursor can go into it; a formula is drawn in one piece. */
function isOpenElement(node) {
  return node?.nodeType === Node.ELEMENT_NODE && node.nodeName !== 'BR' && !/^tex-(?:inline|block)$/.test(node.className);
}

function lastContent(node) {
  let child = node.lastChild;
  while (child?.nodeType === Node.TEXT_NODE && child.data.trim() === '') child = child.previousSibling;
  return child;
}

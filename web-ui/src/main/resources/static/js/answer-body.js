import { el } from './dom.js';
import { highlightCode } from './highlight.js';
import { drawMath } from './math.js';
import { mend, settledLength, toHtml } from './markdown.js';
import { morph } from './morph.js';
import { safeFragment } from './safe-dom.js';

/**
 * Shows a Markdown text that grows. Blocks that are complete are drawn once; only the open one is drawn again, at most
 * once a frame.
 */
export class AnswerBody {
  element = el('div.md');
  #text = '';
  #settled = 0;
  #settledNodes = 0;
  #frame = 0;

  /**
   * The text as it is so far; it must begin with what was given before.
   * @param {string} text
   */
  grow(text) {
    this.#text = normalize(text);
    this.#frame ||= requestAnimationFrame(() => this.#drawOpen());
  }

  /**
   * The whole text; nothing more will come.
   * @param {string} text
   */
  finish(text) {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#text = normalize(text);
    this.#settled = 0;
    this.#settledNodes = 0;
    morph(this.element, decorated(safeFragment(toHtml(this.#text))));
    drawMath(this.element);
    highlightCode(this.element);
  }

  #drawOpen() {
    this.#frame = 0;
    const length = settledLength(this.#text.slice(this.#settled));
    if (length > 0) this.#settle(length);
    const open = decorated(safeFragment(toHtml(mend(this.#text.slice(this.#settled)))));
    addCursor(open);
    morph(this.element, open, this.#settledNodes);
    drawMath(this.element);
  }

  #settle(length) {
    const blocks = decorated(safeFragment(toHtml(this.#text.slice(this.#settled, this.#settled + length))));
    const count = blocks.childNodes.length;
    morph(this.element, blocks, this.#settledNodes);
    this.#settled += length;
    this.#settledNodes += count;
    highlightCode(this.element);
  }
}

function normalize(text) {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

/** Gives code blocks a head with the language and a copy button, and tables a box to scroll in. */
function decorated(fragment) {
  for (const pre of fragment.querySelectorAll('pre')) {
    const language = /language-(\S+)/.exec(pre.firstElementChild?.className ?? '')?.[1] ?? 'text';
    const head = el('div.code-head', {}, el('span.code-language', {}, language), el('button.code-copy', { type: 'button' }, 'Copy'));
    const box = el('div.code');
    pre.replaceWith(box);
    pre.tabIndex = 0;
    box.append(head, pre);
  }
  for (const table of fragment.querySelectorAll('table')) {
    const box = el('div.table-box', { tabIndex: 0 });
    table.replaceWith(box);
    box.append(table);
  }
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

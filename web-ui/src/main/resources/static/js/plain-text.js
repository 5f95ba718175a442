import { el } from './dom.js';
import { formatBytes } from './format.js';
import { PIECE, plainPieces } from './markdown-pieces.js';

const LONG = 3_000;
const LONG_LINES = 30;
const BEGIN = 900;
const BEGIN_LINES = 12;

/** A text as it was written; of a long one the beginning, and a button for the rest. */
export class PlainText {
  #text = '';
  #isOpen = false;
  #words = el('p.said', { dir: 'auto' });
  #button = el('button.plain.said-more', { type: 'button', hidden: true, onclick: () => this.#toggle() });
  elements = [this.#words, this.#button];

  /** @param {string} text */
  show(text) {
    if (text === this.#text) return;
    this.#text = text;
    this.#draw();
  }

  /**
   * Shows everything where these words are in the part that is not shown.
   * @param {string} words in small letters
   */
  reveal(words) {
    if (!this.#isOpen && !this.#begin.toLowerCase().includes(words)) this.#toggle();
  }

  get #begin() {
    const lines = this.#text.slice(0, LONG + 1).split('\n');
    if (this.#text.length <= LONG && lines.length <= LONG_LINES) return this.#text;
    const begin = lines.slice(0, BEGIN_LINES).join('\n').slice(0, BEGIN);
    return begin.replace(/[\uD800-\uDBFF]$/, '');
  }

  #draw() {
    const begin = this.#begin;
    const isLong = begin.length < this.#text.length;
    this.#button.hidden = !isLong;
    this.#button.textContent = this.#isOpen ? 'Show less' : `Show all (${formatBytes(this.#text.length)})`;
    this.#button.ariaExpanded = String(this.#isOpen);
    if (!isLong) this.#words.textContent = this.#text;
    else if (!this.#isOpen) this.#words.textContent = `${begin}…`;
    else this.#words.replaceChildren(...plainPieces(this.#text).map(piece => el('span.part', {}, piece)));
  }

  #toggle() {
    this.#isOpen = !this.#isOpen;
    this.#draw();
    if (!this.#isOpen) this.#words.scrollIntoView({ block: 'nearest' });
  }
}

/** A text that grows, as it is: what is there is not laid out anew, and what is not seen not at all. */
export class GrowingText {
  element;
  #length = 0;

  /** @param {HTMLElement} element in which it is */
  constructor(element) {
    this.element = element;
  }

  /** @param {string} text it begins with what was given before, unless it is another one */
  show(text) {
    if (text.length < this.#length) this.#clear();
    for (const piece of plainPieces(text.slice(this.#length))) this.#append(piece);
    this.#length = text.length;
  }

  #append(piece) {
    const last = this.element.lastElementChild;
    if (last && (last.textContent.length + piece.length <= PIECE || !last.textContent.endsWith('\n'))) last.firstChild.appendData(piece);
    else this.element.append(el('span.part', {}, piece));
  }

  #clear() {
    this.element.replaceChildren();
    this.#length = 0;
  }
}

import { el, icon } from './dom.js';
import { formatBytes } from './format.js';
import { load, save } from './store.js';

/** Characters that a box may have in which one writes: each key lays all of them out anew. */
export const LONGEST_TYPED = 20_000;
/** From how many characters on a text that is pasted stands beside the box. */
const LONG = 5_000;
const LABEL = 60;
const KEY = 'pasted.';

/** Long texts that belong to what is written, beside the box. Each can be taken out again. */
export class PastedTexts {
  element = el('ul.pasted-texts', { ariaLabel: 'Pasted texts', hidden: true });
  #texts = [];
  #chat = 'new';
  #onChange;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  get isEmpty() {
    return this.#texts.length === 0;
  }

  /**
   * Shows those of another chat.
   * @param {string} chat id, or `new`
   */
  open(chat) {
    this.#chat = chat;
    const kept = load(KEY + chat);
    this.#texts = Array.isArray(kept) ? kept.filter(text => typeof text === 'string') : [];
    this.#show();
  }

  /**
   * The same chat has another name.
   * @param {string} chat
   */
  rename(chat) {
    save(KEY + this.#chat, null);
    this.#chat = chat;
    this.#keep();
  }

  /** @param {string} text */
  add(text) {
    this.#texts.push(text);
    this.#changed();
  }

  /**
   * What is written with the texts behind it; they are not here any more.
   * @param {string} typed
   */
  takeWith(typed) {
    const whole = this.joinedTo(typed);
    this.#texts = [];
    this.#changed();
    return whole;
  }

  /** @param {string} typed */
  joinedTo(typed) {
    return [typed, ...this.#texts].filter(text => text !== '').join('\n\n');
  }

  #keep() {
    save(KEY + this.#chat, this.isEmpty ? null : this.#texts);
  }

  #changed() {
    this.#keep();
    this.#show();
    this.#onChange();
  }

  #show() {
    this.element.hidden = this.isEmpty;
    this.element.replaceChildren(...this.#texts.map((text, i) => {
      const label = /\S.*/.exec(text.slice(0, 1_000))?.[0].slice(0, LABEL) ?? 'Pasted text';
      const remove = el('button.quiet.round', { type: 'button', ariaLabel: `Take “${label}” out`, title: 'Take out' }, icon('close'));
      remove.onclick = () => {
        this.#texts.splice(i, 1);
        this.#changed();
      };
      return el('li.pasted', {}, el('span.pasted-label', { dir: 'auto' }, label), el('span.pasted-about', {}, `pasted · ${formatBytes(text.length)}`), remove);
    }));
  }
}

/**
 * Whether a text that is pasted is too long for the box.
 * @param {string} text
 * @param {HTMLTextAreaElement} box
 */
export function isTooLong(text, box) {
  return text.length > LONG || box.value.length + text.length > LONGEST_TYPED;
}

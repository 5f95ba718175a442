import { announce } from './announcer.js';
import { byId, icon, isComposing } from './dom.js';
import { draftOf, keepDraft } from './drafts.js';
import { formatBytes } from './format.js';
import { LONGEST_TYPED, PastedTexts, isTooLong } from './pasted-texts.js';
import { toast } from './toast.js';

const KEEP_AFTER_MS = 250;
/** Characters that the server takes. */
const LONGEST = 1_000_000;

/** The box in which one writes, and its button, which sends or stops. Each chat has a draft, which outlives a reload. */
export class Composer {
  #input = byId('input');
  #button = byId('send');
  #hint = byId('hint');
  #chat;
  #ready = false;
  #shown = null;
  #key;
  #keeping = 0;
  #pasted = new PastedTexts(() => this.refresh());

  /**
   * @param {import('./chat.js').Chat} chat
   * @param {() => void} onSend called when something was sent
   */
  constructor(chat, onSend) {
    this.#chat = chat;
    byId('composer').prepend(this.#pasted.element);
    this.#openDraft();
    chat.addEventListener('opened', () => this.#opened());
    chat.addEventListener('identity', () => this.#renamed());
    addEventListener('pagehide', () => this.#keep());
    this.#input.addEventListener('input', () => {
      this.#keeping ||= setTimeout(() => this.#keep(), KEEP_AFTER_MS);
      this.#fit();
      this.refresh();
    });
    this.#input.addEventListener('paste', event => this.#paste(event));
    this.#input.addEventListener('keydown', event => {
      if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
      event.preventDefault();
      if (!chat.busy) this.#send(onSend);
    });
    byId('composer').addEventListener('submit', event => {
      event.preventDefault();
      if (chat.busy) chat.stop();
      else this.#send(onSend);
    });
    for (const type of ['messages', 'change']) chat.addEventListener(type, () => this.refresh());
    this.refresh();
  }

  /**
   * Whether the server can answer now.
   * @param {boolean} ready
   */
  setReady(ready) {
    this.#ready = ready;
    this.refresh();
  }

  /**
   * Puts a text into the box, for the writer to change or send.
   * @param {string} text
   */
  suggest(text) {
    if (text.length > LONGEST_TYPED) {
      this.#pasted.add(text);
    } else {
      this.#input.value = text;
      this.#input.dispatchEvent(new Event('input'));
    }
    this.focus();
  }

  /** What is too long for the box stands beside it. */
  #paste(event) {
    const text = event.clipboardData.getData('text/plain').replace(/\r\n?/g, '\n');
    if (!isTooLong(text, this.#input)) return;
    event.preventDefault();
    const length = this.#pasted.joinedTo(this.#input.value).length + text.length + 2;
    if (length > LONGEST) return toast(`This is too long for one message: ${formatBytes(length)} (expected: at most ${formatBytes(LONGEST)}).`);
    this.#pasted.add(text);
    announce('The text is long and stands beside the message box.');
  }

  /** Another chat has another draft. */
  #opened() {
    this.#keep();
    this.#openDraft();
    this.refresh();
  }

  #openDraft() {
    this.#key = this.#chat.key;
    this.#input.value = draftOf(this.#key);
    this.#pasted.open(this.#key);
    this.#fit();
  }

  /** The same chat has another name. */
  #renamed() {
    keepDraft(this.#key, '');
    this.#key = this.#chat.key;
    this.#pasted.rename(this.#key);
    this.#keep();
  }

  #keep() {
    clearTimeout(this.#keeping);
    this.#keeping = 0;
    keepDraft(this.#key, this.#input.value);
  }

  focus() {
    this.#input.focus();
  }

  refresh() {
    const { busy } = this.#chat;
    const label = busy ? 'Stop' : 'Send';
    if (this.#shown !== label) {
      this.#button.replaceChildren(icon(busy ? 'stop' : 'send'));
      this.#button.ariaLabel = label;
      this.#button.title = busy ? 'Stop (Esc)' : 'Send (Enter)';
      this.#button.classList.toggle('stop', busy);
      this.#shown = label;
    }
    this.#button.disabled = !busy && (!this.#ready || !this.#chat.canGoOn || this.#isEmpty);
    const hint = this.#ready || busy ? '' : 'You can write already; sending waits for the model.';
    if (this.#hint.textContent !== hint) this.#hint.textContent = hint;
  }

  get #isEmpty() {
    return this.#pasted.isEmpty && this.#input.value.trim() === '';
  }

  #send(onSend) {
    if (this.#isEmpty || !this.#chat.canGoOn) return;
    if (!this.#ready) {
      announce('Not sent: the model is not ready yet. Your text is kept.');
      return;
    }
    const text = this.#pasted.takeWith(this.#input.value.trim());
    this.#input.value = '';
    this.#keep();
    this.#fit();
    this.#chat.send(text);
    onSend();
  }

  /** As high as its text; the stylesheet says where it begins to scroll. */
  #fit() {
    this.#input.style.height = 'auto';
    this.#input.style.height = `${this.#input.scrollHeight}px`;
  }
}

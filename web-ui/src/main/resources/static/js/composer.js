import { announce } from './announcer.js';
import { byId, icon } from './dom.js';
import { load, save } from './store.js';

const KEY = 'draft';

/** The box in which one writes, and its button, which sends or stops. The draft outlives a reload. */
export class Composer {
  #input = byId('input');
  #button = byId('send');
  #hint = byId('hint');
  #chat;
  #ready = false;
  #shown = null;

  /**
   * @param {import('./chat.js').Chat} chat
   * @param {() => void} onSend called when something was sent
   */
  constructor(chat, onSend) {
    this.#chat = chat;
    const draft = load(KEY);
    if (typeof draft === 'string') this.#input.value = draft;
    this.#fit();
    this.#input.addEventListener('input', () => {
      save(KEY, this.#input.value || null);
      this.#fit();
      this.refresh();
    });
    this.#input.addEventListener('keydown', event => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
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
    this.#input.value = text;
    this.#input.dispatchEvent(new Event('input'));
    this.focus();
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
    this.#button.disabled = !busy && (!this.#ready || this.#input.value.trim() === '');
    const hint = this.#ready || busy ? '' : 'You can write already; sending waits for the model.';
    if (this.#hint.textContent !== hint) this.#hint.textContent = hint;
  }

  #send(onSend) {
    const text = this.#input.value.trim();
    if (text === '') return;
    if (!this.#ready) {
      announce('Not sent: the model is not ready yet. Your text is kept.');
      return;
    }
    this.#input.value = '';
    save(KEY, null);
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

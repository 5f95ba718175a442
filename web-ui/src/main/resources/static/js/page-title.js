const RUNNING = '… ';
const NEWS = '● ';

/** The page's title: the chat's, and in front of it whether its answer is being written, or was while nobody looked. */
export class PageTitle {
  #chat;
  #title = '';
  #hasNews = false;
  #isHidden = false;

  /** @param {import('./chat.js').Chat} chat */
  constructor(chat) {
    this.#chat = chat;
    for (const type of ['opened', 'messages']) chat.addEventListener(type, () => this.#write());
    chat.addEventListener('change', ({ detail }) => {
      if (document.hidden && detail.role === 'assistant' && !chat.busy) this.#hasNews = true;
      this.#write();
    });
    document.addEventListener('visibilitychange', () => {
      this.#hasNews = false;
      this.#write();
    });
  }

  /** @param {string} title of the chat; empty where it has none */
  show(title) {
    this.#title = title;
    this.#write();
  }

  /** @param {boolean} isHidden whether it must not be seen what the page is about */
  hide(isHidden) {
    this.#isHidden = isHidden;
    this.#write();
  }

  #write() {
    if (this.#isHidden) return;
    const sign = this.#chat.busy ? RUNNING : this.#hasNews ? NEWS : '';
    const text = `${sign}${this.#title === '' ? 'Chasqui' : `${this.#title} · Chasqui`}`;
    if (document.title !== text) document.title = text;
  }
}

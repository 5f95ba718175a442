import { announce } from './announcer.js';
import { copyCode } from './clipboard.js';
import { isRunning } from './conversation.js';
import { byId } from './dom.js';
import { DrawQueue, Removal } from './draw-queue.js';
import { AnswerView, QuestionView } from './message-views.js';

/** How long the messages of a chat that is opened may be drawn at once. */
const AT_ONCE_MS = 4;
const NEAR_END = 40;
/** How long what was found is marked. */
const FOUND_MS = 2_500;

const EMPTY = {
  missing: ['This chat is not here any more', 'It was deleted, or it belongs to another server.'],
  unreachable: ['This chat cannot be read right now', 'It appears as soon as the server answers.'],
};

/**
 * What a message's buttons do beside the chat.
 * @typedef {object} Actions
 * @property {(text: string) => void} onTakenBack a question is to be changed before it is sent again
 * @property {() => void} onAsked a question was put in other words
 * @property {(id: string) => void} onRewritten an answer was: its id
 * @property {(id: string, arrow: string) => void} onBranch another version is to be shown
 */

/** Shows the chat and follows its end, unless the reader has scrolled up. */
export class ThreadView {
  #chat;
  #actions;
  #thread = byId('thread');
  #scroller = byId('scroller');
  #views = new Map();
  #following = true;
  /** Where it was scrolled to when that was last looked at. */
  #top = 0;
  /** What stays in view while what is around it is still being drawn. */
  #held = null;
  #later = new DrawQueue();
  #removal = new Removal();
  #frame = 0;
  #opened = true;

  /**
   * @param {import('./chat.js').Chat} chat
   * @param {Pick<Actions, 'onTakenBack'|'onAsked'>} actions
   */
  constructor(chat, actions) {
    this.#chat = chat;
    this.#actions = {
      ...actions,
      onBranch: (id, arrow) => this.#showBranch(id, arrow),
      onRewritten: id => this.#views.get(id)?.element.querySelector('[data-action=edit]')?.focus(),
    };
    chat.addEventListener('opened', () => (this.#opened = true));
    chat.addEventListener('messages', () => this.#showAll());
    chat.addEventListener('change', ({ detail }) => this.#changed(detail));
    chat.addEventListener('text', ({ detail }) => this.#grow(detail));
    for (const type of ['wheel', 'touchmove', 'keydown', 'pointerdown']) this.#scroller.addEventListener(type, () => this.#letGo(), { passive: true });
    this.#scroller.addEventListener('scroll', () => this.#noticeScroll(), { passive: true });
    byId('to-end').addEventListener('click', () => this.toEnd());
    // Comes after the layout of a frame and before it is painted, however often something was drawn in it.
    const resized = new ResizeObserver(() => this.#follow());
    resized.observe(this.#scroller);
    resized.observe(this.#thread);
    this.#thread.addEventListener('click', event => copyCode(event.target.closest('.code-copy')));
    this.#showAll();
  }

  /** Scrolls to the end and follows it from now on. */
  toEnd() {
    this.#following = true;
    this.#held = null;
    byId('to-end').hidden = true;
    // Asking now for the height would lay out at once what the frame lays out anyway.
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#follow();
    });
  }

  /**
   * Goes to the first message with these words.
   * @param {string} words
   */
  seek(words) {
    const wanted = words.toLowerCase();
    const message = this.#chat.messages.find(({ content }) => content.toLowerCase().includes(wanted));
    const view = this.#views.get(message?.id);
    if (!view) return;
    this.#draw(view, message);
    view.reveal?.(wanted);
    this.#held = view.element;
    this.#following = false;
    this.#follow();
    view.element.classList.add('found');
    setTimeout(() => view.element.classList.remove('found'), FOUND_MS);
  }

  /** Lets one put the last question in other words. */
  editLast() {
    const last = this.#chat.messages.findLast(({ role, status }) => role === 'user' && status === 'complete');
    if (last && this.#chat.isIdle) this.#views.get(last.id)?.edit?.();
  }

  /** The arrow that was pressed keeps the focus, or else the other one. */
  #showBranch(id, arrow) {
    this.#chat.show(id);
    const arrows = [...(this.#views.get(id)?.element.querySelectorAll('.branches button:enabled') ?? [])];
    (arrows.find(button => button.dataset.action === arrow) ?? arrows[0])?.focus();
  }

  #showAll() {
    const { messages, state } = this.#chat;
    const hadFocus = this.#thread.contains(document.activeElement);
    this.#showState(state, messages.length);
    const known = new Set(messages.map(message => message.id));
    const grew = messages.length > 0 && !this.#views.has(messages.at(-1).id);
    for (const [id, view] of this.#views) {
      if (known.has(id)) continue;
      this.#removal.remove(view.element);
      this.#views.delete(id);
    }
    this.#place(messages);
    this.#thread.classList.toggle('busy', !this.#chat.isIdle);
    if (this.#opened && messages.length === 0) this.#scroller.scrollTop = 0;
    if (this.#opened || grew) this.toEnd();
    this.#opened = messages.length === 0 && state === 'loading';
    // What had it is gone: the next Tab goes on from here.
    if (hadFocus && document.activeElement === document.body) this.#scroller.focus({ preventScroll: true });
  }

  #showState(state, count) {
    byId('welcome').hidden = count > 0 || state !== 'new';
    byId('waiting').hidden = count > 0 || state !== 'loading';
    const [title = '', text = ''] = EMPTY[state] ?? (count === 0 && state === 'open' ? ['Nothing was said here yet', ''] : []);
    byId('nothing').hidden = count > 0 || title === '';
    byId('nothing-title').textContent = title;
    byId('nothing-text').textContent = text;
    this.#thread.classList.toggle('empty', count === 0);
  }

  /** The end is drawn at once, as far as that takes no time to notice, and the rest from there on when there is time. */
  #place(messages) {
    const last = messages.at(-1);
    const end = performance.now() + AT_ONCE_MS;
    messages.forEach((message, i) => {
      const { element } = this.#views.get(message.id) ?? this.#add(message);
      if (this.#thread.children[i] !== element) this.#thread.insertBefore(element, this.#thread.children[i] ?? null);
    });
    const later = [];
    for (const message of messages.toReversed()) {
      const view = this.#views.get(message.id);
      if (view.isDrawn || message === last || performance.now() < end) this.#draw(view, message, last);
      else later.push(() => this.#views.get(message.id) === view && this.#draw(view, message, last));
    }
    this.#later.replace(later);
  }

  #draw(view, message, last = this.#chat.messages.at(-1)) {
    view.isDrawn = true;
    view.refresh({ isLast: message === last, siblings: this.#chat.siblings(message) });
  }

  #add(message) {
    const View = message.role === 'user' ? QuestionView : AnswerView;
    const view = new View(message, this.#chat, this.#actions);
    this.#views.set(message.id, view);
    return view;
  }

  #grow(message) {
    const view = this.#views.get(message.id);
    if (!view) return;
    if (!view.isDrawn) this.#draw(view, message);
    view.grow();
  }

  #changed(message) {
    this.#thread.classList.toggle('busy', !this.#chat.isIdle);
    const view = this.#views.get(message.id);
    if (!view) return;
    this.#draw(view, message);
    if (isRunning(message)) return;
    if (message.role === 'user') announce(message.status === 'unsent' ? `Not sent. ${message.error}` : '');
    else if (message.status === 'failed') announce(`The answer failed. ${message.error ?? ''}`);
    else announce(message.status === 'stopped' ? 'Stopped.' : `Answer: ${view.spoken}`);
  }

  #noticeScroll() {
    // It goes to the end anyway.
    if (this.#frame !== 0) return;
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    // Text that came since the end was followed makes no reader of whoever did not scroll up.
    if (this.#held) this.#following = false;
    else if (isAtEnd || scrollTop < this.#top) this.#following = isAtEnd;
    this.#top = scrollTop;
    byId('to-end').hidden = this.#following;
  }

  get #last() {
    return this.#views.get(this.#chat.messages.at(-1)?.id);
  }

  /** From now on the reader says where to be. */
  #letGo() {
    this.#held = null;
    if (this.#last?.isBehind) this.#following = false;
  }

  #follow() {
    if (this.#held) {
      this.#held.scrollIntoView({ block: 'center' });
      if (this.#later.isEmpty) this.#held = null;
    } else if (this.#following && this.#chat.messages.length > 0) {
      // Running after an end that is still being drawn would have everything laid out on the way.
      if (this.#last?.isBehind) this.#last.element.scrollIntoView();
      else this.#scroller.scrollTop = this.#scroller.scrollHeight;
      this.#top = this.#scroller.scrollTop;
    }
  }
}

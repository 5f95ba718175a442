import { announce } from './announcer.js';
import { AnswerBody } from './answer-body.js';
import { isRunning } from './conversation.js';
import { byId, el, icon } from './dom.js';
import { describeStats, formatSeconds } from './format.js';

/**
 * Shows the conversation and follows its end, unless the reader has scrolled up.
 */
export class ThreadView {
  #chat;
  #thread = byId('thread');
  #scroller = byId('scroller');
  #views = new Map();
  #following = true;

  /** @param {import('./chat.js').Chat} chat */
  constructor(chat) {
    this.#chat = chat;
    chat.addEventListener('messages', () => this.#showAll());
    chat.addEventListener('change', ({ detail }) => this.#changed(detail));
    chat.addEventListener('text', ({ detail }) => this.#views.get(detail.id)?.grow());
    this.#scroller.addEventListener('scroll', () => this.#noticeScroll(), { passive: true });
    byId('to-end').addEventListener('click', () => this.toEnd());
    new ResizeObserver(() => this.#follow()).observe(this.#scroller);
    this.#thread.addEventListener('click', event => copyCode(event.target.closest('.code-copy')));
    this.#showAll();
  }

  /** Scrolls to the end and follows it from now on. */
  toEnd() {
    this.#following = true;
    this.#follow();
  }

  #showAll() {
    const { messages } = this.#chat;
    byId('welcome').hidden = messages.length > 0;
    this.#thread.hidden = messages.length === 0;
    const known = new Set(messages.map(message => message.id));
    for (const [id, view] of this.#views) {
      if (known.has(id)) continue;
      view.element.remove();
      this.#views.delete(id);
    }
    for (const message of messages) this.#show(message, message === messages.at(-1));
    this.toEnd();
  }

  #show(message, isLast) {
    let view = this.#views.get(message.id);
    if (!view) {
      view = message.role === 'user' ? new QuestionView(message) : new AnswerView(message, this.#chat, () => this.#follow());
      this.#views.set(message.id, view);
      this.#thread.append(view.element);
    }
    view.refresh(isLast);
  }

  #changed(message) {
    this.#views.get(message.id)?.refresh(message === this.#chat.messages.at(-1));
    this.#follow();
    if (isRunning(message)) return;
    if (message.status === 'failed') announce(`The answer failed. ${message.error.message}`);
    else announce(message.status === 'stopped' ? 'Stopped.' : `Answer: ${this.#views.get(message.id).spoken}`);
  }

  #noticeScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#following = scrollHeight - scrollTop - clientHeight < 40;
    byId('to-end').hidden = this.#following;
  }

  #follow() {
    if (this.#following && this.#chat.messages.length > 0) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}

class QuestionView {
  constructor(message) {
    this.element = el('article.message.question', {}, el('h2.unseen', {}, 'You'), el('p.said', {}, message.content));
  }

  refresh() {}
}

class AnswerView {
  #message;
  #chat;
  #body;
  #reasoning = el('div.reasoning-text');
  #summary = el('summary');
  #thoughts = el('details.reasoning', { hidden: true }, this.#summary, this.#reasoning);
  #notice = el('div.notice', { hidden: true });
  #foot = el('div.message-foot', { hidden: true });

  constructor(message, chat, onDrawn) {
    this.#message = message;
    this.#chat = chat;
    this.#body = new AnswerBody(onDrawn);
    const heading = el('h2.unseen', {}, 'Answer');
    this.element = el('article.message.answer', {}, heading, this.#thoughts, this.#body.element, this.#notice, this.#foot);
  }

  /** The answer as words. */
  get spoken() {
    return this.#body.element.textContent;
  }

  grow() {
    const { content, reasoning } = this.#message;
    this.#showReasoning();
    if (content !== '' || !reasoning) this.#body.grow(content);
  }

  refresh(isLast) {
    const { status, content } = this.#message;
    const running = isRunning(this.#message);
    this.element.classList.toggle('running', running);
    this.element.ariaBusy = String(running);
    this.#showReasoning();
    if (running) this.#body.grow(content);
    else this.#body.finish(content);
    this.#notice.hidden = true;
    this.#foot.hidden = running;
    if (running) return;
    const isCut = ['failed', 'interrupted', 'stopped'].includes(status) || this.#message.finish === 'length';
    if (isCut) this.#showNotice(isLast);
    this.#foot.replaceChildren(this.#actions(isLast && !isCut), this.#stats());
  }

  #showReasoning() {
    const { reasoning, reasoningSeconds, content } = this.#message;
    this.#thoughts.hidden = !reasoning;
    if (!reasoning) return;
    this.#reasoning.textContent = reasoning;
    const thinking = isRunning(this.#message) && content === '';
    this.#summary.textContent = thinking ? 'Thinking…' : `Thought${reasoningSeconds > 0.1 ? ` for ${formatSeconds(reasoningSeconds)}` : ''}`;
  }

  #actions(canRepeat) {
    const actions = el('div.actions');
    if (this.#message.content !== '') {
      actions.append(action('copy', 'Copy answer', button => copyText(this.#message.content, button)));
    }
    if (canRepeat) actions.append(action('retry', 'Answer again', () => this.#chat.regenerate()));
    return actions;
  }

  #stats() {
    const { stats, content } = this.#message;
    const parts = stats && content !== '' ? describeStats(stats) : [];
    return el('p.stats', { title: this.#message.model ?? '' }, ...parts.map(part => el('span', {}, part)));
  }

  #showNotice(isLast) {
    const { status, error, content, finish } = this.#message;
    const isFailure = status === 'failed';
    const texts = {
      failed: `${error?.message ?? ''}${error?.retryAfter ? ` Try again in ${formatSeconds(error.retryAfter).replace('.0', '')}.` : ''}`,
      interrupted: 'This answer was interrupted.',
      stopped: content === '' ? 'Stopped before the answer began.' : 'You stopped this answer.',
    };
    const text = texts[status] ?? (finish === 'length' ? 'The answer reached its longest length.' : '');
    this.#notice.classList.toggle('failure', isFailure);
    this.#notice.replaceChildren(el('p', {}, text));
    if (isLast) {
      if (content !== '') this.#notice.append(labelled('resume', 'Continue', () => this.#chat.resume()));
      this.#notice.append(labelled('retry', isFailure ? 'Retry' : 'Regenerate', () => this.#chat.regenerate()));
    }
    this.#notice.hidden = false;
  }
}

function action(name, label, onclick) {
  const button = el('button.quiet.round', { type: 'button', ariaLabel: label, title: label }, icon(name));
  button.onclick = () => onclick(button);
  return button;
}

function labelled(name, label, onclick) {
  return el('button.plain', { type: 'button', onclick }, icon(name), label);
}

async function copyCode(button) {
  if (!button) return;
  await copyText(button.closest('.code').querySelector('code').textContent, null);
  button.textContent = 'Copied';
  setTimeout(() => (button.textContent = 'Copy'), 1_500);
}

/**
 * Puts a text on the clipboard and says so.
 * @param {string} text
 * @param {HTMLElement|null} button whose sign changes for a moment
 */
export async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text);
  }
  announce('Copied.');
  if (!button) return;
  button.replaceChildren(icon('check'));
  setTimeout(() => button.replaceChildren(icon('copy')), 1_500);
}

/** For pages that came over plain HTTP from another machine, where browsers offer no clipboard. */
function copyBySelection(text) {
  const area = el('textarea.unseen', { value: text });
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

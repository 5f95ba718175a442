import { AnswerBody } from './answer-body.js';
import { copyText } from './clipboard.js';
import { describeLeftOut, isRunning, toStats } from './conversation.js';
import { el, icon } from './dom.js';
import { editInPlace } from './edit-box.js';
import { FirstWait } from './first-wait.js';
import { describeStats, formatSeconds } from './format.js';
import { GrowingText, PlainText } from './plain-text.js';

/**
 * What is to know of a message beside itself.
 * @typedef {{isLast: boolean, siblings: string[]}} Place
 */

/** What a person said; it can be put in other words. */
export class QuestionView {
  element = el('article.message.question');
  /** Whether it was shown in full; the thread says so. */
  isDrawn = false;
  #message;
  #chat;
  #shown = '';
  #said = new PlainText();
  #notice = el('div.notice.failure', { hidden: true });
  #foot = el('div.message-foot');
  #actions;

  /**
   * @param {import('./message-tree.js').Message} message
   * @param {import('./chat.js').Chat} chat
   * @param {import('./thread-view.js').Actions} actions
   */
  constructor(message, chat, actions) {
    this.#message = message;
    this.#chat = chat;
    this.#actions = actions;
  }

  /** @param {Place} place */
  refresh({ isLast, siblings }) {
    const { status, content, error } = this.#message;
    const looks = [status, error, content.length, isLast, ...siblings].join();
    if (this.#shown === looks) return;
    if (this.#shown === '') this.element.append(el('h2.unseen', {}, 'You'), ...this.#said.elements, this.#notice, this.#foot);
    this.#shown = looks;
    this.#said.show(content);
    this.element.classList.toggle('last', isLast);
    this.#foot.replaceChildren(branches(this.#message, siblings, this.#actions), this.#buttons());
    this.#showNotice();
  }

  grow() {}

  #buttons() {
    const actions = el('div.actions', {}, action('copy', 'Copy question', button => copyText(this.#message.content, button)));
    const isStored = this.#message.status === 'complete';
    if (isStored) actions.append(action('edit', 'Edit question', () => this.edit(), 'idle-only'));
    return actions;
  }

  #showNotice() {
    const { status, error, retry_after: retryAfter } = this.#message;
    this.#notice.hidden = status !== 'unsent';
    if (this.#notice.hidden) return;
    const text = el('p', {}, `Not sent. ${withRetryTime(error ?? 'The page went away before the server had it.', retryAfter)}`);
    const back = labelled('edit', 'Change', () => this.#actions.onTakenBack(this.#chat.takeBack()));
    this.#notice.replaceChildren(text, labelled('retry', 'Retry', () => this.#chat.sendAgain()), back);
  }

  /**
   * Makes sure that these words can be seen.
   * @param {string} words in small letters
   */
  reveal(words) {
    this.#said.reveal(words);
  }

  /** Lets one put the question in other words. */
  edit() {
    const { id, content: text } = this.#message;
    editInPlace(this.element, { text, label: 'Your question in other words', verb: 'Send', isLine: true, onTaken: words => {
      if (!this.#chat.isIdle) return false;
      this.#chat.edit(id, words);
      this.#actions.onAsked();
      return true;
    } });
  }
}

/** What the model said: reasoning, text, what became of it, and its numbers. */
export class AnswerView {
  element = el('article.message.answer');
  /** Whether it was shown in full; the thread says so. */
  isDrawn = false;
  #message;
  #chat;
  #actions;
  #shown = '';
  #body;
  #reasoning = new GrowingText(el('div.reasoning-text', { dir: 'auto' }));
  #summary = el('summary');
  #thoughts = el('details.reasoning', { hidden: true }, this.#summary, this.#reasoning.element);
  #wait = new FirstWait();
  #notice = el('div.notice', { hidden: true });
  #foot = el('div.message-foot', { hidden: true });
  #leftOut = el('p.left-out', { hidden: true });
  #thinkingSince = 0;
  #thought = 0;
  #frame = 0;

  /**
   * @param {import('./message-tree.js').Message} message
   * @param {import('./chat.js').Chat} chat
   * @param {import('./thread-view.js').Actions} actions
   */
  constructor(message, chat, actions) {
    this.#message = message;
    this.#chat = chat;
    this.#actions = actions;
    this.#body = new AnswerBody();
  }

  /** Whether its end is still to be drawn. */
  get isBehind() {
    return this.#body.isBehind;
  }

  /** The answer as words. */
  get spoken() {
    return this.#body.element.textContent;
  }

  grow() {
    const { content, reasoning } = this.#message;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#showProgress();
    });
    if (content !== '' || !reasoning) this.#body.grow(content);
  }

  /** @param {Place} place */
  refresh({ isLast, siblings }) {
    const { status, content, updated_at: at, model } = this.#message;
    const running = isRunning(this.#message);
    const looks = [status, at, running ? '' : content.length, model, isLast, ...siblings].join();
    if (this.#shown === looks) return;
    if (this.#shown === '') this.#build();
    this.#shown = looks;
    this.element.classList.toggle('running', running);
    this.element.classList.toggle('last', isLast);
    this.element.ariaBusy = String(running);
    this.#showProgress();
    if (running) this.#body.grow(content);
    else this.#body.finish(content);
    this.#notice.hidden = true;
    this.#leftOut.textContent = describeLeftOut(this.#message);
    this.#leftOut.hidden = this.#leftOut.textContent === '';
    this.#foot.hidden = running && siblings.length < 2;
    const others = branches(this.#message, siblings, this.#actions);
    if (running) return this.#foot.replaceChildren(others);
    const isCut = ['failed', 'interrupted', 'stopped'].includes(status) || this.#message.finish_reason === 'length';
    if (isCut) this.#showNotice(isLast);
    this.#foot.replaceChildren(others, this.#stats(), this.#buttons(isLast, isLast && isCut));
  }

  /** Lets one put the answer in other words; the old one stays beside it. */
  edit() {
    const { id, content: text } = this.#message;
    editInPlace(this.element, { text, label: 'The answer in other words', verb: 'Save', isLine: false, onTaken: async words => {
      const written = await this.#chat.rewrite(id, words);
      if (written) this.#actions.onRewritten(written);
      return written !== null;
    } });
  }

  #build() {
    this.element.append(el('h2.unseen', {}, 'Answer'), this.#thoughts, this.#body.element, this.#wait.element, this.#notice, this.#foot, this.#leftOut);
  }

  #showProgress() {
    const { reasoning, content } = this.#message;
    this.#wait.show(isRunning(this.#message) && content === '' && !reasoning);
    this.#thoughts.hidden = !reasoning;
    if (!reasoning) return;
    this.#reasoning.show(reasoning);
    const thinking = isRunning(this.#message) && content === '';
    if (thinking) this.#thinkingSince ||= performance.now();
    else if (this.#thinkingSince && !this.#thought) this.#thought = (performance.now() - this.#thinkingSince) / 1000;
    this.#summary.textContent = thinking ? 'Thinking…' : `Thought${this.#thought > 0.1 ? ` for ${formatSeconds(this.#thought)}` : ''}`;
  }

  /** A notice above them has some of them in words. */
  #buttons(isLast, hasNotice) {
    const { id, content } = this.#message;
    const actions = el('div.actions');
    if (content !== '') {
      actions.append(action('copy', 'Copy answer', button => copyText(this.#message.content, button)));
      actions.append(action('edit', 'Edit answer', () => this.edit(), 'idle-only'));
    }
    if (hasNotice) return actions;
    actions.append(action('retry', 'Answer again', () => this.#chat.regenerate(id), 'idle-only'));
    if (isLast && content !== '') actions.append(action('resume', 'Continue the answer', () => this.#chat.resume(), 'idle-only'));
    return actions;
  }

  #stats() {
    const stats = this.#message.content === '' ? null : toStats(this.#message);
    const parts = stats ? describeStats(stats) : [];
    return el('p.stats', { title: this.#message.model ?? '' }, ...parts.map(part => el('span', {}, part)));
  }

  #showNotice(isLast) {
    const { id, status, error, content, finish_reason: finish, retry_after: retryAfter } = this.#message;
    const isFailure = status === 'failed';
    const texts = {
      failed: withRetryTime(error ?? 'The answer failed.', retryAfter),
      interrupted: 'This answer was interrupted.',
      stopped: content === '' ? 'Stopped before the answer began.' : 'You stopped this answer.',
    };
    const text = texts[status] ?? (finish === 'length' ? 'The answer reached its longest length.' : '');
    this.#notice.classList.toggle('failure', isFailure);
    this.#notice.replaceChildren(el('p', {}, text));
    if (isLast) {
      if (content !== '') this.#notice.append(labelled('resume', 'Continue', () => this.#chat.resume(), 'idle-only'));
      this.#notice.append(labelled('retry', isFailure ? 'Retry' : 'Regenerate', () => this.#chat.regenerate(id), 'idle-only'));
    }
    this.#notice.hidden = false;
  }
}

/** Arrows to go between the versions of a message. */
function branches(message, siblings, { onBranch }) {
  if (siblings.length < 2) return el('div.branches', { hidden: true });
  const at = siblings.indexOf(message.id);
  const what = message.role === 'user' ? 'question' : 'answer';
  const arrow = (name, label, to) => {
    const button = action(name, `${label} ${what}`, () => onBranch(siblings[to], name));
    button.disabled = to < 0 || to >= siblings.length;
    return button;
  };
  return el('div.branches', { role: 'group', ariaLabel: `Version ${at + 1} of ${siblings.length} of this ${what}` },
    arrow('back', 'Previous', at - 1),
    el('span.branch-at', {}, `${at + 1} / ${siblings.length}`),
    arrow('forth', 'Next', at + 1));
}

function withRetryTime(text, seconds) {
  return seconds ? `${text} Try again in ${formatSeconds(seconds).replace('.0', '')}.` : text;
}

function action(name, label, onclick, extra = '') {
  const button = el(`button.quiet.round${extra && `.${extra}`}`, { type: 'button', ariaLabel: label, title: label }, icon(name));
  button.dataset.action = name;
  button.onclick = () => onclick(button);
  return button;
}

function labelled(name, label, onclick, extra = '') {
  return el(`button.plain${extra && `.${extra}`}`, { type: 'button', onclick }, icon(name), label);
}

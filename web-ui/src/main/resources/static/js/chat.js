import { ApiError, streamChat } from './api.js';
import { newMessage, restoreMessages, toRequestMessages, toStats } from './conversation.js';
import { load, save } from './store.js';

const KEY = 'conversation';
const SAVE_EVERY_MS = 500;

/**
 * @typedef {object} RequestOptions
 * @property {string} model
 * @property {string} system system prompt; empty for none
 * @property {object} sampling fields of the request; what is absent is the server's to choose
 */

/**
 * The conversation on the page: asks, streams, stops, asks again, and keeps everything in this browser.
 *
 * Events: `messages` (a message came or went), `change` (detail: a message whose status changed), `text` (detail: a
 * message that grew).
 */
export class Chat extends EventTarget {
  /** @type {import('./conversation.js').Message[]} */
  messages = restoreMessages(load(KEY));
  #options;
  #abort = null;
  #saving = 0;
  #leaving = false;

  /** @param {() => RequestOptions} options asked for at each request */
  constructor(options) {
    super();
    this.#options = options;
    // A page that goes away breaks its own request off; what is kept shall say interrupted, not failed.
    addEventListener('pagehide', () => {
      this.#save();
      this.#leaving = true;
    });
    addEventListener('pageshow', () => (this.#leaving = false));
  }

  /** Whether an answer is being written. */
  get busy() {
    return this.#abort !== null;
  }

  /** The last answer, if the conversation ends with one. */
  get lastAnswer() {
    const last = this.messages.at(-1);
    return last?.role === 'assistant' ? last : null;
  }

  /**
   * Says something and streams the answer.
   * @param {string} text
   */
  async send(text) {
    if (this.busy) return;
    this.messages.push(newMessage('user', text));
    await this.#answer(newMessage('assistant', ''));
  }

  /** Ends the answer that is being written; what has come stays. */
  stop() {
    this.#abort?.abort();
  }

  /** Throws the last answer away and asks for another; also after a failure. */
  async regenerate() {
    if (this.busy || this.messages.length === 0) return;
    if (this.lastAnswer) this.messages.pop();
    await this.#answer(newMessage('assistant', ''));
  }

  /** Lets the model go on from where the last answer broke off. */
  async resume() {
    const answer = this.lastAnswer;
    if (this.busy || !answer) return;
    if (answer.content === '') return this.regenerate();
    this.messages.pop();
    // The fields by which servers know that the last message is to be continued, not answered.
    await this.#answer(answer, { continue_final_message: true, add_generation_prompt: false });
  }

  /** Begins a new conversation. */
  clear() {
    this.stop();
    this.messages = [];
    this.#save();
    this.dispatchEvent(new Event('messages'));
  }

  async #answer(answer, extra = {}) {
    const { model, system, sampling } = this.#options();
    const isContinued = answer.content !== '';
    this.messages.push(answer);
    const messages = toRequestMessages(this.messages, system);
    const abort = new AbortController();
    this.#abort = abort;
    Object.assign(answer, { status: 'waiting', model, error: undefined, finish: undefined });
    this.#save();
    this.dispatchEvent(new Event('messages'));
    const clock = new AnswerClock(isContinued ? answer.stats : undefined);
    try {
      for await (const delta of streamChat({ model, messages, ...sampling, ...extra }, abort.signal)) {
        this.#take(answer, delta, clock);
      }
      answer.status = 'done';
    } catch (error) {
      this.#fail(answer, error, abort.signal);
    }
    answer.stats = clock.stats();
    this.#abort = this.#abort === abort ? null : this.#abort;
    this.#save();
    this.#emit('change', answer);
  }

  #take(answer, delta, clock) {
    clock.take(delta);
    if (delta.finish) answer.finish = delta.finish;
    if (!delta.content && !delta.reasoning) return;
    if (delta.reasoning) answer.reasoning += delta.reasoning;
    if (delta.content) {
      if (answer.reasoning && answer.reasoningSeconds === undefined) answer.reasoningSeconds = clock.thinkingSeconds();
      answer.content += delta.content;
    }
    if (answer.status === 'waiting') {
      answer.status = 'streaming';
      this.#emit('change', answer);
    }
    this.#emit('text', answer);
    this.#saving ||= setTimeout(() => this.#save(), SAVE_EVERY_MS);
  }

  #fail(answer, error, signal) {
    if (signal.aborted) {
      answer.status = 'stopped';
      return;
    }
    answer.status = 'failed';
    if (error instanceof ApiError) {
      answer.error = { message: error.message, retryAfter: error.retryAfter };
    } else {
      console.error(error);
      answer.error = { message: 'The page could not read the answer.', retryAfter: null };
    }
  }

  #emit(type, message) {
    if (this.messages.includes(message)) this.dispatchEvent(new CustomEvent(type, { detail: message }));
  }

  #save() {
    clearTimeout(this.#saving);
    this.#saving = 0;
    if (!this.#leaving) save(KEY, this.messages.length === 0 ? null : this.messages);
  }
}

/** Measures one answer; one that goes on from an earlier one counts that one's tokens and seconds too. */
class AnswerClock {
  #started = performance.now();
  #first = null;
  #deltas = 0;
  #usage;
  #timings;
  #before;

  constructor(before) {
    this.#before = before;
  }

  take({ content, reasoning, usage, timings }) {
    if (content || reasoning) {
      this.#deltas++;
      this.#first ??= performance.now();
    }
    this.#usage = usage ?? this.#usage;
    this.#timings = timings ?? this.#timings;
  }

  thinkingSeconds() {
    return (performance.now() - this.#first) / 1000;
  }

  stats() {
    const stats = toStats({
      seconds: (performance.now() - this.#started) / 1000,
      firstToken: this.#first === null ? null : (this.#first - this.#started) / 1000,
      deltas: this.#deltas,
      usage: this.#usage,
      timings: this.#timings,
    });
    if (!this.#before) return stats;
    return {
      ...stats,
      tokens: stats.tokens === null ? this.#before.tokens : stats.tokens + (this.#before.tokens ?? 0),
      estimated: stats.estimated || this.#before.estimated,
      seconds: stats.seconds + this.#before.seconds,
      firstToken: this.#before.firstToken,
    };
  }
}


import { ApiError } from './api.js';
import { isLocal, isRunning, newAnswer, newLocalConversation, newQuestion, titleOf, toRequestMessages } from './conversation.js';
import { forgetCopy, forgetLocal, keepCopy, keepLocal, keepUnsent, loadCopy, loadLocal, loadUnsent } from './kept-chats.js';
import { streamInto } from './local-answer.js';
import { OpenChat } from './open-chat.js';
import * as server from './stored-chats.js';
import { nextTask } from './tasks.js';

const SAVE_EVERY_MS = 500;

/**
 * @typedef {object} ChatDefaults what a new chat begins with
 * @property {string} model that is asked now
 * @property {string} chosen the model that it keeps; empty for the server's default
 * @property {string} system system prompt; empty for none
 * @property {object} sampling fields of the request; what is absent is the server's to choose
 */

/**
 * The chat that is open: asks, stops, asks again, goes from branch to branch. An answer belongs to its conversation on the
 * server and comes through the durable stream. Where the server cannot store, the chat is this browser's alone, and its
 * answers come straight to the page.
 *
 * Events: `opened` (another chat), `identity` (the same chat, but with an id now), `conversation` (its title or settings),
 * `messages` (the path that is shown), `change` (detail: a message whose status changed), `text` (detail: a message that
 * grew), `problem` (detail: an ApiError of something that was asked for).
 */
export class Chat extends EventTarget {
  #open = new OpenChat(null);
  #defaults;
  #canStore;
  /** Local chats whose answer is being written, also while another one is shown. */
  #writing = new Map();
  /** Ids of questions that are being sent. */
  #onTheWay = new Set();
  #leaving = false;

  /**
   * @param {() => ChatDefaults} defaults
   * @param {() => boolean} canStore whether the server stores chats now, as far as is known
   */
  constructor(defaults, canStore) {
    super();
    this.#defaults = defaults;
    this.#canStore = canStore;
    // A page that goes away breaks its own requests off; what is kept shall say interrupted, not failed.
    addEventListener('pagehide', () => {
      this.#keep();
      this.#leaving = true;
    });
    addEventListener('pageshow', () => (this.#leaving = false));
  }

  get conversation() {
    return this.#open.conversation;
  }

  get key() {
    return this.#open.key;
  }

  get state() {
    return this.#open.state;
  }

  get isLocal() {
    return this.#open.isLocal;
  }

  /** Whether the server could not be asked for it, so that there may be more than is shown. */
  get isStale() {
    return this.#open.isStale;
  }

  /** The path that is shown. */
  get messages() {
    return this.#open.messages;
  }

  get busy() {
    return this.#open.busy;
  }

  /** Whether a question can follow what is shown. */
  get canGoOn() {
    return this.#open.canGoOn;
  }

  /** Whether an answer can be asked for anew, or a question in other words. */
  get isIdle() {
    return this.#open.isIdle;
  }

  get lastAnswer() {
    return this.#open.lastAnswer;
  }

  /** The other versions of a message, with itself, in their order. */
  siblings(message) {
    return this.#open.tree.siblings(message);
  }

  /** Begins a new chat. */
  openNew() {
    this.#show(new OpenChat(null));
  }

  /**
   * Opens a chat: first as this browser has it, then as the server has it.
   * @param {string} id
   */
  async open(id) {
    if (id === this.#open.conversation?.id) return;
    if (isLocal(id)) {
      const kept = loadLocal(id);
      const open = this.#writing.get(id) ?? new OpenChat(kept?.conversation ?? null, kept?.messages);
      if (!open.conversation) open.state = 'missing';
      this.#show(open);
      return;
    }
    const copy = loadCopy(id);
    const open = new OpenChat(copy?.conversation ?? null, copy?.messages);
    open.state = copy ? 'open' : 'loading';
    if (!copy) open.conversation = { id, title: '', model: '', system_prompt: '', settings: {}, current_message_id: null };
    this.#show(open);
    await this.#read(open);
  }

  /** Reads the open chat anew. */
  async refresh() {
    const open = this.#open;
    if (open.conversation && !open.isLocal) await this.#read(open);
  }

  #show(open) {
    this.#keep();
    const unsent = loadUnsent(open.key);
    if (!this.#onTheWay.has(unsent?.id)) open.pending ??= unsent;
    this.#open = open;
    this.dispatchEvent(new Event('opened'));
    this.dispatchEvent(new Event('messages'));
  }

  async #read(open) {
    const told = [];
    open.told = told;
    try {
      const { messages, ...conversation } = await server.readChat(open.conversation.id);
      if (open.told !== told) return;
      open.told = null;
      open.isStale = false;
      open.state = 'open';
      open.merge(conversation, messages);
      this.#meet(open);
    } catch (error) {
      if (open.told !== told) return;
      open.told = null;
      if (!(error instanceof ApiError)) throw error;
      open.isStale = true;
      if (error.code === 'conversation_not_found') {
        forgetCopy(open.conversation.id);
        this.#lose(open);
      } else if (open.state === 'loading') {
        open.state = 'unreachable';
      }
    }
    for (const event of told) this.#take(open, event);
    this.#emit(open, 'conversation');
    this.#emit(open, 'messages');
  }

  #lose(open) {
    open.state = 'missing';
    open.tree = new OpenChat(null).tree;
    open.leaf = null;
    open.pending = null;
  }

  /**
   * Says something and lets the model answer.
   * @param {string} text
   */
  async send(text) {
    const open = this.#open;
    if (open.busy || !open.canGoOn) return;
    const { pending } = open;
    const question = pending ?? newQuestion(open.leaf, text);
    if (pending) question.content += `\n\n${text}`;
    await this.#ask(open, question);
  }

  /** Sends the question again that did not reach the server. */
  async sendAgain() {
    const open = this.#open;
    if (open.pending && !open.busy) await this.#ask(open, open.pending);
  }

  /**
   * Takes the question back that did not reach the server.
   * @returns {string} its text
   */
  takeBack() {
    const open = this.#open;
    const text = open.pending?.content ?? '';
    open.pending = null;
    keepUnsent(open.key, null);
    this.#emit(open, 'messages');
    return text;
  }

  /**
   * Asks a question in other words, as a branch beside it.
   * @param {string} id
   * @param {string} text
   */
  async edit(id, text) {
    const open = this.#open;
    const old = open.tree.get(id);
    if (!old || !open.isIdle) return;
    await this.#ask(open, { ...newQuestion(old.parent_id, text), edits: id });
  }

  /**
   * Puts an answer in other words, as a branch beside it. Nothing is generated.
   * @param {string} id
   * @param {string} text
   * @returns {Promise<string|null>} the new answer's id; null where it was not kept, and why is told as a `problem`
   */
  async rewrite(id, text) {
    const open = this.#open;
    const old = open.tree.get(id);
    if (!old || !open.isIdle) return null;
    try {
      await open.shown;
      const { conversation, answer } = open.isLocal
        ? rewritten(open.conversation, old, text)
        : await server.edit(open.conversation.id, { message_id: id, content: text });
      open.merge(conversation, [answer]);
      this.#emit(open, 'conversation');
      this.#emit(open, 'messages');
      this.#keep();
      return answer.id;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#problem(error);
      return null;
    }
  }

  async #ask(open, question) {
    if (open.isLocal || (!this.#canStore() && open.conversation === null)) return this.#askHere(open, question);
    Object.assign(question, { status: 'sending', error: null });
    open.pending = question;
    keepUnsent(open.key, { ...question, status: 'unsent' });
    this.#onTheWay.add(question.id);
    await this.#generate(open, question.parent_id, async how => {
      const id = await this.#stored(open);
      // A megabyte that is kept, shown under another name and sent would be one long task.
      await nextTask();
      const { content, edits, parent_id: parent } = question;
      return edits ? server.edit(id, { message_id: edits, content, ...how }) : server.ask(id, { content, parent_id: parent ?? '', ...how });
    });
    this.#onTheWay.delete(question.id);
  }

  /** The id of the conversation on the server, which is created where there is none yet. */
  async #stored(open) {
    if (open.conversation) return open.conversation.id;
    const { chosen, system, sampling } = this.#defaults();
    const made = await server.createChat({ model: chosen, system_prompt: system, settings: sampling });
    keepUnsent('new', null);
    open.conversation = made;
    open.state = 'open';
    keepUnsent(open.key, { ...open.pending, status: 'unsent' });
    this.#emit(open, 'identity');
    return made.id;
  }

  /**
   * Another answer to the same question.
   * @param {string} [id] an answer; the last one of the path where none is named
   */
  async regenerate(id = this.lastAnswer?.id ?? this.messages.at(-1)?.id) {
    const open = this.#open;
    const named = open.tree.get(id);
    if (!named || !open.isIdle) return;
    const questionId = named.role === 'user' ? named.id : named.parent_id;
    if (open.isLocal) return this.#answerHere(open, newAnswer(questionId, this.#defaults().model));
    await this.#generate(open, questionId, how => server.regenerate(open.conversation.id, { message_id: id, ...how }));
  }

  /** Lets the model go on from where the last answer broke off. */
  async resume() {
    const open = this.#open;
    const answer = open.lastAnswer;
    if (!answer || !open.isIdle) return;
    if (answer.content === '') return this.regenerate(answer.id);
    // The fields by which servers know that the last message is to be continued, not answered.
    if (open.isLocal) return this.#answerHere(open, answer, { continue_final_message: true, add_generation_prompt: false });
    await this.#generate(open, undefined, how => server.resume(open.conversation.id, { message_id: answer.id, ...how }));
  }

  /**
   * One of the requests after which the server generates.
   * @param {OpenChat} open
   * @param {string|null|undefined} behind where the answer will be; undefined: it is there already
   * @param {(how: object) => Promise<object>} request
   */
  async #generate(open, behind, request) {
    open.awaitedBehind = behind;
    open.stopsAtOnce = false;
    this.#emit(open, 'messages');
    try {
      await open.shown;
      const { model } = this.#defaults();
      const { conversation, question, answer } = await request(model ? { model } : {});
      open.awaitedBehind = undefined;
      this.#settlePending(open, null);
      // The stream may have told more than this already, such as a title.
      const isKnown = open.conversation.current_message_id === answer.id;
      open.merge(isKnown ? null : conversation, question ? [question, answer] : [answer]);
      this.#emit(open, 'conversation');
      this.#emit(open, 'messages');
      if (open.stopsAtOnce) await this.#stopAt(open);
    } catch (error) {
      open.awaitedBehind = undefined;
      if (!(error instanceof ApiError)) throw error;
      await this.#refused(open, error);
    }
  }

  async #refused(open, error) {
    const { pending } = open;
    const storesNothing = error.code === 'database_unavailable' || (error.status === 404 && open.conversation === null);
    if (pending && storesNothing) {
      this.#settlePending(open, null);
      await this.#goOnHere(open, pending);
      return;
    }
    if (pending) Object.assign(pending, { status: 'unsent', error: error.message, retry_after: error.retryAfter });
    this.#settlePending(open, pending);
    this.#emit(open, 'messages');
    if (!pending || open !== this.#open) this.#problem(error);
    else this.#emit(open, 'change', pending);
  }

  #settlePending(open, question) {
    open.pending = question;
    keepUnsent(open.key, question);
  }

  /** Ends what is being written in this chat; what has come stays. */
  async stop() {
    const open = this.#open;
    if (open.abort) open.abort.abort();
    else if (open.awaitedBehind !== undefined) open.stopsAtOnce = true;
    else if (open.busy) await this.#stopAt(open);
  }

  async #stopAt(open) {
    try {
      const { stopped } = await server.stop(open.conversation.id);
      for (const message of stopped) this.#take(open, { type: 'message', message });
    } catch (error) {
      this.#problem(error);
    }
  }

  /**
   * Shows the branch with this message.
   * @param {string} id
   */
  async show(id) {
    const open = this.#open;
    open.leaf = open.tree.newestLeaf(id);
    open.conversation.current_message_id = open.leaf;
    this.#emit(open, 'messages');
    this.#keep();
    if (open.isLocal) return;
    open.showing++;
    // Where the server is away the branch is shown all the same.
    open.shown = open.shown.then(() => server.changeChat(open.conversation.id, { current_message_id: id })).catch(() => {});
    await open.shown;
    open.showing--;
  }

  /**
   * Changes the model, the system prompt or the sampling of the open chat.
   * @param {{model?: string, system_prompt?: string, settings?: object}} changes
   */
  async change(changes) {
    const open = this.#open;
    Object.assign(open.conversation, changes);
    this.#emit(open, 'conversation');
    this.#keep();
    if (open.isLocal) return;
    await server.changeChat(open.conversation.id, changes).catch(error => this.#problem(error));
  }

  /**
   * What the durable stream tells.
   * @param {object} event
   */
  take(event) {
    const open = this.#open;
    const id = event.conversation?.id ?? event.message?.conversation_id ?? event.conversation_id;
    if (id === undefined || id !== open.conversation?.id) return;
    if (open.told) open.told.push(event);
    else this.#take(open, event);
  }

  #take(open, event) {
    if (event.type === 'gone' || event.conversation?.deleted_at) {
      this.#lose(open);
      this.#emit(open, 'messages');
    } else if (event.type === 'conversation') {
      if (open.state === 'missing') return void this.#read(open);
      open.merge(event.conversation, []);
      this.#emit(open, 'conversation');
      this.#emit(open, 'messages');
    } else if (event.type === 'message') {
      this.#takeMessage(open, event.message);
    } else if (event.type === 'token' || event.type === 'reasoning') {
      this.#takePiece(open, event);
    }
  }

  #takeMessage(open, message) {
    const ran = isRunning(open.tree.get(message.id));
    open.merge(null, [message]);
    this.#meet(open);
    this.#emit(open, 'messages');
    const now = open.tree.get(message.id);
    if (ran !== isRunning(now)) this.#emit(open, 'change', now);
    if (!isRunning(now)) this.#keep();
  }

  /** The question that seemed not to reach the server is there: only its answer to the page was lost. */
  #meet(open) {
    const { pending } = open;
    if (pending?.status !== 'unsent') return;
    const sent = open.tree.messages.some(({ role, parent_id: parent, content, created_at: at }) =>
      role === 'user' && parent === pending.parent_id && content === pending.content && Date.parse(at) >= Date.parse(pending.created_at) - 60_000);
    if (sent) this.#settlePending(open, null);
  }

  #takePiece(open, piece) {
    const message = open.grow(piece);
    if (message === null) this.#read(open);
    else this.#emit(open, 'text', message);
  }

  /** The server cannot store: what was asked goes on as a chat of this browser, a copy of what there is. */
  async #goOnHere(open, question) {
    const { edits, ...plain } = question;
    const local = this.#newLocal(open.conversation ?? {});
    for (const message of open.tree.path(question.parent_id)) local.tree.put(message);
    if (open === this.#open) {
      this.#open = local;
      this.dispatchEvent(new Event('identity'));
    }
    await this.#askHere(local, plain);
  }

  #newLocal({ title, model, system_prompt, settings }) {
    const { chosen, system, sampling } = this.#defaults();
    return new OpenChat(newLocalConversation({ title, model: model ?? chosen, system_prompt: system_prompt ?? system, settings: settings ?? sampling }));
  }

  async #askHere(open, question) {
    if (open.conversation === null) {
      open.conversation = this.#newLocal({}).conversation;
      open.state = 'open';
      keepUnsent('new', null);
      this.#emit(open, 'identity');
    }
    open.pending = null;
    const asked = open.tree.put({ ...question, status: 'complete' });
    if (!open.conversation.title) open.conversation.title = titleOf(asked.content);
    await this.#answerHere(open, newAnswer(asked.id, this.#defaults().model));
  }

  async #answerHere(open, begun, extra = {}) {
    const { model } = this.#defaults();
    const { conversation } = open;
    const now = new Date().toISOString();
    const answer = open.tree.put({ ...begun, status: 'running', model, error: null, finish_reason: null, updated_at: now });
    open.leaf = answer.id;
    open.abort = new AbortController();
    Object.assign(conversation, { current_message_id: answer.id, updated_at: now });
    this.#writing.set(conversation.id, open);
    const messages = toRequestMessages(open.tree.path(answer.id), conversation.system_prompt);
    keepLocal(conversation, open.tree.messages);
    this.#emit(open, 'conversation');
    this.#emit(open, 'messages');
    let saving = 0;
    await streamInto(answer, { model, messages, ...conversation.settings, ...extra }, open.abort.signal, () => {
      this.#emit(open, 'text', answer);
      saving ||= setTimeout(() => {
        saving = 0;
        if (!this.#leaving) keepLocal(conversation, open.tree.messages);
      }, SAVE_EVERY_MS);
    });
    clearTimeout(saving);
    open.abort = null;
    this.#writing.delete(conversation.id);
    conversation.updated_at = answer.updated_at;
    if (!this.#leaving && !keepLocal(conversation, open.tree.messages)) {
      this.#problem(new ApiError('This browser has no room left for this chat. It is lost when the page is closed.'));
    }
    this.#emit(open, 'change', answer);
    this.#emit(open, 'conversation');
  }

  /** Whether a local chat's answer is being written by this page. */
  isWriting(id) {
    return this.#writing.has(id);
  }

  /**
   * A local chat has become one of the server's.
   * @param {string} id
   * @param {string} storedId
   */
  async moved(id, storedId) {
    forgetLocal(id);
    if (this.#open.conversation?.id !== id) return;
    this.#open.conversation = { ...this.#open.conversation, id: storedId };
    this.dispatchEvent(new Event('identity'));
    const fresh = new OpenChat(this.#open.conversation);
    this.#show(fresh);
    await this.#read(fresh);
  }

  /** Keeps the open chat in this browser. */
  #keep() {
    const { conversation, tree, isLocal: local, state } = this.#open;
    if (!conversation || state !== 'open') return;
    if (local) keepLocal(conversation, tree.messages);
    else keepCopy(conversation, tree.messages);
  }

  #problem(error) {
    this.dispatchEvent(new CustomEvent('problem', { detail: error }));
  }

  #emit(open, type, detail) {
    if (open === this.#open) this.dispatchEvent(detail === undefined ? new Event(type) : new CustomEvent(type, { detail }));
  }
}

/** What a server says of an answer that was put in other words. */
function rewritten(conversation, { parent_id: parent, model }, text) {
  const answer = { ...newAnswer(parent, model), content: text, status: 'complete' };
  return { conversation: { ...conversation, current_message_id: answer.id, updated_at: answer.updated_at }, answer };
}

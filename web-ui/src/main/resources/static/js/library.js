import { ApiError } from './api.js';
import { requestsOf } from './chat-file.js';
import { isLocal, newId } from './conversation.js';
import { forgetCopy, forgetLocal, keepLocal, loadLocal, localChats } from './kept-chats.js';
import { load, save } from './store.js';
import * as server from './stored-chats.js';

const LIST = 'list';
const KEPT = 60;
const AGAIN_MS = 3_000;
/** How long another page may take to hand a local chat to the server. */
const CLAIM_MS = 60_000;

/**
 * The list of all chats, as far as it was read, the last changed first.
 *
 * Events: `change` (the list, or what `storage` says), `moved` (detail: {id, storedId}: a local chat is the server's now).
 */
export class Library extends EventTarget {
  /** @type {Map<string, object>} */
  #chats = new Map();
  #next = null;
  #reading = null;
  #timer = 0;
  #mine = newId('');
  /**
   * Whether the server stores chats: `ready`; `unavailable`: its database is away; `unreachable`: nobody answers; `none`:
   * it has no such thing; `unknown`: it was not asked yet.
   */
  storage = 'unknown';
  /** Chats with an answer that was not looked at. */
  unread = new Set();
  /** Which chat is open. */
  openId = null;

  #isWriting;

  /** @param {(id: string) => boolean} isWriting whether this page is writing an answer in a local chat */
  constructor(isWriting) {
    super();
    this.#isWriting = isWriting;
    const kept = load(LIST);
    if (Array.isArray(kept)) for (const chat of kept) if (typeof chat?.id === 'string') this.#chats.set(chat.id, { ...chat, running: false });
  }

  /** Whether chats can be stored now. */
  get canStore() {
    return this.storage !== 'unavailable' && this.storage !== 'none';
  }

  /** Whether there are more to read. */
  get hasMore() {
    return this.#next !== null;
  }

  /** Those that only this browser has first, then the server's. */
  get chats() {
    const stored = [...this.#chats.values()].filter(chat => !chat.deleted_at);
    stored.sort((one, other) => Date.parse(other.updated_at) - Date.parse(one.updated_at) || (one.id < other.id ? 1 : -1));
    return [...localChats().map(({ conversation }) => conversation), ...stored];
  }

  /** @param {string} id */
  get(id) {
    return this.#chats.get(id) ?? (isLocal(id) ? loadLocal(id)?.conversation : undefined);
  }

  /** Reads the beginning of the list anew. */
  async read() {
    clearTimeout(this.#timer);
    const reading = server.listChats();
    this.#reading = reading;
    try {
      const { conversations, next } = await reading;
      if (this.#reading !== reading) return;
      this.#chats = new Map(conversations.map(chat => [chat.id, chat]));
      this.#next = next;
      this.#setStorage('ready');
      this.#keep();
      await this.#handOver();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.#reading === reading) this.#failed(error);
    } finally {
      if (this.#reading === reading) this.#reading = null;
    }
  }

  #failed({ code, status }) {
    if (status === 404 || status === 405) return this.#setStorage('none');
    this.#setStorage(code === 'unreachable' || status < 500 ? 'unreachable' : 'unavailable');
    // A server that wants to know who asks will not think better of it.
    if (status === 401 || status === 403) return;
    this.#timer = setTimeout(() => this.read(), AGAIN_MS);
  }

  /** Reads the next page. */
  async more() {
    if (this.#reading || this.#next === null) return;
    const reading = server.listChats({ after: this.#next });
    this.#reading = reading;
    try {
      const { conversations, next } = await reading;
      if (this.#reading !== reading) return;
      for (const chat of conversations) if (!this.#chats.has(chat.id)) this.#chats.set(chat.id, chat);
      this.#next = next;
      this.#changed();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    } finally {
      if (this.#reading === reading) this.#reading = null;
    }
  }

  /**
   * What the durable stream tells.
   * @param {object} event
   */
  take({ type, conversation, message, conversation_id: goneId }) {
    if (type === 'conversation') this.put(conversation);
    else if (type === 'message') this.#noteAnswer(message);
    else if (type === 'gone' && this.#chats.delete(goneId)) this.#changed();
  }

  /** @param {object} conversation as the server gives it */
  put(conversation) {
    const known = this.#chats.get(conversation.id);
    this.#chats.set(conversation.id, { running: false, ...known, ...conversation });
    if (conversation.deleted_at) forgetCopy(conversation.id);
    this.#changed();
  }

  #noteAnswer({ role, conversation_id: id, status }) {
    const chat = this.#chats.get(id);
    if (role !== 'assistant' || !chat) return;
    const running = status === 'running';
    if (chat.running && !running && id !== this.openId) this.unread.add(id);
    if (chat.running === running) return;
    chat.running = running;
    this.#changed();
  }

  /** A chat that only this browser has is new or has changed. */
  noteLocal() {
    this.#changed();
  }

  /** @param {string|null} id of the chat that is looked at from now on */
  opened(id) {
    this.openId = id;
    this.unread.delete(id);
    this.#changed();
  }

  /**
   * @param {string} id
   * @param {string} title
   */
  async rename(id, title) {
    if (isLocal(id)) {
      const { conversation, messages } = loadLocal(id);
      keepLocal({ ...conversation, title, title_by: 'user' }, messages);
      this.#changed();
    } else {
      this.put(await server.changeChat(id, { title }));
    }
  }

  /**
   * Deletes a chat.
   * @param {string} id
   * @returns {Promise<() => Promise<void>>} brings it back
   */
  async remove(id) {
    if (isLocal(id)) {
      const { conversation, messages } = loadLocal(id);
      forgetLocal(id);
      this.#changed();
      return async () => {
        keepLocal(conversation, messages);
        this.#changed();
      };
    }
    await server.deleteChat(id);
    this.put({ ...this.#chats.get(id), id, deleted_at: new Date().toISOString() });
    return async () => this.put(await server.changeChat(id, { deleted: false }));
  }

  /**
   * Brings in a file that was exported, in as many requests as its length needs.
   * @param {string} name of the file
   * @param {string} text
   * @yields {object[]} chats that are there now
   */
  async *bringIn(name, text) {
    for (const request of requestsOf(name, text)) {
      const { conversations } = await server.importChats(request);
      conversations.forEach(chat => this.put(chat));
      yield conversations;
    }
  }

  /** Chats of this browser alone become the server's, now that it stores them. */
  async #handOver() {
    for (const { conversation, messages } of localChats()) {
      if (this.#isWriting(conversation.id) || !this.#claim(conversation.id)) continue;
      try {
        const { conversations } = await server.importChats({ conversations: [{ ...conversation, messages: messages.map(storable) }] });
        this.put(conversations[0]);
        this.dispatchEvent(new CustomEvent('moved', { detail: { id: conversation.id, storedId: conversations[0].id } }));
        forgetLocal(conversation.id);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
      }
      save(`claim.${conversation.id}`, null);
    }
    this.#changed();
  }

  /** Of several pages one hands a chat over. */
  #claim(id) {
    const claim = load(`claim.${id}`);
    if (claim && claim.page !== this.#mine && Date.now() - claim.at < CLAIM_MS) return false;
    save(`claim.${id}`, { page: this.#mine, at: Date.now() });
    return load(`claim.${id}`)?.page === this.#mine;
  }

  #setStorage(storage) {
    this.storage = storage;
    this.#changed();
  }

  #keep() {
    save(LIST, this.chats.filter(({ id }) => !isLocal(id)).slice(0, KEPT));
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/** A message of this browser as the server's import takes it. */
function storable({ id, parent_id, role, content, reasoning, model, status, finish_reason, usage, timings, created_at, updated_at }) {
  const plain = { id, parent_id, role, content, status, created_at, updated_at };
  if (role === 'user') return plain;
  const { estimated, ...counts } = usage ?? {};
  return { ...plain, reasoning, model, finish_reason: ['stop', 'length'].includes(finish_reason) ? finish_reason : null, usage: counts, timings };
}

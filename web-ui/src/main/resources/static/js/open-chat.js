import { isLocal, isRunning } from './conversation.js';
import { MessageTree } from './message-tree.js';

/**
 * One chat as the page holds it: the conversation, its messages, and a question that is on its way. Data only.
 */
export class OpenChat {
  /** @type {import('./conversation.js').Conversation|null} null: a new chat that nobody has stored yet */
  conversation;
  tree;
  /** The last message of the path that is shown. */
  leaf = null;
  /** @type {'new'|'loading'|'open'|'missing'|'unreachable'} */
  state;
  /** @type {import('./message-tree.js').Message|null} a question that the server does not have (yet) */
  pending = null;
  /** Behind which message an answer is awaited that has not begun; undefined: none is. */
  awaitedBehind = undefined;
  /** Whether the awaited answer is to be stopped as soon as it has begun. */
  stopsAtOnce = false;
  /** Stops an answer that comes to this page alone. */
  abort = null;
  /** What the server told while the chat is read anew; null: it is not. */
  told = null;
  /** Whether the server could not be asked, so that there may be more than is shown. */
  isStale = false;
  /** Changes of the shown branch that are on their way to the server. */
  showing = 0;
  /** When the last of these has arrived: what is asked for behind it must not overtake it. */
  shown = Promise.resolve();

  #awaited = { id: 'awaited', role: 'assistant', content: '', reasoning: '', status: 'running' };

  /**
   * @param {import('./conversation.js').Conversation|null} conversation
   * @param {import('./message-tree.js').Message[]} [messages]
   */
  constructor(conversation, messages = []) {
    this.conversation = conversation;
    this.tree = new MessageTree(messages);
    this.state = conversation === null ? 'new' : 'open';
    this.settle();
  }

  /** The name under which the browser keeps what belongs to it. */
  get key() {
    return this.conversation?.id ?? 'new';
  }

  /** Whether only this browser has it. */
  get isLocal() {
    return isLocal(this.conversation?.id);
  }

  /** Whether an answer is being written, or asked for. */
  get busy() {
    return this.awaitedBehind !== undefined || this.tree.isRunning;
  }

  /** Whether a question can follow what is shown. */
  get canGoOn() {
    return this.state === 'new' || this.state === 'open';
  }

  /** Whether something else can be asked for: nothing is being written, and nothing waits to be sent. */
  get isIdle() {
    return !this.busy && this.pending === null;
  }

  /** The path that is shown. */
  get messages() {
    const { pending, awaitedBehind } = this;
    const end = pending ? pending.parent_id : (awaitedBehind ?? this.leaf);
    const path = this.tree.path(end);
    if (pending) path.push(pending);
    if (awaitedBehind !== undefined) path.push(this.#awaited);
    return path;
  }

  /** The last answer, if the path ends with one. */
  get lastAnswer() {
    const last = this.messages.at(-1);
    return last?.role === 'assistant' ? last : null;
  }

  /**
   * Takes what the server says.
   * @param {import('./conversation.js').Conversation|null} conversation
   * @param {import('./message-tree.js').Message[]} messages
   */
  merge(conversation, messages) {
    if (conversation) this.conversation = conversation;
    for (const message of messages) this.tree.put(message);
    this.settle();
  }

  /** Shows the path that the conversation names, once its messages are there. */
  settle() {
    const leaf = this.conversation?.current_message_id ?? null;
    if (this.showing === 0 && (leaf === null || this.tree.get(leaf))) this.leaf = leaf;
  }

  /**
   * Adds a piece of an answer's text.
   * @param {{type: 'token'|'reasoning', message_id: string, offset: number, content: string}} piece
   * @returns {import('./message-tree.js').Message|null} what has grown; null where something is missing in front of it
   */
  grow({ type, message_id: id, offset, content }) {
    const message = this.tree.get(id);
    if (!message) return null;
    if (!isRunning(message)) return message;
    const field = type === 'token' ? 'content' : 'reasoning';
    const text = message[field] ?? '';
    if (offset > text.length) return null;
    if (offset + content.length > text.length) message[field] = text.slice(0, offset) + content;
    return message;
  }
}

/**
 * The messages of one conversation as a tree: `parent_id` is the message that one follows, null for a first one. Data
 * only, in the order in which messages were added. Messages have the form that the server gives them.
 *
 * @typedef {object} Message
 * @property {string} id
 * @property {string|null} parent_id
 * @property {'user'|'assistant'} role
 * @property {string} content
 * @property {'complete'|'running'|'stopped'|'interrupted'|'failed'|'sending'|'unsent'} status the last two are the
 *   page's own, of questions that the server does not have
 * @property {string} [reasoning]
 * @property {string} [model]
 * @property {string|null} [finish_reason]
 * @property {string|null} [error]
 * @property {object} [usage]
 * @property {object} [timings]
 * @property {{messages: number, by: string}|null} [left_out]
 */
export class MessageTree {
  /** @type {Map<string, Message>} */
  #byId = new Map();
  /** @type {Map<string|null, Message[]>} what follows each message; null: the first ones */
  #children = new Map();

  /** @param {Message[]} [messages] */
  constructor(messages = []) {
    for (const message of messages) this.put(message);
  }

  /** @returns {Message[]} */
  get messages() {
    return [...this.#byId.values()];
  }

  /** @param {string|null|undefined} id */
  get(id) {
    return this.#byId.get(id);
  }

  /**
   * Adds a message, or changes the one of that id in its place, so that who holds it sees the change. What is older than
   * what is known changes nothing.
   * @param {Message} message
   * @returns {Message} the one in the tree
   */
  put(message) {
    const known = this.#byId.get(message.id);
    if (!known) return this.#add({ ...message });
    if (isOlder(message, known)) return known;
    const { content, reasoning } = known;
    const bothRun = known.status === 'running' && message.status === 'running';
    Object.assign(known, message);
    if (bothRun) {
      known.content = longer(content, message.content);
      known.reasoning = longer(reasoning, message.reasoning);
    }
    return known;
  }

  #add(message) {
    this.#byId.set(message.id, message);
    const siblings = this.#children.get(message.parent_id);
    if (siblings) siblings.push(message);
    else this.#children.set(message.parent_id, [message]);
    return message;
  }

  /**
   * From the first message to this one; empty where it is unknown.
   * @param {string|null|undefined} leaf
   * @returns {Message[]}
   */
  path(leaf) {
    const path = [];
    for (let at = this.#byId.get(leaf); at && path.length <= this.#byId.size; at = this.#byId.get(at.parent_id)) path.push(at);
    return path.reverse();
  }

  /**
   * The ids of the messages that follow the same one as this, in their order.
   * @param {Message} message
   * @returns {string[]}
   */
  siblings({ parent_id, role }) {
    return (this.#children.get(parent_id) ?? []).filter(each => each.role === role).map(({ id }) => id);
  }

  /**
   * From this message down, always to the newest branch.
   * @param {string} id
   */
  newestLeaf(id) {
    let leaf = id;
    for (let steps = 0; this.#children.has(leaf) && steps < this.#byId.size; steps++) leaf = this.#children.get(leaf).at(-1).id;
    return leaf;
  }

  /** Whether an answer is being generated, on any branch. */
  get isRunning() {
    return this.messages.some(({ status }) => status === 'running');
  }
}

function isOlder(message, known) {
  const times = Date.parse(message.updated_at) - Date.parse(known.updated_at);
  return times < 0 || (times === 0 && message.status === 'running' && known.status !== 'running');
}

function longer(one = '', other = '') {
  return other.length >= one.length ? other : one;
}

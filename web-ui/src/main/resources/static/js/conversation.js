// The data of a conversation, without page or network. Everything has the form that the server gives it.

/** @typedef {import('./message-tree.js').Message} Message */

/**
 * @typedef {object} Conversation
 * @property {string} id the server's, or with `local_` in front where only this browser has it
 * @property {string} title
 * @property {string} model empty for the server's default
 * @property {string} system_prompt
 * @property {object} settings sampling: fields of a chat request
 * @property {string|null} current_message_id the leaf of the path that is shown
 * @property {string} updated_at
 * @property {string|null} [deleted_at]
 */

/**
 * @typedef {object} Stats
 * @property {number|null} tokens generated tokens; null where unknown
 * @property {boolean} estimated whether `tokens` was counted here, for want of the server's number
 * @property {number} seconds from asking to the end
 * @property {number|null} perSecond tokens per second after the first
 * @property {number|null} firstToken seconds from asking to the first text
 */

const LONGEST_TITLE = 60;

/**
 * A name that nothing else has.
 * @param {string} prefix
 */
export function newId(prefix) {
  return `${prefix}${Date.now().toString(36)}${Math.random().toString(36).slice(2, 10)}`;
}

/**
 * Whether only this browser has it.
 * @param {string|undefined} id of a conversation or message
 */
export function isLocal(id) {
  return id?.startsWith('local_') ?? false;
}

/**
 * @param {string|null} parentId
 * @param {string} content
 * @returns {Message}
 */
export function newQuestion(parentId, content) {
  const now = new Date().toISOString();
  return { id: newId('local_'), parent_id: parentId, role: 'user', content, status: 'complete', created_at: now, updated_at: now };
}

/**
 * @param {string} parentId the question's
 * @param {string} model
 * @returns {Message}
 */
export function newAnswer(parentId, model) {
  return { ...newQuestion(parentId, ''), role: 'assistant', reasoning: '', model, status: 'running', error: null, left_out: null };
}

/**
 * A conversation that only this browser has.
 * @param {{title?: string, model?: string, system_prompt: string, settings: object}} draft
 * @returns {Conversation}
 */
export function newLocalConversation({ title = '', model = '', system_prompt, settings }) {
  const now = new Date().toISOString();
  return { id: newId('local_'), title, title_by: 'words', model, system_prompt, settings, current_message_id: null, created_at: now, updated_at: now, deleted_at: null };
}

/**
 * Whether an answer is still being written.
 * @param {Message|undefined} message
 */
export function isRunning(message) {
  return message?.status === 'running';
}

/**
 * The first words of a text, for a title.
 * @param {string} text
 */
export function titleOf(text) {
  const line = text.trim().split('\n', 1)[0];
  if (line.length <= LONGEST_TITLE) return line;
  return `${line.slice(0, line.lastIndexOf(' ', LONGEST_TITLE) > 20 ? line.lastIndexOf(' ', LONGEST_TITLE) : LONGEST_TITLE)}…`;
}

/**
 * Messages as this browser kept them: what does not look like one is dropped, and an answer that was being written when
 * the page went away is marked as interrupted.
 * @param {unknown} kept
 * @returns {Message[]}
 */
export function restoreMessages(kept) {
  if (!Array.isArray(kept)) return [];
  const known = kept.filter(
    message =>
      typeof message?.id === 'string' && typeof message.content === 'string' && ['user', 'assistant'].includes(message.role),
  );
  return known.map(message => (isRunning(message) ? { ...message, status: 'interrupted' } : message));
}

/**
 * The messages as they go to the model where the server does not know them: answers without text are left out, and what
 * a person said twice in a row becomes one message, because many templates want the roles to alternate.
 * @param {Message[]} messages
 * @param {string} system system prompt; empty for none
 * @returns {{role: string, content: string}[]}
 */
export function toRequestMessages(messages, system) {
  const result = system.trim() === '' ? [] : [{ role: 'system', content: system }];
  for (const { role, content } of messages) {
    const before = result.at(-1);
    if (content === '') continue;
    if (before?.role === role) before.content += `\n\n${content}`;
    else result.push({ role, content });
  }
  return result;
}

/**
 * What to say about an answer that has ended, or null where nothing is known.
 * @param {Message} answer
 * @returns {Stats|null}
 */
export function toStats({ usage, timings }) {
  if (!timings?.duration_ms) return null;
  const tokens = usage?.completion_tokens || null;
  const { first_token_ms: first, completion_ms: decoding, duration_ms: whole } = timings;
  return {
    tokens,
    estimated: usage?.estimated ?? false,
    seconds: whole / 1000,
    perSecond: tokens > 1 && decoding > 0 ? (tokens / decoding) * 1000 : null,
    firstToken: first ? first / 1000 : null,
  };
}

/**
 * What of the conversation the model did not see, in words; empty where it saw everything.
 * @param {Message} answer
 */
export function describeLeftOut({ left_out: leftOut }) {
  if (!leftOut) return '';
  const { messages, by } = leftOut;
  const what = messages === 1 ? 'The first message was' : `The first ${messages} messages were`;
  const why = by === 'max_history_messages' ? 'the server gives the model a limited history' : 'the model’s context has no room for more';
  return `${what} left out: ${why}.`;
}

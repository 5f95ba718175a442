// The data of a conversation, without page or network.

/**
 * @typedef {object} Stats
 * @property {number|null} tokens generated tokens; null where unknown
 * @property {boolean} estimated whether `tokens` was counted here, for want of the server's number
 * @property {number} seconds from sending to the end
 * @property {number|null} perSecond tokens per second after the first
 * @property {number|null} firstToken seconds from sending to the first text
 */

/**
 * @typedef {object} Message
 * @property {string} id
 * @property {'user'|'assistant'} role
 * @property {string} content
 * @property {string} [reasoning]
 * @property {number} [reasoningSeconds]
 * @property {'waiting'|'streaming'|'done'|'stopped'|'interrupted'|'failed'} status
 * @property {string} [finish] the server's finish reason
 * @property {{message: string, retryAfter: number|null}} [error] with `failed`
 * @property {Stats} [stats]
 * @property {string} [model]
 */

/**
 * @param {'user'|'assistant'} role
 * @param {string} content
 * @returns {Message}
 */
export function newMessage(role, content) {
  const id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
  return role === 'user' ? { id, role, content, status: 'done' } : { id, role, content, reasoning: '', status: 'waiting' };
}

/**
 * Whether an answer is still being written.
 * @param {Message|undefined} message
 */
export function isRunning(message) {
  return message?.status === 'waiting' || message?.status === 'streaming';
}

/**
 * Messages as they were kept: what does not look like one is dropped, and an answer that was being written when the
 * page went away is marked as interrupted.
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
 * The messages as they go to the model: failed answers without text are left out, and what a person said twice in a row
 * becomes one message, because many templates want the roles to alternate.
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
 * What to say about an answer that has ended.
 * @param {object} measured
 * @param {number} measured.seconds whole time
 * @param {number|null} measured.firstToken seconds until the first text
 * @param {number} measured.deltas pieces of text that came
 * @param {object} [measured.usage] the server's usage
 * @param {object} [measured.timings] the server's timings
 * @returns {Stats}
 */
export function toStats({ seconds, firstToken, deltas, usage, timings }) {
  const counted = usage?.completion_tokens ?? timings?.predicted_n;
  const tokens = counted ?? (deltas > 0 ? deltas : null);
  const decoding = firstToken === null ? 0 : seconds - firstToken;
  let perSecond = Number.isFinite(timings?.predicted_per_second) ? timings.predicted_per_second : null;
  if (perSecond === null && tokens > 1 && decoding > 0) perSecond = (tokens - 1) / decoding;
  return { tokens, estimated: counted === undefined, seconds, perSecond, firstToken };
}

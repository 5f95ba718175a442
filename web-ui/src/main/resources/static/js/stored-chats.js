import { callApi } from './api.js';

// The server's routes for stored conversations, as docs/rest.md describes them.

const ROOT = '/api/conversations';
const at = (id, part = '') => `${ROOT}/${encodeURIComponent(id)}${part}`;

/**
 * One page of the list, the last changed first.
 * @param {{query?: string, after?: string, limit?: number, deleted?: boolean}} options
 * @returns {Promise<{conversations: object[], next: string|null}>}
 */
export function listChats({ query = '', after = '', limit = 50, deleted = false } = {}) {
  const parameters = new URLSearchParams({ limit: String(limit) });
  if (query) parameters.set('query', query);
  if (after) parameters.set('after', after);
  if (deleted) parameters.set('deleted', 'true');
  return callApi('GET', `${ROOT}?${parameters}`);
}

/** A conversation with all its `messages`. */
export const readChat = id => callApi('GET', at(id));

/** @param {{title?: string, model?: string, system_prompt?: string, settings?: object}} draft */
export const createChat = draft => callApi('POST', ROOT, draft);

/** @param {{title?: string, model?: string, system_prompt?: string, settings?: object, current_message_id?: string, deleted?: false}} changes */
export const changeChat = (id, changes) => callApi('PATCH', at(id), changes);

/** It can be brought back for an hour. */
export const deleteChat = id => callApi('DELETE', at(id));

/** @returns {Promise<{conversation: object, question: object|null, answer: object}>} as the other three that generate */
export const ask = (id, request) => callApi('POST', at(id, '/messages'), request);
export const edit = (id, request) => callApi('POST', at(id, '/edit'), request);
export const regenerate = (id, request) => callApi('POST', at(id, '/regenerate'), request);
export const resume = (id, request) => callApi('POST', at(id, '/continue'), request);

/** @returns {Promise<{stopped: object[]}>} */
export const stop = id => callApi('POST', at(id, '/stop'), {});

/**
 * Where a file with a conversation, or with all of them, is to be had.
 * @param {string|null} id null for all
 * @param {'json'|'markdown'} [format]
 */
export const exportAddress = (id, format = 'json') => (id === null ? `${ROOT}/export` : at(id, `/export?format=${format}`));

/**
 * Brings in what was exported; it gets new ids.
 * @param {string|object} file JSON
 * @returns {Promise<{conversations: object[]}>}
 */
export const importChats = file => callApi('POST', `${ROOT}/import`, file);

import { callApi } from './api.js';

// The server's routes for API keys, as docs/accounts.md describes them.

/**
 * @typedef {object} Key
 * @property {string} id
 * @property {string} name
 * @property {string} hint its beginning and its end
 * @property {string[]} scopes what it is good for
 * @property {{requests_per_minute: number|null, tokens_per_minute: number|null, parallel: number|null}} limits
 * @property {'active'|'expired'|'revoked'} status
 * @property {string} created_at
 * @property {string|null} expires_at
 * @property {string|null} last_used_at
 * @property {{requests: number, prompt_tokens: number, cached_tokens: number, completion_tokens: number}} usage
 * @property {string} [key] the key itself, only in the answer that made it
 */

/** @returns {Promise<Key[]>} one's own, the newest first */
export const listKeys = async () => (await callApi('GET', '/api/keys')).keys ?? [];

/**
 * @param {{name?: string, scopes?: string[], expires_in?: string, limits?: object}} wanted
 * @returns {Promise<Key>}
 */
export const createKey = wanted => callApi('POST', '/api/keys', wanted);

/** It is good for nothing from then on. */
export const revokeKey = id => callApi('DELETE', `/api/keys/${encodeURIComponent(id)}`);

import { callApi } from './api.js';

// The server's routes for everybody's accounts, as docs/accounts.md describes them. They are for administrators.

/** @typedef {import('./auth-api.js').Account} Account */

const pathOf = id => `/api/accounts/${encodeURIComponent(id)}`;

/** @returns {Promise<Account[]>} the oldest first */
export const listAccounts = async () => (await callApi('GET', '/api/accounts')).accounts ?? [];

/**
 * @param {{email: string, password: string, name: string, role: string}} wanted
 * @returns {Promise<Account>}
 */
export const createAccount = wanted => callApi('POST', '/api/accounts', wanted);

/**
 * A new password, and being disabled, end its sessions.
 * @param {string} id
 * @param {{role?: string, disabled?: boolean, password?: string}} changes
 * @returns {Promise<Account>}
 */
export const changeAccount = (id, changes) => callApi('PATCH', pathOf(id), changes);

/** All that is stored for it goes with it. */
export const removeAccount = id => callApi('DELETE', pathOf(id));

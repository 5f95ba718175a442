import { callApi } from './api.js';

// The server's routes for who asks, as docs/accounts.md describes them.

/**
 * @typedef {object} Account
 * @property {string} id
 * @property {string} email
 * @property {string} name may be empty
 * @property {'admin'|'user'} role
 * @property {boolean} disabled whether he is let in no more
 * @property {string} created_at
 * @property {boolean} has_password false where it was made by signing in with another site's account
 */

/**
 * @typedef {object} WhoAsks
 * @property {Account|null} account null where nobody has to sign in
 * @property {string[]} scopes what the server lets him do
 * @property {string|null} csrf_token
 */

/** @returns {Promise<WhoAsks>} */
export const whoAmI = () => callApi('GET', '/api/auth/me');

/**
 * @param {{email: string, password: string}} credentials
 * @returns {Promise<WhoAsks>}
 */
export const signIn = credentials => callApi('POST', '/api/auth/login', credentials);

/**
 * Makes an account and signs in.
 * @param {{email: string, password: string, name: string}} account
 * @returns {Promise<WhoAsks>}
 */
export const register = account => callApi('POST', '/api/auth/register', account);

/** @param {boolean} everywhere whether all of the account's sessions end, and not this one alone */
export const signOut = everywhere => callApi('POST', '/api/auth/logout', everywhere ? { everywhere } : {});

/**
 * By which other sites the account's owner may sign in.
 * @param {AbortSignal} signal how long one waits for it
 * @returns {Promise<string[]>}
 */
export const linkedSites = async signal => (await callApi('GET', '/api/auth/identities', undefined, signal)).identities.map(({ provider }) => provider);

/** @param {string} site by which nobody signs in to the account any more */
export const unlinkSite = site => callApi('DELETE', `/api/auth/identities/${site}`);

/**
 * All other sessions end with it.
 * @param {{current_password?: string, password: string}} passwords an account that has none needs no current one
 */
export const changePassword = passwords => callApi('POST', '/api/auth/password', passwords);

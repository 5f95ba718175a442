import { ApiError, useSession } from './api.js';
import * as server from './auth-api.js';
import { LOCAL, closeStore, forgetAccount, keepFor, load, save, watch } from './store.js';

const AGAIN_MS = 1_000;
/** Where the browser keeps who is signed in, by which its pages tell each other. */
const KEY = 'signed-in';

/**
 * Who uses the page. Where the server has accounts nothing of the page may be seen, and nothing private asked for, before
 * it is known who that is; where it has none everybody is let in, as the owner of all that is stored.
 *
 * Once somebody is in, what the page holds is this account's for good: for another one the page begins anew. A session that
 * ends takes nothing from the page, which goes on where it was when the same account has signed in again.
 *
 * Event: `change`, when `state` or `account` may be another.
 */
export class Session extends EventTarget {
  /** @type {'unknown'|'out'|'in'} */
  state = 'unknown';
  /** @type {import('./auth-api.js').Account|null} null where nobody has to sign in */
  account = null;
  /** Shows that a request comes from this page; empty where nobody has to sign in. */
  csrfToken = '';
  /** Why it cannot be known yet who is there, in the server's words; empty where nothing stands in the way. */
  problem = '';
  /** Whether this page was in use when the session ended. */
  hasEnded = false;
  #health;
  /** Whose the page is; null for nobody's yet. */
  #owner = null;
  /** What the server wanted when the page asked last: whether one has to sign in. */
  #wanted = null;
  #asking = null;
  /** How often somebody has come in, by which an answer is known to be older than that. */
  #entries = 0;
  #timer = 0;
  /** Requests that wait until somebody is in again. */
  #waiting = [];

  /** @param {import('./health.js').HealthWatch} health */
  constructor(health) {
    super();
    this.#health = health;
    useSession({ entered: () => this.#entered(), renew: () => this.#renew() });
    health.addEventListener('change', () => this.#meet());
    watch(KEY, other => this.#otherPageSays(other));
    addEventListener('pageshow', ({ persisted }) => persisted && this.#comeBack());
    // Much may have ended while nobody looked.
    document.addEventListener('visibilitychange', () => !document.hidden && this.#owner !== null && this.check());
  }

  /** Asks the server who this is, where that matters: the answer may be that the session has ended. */
  async check() {
    if (this.#health.current.accounts) await this.#ask();
  }

  /**
   * @param {{email: string, password: string}} credentials
   * @throws {ApiError}
   */
  async signIn(credentials) {
    this.#enterAnew(await server.signIn(credentials));
  }

  /**
   * Makes an account, and signs in with it.
   * @param {{email: string, password: string, name: string}} account
   * @throws {ApiError}
   */
  async register(account) {
    this.#enterAnew(await server.register(account));
  }

  /**
   * Ends the session, and forgets all that this browser keeps for the account.
   * @param {boolean} [everywhere] ends the account's other sessions too
   * @throws {ApiError} where it has not ended
   */
  async signOut(everywhere = false) {
    try {
      await server.signOut(everywhere);
    } catch (error) {
      if (error.status !== 401) throw error;
    }
    forgetAccount();
    this.#beginAnew();
  }

  /**
   * @param {{current_password?: string, password: string}} passwords
   * @throws {ApiError}
   */
  async changePassword(passwords) {
    await server.changePassword(passwords);
    this.account = { ...this.account, has_password: true };
  }

  #meet() {
    const { phase, accounts } = this.#health.current;
    if (phase === 'connecting' || (phase === 'away' && this.#wanted === null) || accounts === this.#wanted) return;
    this.#wanted = accounts;
    if (accounts) this.#ask();
    else this.#enter({ account: null, csrf_token: null });
  }

  #ask() {
    clearTimeout(this.#timer);
    this.#asking ??= this.#askOnce().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #askOnce() {
    const entries = this.#entries;
    try {
      this.#enter(await server.whoAmI());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401 && entries === this.#entries) this.#leave();
      else if (this.state === 'unknown') this.#askAgain(error.message);
    }
  }

  #askAgain(problem) {
    this.#timer = setTimeout(() => this.#ask(), AGAIN_MS);
    this.problem = problem;
    this.#set('unknown');
  }

  /**
   * A request was refused because nobody is signed in.
   * @returns {Promise<boolean>} whether it may be made again
   */
  async #renew() {
    // It may be that this server has accounts since a short while only, or wants a key, which no page has.
    if (!this.#health.current.accounts) await this.#health.check();
    if (!this.#health.current.accounts) return false;
    await this.#ask();
    await this.#entered();
    return true;
  }

  /** Waits until somebody is in. */
  async #entered() {
    if (this.state !== 'in') await new Promise(resolve => this.#waiting.push(resolve));
  }

  /** Somebody has signed in here: the browser's other pages learn it. */
  #enterAnew(who) {
    save(KEY, { id: who.account.id, at: Date.now() });
    this.#enter(who);
  }

  #enter({ account, csrf_token: csrfToken }) {
    const owner = account?.id ?? LOCAL;
    if (this.#owner !== null && this.#owner !== owner) return this.#beginAnew();
    this.#owner = owner;
    this.#entries++;
    this.account = account;
    keepFor(owner);
    if (account && load(KEY)?.id !== owner) save(KEY, { id: owner, at: Date.now() });
    this.#bring(csrfToken ?? '');
    this.#set('in');
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #leave() {
    this.hasEnded = this.#owner !== null;
    this.#bring('');
    this.#set('out');
  }

  /** From now on requests bring this token. */
  #bring(csrfToken) {
    this.csrfToken = csrfToken;
    useSession({ csrfToken });
  }

  #set(state) {
    this.state = state;
    if (state !== 'unknown') this.problem = '';
    this.dispatchEvent(new Event('change'));
  }

  /** @param {{id: string}|null} other who has signed in there; null: somebody has signed out */
  #otherPageSays(other) {
    if (other !== null) {
      this.check();
    } else if (this.account !== null) {
      // This page may have kept something since.
      forgetAccount();
      this.#beginAnew();
    }
  }

  /** The browser shows a page again that one has left. */
  #comeBack() {
    if (this.account === null || load(KEY)?.id === this.#owner) return;
    closeStore();
    this.#beginAnew();
  }

  /** The page as it is for someone who comes for the first time, without the address of a chat. */
  #beginAnew() {
    history.replaceState(null, '', location.pathname + location.search);
    location.reload();
  }
}

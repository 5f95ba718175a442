import { ApiError, fetchHealth } from './api.js';
import { formatBytes, formatPercent } from './format.js';
import { knownSites } from './sign-in-elsewhere.js';

const WAITING_MS = 1_000;
const READY_MS = 15_000;

/**
 * @typedef {object} Health
 * @property {'connecting'|'ready'|'downloading'|'loading'|'unavailable'|'failed'|'away'} phase
 * @property {string} model
 * @property {number|null} progress 0 to 1; null where unknown
 * @property {string} message the server's own words
 * @property {string} database whether chats can be stored: `ready`, `opening`, `unavailable`, or empty where it is not said
 * @property {boolean} accounts whether one has to sign in
 * @property {'open'|'closed'|'first'} registration who may make an account: everybody, nobody, or the one who comes first
 * @property {string[]} sites with whose accounts one can sign in
 * @property {number} [bytesDone]
 * @property {number} [bytesTotal]
 */

const NOTHING_SAID = { model: '', progress: null, message: '', database: '', accounts: false, registration: 'closed', sites: [] };

/** Watches the server's health. Event: `change`, when something that a person would see has changed. */
export class HealthWatch extends EventTarget {
  /** @type {Health} */
  current = { phase: 'connecting', ...NOTHING_SAID };
  #timer = 0;
  #asking = null;

  /** Begins to watch. Also looks at once when the network comes back or the page is shown again. */
  start() {
    addEventListener('online', () => this.check());
    document.addEventListener('visibilitychange', () => document.hidden || this.check());
    return this.check();
  }

  /** Looks now. */
  check() {
    this.#asking ??= this.#look().finally(() => (this.#asking = null));
    return this.#asking;
  }

  /** Tells what is known once more, for those who listen only now. */
  tell() {
    this.dispatchEvent(new Event('change'));
  }

  async #look() {
    clearTimeout(this.#timer);
    const seen = await look(this.current);
    this.#timer = setTimeout(() => this.check(), seen.phase === 'ready' ? READY_MS : WAITING_MS);
    if (JSON.stringify(seen) === JSON.stringify(this.current)) return;
    this.current = seen;
    this.tell();
  }
}

/**
 * @param {Health} before
 * @returns {Promise<Health>}
 */
async function look({ accounts, registration, sites }) {
  try {
    const body = await fetchHealth();
    // A server without this route is another product's; it will say for itself when it is not ready.
    return body === null ? { phase: 'ready', ...NOTHING_SAID } : toHealth(body);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Who is let in does not change with a server that is away for a while.
    return { phase: 'away', ...NOTHING_SAID, accounts, registration, sites };
  }
}

const REGISTRATIONS = ['open', 'closed', 'first'];
const PHASES = ['ready', 'downloading', 'loading', 'unavailable', 'failed'];

/**
 * @param {object} body of GET /api/health
 * @returns {Health}
 */
export function toHealth(body) {
  const health = {
    phase: PHASES.includes(body.status) ? body.status : 'unavailable',
    model: typeof body.model === 'string' ? body.model : '',
    progress: Number.isFinite(body.progress) ? Math.min(Math.max(body.progress, 0), 1) : null,
    message: typeof body.message === 'string' ? body.message : '',
    database: typeof body.database?.status === 'string' ? body.database.status : '',
    accounts: body.accounts === true,
    registration: REGISTRATIONS.includes(body.registration) ? body.registration : 'closed',
    sites: knownSites(body.sign_in),
  };
  if (body.bytes_total > 0) Object.assign(health, { bytesDone: Number(body.bytes_done) || 0, bytesTotal: Number(body.bytes_total) });
  return health;
}

/**
 * What to say about the server's state: one line, and a second one with more, which may be empty.
 * @param {Health} health
 * @returns {{title: string, detail: string}}
 */
export function describeHealth({ phase, model, progress, message, bytesDone, bytesTotal }) {
  const name = model || 'the model';
  switch (phase) {
    case 'connecting':
      return { title: 'Connecting…', detail: '' };
    case 'ready':
      return { title: 'Ready', detail: model };
    case 'loading':
      return { title: `Model is loading… ${progress === null ? '' : formatPercent(progress)}`.trimEnd(), detail: message || model };
    case 'downloading': {
      const part = progress === null ? '' : formatPercent(progress);
      const amount = bytesTotal ? `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}` : part;
      return { title: `Downloading model… ${amount}`.trimEnd(), detail: message || model };
    }
    case 'failed':
      return { title: `${name[0].toUpperCase()}${name.slice(1)} could not be loaded`, detail: message };
    case 'away':
      return { title: 'The server is not reachable', detail: 'Trying again every second. Nothing you wrote is lost.' };
    default:
      return { title: 'The model is not available right now', detail: message || 'It will be back as soon as its process is running.' };
  }
}

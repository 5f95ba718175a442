import { load, save } from './store.js';

const KEY = 'settings';

/** Sampling fields: their names in a request and the numbers they may have. */
export const SAMPLING = {
  temperature: { min: 0, max: 2, integer: false },
  top_p: { min: 0, max: 1, integer: false },
  max_tokens: { min: 1, max: 131_072, integer: true },
  top_k: { min: 0, max: 1000, integer: true },
  min_p: { min: 0, max: 1, integer: false },
  repeat_penalty: { min: 0.1, max: 10, integer: false },
  seed: { min: 0, max: 4_294_967_295, integer: true },
};

/**
 * A number as a person typed it, or null where the server shall choose.
 * @param {keyof SAMPLING} name
 * @param {string} text
 * @returns {number|null}
 * @throws {RangeError} with a message for people
 */
export function parseSampling(name, text) {
  if (text.trim() === '') return null;
  const { min, max, integer } = SAMPLING[name];
  const value = Number(text.replace(',', '.'));
  if (!Number.isFinite(value) || value < min || value > max || (integer && !Number.isInteger(value))) {
    throw new RangeError(`Give ${integer ? 'a whole number' : 'a number'} from ${min} to ${max.toLocaleString('en')}, or nothing.`);
  }
  return value;
}

/** What a person has chosen, kept in this browser. Event: `change`. */
export class Settings extends EventTarget {
  system = '';
  /** The model that new chats begin with; empty for the server's default. */
  model = '';
  /** Only what was set. */
  sampling = {};
  singleKeys = true;

  constructor() {
    super();
    const kept = load(KEY);
    if (typeof kept?.system === 'string') this.system = kept.system;
    if (typeof kept?.model === 'string') this.model = kept.model;
    if (typeof kept?.singleKeys === 'boolean') this.singleKeys = kept.singleKeys;
    for (const name of Object.keys(SAMPLING)) this.#restore(name, kept?.sampling?.[name]);
  }

  #restore(name, value) {
    try {
      const number = parseSampling(name, String(value ?? ''));
      if (number !== null) this.sampling[name] = number;
    } catch {
      // Not a value that could be set today.
    }
  }

  /**
   * @param {{system?: string, model?: string, sampling?: object, singleKeys?: boolean}} changes
   */
  set(changes) {
    Object.assign(this, changes);
    const { system, model, sampling, singleKeys } = this;
    save(KEY, { system, model, sampling, singleKeys });
    this.dispatchEvent(new Event('change'));
  }
}

import { readEvents } from './sse.js';

/**
 * Why a request did not work, in words for people.
 * `code` is the server's own, or `unreachable` (no answer at all) or `cut` (the answer broke off).
 */
export class ApiError extends Error {
  constructor(message, { status = 0, code = '', retryAfter = null } = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/**
 * @typedef {object} Delta one step of an answer; only what is new is set
 * @property {string} [content]
 * @property {string} [reasoning]
 * @property {string} [finish] the finish reason
 * @property {object} [usage] OpenAI's usage
 * @property {object} [timings] the server's own timings
 */

/**
 * Streams an answer from POST /v1/chat/completions of any OpenAI-compatible server.
 * @param {object} request body without the stream fields
 * @param {AbortSignal} signal ends the request, and with it the work on the server
 * @returns {AsyncGenerator<Delta>}
 * @throws {ApiError} also in the middle of the answer
 */
export async function* streamChat(request, signal) {
  const response = await send('/v1/chat/completions', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
    body: JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } }),
    signal,
  });
  if (!response.ok) throw await errorOf(response);
  let finished = false;
  try {
    for await (const { event, data } of readEvents(response.body)) {
      if (data === '[DONE]') return;
      const chunk = parseJson(data);
      if (event === 'error' || chunk?.error) throw errorFrom(chunk?.error ?? chunk, 0);
      const delta = toDelta(chunk);
      finished ||= delta.finish !== undefined;
      yield delta;
    }
  } catch (error) {
    if (error instanceof ApiError || signal.aborted) throw error;
    throw new ApiError('The connection broke before the answer was complete.', { code: 'cut' });
  }
  if (!finished) throw new ApiError('The connection ended before the answer was complete.', { code: 'cut' });
}

/**
 * The server's health, also when it answers with an error status. `null` where the server has no such route.
 * @returns {Promise<object|null>}
 * @throws {ApiError} with code `unreachable` where nobody answers
 */
export async function fetchHealth() {
  const response = await send('/api/health', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
  if (response.status === 404) return null;
  const body = parseJson(await response.text().catch(() => ''));
  if (typeof body?.status !== 'string') {
    throw new ApiError('The server does not answer as expected.', { status: response.status, code: 'unreachable' });
  }
  return body;
}

/**
 * Asks one of the product's own routes, which answer `{"success":true,"data":…}`.
 * @param {'GET'|'POST'|'PATCH'|'DELETE'} method
 * @param {string} path
 * @param {object|string} [body] sent as JSON; a string is JSON already
 * @param {AbortSignal} [signal] how long one waits for it
 * @returns {Promise<object>} `data`
 * @throws {ApiError}
 */
export async function callApi(method, path, body, signal) {
  const options = { method, cache: 'no-store', headers: { Accept: 'application/json' }, signal };
  if (body !== undefined) {
    options.headers['Content-Type'] = 'application/json';
    options.body = typeof body === 'string' ? body : JSON.stringify(body);
  }
  const response = await send(path, options);
  if (!response.ok) throw await errorOf(response);
  const answer = parseJson(await response.text().catch(() => ''));
  if (answer?.data === undefined) throw new ApiError('The server does not answer as expected.', { status: response.status, code: 'unexpected' });
  return answer.data;
}

/** What a session adds to requests; without accounts nothing. */
const session = { csrfToken: '', entered: async () => {}, renew: async () => false };
/** What a stranger may ask for. */
const OPEN_PATHS = /^\/api\/(?:auth\/(?!identities)|health$)/;

/**
 * @param {object} changes
 * @param {string} [changes.csrfToken] goes with every request that changes something; empty for none
 * @param {() => Promise<void>} [changes.entered] waits until somebody is in
 * @param {() => Promise<boolean>} [changes.renew] asked when the server wants to know who asks; once somebody has signed in
 *   again it says true, and the request is made again
 */
export function useSession(changes) {
  Object.assign(session, changes);
}

function toDelta(chunk) {
  const choice = chunk?.choices?.[0];
  const delta = {};
  if (choice?.delta?.content) delta.content = String(choice.delta.content);
  const reasoning = choice?.delta?.reasoning_content ?? choice?.delta?.reasoning;
  if (reasoning) delta.reasoning = String(reasoning);
  if (choice?.finish_reason) delta.finish = choice.finish_reason;
  if (chunk?.usage) delta.usage = chunk.usage;
  if (chunk?.timings) delta.timings = chunk.timings;
  return delta;
}

/**
 * A request as `fetch` makes it, for whoever is signed in. Where nobody is, or the session has ended, it waits until somebody is,
 * or until it is given up.
 * @param {string} path
 * @param {RequestInit & {headers?: Record<string, string>}} [options]
 * @throws {ApiError} with code `unreachable` where nobody answers
 */
export async function send(path, options = {}) {
  if (OPEN_PATHS.test(path)) return attempt(path, options);
  await unlessGivenUp(session.entered(), options.signal);
  const response = await attempt(path, options);
  return (await isStranger(response)) && (await unlessGivenUp(session.renew(), options.signal)) ? attempt(path, options) : response;
}

/** What comes of it, or an error as soon as the signal says that nobody waits for it any more. */
function unlessGivenUp(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(errorOfFetch(signal.reason, signal));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

/** Whether the server does not know, or not believe, who asks: nobody is signed in, or somebody anew on another page. */
async function isStranger(response) {
  if (response.status !== 403) return response.status === 401;
  const body = parseJson(await response.clone().text().catch(() => ''));
  return (body?.code ?? body?.error?.code) === 'csrf_token_missing';
}

async function attempt(path, options) {
  const { method = 'GET', headers } = options;
  const token = method === 'GET' ? '' : session.csrfToken;
  try {
    return await fetch(path, token === '' ? options : { ...options, headers: { ...headers, 'x-csrf-token': token } });
  } catch (error) {
    throw errorOfFetch(error, options.signal);
  }
}

/** Whoever ended a request himself hears so; all else is that nobody answers, or not in time. */
function errorOfFetch(error, signal) {
  return signal?.aborted && error.name === 'AbortError' ? error : new ApiError('The server cannot be reached.', { code: 'unreachable' });
}

/**
 * Why the server refused, in its own words.
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
export async function errorOf(response) {
  const body = parseJson(await response.text().catch(() => ''));
  const retryAfter = Number.parseInt(response.headers.get('Retry-After') ?? '', 10);
  return errorFrom(body?.error, response.status, Number.isFinite(retryAfter) ? retryAfter : null, body?.code);
}

function errorFrom(error, status, retryAfter = null, code = error?.code) {
  const said = typeof error === 'string' ? error : error?.message;
  return new ApiError(said || defaultMessage(status), { status, code: String(code ?? ''), retryAfter });
}

function defaultMessage(status) {
  if (status === 413) return 'The conversation is too long for the server.';
  if (status === 429) return 'The server is busy: too many requests at once.';
  if (status === 503) return 'The model is not ready yet.';
  return status ? `The server answered with status ${status}.` : 'The server reported an error.';
}

/**
 * @param {string} text
 * @returns {*} null where it is no JSON
 */
export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

import { callApi } from './api.js';

// The server's routes for those who look after it. What it does not say is null, an empty text or an empty list.

/** A server that takes longer has other troubles; it is asked again. */
const PATIENCE_MS = 10_000;

/**
 * @typedef {object} Point what was in one short span of time
 * @property {string} at as the server writes it
 * @property {number} time the same in milliseconds
 * @property {number|null} tokensPerSecond
 * @property {number|null} firstTokenMs median; null where no answer began
 * @property {number|null} firstTokenMsP95
 * @property {number|null} running
 * @property {number|null} queued
 *
 * @typedef {object} Engine
 * @property {string} model
 * @property {number|null} slots
 * @property {number|null} slotsInUse
 * @property {number|null} queued
 * @property {number|null} queueCapacity
 * @property {number|null} kvTokensUsed
 * @property {number|null} kvTokensCapacity
 * @property {number|null} tokensPerSecond
 * @property {number|null} promptTokens since it was started
 * @property {number|null} cachedTokens how many of those did not have to be read again
 *
 * @typedef {object} ServerNode
 * @property {string} address
 * @property {string} state up, silent, draining or down
 * @property {string} version
 * @property {string} llamaCpp
 * @property {number|null} uptimeSeconds
 * @property {string[]} notices
 * @property {{name: string, description: string, memoryTotal: number|null, memoryFree: number|null}[]} devices
 * @property {{name: string, state: string, isDefault: boolean, progress: number|null, memoryBytes: number|null}[]} models
 * @property {Engine[]} engines
 *
 * @typedef {object} ServerState
 * @property {string} version
 * @property {string} startedAt empty where it is not said
 * @property {number|null} uptimeSeconds
 * @property {string} status
 * @property {string} model
 * @property {{status: string, message: string}} database
 * @property {ServerNode[]} nodes
 * @property {number} intervalMs between two points
 * @property {Point[]} points the oldest first
 *
 * @typedef {object} Use
 * @property {number} requests
 * @property {number} promptTokens
 * @property {number} cachedTokens of the prompt
 * @property {number} completionTokens
 *
 * @typedef {object} Usage
 * @property {string} from a day, as `2026-11-02`; empty where it is not said
 * @property {string} to
 * @property {(Use & {day: string})[]} days those that had any, the oldest first
 * @property {(Use & {id: string, kind: string, ownId: string, name: string, lastUsedAt: string})[]} by who used it, most tokens first
 */

/**
 * What the server does now, and what it did lately.
 * @param {string} [after] only points that came after this one
 * @returns {Promise<ServerState>}
 * @throws {ApiError}
 */
export async function fetchServer(after = '') {
  const path = after === '' ? '/api/server' : `/api/server?after=${encodeURIComponent(after)}`;
  return toServer(await callApi('GET', path, undefined, AbortSignal.timeout(PATIENCE_MS)));
}

/**
 * What the server was used for, by whom and on which day.
 * @param {number} days up to today
 * @returns {Promise<Usage>}
 * @throws {ApiError}
 */
export async function fetchUsage(days) {
  return toUsage(await callApi('GET', `/api/usage?days=${days}`, undefined, AbortSignal.timeout(PATIENCE_MS)));
}

/** @returns {ServerState} */
export function toServer(said) {
  return {
    version: text(said?.version),
    startedAt: moment(said?.started_at),
    uptimeSeconds: amount(said?.uptime_seconds),
    status: text(said?.status),
    model: text(said?.model),
    database: { status: text(said?.database?.status), message: text(said?.database?.message) },
    nodes: list(said?.nodes).map(toNode),
    intervalMs: (amount(said?.history?.interval_seconds) || 2) * 1_000,
    points: list(said?.history?.points).filter(point => moment(point?.at) !== '').map(toPoint),
  };
}

/** @returns {Usage} */
export function toUsage(said) {
  return {
    from: day(said?.from),
    to: day(said?.to),
    days: list(said?.days).filter(each => day(each?.day) !== '').map(each => ({ day: each.day, ...toUse(each) })),
    by: list(said?.by).map(toUser),
  };
}

function toPoint(point) {
  return {
    at: point.at,
    time: Date.parse(point.at),
    tokensPerSecond: amount(point.tokens_per_second),
    firstTokenMs: amount(point.first_token_ms),
    firstTokenMsP95: amount(point.first_token_ms_p95),
    running: amount(point.running),
    queued: amount(point.queued),
  };
}

function toNode(node) {
  return {
    address: text(node?.address),
    state: text(node?.state),
    version: text(node?.version),
    llamaCpp: text(node?.llama_cpp),
    uptimeSeconds: amount(node?.uptime_seconds),
    notices: list(node?.notices).map(text).filter(notice => notice !== ''),
    devices: list(node?.devices).map(toDevice),
    models: list(node?.models).map(toModel),
    engines: list(node?.engines).map(toEngine),
  };
}

function toDevice(device) {
  return {
    name: text(device?.name),
    description: text(device?.description),
    memoryTotal: amount(device?.memory_total_bytes),
    memoryFree: amount(device?.memory_free_bytes),
  };
}

function toModel(model) {
  return {
    name: text(model?.name),
    state: text(model?.state),
    isDefault: model?.is_default === true,
    progress: amount(model?.progress),
    memoryBytes: amount(model?.memory_bytes),
  };
}

function toEngine(engine) {
  return {
    model: text(engine?.model),
    slots: amount(engine?.slots),
    slotsInUse: amount(engine?.slots_in_use),
    queued: amount(engine?.queued),
    queueCapacity: amount(engine?.queue_capacity),
    kvTokensUsed: amount(engine?.kv_tokens_used),
    kvTokensCapacity: amount(engine?.kv_tokens_capacity),
    tokensPerSecond: amount(engine?.tokens_per_second),
    promptTokens: amount(engine?.prompt_tokens_total),
    cachedTokens: amount(engine?.cached_tokens_total),
  };
}

function toUse(use) {
  return {
    requests: amount(use?.requests) ?? 0,
    promptTokens: amount(use?.prompt_tokens) ?? 0,
    cachedTokens: amount(use?.cached_tokens) ?? 0,
    completionTokens: amount(use?.completion_tokens) ?? 0,
  };
}

function toUser(user) {
  const [kind, ownId] = [text(user?.kind), text(user?.id)];
  // An account and a key may have the same id.
  return { id: `${kind} ${ownId}`, kind, ownId, name: text(user?.name), lastUsedAt: moment(user?.last_used_at), ...toUse(user) };
}

const text = value => (typeof value === 'string' ? value : '');
const list = value => (Array.isArray(value) ? value : []);
/** All that is counted and measured here is 0 or more. */
const amount = value => (Number.isFinite(value) && value >= 0 ? value : null);
const moment = value => (Number.isFinite(Date.parse(text(value))) ? value : '');
const day = value => (/^\d{4}-\d\d-\d\d$/.test(text(value)) ? moment(value) : '');

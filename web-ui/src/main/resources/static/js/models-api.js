import { ApiError, callApi, errorOf, parseJson, send } from './api.js';
import { readEvents } from './sse.js';

/**
 * @typedef {object} ModelInfo
 * @property {string} name
 * @property {string} state absent, downloading, on_disk, loading, ready, failed, or '' where the server does not say
 * @property {number|null} progress 0 to 1
 * @property {string} reason why it failed
 * @property {boolean} isDefault
 * @property {boolean} hasFile whether it is on disk
 * @property {boolean} isKnown whether the server knows where to get it
 * @property {number} sizeBytes 0 where unknown
 * @property {number} bytesDone while it is being fetched
 * @property {number} bytesPerSecond while it is being fetched; 0 where unknown
 * @property {number} memoryBytes what it holds in memory
 * @property {string} quantization
 * @property {number} parameters 0 where unknown
 * @property {string} licence
 */

/**
 * The models that the server knows. A server of another make is asked by OpenAI's route.
 * @returns {Promise<ModelInfo[]>}
 * @throws {ApiError}
 */
export async function fetchModels() {
  let response = await send('/api/models', { cache: 'no-store' });
  if (response.status === 404) response = await send('/v1/models', { cache: 'no-store' });
  if (!response.ok) throw await errorOf(response);
  const body = parseJson(await response.text());
  const list = Array.isArray(body?.data) ? body.data : body?.data?.models;
  return (Array.isArray(list) ? list : []).map(toModel).filter(model => model.name !== '');
}

function toModel(model) {
  const number = value => (Number.isFinite(value) ? value : 0);
  return {
    name: String(model?.name ?? model?.id ?? ''),
    state: String(model?.state ?? '').toLowerCase().replace(/^model_state_/, '').replace(/[\s-]/g, '_'),
    progress: Number.isFinite(model?.progress) ? model.progress : null,
    reason: String(model?.reason ?? ''),
    isDefault: model?.is_default === true,
    hasFile: Boolean(model?.last_modified),
    isKnown: Boolean(model?.file_name),
    sizeBytes: number(model?.size_bytes),
    bytesDone: number(model?.bytes_done),
    bytesPerSecond: number(model?.bytes_per_second),
    memoryBytes: number(model?.memory_bytes),
    quantization: String(model?.quantization ?? ''),
    parameters: number(model?.parameters),
    licence: String(model?.licence ?? ''),
  };
}

const pathOf = (name, what = '') => `/api/models/${encodeURIComponent(name)}${what}`;

/**
 * Fetches a model, and ends when it is there. What it goes through is in the list of models.
 * @param {string} name of the catalogue, `hf:owner/repo/file.gguf` or an https address
 * @throws {ApiError}
 */
export const pullModel = name => untilDone(pathOf(name));

/**
 * Brings a model into memory, and ends when it is there.
 * @param {string} name
 * @throws {ApiError}
 */
export const loadModel = name => untilDone(pathOf(name, '/load'));

/** Ends a download, whoever began it. */
export const cancelPull = name => callApi('POST', pathOf(name, '/cancel'));

/** Takes a model out of memory. */
export const unloadModel = name => callApi('POST', pathOf(name, '/unload'));

/** Removes a model's file, or what is known of a failed download. */
export const deleteModel = name => callApi('DELETE', pathOf(name));

async function untilDone(path) {
  const response = await send(path, { method: 'POST', headers: { Accept: 'text/event-stream' } });
  if (!response.ok) throw await errorOf(response);
  try {
    for await (const { data } of readEvents(response.body)) {
      const event = parseJson(data);
      if (event?.type === 'error') throw new ApiError(String(event.error), { code: String(event.code ?? '') });
      if (event?.type === 'done') return;
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
  }
  // The server goes on without us, and the list says how far it is.
}

// What the product says of itself to those who look after it: GET /api/server and GET /api/usage.

const INTERVAL_MS = 2_000;
const BEGAN = Date.parse('2026-12-01T10:00:00Z');

export class ScriptedOverview {
  /** What is said beside the history; a test changes what it is about. */
  server = {
    version: '0.1.0', started_at: new Date(BEGAN).toISOString(), uptime_seconds: 812.4, status: 'ready', model: 'tiny-model',
    database: { status: 'ready', message: '' }, requests_in_flight: 3, nodes: [node()],
  };
  /** @type {object[]} the oldest first */
  points = [];
  by = [
    use('account', 'user_1', 'Ana', 10, 900, 400, 1_200, '2026-01-08T12:00:00Z'),
    use('key', 'key_1', 'nightly build', 4, 300, 0, 200, '2026-01-05T12:00:00Z'),
  ];
  /** How much was used so many days before the last one: tokens of the prompts and of the answers. */
  days = new Map([[0, [900, 1_200]], [4, [300, 200]]]);
  /** Why a route refuses, by its path: status, error and code. */
  refusals = new Map();
  /** Answers wait for it, by the path. */
  holds = new Map();
  /** What was asked for, with what stands behind the question mark. */
  asked = [];

  /** One more point, two seconds after the last one. */
  add(point = {}) {
    const at = new Date(BEGAN + 600_000 + this.points.length * INTERVAL_MS).toISOString();
    this.points.push({ at, tokens_per_second: 0, first_token_ms: null, first_token_ms_p95: null, running: 0, queued: 0, ...point });
  }

  /**
   * @param {URL} url
   * @param {boolean} isAllowed whether whoever asks looks after the server
   * @returns {Promise<boolean>} whether it was about this
   */
  async handle(response, url, isAllowed) {
    const path = url.pathname;
    if (path !== '/api/server' && path !== '/api/usage') return false;
    this.asked.push(path + url.search);
    const refusal = isAllowed ? this.refusals.get(path) : { status: 403, error: 'This needs the scope admin.', code: 'insufficient_scope' };
    // It is what it was when it was asked for.
    const body = JSON.stringify(refusal ? { success: false, ...refusal } : { success: true, data: path === '/api/server' ? this.#server(url) : this.#usage(url) });
    await this.holds.get(path);
    response.writeHead(refusal?.status ?? 200, { 'Content-Type': 'application/json' });
    response.end(body);
    return true;
  }

  /** What was asked of one route. */
  askedOf(path) {
    return this.asked.filter(each => each.startsWith(path));
  }

  #server({ searchParams }) {
    const after = searchParams.get('after') ?? '';
    return { ...this.server, history: { interval_seconds: INTERVAL_MS / 1_000, points: this.points.filter(({ at }) => at > after) } };
  }

  #usage({ searchParams }) {
    const count = Number(searchParams.get('days'));
    const days = [...this.days].filter(([before]) => before < count).sort(([a], [b]) => b - a)
      .map(([before, [prompt, completion]]) => ({ day: dayBefore(before), requests: 1, prompt_tokens: prompt, cached_tokens: 0, completion_tokens: completion }));
    return { from: dayBefore(count - 1), to: dayBefore(0), days, by: this.by };
  }
}

/** A node with one engine. */
export function node(changes = {}) {
  return {
    address: '127.0.0.1:9090', state: 'up', version: '0.1.0', llama_cpp: 'v0.5.0 (abc1234)', uptime_seconds: 800.1, requests_in_flight: 3, notices: [],
    devices: [{ name: 'CPU', description: 'AMD EPYC', kind: 'cpu', memory_total_bytes: 25_000_000_000, memory_free_bytes: 12_000_000_000 }],
    models: [{ name: 'tiny-model', state: 'ready', is_default: true, progress: 1, memory_bytes: 493_000_000 }],
    engines: [engine()],
    ...changes,
  };
}

export function engine(changes = {}) {
  return {
    model: 'tiny-model', slots: 4, slots_in_use: 3, queued: 0, queue_capacity: 64, kv_tokens_used: 812, kv_tokens_capacity: 16_384,
    tokens_per_second: 41.2, requests_total: 90, requests_rejected: 0, requests_cancelled: 2, prompt_tokens_total: 9_000,
    cached_tokens_total: 4_000, completion_tokens_total: 12_000,
    ...changes,
  };
}

export function use(kind, id, name, requests, prompt, cached, completion, lastUsedAt) {
  return { kind, id, name, requests, prompt_tokens: prompt, cached_tokens: cached, completion_tokens: completion, last_used_at: lastUsedAt };
}

const dayBefore = days => new Date(BEGAN - days * 86_400_000).toISOString().slice(0, 10);

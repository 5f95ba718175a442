// A small server whose answers are scripted by the test, with the page and the product's own headers: OpenAI's chat,
// stored conversations, accounts, and what the server says of itself.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ScriptedAccounts } from './scripted-accounts.mjs';
import { ScriptedChats } from './scripted-chats.mjs';
import { ScriptedModels } from './scripted-models.mjs';
import { ScriptedOverview } from './scripted-overview.mjs';

const STATIC = fileURLToPath(new URL('../src/main/resources/static', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * @typedef {object} Script how the next answer goes
 * @property {number} [status] an error status, with `error` and `headers`
 * @property {object} [error] OpenAI's error object; without `status` it comes as an event after the pieces
 * @property {object} [headers]
 * @property {string[]} [reasoning] pieces
 * @property {string[]} [pieces] of the answer's text
 * @property {number} [everyMs] time between two pieces
 * @property {Promise} [hold] waited for in front of the first piece
 * @property {Promise} [thinks] waited for between the reasoning and the text
 * @property {Promise} [lasts] waited for behind the last piece
 * @property {boolean|Promise} [breaks] the connection breaks after the pieces, or then
 * @property {boolean} [stays] the answer stays open after the pieces until the client goes
 * @property {string} [finish] finish reason
 * @property {object} [leftOut] what of a stored conversation the model is not given
 */

export class ScriptedServer {
  health = { status: 'ready', model: 'tiny-model', progress: 1 };
  models = [
    { name: 'tiny-model', state: 'ready', size_bytes: 98_362_432, progress: 1 },
    { name: 'larger-model', state: 'on_disk', size_bytes: 2_019_377_696 },
  ];
  /** What is done with models; it changes `models`. */
  modelWork = new ScriptedModels(this);
  /** @type {(Script|((question: string) => Script))[]} the last one stays */
  scripts = [{ pieces: ['Hello'] }];
  /** What the model was given: bodies of OpenAI's chat, and the same of stored conversations. */
  requests = [];
  chats = this.#newChats();
  /** Who may ask, and with which keys; without accounts everybody has `chats`. */
  accounts = new ScriptedAccounts(id => (id === 'local' ? this.chats : this.#newChats()));
  /** What it says of itself to those who look after it. */
  overview = new ScriptedOverview();
  /** Whether to be a server of another make, without /api. */
  withoutOwnRoutes = false;
  /** How many streams the client left early. */
  left = 0;
  /** Paths asked for. */
  paths = [];
  #server = createServer((request, response) => this.#route(request, response).catch(() => response.destroy()));
  #port = 0;

  async start() {
    await new Promise(resolve => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = this.#server.address().port;
    return this;
  }

  /** Goes away; `start()` comes back on the same port. */
  async stop() {
    const closed = new Promise(resolve => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}/`;
  }

  #newChats() {
    return new ScriptedChats(question => this.#nextScript(question), request => this.requests.push(request));
  }

  #nextScript(question) {
    const script = this.scripts.length > 1 ? this.scripts.shift() : this.scripts[0];
    return typeof script === 'function' ? script(question) : script;
  }

  async #route(request, response) {
    const url = new URL(request.url, this.url);
    const path = url.pathname;
    this.paths.push(path);
    if (this.withoutOwnRoutes && path.startsWith('/api/')) return this.#json(response, {}, 404);
    let read;
    const readBody = () => (read ??= bodyOf(request));
    if (await this.accounts.handle(request, response, path, readBody)) return;
    if (path === '/v1/models') return this.#json(response, { object: 'list', data: this.models.map(({ name }) => ({ id: name, object: 'model' })) });
    if (path === '/v1/chat/completions') return this.#chat(request, response);
    if (await this.accounts.chatsOf(request).handle(request, response, url, readBody)) return;
    if (path === '/api/health') {
      const database = { status: this.chats.available ? 'ready' : 'unavailable' };
      return this.#json(response, { success: true, data: 'OK', ...this.accounts.health, ...this.health, database, timestamp: new Date().toISOString() });
    }
    if (await this.overview.handle(response, url, this.accounts.mayDo(request, 'admin'))) return undefined;
    if (this.modelWork.handle(request, response, path)) return undefined;
    if (path === '/api/models') return this.#json(response, { success: true, data: { models: this.models } });
    return this.#file(path === '/' ? '/index.html' : path, response);
  }

  #json(response, body, status = 200, headers = {}) {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  }

  async #file(path, response) {
    const bytes = await readFile(join(STATIC, normalize(path))).catch(() => null);
    if (bytes === null) return this.#json(response, { error: 'no such file' }, 404);
    response.writeHead(200, {
      'Content-Type': `${TYPES[extname(path)] ?? 'text/plain'}; charset=utf-8`,
      'Content-Security-Policy': CSP,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
    });
    response.end(bytes);
  }

  async #chat(request, response) {
    const body = await bodyOf(request);
    this.requests.push(body);
    const script = this.#nextScript(body.messages.at(-1).content);
    if (script.status) return this.#json(response, { error: script.error ?? null }, script.status, script.headers);

    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    let open = true;
    const gone = new Promise(resolve => response.on('close', resolve)).then(() => {
      open = false;
      if (!response.writableEnded && !response.destroyedHere) this.left++;
    });
    response.write(': ping\n\n');
    await Promise.race([script.hold, gone]);
    await this.#stream(script, response, () => open);
    if (script.stays) return gone;
    if (!open) return;
    if (script.breaks) {
      await script.breaks;
      response.destroyedHere = true;
      return response.destroy();
    }
    if (script.error) return response.end(`data: ${JSON.stringify({ error: script.error })}\n\n`);
    this.#finish(script, body, response);
  }

  async #stream({ reasoning = [], pieces = [], everyMs = 0, thinks, lasts }, response, isOpen) {
    for (const [field, texts, pause] of [['reasoning_content', reasoning, thinks], ['content', pieces, lasts]]) {
      for (const text of texts) {
        if (!isOpen()) return;
        response.write(event({ choices: [{ index: 0, delta: { [field]: text }, finish_reason: null }] }));
        if (everyMs > 0) await new Promise(resolve => setTimeout(resolve, everyMs));
      }
      await pause;
    }
  }

  #finish({ pieces = [], finish = 'stop' }, body, response) {
    response.write(event({ choices: [{ index: 0, delta: {}, finish_reason: finish }] }));
    const tokens = pieces.length;
    if (body.stream_options?.include_usage) {
      const usage = { prompt_tokens: 12, completion_tokens: tokens, total_tokens: 12 + tokens };
      response.write(event({ choices: [], usage, timings: { predicted_n: tokens, predicted_per_second: 51.5 } }));
    }
    response.end('data: [DONE]\n\n');
  }
}

async function bodyOf(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? undefined : JSON.parse(text);
}

function event(chunk) {
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 0, model: 'tiny-model', ...chunk })}\n\n`;
}

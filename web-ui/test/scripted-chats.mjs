// Stored conversations and their durable stream as docs/rest.md describes them, in memory, with scripted answers.

const now = () => new Date().toISOString();
const NOT_FOUND = { status: 404, body: { success: false, error: 'There is no such conversation.', code: 'conversation_not_found' } };

export class ScriptedChats {
  /** @type {Map<string, object>} each with its `messages` */
  all = new Map();
  /** Whether the database is there. */
  available = true;
  /** The title that the model gives after a first answer; empty for none. */
  title = '';
  /** How many files it still takes in. */
  takesFiles = Infinity;
  /** With which positions the durable stream was opened; null for the present. */
  positions = [];
  #nextScript;
  #noteRequest;
  #events = [];
  #readers = new Set();
  #running = new Map();
  #count = 0;

  /**
   * @param {(question: string) => import('./scripted-server.mjs').Script} nextScript
   * @param {(request: object) => void} noteRequest what a model would have been given
   */
  constructor(nextScript, noteRequest) {
    this.#nextScript = nextScript;
    this.#noteRequest = noteRequest;
  }

  /** Adds one, as if it had been there long ago. `turns`: texts, question and answer in turn. */
  add({ title = 'A chat', turns = [], updated_at = now() } = {}) {
    const chat = this.#create({ title }, updated_at);
    for (const [i, content] of turns.entries()) {
      const message = this.#message(chat, chat.current_message_id, i % 2 === 0 ? 'user' : 'assistant', content, updated_at);
      message.status = 'complete';
      chat.current_message_id = message.id;
    }
    return chat;
  }

  /** Breaks every durable stream off. */
  breakStreams() {
    for (const reader of this.#readers) reader.destroy();
  }

  /** Ends every running answer as a gateway that is killed would. */
  endAll(status) {
    for (const running of [...this.#running.values()]) running.end(status);
  }

  /**
   * @param {() => Promise<object|undefined>} readBody
   * @returns {Promise<boolean>} whether the path is one of this
   */
  async handle(request, response, url, readBody) {
    const { pathname: path, searchParams } = url;
    if (path === '/api/stream/me') return this.#stream(request, response, searchParams), true;
    if (!path.startsWith('/api/conversations')) return false;
    const { status = 200, body: answer, type = 'application/json', headers = {} } = this.available
      ? await this.#answer(request.method, path.split('/').slice(3), searchParams, await readBody())
      : { status: 503, headers: { 'Retry-After': '2' }, body: { success: false, error: 'The database cannot be reached.', code: 'database_unavailable' } };
    response.writeHead(status, { 'Content-Type': type, ...headers });
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    return true;
  }

  async #answer(method, [id, part], parameters, body) {
    if (id === undefined) return method === 'GET' ? data(this.#list(parameters)) : data(summary(this.#tellChat(this.#create(body))));
    if (id === 'export') return file(this.#export([...this.all.values()]));
    if (id === 'import' && this.takesFiles-- <= 0) return { status: 400, body: { success: false, error: 'The file is refused.', code: 'invalid_value' } };
    if (id === 'import') return data({ conversations: this.#import(body).map(summary) });
    const chat = this.all.get(id);
    if (!chat || (chat.deleted_at && body?.deleted !== false)) return NOT_FOUND;
    if (part === 'export') return parameters.get('format') === 'markdown' ? file(`# ${chat.title}\n`, 'text/markdown') : file(this.#export([chat]));
    if (part === 'stop') return data({ stopped: this.#stop(chat) });
    if (part !== undefined) return this.#generate(chat, part, body);
    if (method === 'GET') return data(chat);
    if (method === 'DELETE') {
      this.#stop(chat);
      chat.deleted_at = now();
      this.#tellChat(chat);
      return data({ id, deleted: true, can_be_restored: true });
    }
    return data(summary(this.#change(chat, body)));
  }

  #list(parameters) {
    const words = (parameters.get('query') ?? '').toLowerCase();
    const limit = Number(parameters.get('limit') ?? 50);
    const from = Number(parameters.get('after') ?? 0);
    const found = [...this.all.values()].filter(chat => !chat.deleted_at).map(chat => {
      const message = chat.messages.find(({ content }) => words !== '' && content.toLowerCase().includes(words));
      const matches = words === '' || message || chat.title.toLowerCase().includes(words);
      return matches ? { ...summary(chat), running: this.#isRunning(chat), snippet: message?.content.slice(0, 160) ?? null } : null;
    }).filter(Boolean).sort((one, other) => Date.parse(other.updated_at) - Date.parse(one.updated_at));
    return { conversations: found.slice(from, from + limit), next: found.length > from + limit ? String(from + limit) : null };
  }

  #create({ title = '', model = '', system_prompt = '', settings = {} } = {}, at = now()) {
    const chat = { id: `conv_${++this.#count}`, title, title_by: 'words', model, system_prompt, settings, current_message_id: null, created_at: at, updated_at: at, deleted_at: null, messages: [] };
    this.all.set(chat.id, chat);
    return chat;
  }

  #change(chat, { title, model, system_prompt, settings, deleted, current_message_id: shown }) {
    if (title) Object.assign(chat, { title, title_by: 'user' });
    if (model !== undefined) chat.model = model;
    if (system_prompt !== undefined) chat.system_prompt = system_prompt;
    if (settings) chat.settings = settings;
    if (deleted === false) chat.deleted_at = null;
    if (shown) {
      let leaf = shown;
      for (let child = leaf; child; child = chat.messages.findLast(({ parent_id: parent }) => parent === leaf)?.id) leaf = child;
      chat.current_message_id = leaf;
    }
    return this.#tellChat(chat);
  }

  #export(chats) {
    return JSON.stringify({ format: 'chasqui-conversations', version: 1, exported_at: now(), conversations: chats });
  }

  #import({ conversations, markdown }) {
    if (markdown) return [this.#tellChat(this.add({ title: markdown.split('\n')[0].replace('# ', ''), turns: ['from Markdown', 'yes'] }))];
    return conversations.map(({ messages = [], ...given }) => {
      const chat = this.#create(given);
      const names = new Map();
      for (const message of messages) {
        const added = this.#message(chat, names.get(message.parent_id) ?? null, message.role, message.content);
        Object.assign(added, { status: message.status === 'running' ? 'interrupted' : (message.status ?? 'complete') });
        names.set(message.id, added.id);
      }
      chat.current_message_id = names.get(given.current_message_id) ?? chat.messages.at(-1)?.id ?? null;
      return this.#tellChat(chat);
    });
  }

  #message(chat, parent, role, content, at = now()) {
    const message = { id: `msg_${++this.#count}`, conversation_id: chat.id, parent_id: parent, role, content, status: 'complete', created_at: at, updated_at: at };
    if (role === 'assistant') Object.assign(message, { reasoning: '', model: 'tiny-model', finish_reason: null, error: null, usage: counts(0), timings: times(0), left_out: null });
    chat.messages.push(message);
    return message;
  }

  /** An answer in a person's own words: nothing is generated. */
  #rewrite(chat, old, { content }) {
    const answer = this.#message(chat, old.parent_id, 'assistant', content);
    Object.assign(answer, { model: old.model, timings: { first_token_ms: 0, prompt_ms: 0, completion_ms: 0, duration_ms: 0 } });
    Object.assign(chat, { current_message_id: answer.id, updated_at: now() });
    this.#tellChat(chat);
    this.#tell({ type: 'message', message: answer });
    return data({ conversation: summary(chat), question: null, answer: { ...answer } });
  }

  #generate(chat, part, body) {
    const edited = part === 'edit' && chat.messages.find(({ id }) => id === body.message_id);
    if (edited?.role === 'assistant') return this.#rewrite(chat, edited, body);
    const script = this.#nextScript(body.content ?? '');
    if (script.status) {
      const { message = null, code = '' } = script.error ?? {};
      return { status: script.status, headers: script.headers, body: { success: false, error: message, code } };
    }
    let question = null;
    let answer;
    const named = chat.messages.find(({ id }) => id === (body.message_id ?? chat.current_message_id));
    if (part === 'messages') question = this.#message(chat, body.parent_id === undefined ? chat.current_message_id : body.parent_id || null, 'user', body.content);
    if (part === 'edit') question = this.#message(chat, named.parent_id, 'user', body.content);
    if (part === 'continue') answer = Object.assign(named, { status: 'running', error: null, finish_reason: null, updated_at: now() });
    else answer = this.#message(chat, question?.id ?? (named.role === 'user' ? named.id : named.parent_id), 'assistant', '');
    if (script.leftOut) answer.left_out = script.leftOut;
    answer.status = 'running';
    Object.assign(chat, { current_message_id: answer.id, updated_at: now(), title: chat.title || question?.content.slice(0, 40) || '' });
    this.#noteRequest(this.#modelRequest(chat, answer, body));
    this.#tellChat(chat);
    if (question) this.#tell({ type: 'message', message: question });
    this.#tell({ type: 'message', message: answer });
    const told = data({ conversation: summary(chat), question: question && { ...question }, answer: { ...answer } });
    this.#run(chat, answer, script);
    return told;
  }

  #modelRequest(chat, answer, { model }) {
    const path = [];
    for (let at = answer; at; at = chat.messages.find(({ id }) => id === at.parent_id)) path.unshift(at);
    const messages = path.filter(({ content }) => content !== '').map(({ role, content }) => ({ role, content }));
    if (chat.system_prompt) messages.unshift({ role: 'system', content: chat.system_prompt });
    return { model, messages, ...chat.settings };
  }

  async #run(chat, answer, { reasoning = [], pieces = [], everyMs = 0, hold, thinks, lasts, stays, breaks, error, finish = 'stop' }) {
    let isOver = false;
    const end = (status, more = {}) => {
      if (isOver) return;
      isOver = true;
      this.#running.delete(answer.id);
      const tokens = answer.usage.completion_tokens + pieces.length;
      Object.assign(answer, { status, updated_at: now(), usage: counts(tokens), timings: times(tokens), ...more });
      this.#tell({ type: 'message', message: answer });
      if (status !== 'complete' || !this.title || chat.title_by !== 'words') return;
      Object.assign(chat, { title: this.title, title_by: 'model' });
      this.#tellChat(chat);
    };
    this.#running.set(answer.id, { chat, end });
    // The answer to the request goes out first.
    await new Promise(resolve => setTimeout(resolve));
    await hold;
    for (const [field, type, texts, pause] of [['reasoning', 'reasoning', reasoning, thinks], ['content', 'token', pieces, lasts]]) {
      for (const content of texts) {
        if (isOver) return;
        const offset = answer[field].length;
        answer[field] += content;
        this.#tell({ type, conversation_id: chat.id, message_id: answer.id, offset, content }, false);
        if (everyMs > 0) await new Promise(resolve => setTimeout(resolve, everyMs));
      }
      await pause;
    }
    if (stays) return;
    await breaks;
    if (breaks) end('interrupted', { error: 'The node went away.' });
    else if (error) end('failed', { error: error.message });
    else end('complete', { finish_reason: finish });
  }

  #stop(chat) {
    const stopped = [...this.#running].filter(([, running]) => running.chat === chat);
    for (const [, { end }] of stopped) end('stopped');
    return stopped.map(([id]) => chat.messages.find(message => message.id === id));
  }

  #isRunning(chat) {
    return [...this.#running.values()].some(running => running.chat === chat);
  }

  #stream(request, response, parameters) {
    if (!this.available) {
      response.writeHead(503, { 'Content-Type': 'application/json' });
      return response.end('{}');
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    const said = request.headers['last-event-id'] ?? parameters.get('last_event_id');
    this.positions.push(said);
    const from = said === null ? this.#events.length : Number(said);
    response.write(`retry: 100\n${frame({ type: 'hello', user_id: 'local', cursor: from }, from)}`);
    this.#events.slice(from).forEach((event, i) => response.write(frame(event, from + i + 1)));
    for (const [id, { chat }] of this.#running) {
      const { content, reasoning } = chat.messages.find(message => message.id === id);
      if (content) response.write(frame({ type: 'token', conversation_id: chat.id, message_id: id, offset: 0, content }, this.#events.length));
      if (reasoning) response.write(frame({ type: 'reasoning', conversation_id: chat.id, message_id: id, offset: 0, content: reasoning }, this.#events.length));
    }
    this.#readers.add(response);
    response.on('close', () => this.#readers.delete(response));
  }

  #tellChat(chat) {
    this.#tell({ type: 'conversation', conversation: summary(chat) });
    return chat;
  }

  #tell(event, isStored = true) {
    const copy = structuredClone(event);
    if (isStored) this.#events.push(copy);
    for (const reader of this.#readers) reader.write(frame(copy, this.#events.length));
  }
}

const data = value => ({ body: { success: true, data: value } });
const file = (body, type = 'application/json') => ({ body, type, headers: { 'Content-Disposition': 'attachment; filename="chats"' } });
const frame = (event, position) => `id: ${position}\ndata: ${JSON.stringify(event)}\n\n`;
const counts = tokens => ({ prompt_tokens: 12, cached_tokens: 0, completion_tokens: tokens, total_tokens: 12 + tokens });
const times = tokens => ({ first_token_ms: 40, prompt_ms: 31, completion_ms: Math.round((tokens / 51.5) * 1000), duration_ms: 60 + Math.round((tokens / 51.5) * 1000) });

function summary({ messages, ...chat }) {
  return chat;
}

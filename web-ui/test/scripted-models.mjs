// What the product does with models, in small: downloads and loads go on until the test ends them.

export class ScriptedModels {
  #server;
  /** Open streams, by model. */
  #streams = new Map();
  /** Methods and names of what came, such as `POST tiny-model/load`. */
  asked = [];

  constructor(server) {
    this.#server = server;
  }

  /** Answers the request where it is about one model. */
  handle(request, response, path) {
    if (!path.startsWith('/api/models/')) return false;
    const [encoded, action = ''] = path.slice('/api/models/'.length).split('/');
    const name = decodeURIComponent(encoded);
    this.asked.push(`${request.method} ${name}${action && `/${action}`}`);
    if (request.method === 'DELETE') this.#delete(name, response);
    else if (action === 'cancel') this.#cancel(name, response);
    else if (action === 'unload') this.#set(name, { state: 'on_disk' }, response);
    else this.#begin(name, action, response);
    return true;
  }

  /** How far a download or a load is now. */
  progress(name, model) {
    Object.assign(this.#find(name), model);
  }

  /** Ends a download or a load; with `error` it failed. */
  end(name, model, error) {
    Object.assign(this.#find(name), model);
    const event = error ? { type: 'error', error, code: 'model_unusable' } : { type: 'done' };
    this.#streams.get(name)?.end(`data: ${JSON.stringify(event)}\n\n`);
    this.#streams.delete(name);
  }

  #find(name) {
    return this.#server.models.find(model => model.name === name);
  }

  #begin(name, action, response) {
    if (name.includes(' ')) return this.#json(response, { success: false, error: 'model: that (expected: a name)', code: 'invalid_request' }, 400);
    const listed = name.replace(/^.*\//, '').replace(/\.gguf$/, '');
    if (!this.#find(listed)) this.#server.models.push({ name: listed });
    Object.assign(this.#find(listed), action === 'load' ? { state: 'loading', progress: 0 } : { state: 'downloading', progress: 0 });
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write(': ping\n\n');
    this.#streams.set(listed, response);
    return undefined;
  }

  #cancel(name, response) {
    this.#streams.get(name)?.end(`data: ${JSON.stringify({ type: 'error', error: `${name}: the download was cancelled`, code: 'cancelled' })}\n\n`);
    this.#set(name, { state: 'absent' }, response);
  }

  #set(name, model, response) {
    Object.assign(this.#find(name), model);
    this.#json(response, { success: true, data: { name } });
  }

  #delete(name, response) {
    const model = this.#find(name);
    if (model.state === 'ready') return this.#json(response, { success: false, error: 'The model is in memory.', code: 'model_in_use' }, 409);
    this.#server.models = this.#server.models.filter(other => other !== model);
    return this.#json(response, { success: true, data: { name, deleted: true } });
  }

  #json(response, body, status = 200) {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body));
  }
}

/**
 * @typedef {{event: string, data: string, id: string}} ServerEvent
 */

/**
 * Server-sent events from bytes that may be cut anywhere: inside a line, a line ending or a character.
 */
export class SseParser {
  #decoder = new TextDecoder();
  #rest = '';
  #afterReturn = false;
  #data = [];
  #event = '';
  #id = '';

  /**
   * Takes the next bytes and gives the events that they complete. Comments (pings) give none.
   * @param {Uint8Array} bytes
   * @returns {ServerEvent[]}
   */
  push(bytes) {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === '') return [];
    // A line ends at once at CR; the LF of a CRLF may come only now.
    if (this.#afterReturn && text.startsWith('\n')) text = text.slice(1);
    this.#afterReturn = text.endsWith('\r');
    const lines = (this.#rest + text).split(/\r\n|\r|\n/);
    this.#rest = lines.pop();
    return lines.map(line => this.#line(line)).filter(event => event !== null);
  }

  #line(line) {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
    else if (field === 'id') this.#id = value;
    return null;
  }

  #dispatch() {
    const data = this.#data;
    const event = this.#event || 'message';
    this.#data = [];
    this.#event = '';
    return data.length === 0 ? null : { event, data: data.join('\n'), id: this.#id };
  }
}

/**
 * The events of a response body, as they arrive. Ends with the body; an event that is not complete by then is dropped.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<ServerEvent>}
 */
export async function* readEvents(body) {
  const parser = new SseParser();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

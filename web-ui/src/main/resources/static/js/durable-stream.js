const HIDDEN_MS = 20_000;
const AGAIN_MS = 1_000;
const LONGEST_AGAIN_MS = 30_000;

/**
 * What happens to all conversations, as the server tells it: GET /api/stream/me.
 *
 * A page that nobody looks at lets go of its connection after a while, because a browser has few of them for one server,
 * and comes back with the position that it knows. The server then tells what was missed.
 *
 * Events: `told` (detail: an event of the server), `anew` (the stream is open and begins at the present: what came before
 * must be read), `state` (whether it is open has changed), `refused` (the server answers, but with no stream).
 */
export class DurableStream extends EventTarget {
  #source = null;
  #position = '';
  #timer = 0;
  #again = AGAIN_MS;
  #ended = false;
  #isPaused = false;
  isOpen = false;

  start() {
    document.addEventListener('visibilitychange', () => this.#visibilityChanged());
    addEventListener('online', () => this.hurry());
    this.#open();
  }

  /** The server is known to be there again: comes back without waiting. */
  hurry() {
    if (document.hidden || !this.#isAway) return;
    this.#again = AGAIN_MS;
    this.#open();
  }

  /** Whether there is no connection, nor one that the browser tries to make. */
  get #isAway() {
    return this.#source === null || this.#source.readyState === EventSource.CLOSED;
  }

  /** For servers that have no such thing. */
  end() {
    this.#ended = true;
    this.#close();
  }

  /** Lets go of the connection until `resume()`. */
  pause() {
    this.#isPaused = true;
    this.#close();
  }

  resume() {
    this.#isPaused = false;
    this.hurry();
  }

  #open() {
    this.#close();
    if (this.#ended || this.#isPaused) return;
    const fresh = this.#position === '';
    const source = new EventSource(`/api/stream/me${fresh ? '' : `?last_event_id=${this.#position}`}`);
    this.#source = source;
    source.onmessage = ({ data, lastEventId }) => this.#take(JSON.parse(data), lastEventId, fresh);
    source.onerror = () => {
      this.#setOpen(false);
      // The browser tries again by itself after a break, but never after an error status.
      if (source.readyState !== EventSource.CLOSED) return;
      this.#timer = setTimeout(() => this.#open(), this.#again);
      this.#again = Math.min(this.#again * 2, LONGEST_AGAIN_MS);
      this.dispatchEvent(new Event('refused'));
    };
  }

  #take(event, position, fresh) {
    const isFirst = fresh && this.#position === '';
    if (position !== '') this.#position = position;
    if (event.type === 'hello') {
      this.#again = AGAIN_MS;
      this.#setOpen(true);
      if (isFirst) this.dispatchEvent(new Event('anew'));
    } else if (event.type === 'reset') {
      this.dispatchEvent(new Event('anew'));
    } else {
      this.dispatchEvent(new CustomEvent('told', { detail: event }));
    }
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
    this.#setOpen(false);
  }

  #setOpen(isOpen) {
    if (this.isOpen === isOpen) return;
    this.isOpen = isOpen;
    this.dispatchEvent(new Event('state'));
  }

  #visibilityChanged() {
    if (document.hidden) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#close(), HIDDEN_MS);
    } else if (this.#isAway) {
      this.#open();
    } else {
      clearTimeout(this.#timer);
    }
  }
}

import { ApiError } from './api.js';
import { el } from './dom.js';
import { showProblem } from './problem.js';

/**
 * A form that becomes one request. It is sent once at a time, and says under its fields why the server refused it, in the
 * server's own words.
 */
export class RequestForm {
  #send;
  #fields = el('div.fields');
  #button = el('button.plain.strong', { type: 'submit' });
  #labels;
  #isBusy = false;
  element = el('form.request', { onsubmit: event => this.#submit(event) }, this.#fields, this.#button);

  /**
   * @param {() => Promise<void>} send
   * @param {{does: string, busy: string}} labels of its button, also while it is on its way
   * @param {...Node} fields
   */
  constructor(send, labels, ...fields) {
    this.#send = send;
    this.#fields.append(...fields);
    this.labels = labels;
  }

  set labels(labels) {
    this.#labels = labels;
    this.#show();
  }

  /** @param {string} problem empty for none */
  tell(problem) {
    showProblem(this.#fields, problem);
  }

  async #submit(event) {
    event.preventDefault();
    if (this.#isBusy) return;
    this.#setBusy(true);
    this.tell('');
    try {
      await this.#send();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#refused(error);
    } finally {
      this.#setBusy(false);
    }
  }

  #refused({ message }) {
    this.tell(message);
    // The server names the field in front: `limits.parallel: 0 (expected: 1 to 100000)`.
    const named = this.element.elements.namedItem(/^(?:\w+\.)*(\w+): /.exec(message)?.[1] ?? '');
    const field = named ?? this.element.querySelector('input[type=password]');
    field?.focus();
    field?.select?.();
  }

  #setBusy(isBusy) {
    this.#isBusy = isBusy;
    this.#show();
  }

  /** A disabled button would lose the focus. */
  #show() {
    this.#button.textContent = this.#isBusy ? this.#labels.busy : this.#labels.does;
    this.#button.ariaDisabled = String(this.#isBusy);
    this.element.ariaBusy = String(this.#isBusy);
  }
}

import { fetchModels } from './api.js';
import { byId, el } from './dom.js';
import { formatBytes, formatPercent } from './format.js';

const STATES = {
  ready: 'ready',
  loading: 'loading',
  downloading: 'downloading',
  on_disk: 'on disk',
  absent: 'not fetched yet',
  failed: 'failed',
};

/** A list of the server's models, with what each is doing. */
export class ModelPicker {
  #settings;
  #health;
  #models = [];
  #name = el('span.picker-name', {}, '');
  #dot = el('span.dot');
  #button = el('button.picker-button', { type: 'button', ariaHasPopup: 'listbox', ariaExpanded: 'false' }, this.#dot, this.#name);
  #list = el('ul.picker-list', { role: 'listbox', ariaLabel: 'Models', hidden: true, tabIndex: -1, id: 'models' });

  /**
   * @param {import('./settings.js').Settings} settings
   * @param {import('./health.js').HealthWatch} health
   */
  constructor(settings, health) {
    this.#settings = settings;
    this.#health = health;
    const root = byId('model-picker');
    root.append(this.#button, this.#list);
    this.#button.addEventListener('click', () => (this.#list.hidden ? this.#open() : this.#close()));
    this.#list.addEventListener('keydown', event => this.#onKey(event));
    this.#list.addEventListener('click', event => this.#pick(event.target.closest('[role=option]')));
    root.addEventListener('focusout', event => root.contains(event.relatedTarget) || this.#close());
    settings.addEventListener('change', () => this.#show());
    health.addEventListener('change', () => this.refresh());
    this.#show();
  }

  /** The name to put into a request. */
  get model() {
    return this.#settings.model || this.#health.current.model || this.#models[0]?.name || 'default';
  }

  /** Asks the server for its models. */
  async refresh() {
    if (this.#health.current.phase !== 'away') {
      // Without an answer the list stays as it was; the status card tells about the server.
      this.#models = await fetchModels().catch(() => this.#models);
    }
    this.#show();
  }

  #show() {
    const name = this.model;
    const label = name === 'default' ? 'Default model' : name;
    const state = this.#stateOf(name);
    this.#name.textContent = label;
    this.#dot.dataset.state = state;
    this.#button.ariaLabel = `Model: ${label}${STATES[state] ? `, ${STATES[state]}` : ''}`;
    this.#button.title = label;
    if (!this.#list.hidden) this.#fill();
  }

  #stateOf(name) {
    const known = this.#models.find(model => model.name === name)?.state;
    if (known) return known;
    const { model, phase } = this.#health.current;
    return model === name || model === '' ? phase : '';
  }

  #fill() {
    const focused = this.#list.contains(document.activeElement) ? document.activeElement.dataset.name : null;
    const options = this.#models.map(({ name, state, progress, sizeBytes }) => {
      const busy = state === 'loading' || state === 'downloading';
      const words = `${STATES[state] ?? state}${busy && progress !== null ? ` ${formatPercent(progress)}` : ''}`;
      const about = [words, sizeBytes > 0 ? formatBytes(sizeBytes) : ''].filter(part => part !== '').join(' · ');
      const option = el(
        'li.picker-option',
        { role: 'option', tabIndex: -1, ariaSelected: String(name === this.model) },
        el('span.dot'),
        el('span.picker-name', {}, name),
        el('span.picker-about', {}, about),
      );
      option.dataset.name = name;
      option.firstChild.dataset.state = state;
      return option;
    });
    this.#list.replaceChildren(...options);
    if (focused !== null) this.#focus(options.find(option => option.dataset.name === focused) ?? options[0]);
  }

  async #open() {
    this.#list.hidden = false;
    this.#button.ariaExpanded = 'true';
    await this.refresh();
    if (this.#list.hidden) return;
    if (this.#models.length === 0) {
      this.#list.replaceChildren(el('li.picker-option', { role: 'option', tabIndex: -1, ariaDisabled: 'true' }, 'No models to choose from'));
    }
    this.#focus(this.#list.querySelector('[aria-selected=true]') ?? this.#list.firstElementChild);
  }

  #close() {
    this.#list.hidden = true;
    this.#button.ariaExpanded = 'false';
  }

  #pick(option) {
    if (!option?.dataset.name) return;
    this.#settings.set({ model: option.dataset.name });
    this.#close();
    this.#button.focus();
  }

  #onKey(event) {
    const options = [...this.#list.children];
    const at = options.indexOf(document.activeElement);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 };
    if (event.key in moves) this.#focus(options[Math.min(Math.max(moves[event.key], 0), options.length - 1)]);
    else if (event.key === 'Enter' || event.key === ' ') this.#pick(options[at]);
    else if (event.key === 'Escape') {
      this.#close();
      this.#button.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #focus(option) {
    option?.focus();
  }
}

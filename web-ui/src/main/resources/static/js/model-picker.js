import { byId, el } from './dom.js';
import { formatBytes, formatPercent } from './format.js';
import { STATES } from './model-list.js';
import { morph } from './morph.js';

/** States in which a model cannot be asked anything soon; such ones are in the sheet of all models. */
const NOT_HERE = new Set(['absent', 'failed', 'downloading']);

/** The models that can be talked to, with what each is doing, and the way to all others. */
export class ModelPicker {
  #choice;
  #health;
  #models;
  #name = el('span.picker-name', {}, '');
  #dot = el('span.dot');
  #button = el('button.picker-button', { type: 'button', ariaHasPopup: 'listbox', ariaExpanded: 'false' }, this.#dot, this.#name);
  #list = el('ul.picker-list', { role: 'listbox', ariaLabel: 'Models', tabIndex: -1, id: 'models' });
  #manage = el('button.picker-manage', { type: 'button' }, 'All models: get, load, delete…');
  #box = el('div.picker-box', { hidden: true }, this.#list, this.#manage);

  /**
   * @param {import('./model-choice.js').ModelChoice} choice
   * @param {import('./health.js').HealthWatch} health
   * @param {import('./model-list.js').ModelList} models
   * @param {() => void} onManage shows all models
   */
  constructor(choice, health, models, onManage) {
    this.#choice = choice;
    this.#health = health;
    this.#models = models;
    const root = byId('model-picker');
    root.append(this.#button, this.#box);
    this.#button.addEventListener('click', () => (this.#box.hidden ? this.#open() : this.#close()));
    this.#manage.addEventListener('click', () => {
      this.#close();
      this.#button.focus();
      onManage();
    });
    this.#box.addEventListener('keydown', event => event.key === 'Escape' && this.#leave(event));
    this.#list.addEventListener('keydown', event => this.#onKey(event));
    this.#list.addEventListener('click', event => this.#pick(event.target.closest('[role=option]')));
    root.addEventListener('focusout', event => root.contains(event.relatedTarget) || this.#close());
    choice.addEventListener('change', () => this.#show());
    this.#show();
  }

  #show() {
    const { name } = this.#choice;
    const label = name === 'default' ? 'Default model' : name;
    const state = this.#stateOf(name);
    this.#name.textContent = label;
    this.#dot.dataset.state = state;
    this.#button.ariaLabel = `Model: ${label}${STATES[state] ? `, ${STATES[state]}` : ''}`;
    this.#button.title = label;
    if (!this.#box.hidden) this.#fill();
  }

  #stateOf(name) {
    const known = this.#models.get(name)?.state;
    if (known) return known;
    const { model, phase } = this.#health.current;
    return model === name || model === '' ? phase : '';
  }

  #fill() {
    const chosen = this.#choice.name;
    const here = this.#models.models.filter(({ name, state }) => name === chosen || !NOT_HERE.has(state));
    const options = here.map(({ name, state, progress, sizeBytes }) => {
      const busy = state === 'loading' || state === 'downloading';
      const words = `${STATES[state] ?? state}${busy && progress !== null ? ` ${formatPercent(progress)}` : ''}`;
      const about = [words, sizeBytes > 0 ? formatBytes(sizeBytes) : ''].filter(part => part !== '').join(' · ');
      const option = el(
        'li.picker-option',
        { role: 'option', tabIndex: -1, ariaSelected: String(name === chosen) },
        el('span.dot'),
        el('span.picker-name', {}, name),
        el('span.picker-about', {}, about),
      );
      option.dataset.name = name;
      option.firstChild.dataset.state = state;
      return option;
    });
    const fresh = new DocumentFragment();
    fresh.append(...options);
    morph(this.#list, fresh);
  }

  async #open() {
    this.#box.hidden = false;
    this.#button.ariaExpanded = 'true';
    await this.#models.refresh();
    if (this.#box.hidden) return;
    this.#fill();
    if (this.#list.children.length === 0) {
      this.#list.replaceChildren(el('li.picker-option', { role: 'option', tabIndex: -1, ariaDisabled: 'true' }, 'No models to choose from'));
    }
    this.#focus(this.#list.querySelector('[aria-selected=true]') ?? this.#list.firstElementChild);
  }

  #close() {
    this.#box.hidden = true;
    this.#button.ariaExpanded = 'false';
  }

  #pick(option) {
    if (!option?.dataset.name) return;
    this.#choice.choose(option.dataset.name);
    this.#close();
    this.#button.focus();
  }

  #onKey(event) {
    const options = [...this.#list.children];
    const at = options.indexOf(document.activeElement);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 };
    if (event.key in moves) this.#focus(options[Math.min(Math.max(moves[event.key], 0), options.length - 1)]);
    else if (event.key === 'Enter' || event.key === ' ') this.#pick(options[at]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #leave(event) {
    this.#close();
    this.#button.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  #focus(option) {
    option?.focus();
  }
}

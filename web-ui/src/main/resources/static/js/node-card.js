import { el } from './dom.js';
import { FactList, ShareBar, shareOf } from './fact-list.js';
import { formatBytes, formatCount, formatDuration, formatPercent, formatRate } from './format.js';
import { STATES } from './model-list.js';
import { RowList } from './row-list.js';
import { setText } from './set-text.js';

/** A node's states in words, each with the state of a model that has the same dot. */
const NODE_STATES = {
  up: { words: 'up', dot: 'ready' },
  silent: { words: 'silent', dot: 'loading' },
  draining: { words: 'ends what it does, takes nothing new', dot: 'loading' },
  down: { words: 'down', dot: 'failed' },
};

/** One node: what it is, what its engines do, and what it has. */
export class NodeCard {
  #dot = el('span.dot');
  #address = el('h4', { dir: 'auto' });
  #about = el('p.about');
  #notices = listOf('ul.node-notices', 'Notices', () => new NoticeRow());
  #engines = listOf('ul.engines', 'Engines', () => new EngineRow());
  #devices = listOf('ul.node-things', 'Devices', () => new DeviceRow());
  #models = listOf('ul.node-things', 'Models', () => new ModelRow());
  #things = el('div.node-has', {}, this.#devices.element, this.#models.element);
  element = el('li.node', {}, el('div.node-head', {}, this.#dot, this.#address, this.#about), this.#notices.element, this.#engines.element, this.#things);

  /** @param {import('./server-api.js').ServerNode} node */
  show({ address, state, version, llamaCpp, uptimeSeconds, notices, devices, models, engines }) {
    const { words, dot } = NODE_STATES[state] ?? { words: state, dot: '' };
    this.#dot.dataset.state = dot;
    setText(this.#address, address);
    const about = [words, version && `version ${version}`, llamaCpp && `llama.cpp ${llamaCpp}`, uptimeSeconds > 0 && `up for ${formatDuration(uptimeSeconds)}`];
    setText(this.#about, about.filter(Boolean).join(' · '));
    this.#notices.show(notices.map((text, i) => ({ id: String(i), text })));
    this.#engines.show(engines.map(engine => ({ ...engine, id: engine.model })));
    this.#devices.show(devices.map((device, i) => ({ ...device, id: String(i) })));
    this.#models.show(models.map(model => ({ ...model, id: model.name })));
    this.#things.hidden = devices.length + models.length === 0;
  }
}

/** Nothing in these lists takes the focus. */
const listOf = (tag, ariaLabel, make) => new RowList(el(tag, { ariaLabel }), make, () => {});

class NoticeRow {
  element = el('li', { dir: 'auto' });

  show({ text }) {
    setText(this.element, text);
  }
}

class EngineRow {
  #name = el('h5', { dir: 'auto' });
  #facts = new FactList('engine-facts');
  element = el('li', {}, this.#name, this.#facts.element);

  /** @param {import('./server-api.js').Engine} engine */
  show({ model, slots, slotsInUse, queued, queueCapacity, kvTokensUsed, kvTokensCapacity, promptTokens, cachedTokens, tokensPerSecond }) {
    setText(this.#name, model);
    const kv = shareOf(kvTokensUsed, kvTokensCapacity);
    const cached = shareOf(cachedTokens, promptTokens);
    this.#facts.show([
      slotsInUse === null ? null : { name: 'Slots in use', ...partOf(slotsInUse, slots), share: shareOf(slotsInUse, slots) },
      queued === null ? null : { name: 'Waiting', ...partOf(queued, queueCapacity) },
      kv === null ? null : { name: 'KV cache', value: formatPercent(kv), about: `${formatCount(kvTokensUsed)} of ${formatCount(kvTokensCapacity)} tokens`, share: kv },
      cached === null ? null : { name: 'Found in the cache', value: formatPercent(cached), about: `of ${formatCount(promptTokens)} prompt tokens` },
      tokensPerSecond === null ? null : { name: 'Speed', value: formatRate(tokensPerSecond) },
    ]);
  }
}

const partOf = (part, whole) => ({ value: formatCount(part), about: whole === null ? '' : `of ${formatCount(whole)}` });

class DeviceRow {
  #name = el('span.thing-name', { dir: 'auto' });
  #memory = el('span.thing-about');
  #bar = new ShareBar();
  element = el('li', {}, this.#name, this.#memory, this.#bar.element);

  show({ name, description, memoryTotal, memoryFree }) {
    setText(this.#name, [name, description].filter(text => text !== '').join(' · '));
    const free = shareOf(memoryFree, memoryTotal);
    setText(this.#memory, free === null ? '' : `${formatBytes(memoryFree)} of ${formatBytes(memoryTotal)} free`);
    this.#bar.element.hidden = free === null;
    this.#bar.show(1 - (free ?? 1));
  }
}

class ModelRow {
  #dot = el('span.dot');
  #name = el('span', { dir: 'auto' });
  #about = el('span.thing-about');
  element = el('li', {}, el('span.thing-name', {}, this.#dot, this.#name), this.#about);

  show({ name, state, isDefault, progress, memoryBytes }) {
    this.#dot.dataset.state = state;
    setText(this.#name, name);
    const words = STATES[state] ?? state;
    const isBusy = progress !== null && progress < 1 && ['loading', 'downloading'].includes(state);
    const about = [isDefault && 'default', isBusy ? `${words} ${formatPercent(progress)}` : words, memoryBytes > 0 && `${formatBytes(memoryBytes)} in memory`];
    setText(this.#about, about.filter(Boolean).join(' · '));
  }
}

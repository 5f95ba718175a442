import { ApiError } from './api.js';
import { DayChart } from './day-chart.js';
import { momentOf } from './days.js';
import { el } from './dom.js';
import { shareOf } from './fact-list.js';
import { formatCount, formatPercent } from './format.js';
import { Repeated } from './repeated.js';
import { RowList } from './row-list.js';
import { fetchUsage } from './server-api.js';
import { setText } from './set-text.js';

const EVERY_MS = 60_000;
const SPANS = [7, 30, 90];
const USUAL_SPAN = 30;
const COLUMNS = ['Name', 'Requests', 'Prompt tokens', 'From the cache', 'Completion tokens', 'Last used'];
/** Who used it without a name of his own. */
const NAMELESS = { local: 'Without an account' };
/** Kinds that are said beside the name. */
const SAID = { key: 'key', removed: 'removed' };

/** Who used the server in the last days, and how much. Where one may not know that, it is not there. */
export class UsageSection {
  #days = el('select', { id: 'usage-days', onchange: () => this.#reading.again() },
    ...SPANS.map(days => el('option', { value: String(days), selected: days === USUAL_SPAN }, `${days} days`)));
  #note = el('p.about', { role: 'status' });
  #chart = new DayChart();
  #rows = new RowList(el('tbody'), () => new UserRow(), () => {});
  #total = new UserRow();
  #caption = el('caption');
  #table = el('div.table-scroller', { role: 'region', ariaLabel: 'Usage by name', tabIndex: 0 }, el('table', {}, this.#caption,
    el('thead', {}, el('tr', {}, ...COLUMNS.map(name => el('th', { scope: 'col' }, name)))), this.#rows.element, el('tfoot', {}, this.#total.element)));
  #shown = el('div.usage-shown', { hidden: true }, this.#chart.element, this.#table);
  #reading = new Repeated(counts => this.#read(counts), EVERY_MS);
  element = el('section.usage', { hidden: true },
    el('div.usage-head', {}, el('h3', {}, 'Usage'), el('label', {}, 'of the last ', this.#days)), this.#note, this.#shown);

  /** Reads it, now and from time to time. */
  start() {
    this.#reading.start();
  }

  stop() {
    this.#reading.stop();
    setText(this.#note, '');
  }

  async #read(counts) {
    const days = Number(this.#days.value);
    try {
      const usage = await fetchUsage(days);
      if (counts()) this.#show(usage, days);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (counts()) this.#tell(error);
    }
  }

  /** Whoever may not know it, and a server that does not count, are no problem that one has to read of. */
  #tell({ status, message }) {
    this.element.hidden = status === 403 || status === 404;
    setText(this.#note, this.#shown.hidden ? message : `${message} This is what was known before.`);
  }

  /**
   * @param {import('./server-api.js').Usage} usage
   * @param {number} days
   */
  #show(usage, days) {
    const { by } = usage;
    this.element.hidden = false;
    this.#shown.hidden = false;
    setText(this.#note, by.length === 0 ? 'Nobody has used the server in these days.' : '');
    this.#chart.show(usage);
    setText(this.#caption, `Last ${days} days, most tokens first`);
    this.#rows.show(by);
    this.#total.show({ kind: 'total', ownId: '', name: 'Total', ...totalOf(by) });
    this.#table.hidden = by.length === 0;
  }
}

function totalOf(by) {
  const sum = field => by.reduce((total, each) => total + each[field], 0);
  return { requests: sum('requests'), promptTokens: sum('promptTokens'), cachedTokens: sum('cachedTokens'), completionTokens: sum('completionTokens'), lastUsedAt: '' };
}

class UserRow {
  #name = el('span', { dir: 'auto' });
  #kind = el('span.usage-kind');
  #requests = el('td');
  #prompt = el('td');
  #cached = el('td');
  #completion = el('td');
  #lastUsed = el('td');
  element = el('tr', {}, el('th', { scope: 'row' }, this.#name, ' ', this.#kind), this.#requests, this.#prompt, this.#cached, this.#completion, this.#lastUsed);

  show({ kind, ownId, name, requests, promptTokens, cachedTokens, completionTokens, lastUsedAt }) {
    const cached = shareOf(cachedTokens, promptTokens);
    setText(this.#name, name || (NAMELESS[kind] ?? ownId));
    setText(this.#kind, SAID[kind] ?? '');
    setText(this.#requests, formatCount(requests));
    setText(this.#prompt, formatCount(promptTokens));
    setText(this.#cached, cached === null ? '' : formatPercent(cached));
    setText(this.#completion, formatCount(completionTokens));
    setText(this.#lastUsed, lastUsedAt === '' ? '' : momentOf(lastUsedAt));
  }
}

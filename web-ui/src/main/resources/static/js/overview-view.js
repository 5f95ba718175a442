import { ApiError } from './api.js';
import { momentOf } from './days.js';
import { el } from './dom.js';
import { FactList, shareOf } from './fact-list.js';
import { formatCount, formatDuration, formatMs, formatRate, formatShort } from './format.js';
import { LineChart } from './line-chart.js';
import { NodeCard } from './node-card.js';
import { RecentPoints } from './recent-points.js';
import { Repeated } from './repeated.js';
import { RowList } from './row-list.js';
import { fetchServer } from './server-api.js';
import { setText } from './set-text.js';
import { makeSheet, openSheet } from './sheet.js';
import { UsageSection } from './usage-section.js';

const EVERY_MS = 2_000;
/** What the server's states are called; the others as it calls them. */
const STATES = { ready: 'Ready', downloading: 'Downloading', loading: 'Loading', unavailable: 'Unavailable', failed: 'Failed' };

/** The sheet in which one sees what the server does, while it does it. */
export class OverviewView {
  #recent = new RecentPoints();
  #reading = new Repeated(counts => this.#read(counts), EVERY_MS);
  #note = el('p.overview-note', { role: 'status' });
  #figures = new FactList('figures');
  #charts = [
    new LineChart('Throughput', { tokensPerSecond: 'Tokens' }, { format: formatRate, formatMark: formatShort, least: 10 }),
    new LineChart('Time to first token', { firstTokenMs: 'Median', firstTokenMsP95: '95th percentile' }, { format: formatMs, least: 100 }),
    new LineChart('Answers', { running: 'Running', queued: 'Waiting' }, { format: formatCount, formatMark: formatShort, least: 2 }),
  ];
  #nodes = new RowList(el('ul.nodes', { ariaLabel: 'Nodes' }), () => new NodeCard(), () => {});
  #noNodes = el('p.about', { hidden: true }, 'No node has been here yet.');
  #state = el('div.overview-state', { hidden: true }, this.#figures.element, el('div.charts', {}, ...this.#charts.map(({ element }) => element)),
    el('section', {}, el('h3', {}, 'Nodes'), this.#nodes.element, this.#noNodes));
  #usage = new UsageSection();
  #dialog = makeSheet('overview-sheet', { title: 'Server', closeLabel: 'Close the server overview' }, this.#note, this.#state, this.#usage.element);

  constructor() {
    this.#dialog.addEventListener('close', () => {
      this.#reading.stop();
      this.#usage.stop();
      setText(this.#note, '');
    });
  }

  /** Shows the sheet, and keeps what it shows fresh until it is closed. */
  open() {
    if (this.#dialog.open) return;
    openSheet(this.#dialog);
    this.#reading.start();
    this.#usage.start();
  }

  async #read(counts) {
    try {
      const server = await fetchServer(this.#recent.newestAt);
      if (counts()) this.#show(server);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (counts()) setText(this.#note, this.#state.hidden ? `${error.message} Trying again.` : `${error.message} These are the last values; trying again.`);
    }
  }

  /** @param {import('./server-api.js').ServerState} server */
  #show(server) {
    setText(this.#note, '');
    this.#state.hidden = false;
    this.#recent.add(server.points);
    this.#figures.show(figuresOf(server, this.#recent.all.at(-1)));
    for (const chart of this.#charts) chart.show(this.#recent.all, server.intervalMs);
    this.#nodes.show(server.nodes.map(node => ({ ...node, id: node.address })));
    this.#noNodes.hidden = server.nodes.length > 0;
  }
}

/**
 * The server in a few numbers.
 * @param {import('./server-api.js').ServerState} server
 * @param {import('./server-api.js').Point} [newest]
 */
function figuresOf({ version, startedAt, uptimeSeconds, status, model, database, nodes }, newest) {
  // What the others do is not known.
  const engines = nodes.filter(({ state }) => state === 'up' || state === 'draining').flatMap(node => node.engines);
  const sum = field => engines.reduce((total, engine) => total + (engine[field] ?? 0), 0);
  const running = newest?.running ?? sum('slotsInUse');
  const slots = sum('slots');
  const ofSlots = slots > 0 ? `of ${formatCount(slots)} ${slots === 1 ? 'slot' : 'slots'}` : '';
  const rate = newest?.tokensPerSecond ?? sum('tokensPerSecond');
  return [
    { name: 'Status', value: STATES[status] ?? status, about: model, state: status },
    { name: 'Tokens per second', value: rate.toFixed(1), about: 'now' },
    { name: 'Answers running', value: formatCount(running), about: ofSlots, share: shareOf(running, slots) },
    { name: 'Waiting', value: formatCount(newest?.queued ?? sum('queued')), about: 'for a slot' },
    uptimeSeconds === null ? null : { name: 'Up for', value: formatDuration(uptimeSeconds), about: startedAt === '' ? '' : `since ${momentOf(startedAt)}` },
    version === '' ? null : { name: 'Version', value: version },
    ['', 'ready'].includes(database.status) ? null : databaseFact(database),
  ];
}

const databaseFact = ({ status, message }) => ({ name: 'Database', value: status, about: message, state: status === 'opening' ? 'loading' : 'failed' });

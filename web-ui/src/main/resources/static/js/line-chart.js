import { ChartFrame, chartSection, sampleOf } from './chart-frame.js';
import { areaPath, linePath, marksUpTo, stretchesOf } from './chart-lines.js';
import { draw, el } from './dom.js';
import { SPAN_MS } from './recent-points.js';
import { setText } from './set-text.js';

/** A line breaks where so many points are missing. */
const MISSING = 3;
/** How long a value without neighbours is drawn, by the kind of the line: kinds are told apart without their colours too. */
const ALONE = { only: 0, first: 0, second: 5 };
const NOTHING = '–';

/** One or two values as they were in the last ten minutes, and as they are now in words. */
export class LineChart {
  #title;
  #lines;
  #format;
  #formatMark;
  #least;
  #points = [];
  #gapMs = 0;
  #frame = new ChartFrame(() => this.#draw());
  element;

  /**
   * @param {string} title
   * @param {Record<string, string>} lines what they are called, by the field of a point
   * @param {object} how
   * @param {(value: number) => string} how.format writes a value
   * @param {(value: number) => string} [how.formatMark] writes it at the side
   * @param {number} how.least the axis shows at least so much
   */
  constructor(title, lines, { format, formatMark = format, least }) {
    this.#title = title;
    this.#format = format;
    this.#formatMark = formatMark;
    this.#least = least;
    const kinds = Object.keys(lines).length === 1 ? ['only'] : ['first', 'second'];
    this.#lines = Object.entries(lines).map(([field, name], i) => ({ field, name, kind: kinds[i], value: el('span.chart-value') }));
    const legend = this.#lines.map(({ kind, name, value }) => (kind === 'only' ? el('p', {}, value) : el('p', {}, sampleOf(kind), `${name} `, value)));
    this.element = chartSection(title, el('div.chart-legend', {}, ...legend), this.#frame.element);
  }

  /**
   * @param {import('./server-api.js').Point[]} points the oldest first
   * @param {number} intervalMs between two of them
   */
  show(points, intervalMs) {
    this.#points = points;
    this.#gapMs = MISSING * intervalMs;
    for (const line of this.#lines) setText(line.value, this.#last(line) === null ? NOTHING : this.#format(this.#last(line)));
    this.#draw();
  }

  #valuesOf({ field }) {
    return this.#points.map(point => point[field]).filter(value => value !== null);
  }

  #last(line) {
    return this.#valuesOf(line).at(-1) ?? null;
  }

  #draw() {
    const values = this.#lines.flatMap(line => this.#valuesOf(line));
    this.#frame.show({
      label: `${this.#title} in the last ten minutes: ${this.#lines.map(line => this.#describe(line)).join('; ')}.`,
      marks: marksUpTo(Math.max(0, ...values), this.#least),
      format: this.#formatMark,
      below: ['10 min ago', '5 min ago', 'now'],
      inside: room => this.#paths(room),
    });
  }

  /** The second line is drawn first, so that the first one is seen where both have the same value. */
  #paths({ left, right, y }) {
    const end = this.#points.at(-1)?.time ?? 0;
    const x = time => right - ((end - time) / SPAN_MS) * (right - left);
    return [...this.#lines].reverse().flatMap(({ field, kind }) => {
      const stretches = stretchesOf(this.#points, field, this.#gapMs);
      const line = draw('path', { class: `chart-line ${kind}`, d: linePath(stretches, x, y, ALONE[kind]) });
      return kind === 'only' ? [draw('path', { class: 'chart-area', d: areaPath(stretches, x, y) }), line] : [line];
    });
  }

  #describe(line) {
    const values = this.#valuesOf(line);
    const name = this.#lines.length === 1 ? '' : `${line.name} `;
    if (values.length === 0) return `${name}no value`;
    const when = this.#points.at(-1)[line.field] === null ? 'at last' : 'now';
    const [least, most, last] = [Math.min(...values), Math.max(...values), values.at(-1)].map(this.#format);
    return `${name}${last} ${when}, ${least === most ? `always ${most}` : `between ${least} and ${most}`}`;
  }
}

import { ChartFrame, chartSection } from './chart-frame.js';
import { marksUpTo } from './chart-lines.js';
import { calendarDay } from './days.js';
import { draw } from './dom.js';
import { formatCount, formatShort } from './format.js';

const LEAST = 10;
const DAY_MS = 86_400_000;
/** More days than one can ask for. */
const MOST_DAYS = 400;

/** How many tokens were read and written on each day. */
export class DayChart {
  #bars = [];
  #frame = new ChartFrame(() => this.#draw());
  element = chartSection('Tokens by day', this.#frame.element);

  /** @param {import('./server-api.js').Usage} usage */
  show({ from, to, days }) {
    const known = new Map(days.map(({ day, promptTokens, completionTokens }) => [day, promptTokens + completionTokens]));
    this.#bars = daysBetween(from, to).map(day => ({ day, tokens: known.get(day) ?? 0 }));
    this.element.hidden = this.#bars.length === 0;
    if (!this.element.hidden) this.#draw();
  }

  #draw() {
    const bars = this.#bars;
    if (bars.length === 0) return;
    const most = bars.reduce((a, b) => (b.tokens > a.tokens ? b : a));
    const total = bars.reduce((sum, { tokens }) => sum + tokens, 0);
    const span = `${calendarDay(bars[0].day)} to ${calendarDay(bars.at(-1).day)}`;
    const peak = total === 0 ? '' : `, most of them on ${calendarDay(most.day)}: ${formatCount(most.tokens)}`;
    this.#frame.show({
      label: `Tokens by day, ${span}: ${formatCount(total)} in all${peak}.`,
      marks: marksUpTo(most.tokens, LEAST),
      format: formatShort,
      below: [bars[0], bars[Math.floor(bars.length / 2)], bars.at(-1)].map(({ day }) => calendarDay(day)),
      inside: room => this.#rects(room),
    });
  }

  #rects({ left, right, y }) {
    const each = (right - left) / this.#bars.length;
    const width = Math.min(each * 0.72, 28);
    return this.#bars.flatMap(({ day, tokens }, i) => {
      if (tokens === 0) return [];
      const height = Math.max(1.5, y(0) - y(tokens));
      const title = draw('title', {}, `${calendarDay(day)}: ${formatCount(tokens)} tokens`);
      return [draw('rect', { class: 'chart-bar', x: left + (i + 0.5) * each - width / 2, y: y(0) - height, width, height, rx: Math.min(2, width / 3) }, title)];
    });
  }
}

function daysBetween(from, to) {
  const days = [];
  if (from === '' || to === '') return days;
  for (let time = Date.parse(from); time <= Date.parse(to) && days.length < MOST_DAYS; time += DAY_MS) days.push(new Date(time).toISOString().slice(0, 10));
  return days;
}

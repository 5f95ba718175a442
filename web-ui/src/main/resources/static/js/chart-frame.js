import { draw, el } from './dom.js';

const HEIGHT = 148;
const ABOVE = 8;
const BELOW = 22;
/** About as wide as a letter of the labels is on average. */
const LETTER = 7.2;

/**
 * What all charts have in common: a drawing as wide as there is room, with round numbers at the side and a few labels below.
 * For those who do not see it, it says in words what it shows.
 */
export class ChartFrame {
  element = draw('svg', { class: 'chart-drawing', role: 'img', height: HEIGHT });
  #width = 0;
  #draw;

  /** @param {() => void} draw draws anew: there is room, or another */
  constructor(draw) {
    this.#draw = draw;
    new ResizeObserver(([{ contentRect }]) => this.#resize(Math.round(contentRect.width))).observe(this.element);
  }

  #resize(width) {
    if (width === 0 || width === this.#width) return;
    this.#width = width;
    this.#draw();
  }

  /**
   * @param {object} what
   * @param {string} what.label all of it in words
   * @param {number[]} what.marks numbers at the side, the last at the top
   * @param {(mark: number) => string} what.format writes them
   * @param {string[]} what.below labels from the left edge to the right
   * @param {(room: {left: number, right: number, y: (value: number) => number}) => SVGElement[]} what.inside
   */
  show({ label, marks, format, below, inside }) {
    this.element.setAttribute('aria-label', label);
    if (this.#width === 0) return;
    const bottom = HEIGHT - BELOW;
    const texts = ['0', ...marks.map(format)];
    const left = Math.ceil(Math.max(...texts.map(({ length }) => length)) * LETTER) + 8;
    const right = this.#width - 4;
    const y = value => bottom - (value / marks.at(-1)) * (bottom - ABOVE);
    const rulers = [0, ...marks].flatMap((mark, i) => [
      draw('path', { class: i === 0 ? 'chart-ground' : 'chart-ruler', d: `M${left} ${Math.round(y(mark)) + 0.5}H${right}` }),
      draw('text', { x: left - 8, y: y(mark) + 4, 'text-anchor': 'end' }, texts[i]),
    ]);
    const ends = below.map((text, i) => {
      const at = i / Math.max(1, below.length - 1);
      const anchor = at === 0 ? 'start' : at === 1 ? 'end' : 'middle';
      return draw('text', { x: left + at * (right - left), y: HEIGHT - 5, 'text-anchor': anchor }, text);
    });
    this.element.replaceChildren(...rulers, ...inside({ left, right, y }), ...ends);
  }
}

/** A line as it is in the chart, for its legend. */
export function sampleOf(kind) {
  return draw('svg', { class: 'chart-sample', 'aria-hidden': 'true', viewBox: '0 0 22 8' }, draw('path', { class: `chart-line ${kind}`, d: 'M2 4H20' }));
}

/** A chart with its heading. */
export function chartSection(title, ...parts) {
  return el('section.chart', {}, el('h3', {}, title), ...parts);
}

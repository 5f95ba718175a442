// How numbers become places in a chart. No page is needed for it.

const STEPS = [1, 2, 3, 5, 10];

/**
 * Marks for an axis that begins at 0: two or three round numbers above it, the last of which is its end.
 * @param {number} most the largest value there is to show
 * @param {number} least the axis shows at least so much
 * @returns {number[]}
 */
export function marksUpTo(most, least) {
  const end = Math.max(most, least);
  const power = 10 ** Math.floor(Math.log10(end / 3));
  // The quotient of two numbers that are not whole may be a hair too large.
  const step = STEPS.find(each => each * power * 3 >= end * (1 - 1e-9)) * power;
  const count = Math.ceil(end / step - 1e-9);
  return Array.from({ length: count }, (_, i) => Number(((i + 1) * step).toPrecision(12)));
}

/**
 * Values that are one line: it breaks where there is no value, and where the server said nothing for a while.
 * @param {{time: number}[]} points the oldest first
 * @param {string} field of a point
 * @param {number} gapMs how far apart two of a line may be
 * @returns {{time: number, value: number}[][]}
 */
export function stretchesOf(points, field, gapMs) {
  const stretches = [];
  let last = null;
  for (const { time, [field]: value } of points) {
    if (value === null) {
      last = null;
      continue;
    }
    if (last === null || time - last > gapMs) stretches.push([]);
    stretches.at(-1).push({ time, value });
    last = time;
  }
  return stretches;
}

/**
 * The lines' path. A value without neighbours is a dot, or a short dash.
 * @param {{time: number, value: number}[][]} stretches
 * @param {(time: number) => number} x
 * @param {(value: number) => number} y
 * @param {number} alone how long the dash is; 0 for a dot
 */
export function linePath(stretches, x, y, alone) {
  return stretches.map(stretch => (stretch.length > 1
    ? `M${stretch.map(({ time, value }) => place(x(time), y(value))).join('L')}`
    : `M${place(x(stretch[0].time) - alone / 2, y(stretch[0].value))}h${alone}`)).join('');
}

/** The path around what is between the lines and 0. */
export function areaPath(stretches, x, y) {
  return stretches.filter(({ length }) => length > 1).map(stretch => {
    const line = stretch.map(({ time, value }) => place(x(time), y(value)));
    return `M${[place(x(stretch[0].time), y(0)), ...line, place(x(stretch.at(-1).time), y(0))].join('L')}Z`;
  }).join('');
}

const place = (x, y) => `${round(x)} ${round(y)}`;
const round = number => Math.round(number * 10) / 10;

// How numbers become places in a chart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areaPath, linePath, marksUpTo, stretchesOf } from '../../src/main/resources/static/js/chart-lines.js';

const x = time => time;
const y = value => 100 - value;

test('an axis has two or three round marks, and the largest value is below its end', () => {
  const cases = [
    [0, 10, [5, 10]], [0, 2, [1, 2]], [3, 2, [1, 2, 3]], [4, 2, [2, 4]], [41.2, 10, [20, 40, 60]], [7, 2, [3, 6, 9]],
    [0.3, 0.1, [0.1, 0.2, 0.3]], [420, 100, [200, 400, 600]], [912_340, 10, [500_000, 1_000_000]],
  ];
  for (const [most, least, marks] of cases) assert.deepEqual(marksUpTo(most, least), marks, `up to ${most}`);
});

test('an axis is as good for any value', () => {
  for (let most = 1e-3; most < 1e15; most *= 1.07) {
    const marks = marksUpTo(most, 1e-3);
    assert.ok(marks.length === 2 || marks.length === 3, `${most}: ${marks}`);
    assert.ok(marks.at(-1) >= most * (1 - 1e-9), `${most}: ${marks}`);
    if (most >= 2) assert.ok(marksUpTo(most, 2).every(Number.isInteger), `${most}: ${marks}`);
  }
});

test('a line breaks where there is no value, and where nothing was said for a while', () => {
  const points = [[0, 1], [2, 2], [4, null], [6, 3], [8, 0], [20, 5]].map(([time, value]) => ({ time, value }));
  const times = gap => stretchesOf(points, 'value', gap).map(stretch => stretch.map(({ time }) => time));
  assert.deepEqual(times(6), [[0, 2], [6, 8], [20]]);
  assert.deepEqual(times(12), [[0, 2], [6, 8, 20]]);
  assert.deepEqual(stretchesOf([], 'value', 6), []);
  assert.deepEqual(stretchesOf([{ time: 0, value: null }], 'value', 6), []);
});

test('a path has one part for each stretch; a value without neighbours is a dot or a dash', () => {
  const stretches = [[{ time: 0, value: 10 }, { time: 2, value: 20.123 }], [{ time: 8, value: 0 }]];
  assert.equal(linePath(stretches, x, y, 0), 'M0 90L2 79.9M8 100h0');
  assert.equal(linePath(stretches, x, y, 5), 'M0 90L2 79.9M5.5 100h5');
  assert.equal(linePath([], x, y, 0), '');
});

test('an area goes down to 0 at both ends', () => {
  assert.equal(areaPath([[{ time: 0, value: 10 }, { time: 2, value: 20 }], [{ time: 8, value: 0 }]], x, y), 'M0 100L0 90L2 80L2 100Z');
});

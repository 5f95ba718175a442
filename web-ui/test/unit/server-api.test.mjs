// What the server says of itself, as the page takes it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calendarDay } from '../../src/main/resources/static/js/days.js';
import { formatDuration, formatMs, formatShort } from '../../src/main/resources/static/js/format.js';
import { RecentPoints } from '../../src/main/resources/static/js/recent-points.js';
import { toServer, toUsage } from '../../src/main/resources/static/js/server-api.js';

const NONSENSE = [null, undefined, 7, 'text', [], {}, [null], { nodes: {}, history: [], by: 'x', days: 3 }];
const at = seconds => new Date(Date.parse('2026-12-01T10:00:00Z') + seconds * 1_000).toISOString();
const points = seconds => toServer({ history: { points: seconds.map(each => ({ at: at(each) })) } }).points;

test('whatever a server says, what comes of it can be shown', () => {
  for (const said of NONSENSE) {
    assert.deepEqual(toServer(said), { version: '', startedAt: '', uptimeSeconds: null, status: '', model: '', database: { status: '', message: '' }, nodes: [], intervalMs: 2_000, points: [] });
    assert.deepEqual(toUsage(said).days, []);
  }
  const [nobody, somebody] = toServer({ nodes: [null, { address: 7, notices: ['a', 3, ''], devices: [null], models: ['x'], engines: [{ slots: -1, queued: 'many' }] }] }).nodes;
  assert.deepEqual(nobody, { address: '', state: '', version: '', llamaCpp: '', uptimeSeconds: null, notices: [], devices: [], models: [], engines: [] });
  assert.deepEqual([somebody.address, somebody.notices, somebody.devices.length, somebody.models.length], ['', ['a'], 1, 1]);
  assert.deepEqual([somebody.engines[0].slots, somebody.engines[0].queued], [null, null]);
});

test('points without a time are left out, and values that are no numbers are none', () => {
  const { points, intervalMs } = toServer({ history: { interval_seconds: 5, points: [{ at: 'soon' }, {}, null, { at: at(2), tokens_per_second: 'NaN', first_token_ms: null, running: 2 }] } });
  assert.deepEqual(points, [{ at: at(2), time: Date.parse(at(2)), tokensPerSecond: null, firstTokenMs: null, firstTokenMsP95: null, running: 2, queued: null }]);
  assert.equal(intervalMs, 5_000);
});

test('days are days of the calendar, and a key and an account of one id are two', () => {
  const usage = toUsage({ from: '2026-11-02', to: 'today', days: [{ day: '2026-12-01', requests: 2 }, { day: '1' }], by: [{ kind: 'key', id: 'a' }, { kind: 'account', id: 'a', last_used_at: 'never' }] });
  assert.deepEqual([usage.from, usage.to], ['2026-11-02', '']);
  assert.deepEqual(usage.days, [{ day: '2026-12-01', requests: 2, promptTokens: 0, cachedTokens: 0, completionTokens: 0 }]);
  assert.notEqual(usage.by[0].id, usage.by[1].id);
  assert.equal(usage.by[1].lastUsedAt, '');
  assert.equal(calendarDay('2026-12-01'), 'Dec 1');
});

test('ten minutes of points are kept, each once', () => {
  const recent = new RecentPoints();
  assert.equal(recent.newestAt, '');
  recent.add(points([0, 2, 4]));
  recent.add(points([2, 4, 6]));
  recent.add([]);
  assert.deepEqual(recent.all.map(({ at }) => at), [0, 2, 4, 6].map(at));
  recent.add(points([603]));
  assert.deepEqual(recent.all.map(({ at }) => at), [4, 6, 603].map(at));
  assert.equal(recent.newestAt, at(603));
});

test('times and numbers are written as people read them', () => {
  assert.deepEqual([0.4, 59, 60, 812.4, 3_600, 11_520, 356_400].map(formatDuration), ['0 s', '59 s', '1 min', '13 min', '1 h 0 min', '3 h 12 min', '4 d 3 h']);
  assert.deepEqual([0, 179.6, 1_000, 1_234].map(formatMs), ['0 ms', '180 ms', '1 s', '1.2 s']);
  assert.deepEqual([5, 500, 30_000, 1_500_000].map(formatShort), ['5', '500', '30K', '1.5M']);
});

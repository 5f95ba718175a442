import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeLeftOut, newAnswer, newQuestion, restoreMessages, titleOf, toRequestMessages, toStats } from '../../src/main/resources/static/js/conversation.js';
import { dayGroup } from '../../src/main/resources/static/js/days.js';
import { describeStats, formatBytes, formatPercent, formatSeconds } from '../../src/main/resources/static/js/format.js';
import { describeHealth, toHealth } from '../../src/main/resources/static/js/health.js';
import { parseSampling } from '../../src/main/resources/static/js/settings.js';
import { TimeLeft, roughTime } from '../../src/main/resources/static/js/time-left.js';

const answerOf = content => ({ ...newAnswer('q', 'm'), content, status: 'complete' });

test('an answer that was being written when the page went away comes back as interrupted', () => {
  const kept = [newQuestion(null, 'hi'), newAnswer('q', 'm')];
  assert.deepEqual(restoreMessages(JSON.parse(JSON.stringify(kept))).map(message => message.status), ['complete', 'interrupted']);
});

test('what was kept and is no message is dropped', () => {
  assert.deepEqual(restoreMessages({ a: 1 }), []);
  assert.deepEqual(restoreMessages([null, 3, { role: 'root', id: 'x', content: '' }, { role: 'user', id: 'x' }]), []);
});

test('the request has the system prompt first, no empty answers, and roles that alternate', () => {
  const messages = [newQuestion(null, 'a'), answerOf(''), newQuestion(null, 'b'), answerOf('c')];
  assert.deepEqual(toRequestMessages(messages, 'Be kind.'), [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'a\n\nb' },
    { role: 'assistant', content: 'c' },
  ]);
  assert.equal(toRequestMessages(messages, '  ')[0].role, 'user');
});

test('statistics are what was counted and measured, and say when it was estimated', () => {
  const timings = { first_token_ms: 1000, completion_ms: 2000, duration_ms: 3000 };
  assert.deepEqual(toStats({ usage: { completion_tokens: 41 }, timings }), {
    tokens: 41, estimated: false, seconds: 3, perSecond: 20.5, firstToken: 1,
  });
  const counted = toStats({ usage: { completion_tokens: 9, estimated: true }, timings });
  assert.equal(describeStats(counted).join(', '), '≈ 9 tokens, 3.0 s, 4.5 tokens/s, first token 1.0 s');
  assert.deepEqual(describeStats(toStats({ usage: { completion_tokens: 0 }, timings: { first_token_ms: 0, completion_ms: 0, duration_ms: 500 } })), ['0.50 s']);
  assert.equal(toStats({ usage: {}, timings: { duration_ms: 0 } }), null);
});

test('what the model did not see is said', () => {
  assert.equal(describeLeftOut({ left_out: null }), '');
  assert.match(describeLeftOut({ left_out: { messages: 14, by: 'context_window' } }), /^The first 14 messages were left out: .*context/);
  assert.match(describeLeftOut({ left_out: { messages: 1, by: 'max_history_messages' } }), /^The first message was left out: .*limited history/);
});

test('a title is the first words of a text', () => {
  assert.equal(titleOf(' Bread\nand more'), 'Bread');
  const title = titleOf('word '.repeat(40));
  assert.ok(title.length <= 61 && title.endsWith('word…'), title);
});

test('a list goes by day, then by month', () => {
  const now = new Date(2026, 6, 15, 0, 30);
  const at = (...date) => dayGroup(new Date(...date).getTime(), now);
  assert.equal(at(2026, 6, 15, 0, 10), 'Today');
  assert.equal(at(2026, 6, 14, 23, 50), 'Yesterday');
  assert.equal(at(2026, 6, 13, 12), 'Monday');
  assert.equal(at(2026, 6, 5, 12), 'Last 30 days');
  assert.equal(at(2026, 1, 1, 12), 'February 2026');
});

test('numbers read as people write them', () => {
  assert.equal(formatBytes(98_362_432), '98 MB');
  assert.equal(formatBytes(2_019_377_696), '2.0 GB');
  assert.equal(formatSeconds(0.314), '0.31 s');
  assert.equal(formatSeconds(125), '2 min 5 s');
  assert.equal(formatPercent(0.999), '99 %');
});

test('health is put into words', () => {
  const title = body => describeHealth(toHealth(body)).title;
  assert.equal(title({ status: 'loading', progress: 0.42 }), 'Model is loading… 42 %');
  assert.equal(title({ status: 'loading' }), 'Model is loading…');
  assert.equal(title({ status: 'downloading', bytes_done: 63e6, bytes_total: 98e6 }), 'Downloading model… 63 MB of 98 MB');
  assert.equal(title({ status: 'downloading', progress: 0.5 }), 'Downloading model… 50 %');
  assert.deepEqual(describeHealth(toHealth({ status: 'failed', model: 'm', message: 'Not a GGUF file.' })), {
    title: 'M could not be loaded', detail: 'Not a GGUF file.',
  });
  assert.equal(toHealth({ status: 'something new', progress: 7 }).phase, 'unavailable');
});

test('a setting outside its range is refused with the range', () => {
  assert.equal(parseSampling('temperature', ' '), null);
  assert.equal(parseSampling('temperature', '0,7'), 0.7);
  assert.throws(() => parseSampling('temperature', '3'), /from 0 to 2/);
  assert.throws(() => parseSampling('max_tokens', '1.5'), /whole number from 1 to 131,072/);
});

test('the time that is left follows from the progress so far, and is said roughly', () => {
  const left = new TimeLeft();
  assert.equal(left.after('load a', 0.2, 1_000), null);
  assert.equal(left.after('load a', 0.4, 2_000), null, 'too early');
  assert.equal(Math.round(left.after('load a', 0.6, 5_000)), 4);
  assert.equal(Math.round(left.after('load a', 0.6, 9_000)), 8, 'it stands still');
  assert.equal(left.after('load b', 0.6, 9_000), null, 'another model');
  assert.equal(left.after('load b', 0.1, 19_000), null, 'begun anew');
  assert.deepEqual([3, 21, 55, 58, 60, 200].map(roughTime), ['a few seconds', 'about 25 s', 'about 55 s', 'about 1 min', 'about 1 min', 'about 3 min']);
});

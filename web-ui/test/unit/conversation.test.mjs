import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newMessage, restoreMessages, toRequestMessages, toStats } from '../../src/main/resources/static/js/conversation.js';
import { describeStats, formatBytes, formatPercent, formatSeconds } from '../../src/main/resources/static/js/format.js';
import { describeHealth, toHealth } from '../../src/main/resources/static/js/health.js';
import { parseSampling } from '../../src/main/resources/static/js/settings.js';

test('an answer that was being written when the page went away comes back as interrupted', () => {
  const kept = [newMessage('user', 'hi'), { ...newMessage('assistant', 'Hel'), status: 'streaming' }];
  assert.deepEqual(restoreMessages(JSON.parse(JSON.stringify(kept))).map(message => message.status), ['done', 'interrupted']);
});

test('what was kept and is no message is dropped', () => {
  assert.deepEqual(restoreMessages({ a: 1 }), []);
  assert.deepEqual(restoreMessages([null, 3, { role: 'root', id: 'x', content: '' }, { role: 'user', id: 'x' }]), []);
});

test('the request has the system prompt first, no empty answers, and roles that alternate', () => {
  const messages = [newMessage('user', 'a'), newMessage('assistant', ''), newMessage('user', 'b'), newMessage('assistant', 'c')];
  assert.deepEqual(toRequestMessages(messages, 'Be kind.'), [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'a\n\nb' },
    { role: 'assistant', content: 'c' },
  ]);
  assert.equal(toRequestMessages(messages, '  ')[0].role, 'user');
});

test('statistics use the server\'s numbers, and say when they had to be estimated', () => {
  const usage = { completion_tokens: 41 };
  assert.deepEqual(toStats({ seconds: 3, firstToken: 1, deltas: 9, usage }), {
    tokens: 41, estimated: false, seconds: 3, perSecond: 20, firstToken: 1,
  });
  assert.equal(toStats({ seconds: 3, firstToken: 1, deltas: 9, usage, timings: { predicted_per_second: 51.5 } }).perSecond, 51.5);
  const counted = toStats({ seconds: 3, firstToken: 1, deltas: 9 });
  assert.equal(describeStats(counted).join(', '), '≈ 9 tokens, 3.0 s, 4.0 tokens/s, first token 1.0 s');
  assert.deepEqual(describeStats(toStats({ seconds: 0.5, firstToken: null, deltas: 0 })), ['0.50 s']);
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SseParser, readEvents } from '../../src/main/resources/static/js/sse.js';

const bytes = text => new TextEncoder().encode(text);
const TRANSCRIPT = ': ping\r\n\r\nid: 7\ndata: {"a":"ñandú 🏃 日本"}\n\nevent: error\rdata: one\rdata:two\r\r\ndata\n\ndata: [DONE]\n\n';
const EXPECTED = [
  { event: 'message', data: '{"a":"ñandú 🏃 日本"}', id: '7' },
  { event: 'error', data: 'one\ntwo', id: '7' },
  { event: 'message', data: '', id: '7' },
  { event: 'message', data: '[DONE]', id: '7' },
];

test('reads events with every line ending, comments and several data lines', () => {
  assert.deepEqual(new SseParser().push(bytes(TRANSCRIPT)), EXPECTED);
});

test('gives the same events wherever the bytes are cut', () => {
  const whole = bytes(TRANSCRIPT);
  for (let cut = 0; cut <= whole.length; cut++) {
    const parser = new SseParser();
    const events = [...parser.push(whole.subarray(0, cut)), ...parser.push(whole.subarray(cut))];
    assert.deepEqual(events, EXPECTED, `cut at ${cut}`);
  }
  const parser = new SseParser();
  assert.deepEqual([...whole].flatMap(byte => parser.push(Uint8Array.of(byte))), EXPECTED);
});

test('gives an event as soon as its CR CR is there, without waiting for an LF', () => {
  const parser = new SseParser();
  assert.deepEqual(parser.push(bytes('data: x\r\r')), [{ event: 'message', data: 'x', id: '' }]);
  assert.deepEqual(parser.push(bytes('\ndata: y\n\n')), [{ event: 'message', data: 'y', id: '' }]);
});

test('skips a byte order mark', () => {
  assert.deepEqual(new SseParser().push(bytes('\uFEFFdata: x\n\n')), [{ event: 'message', data: 'x', id: '' }]);
});

test('reads a stream to its end and drops what is not complete', async () => {
  const stream = new ReadableStream({
    start(controller) {
      for (const part of ['data: a\n', '\ndata: b\n\nda', 'ta: c\n']) controller.enqueue(bytes(part));
      controller.close();
    },
  });
  const seen = [];
  for await (const { data } of readEvents(stream)) seen.push(data);
  assert.deepEqual(seen, ['a', 'b']);
});

test('gives the stream back when its reader leaves early', async () => {
  let cancelled = false;
  const stream = new ReadableStream({
    pull: controller => controller.enqueue(bytes('data: a\n\n')),
    cancel: () => (cancelled = true),
  });
  for await (const { data } of readEvents(stream)) {
    assert.equal(data, 'a');
    break;
  }
  assert.ok(cancelled);
});

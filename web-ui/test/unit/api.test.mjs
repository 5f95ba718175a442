import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { send, useSession } from '../../src/main/resources/static/js/api.js';

const { fetch } = globalThis;
afterEach(() => {
  globalThis.fetch = fetch;
  useSession({ entered: async () => {}, renew: async () => false });
});

const never = () => new Promise(() => {});

test('whoever gives up while nobody is signed in waits no longer', async () => {
  globalThis.fetch = () => assert.fail('nobody is in');
  useSession({ entered: never });
  const giving = new AbortController();
  const waiting = send('/api/models', { signal: giving.signal });
  giving.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  await assert.rejects(send('/api/models', { signal: giving.signal }), { name: 'AbortError' });
});

test('the same where the session ended with the request', async () => {
  globalThis.fetch = async () => new Response('', { status: 401 });
  const giving = new AbortController();
  useSession({ entered: async () => {}, renew: () => (setTimeout(() => giving.abort()), never()) });
  await assert.rejects(send('/api/models', { signal: giving.signal }), { name: 'AbortError' });
});

test('a patience that is over is no answer', async () => {
  useSession({ entered: never });
  const patience = new AbortController();
  setTimeout(() => patience.abort(new DOMException('', 'TimeoutError')));
  await assert.rejects(send('/api/server', { signal: patience.signal }), { name: 'ApiError', code: 'unreachable' });
});

test('once somebody is in, it is asked', async () => {
  globalThis.fetch = async path => new Response(path);
  let enter;
  useSession({ entered: () => new Promise(resolve => (enter = resolve)) });
  const asked = send('/api/models', { signal: new AbortController().signal });
  enter();
  assert.equal(await (await asked).text(), '/api/models');
});

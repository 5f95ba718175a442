import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestsOf } from '../../src/main/resources/static/js/chat-file.js';

/** What the server takes of one request. */
const MOST_BYTES = 10_485_760;
const MOST_CHATS = 1_000;

const fileOf = conversations => JSON.stringify({ format: 'chasqui-conversations', version: 1, conversations });

test('a file larger than a request becomes several, with every chat once and in its order', () => {
  const chats = Array.from({ length: 40 }, (_, i) => ({ title: `Chat ${i}`, messages: [{ content: '日本'.repeat(200_000) }] }));
  const requests = [...requestsOf('all.json', fileOf(chats))];
  assert.ok(requests.length > 5);
  for (const request of requests) assert.ok(Buffer.byteLength(request) < MOST_BYTES, `${Buffer.byteLength(request)} bytes`);
  assert.deepEqual(requests.flatMap(request => JSON.parse(request).conversations), chats);
});

test('a file with more chats than a request may have becomes several', () => {
  const chats = Array.from({ length: 2_345 }, (_, i) => ({ title: `Chat ${i}` }));
  const requests = [...requestsOf('all.json', fileOf(chats))].map(request => JSON.parse(request).conversations);
  for (const { length } of requests) assert.ok(length > 0 && length <= MOST_CHATS);
  assert.deepEqual(requests.flat(), chats);
});

test('what is no file with chats goes to the server as it is, which says what is wrong with it', () => {
  for (const text of ['', 'no JSON', '[]', '{"conversations":{}}', 'null']) assert.deepEqual([...requestsOf('x.json', text)], [text]);
  assert.deepEqual([...requestsOf('x.json', fileOf([]))], ['{"conversations":[]}']);
});

test('a Markdown file is one request, whatever it looks like', () => {
  for (const name of ['chat.md', 'CHAT.MARKDOWN', 'notes.txt']) {
    assert.deepEqual([...requestsOf(name, fileOf([]))].map(request => JSON.parse(request)), [{ markdown: fileOf([]) }]);
  }
});

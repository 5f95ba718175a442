import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageTree } from '../../src/main/resources/static/js/message-tree.js';
import { OpenChat } from '../../src/main/resources/static/js/open-chat.js';

const message = (id, parent, role = 'user', more = {}) => ({
  id, parent_id: parent, role, content: id, reasoning: '', status: 'complete', updated_at: '2026-01-31T12:00:00Z', ...more,
});
const later = '2026-01-31T12:00:00.001Z';
const TWO_ANSWERS = [message('q', null), message('a', 'q', 'assistant'), message('b', 'q', 'assistant'), message('q2', 'a'), message('c', 'q2', 'assistant')];
const ids = messages => messages.map(({ id }) => id);

test('a path goes from the first message to the leaf, and a branch to its newest leaf', () => {
  const tree = new MessageTree(TWO_ANSWERS);
  assert.deepEqual(ids(tree.path('c')), ['q', 'a', 'q2', 'c']);
  assert.deepEqual(tree.path('unknown'), []);
  assert.deepEqual(tree.siblings(tree.get('a')), ['a', 'b']);
  assert.equal(tree.newestLeaf('a'), 'c');
  assert.equal(tree.newestLeaf('q'), 'b');
});

test('messages that turn in a circle end all the same', () => {
  const tree = new MessageTree([message('x', 'y'), message('y', 'x')]);
  assert.ok(tree.path('x').length <= 3);
  assert.ok(tree.newestLeaf('x'));
});

test('what is older than what is known changes nothing', () => {
  const tree = new MessageTree([message('a', null, 'assistant', { content: 'whole', updated_at: later })]);
  tree.put(message('a', null, 'assistant', { content: 'wh', status: 'running' }));
  assert.equal(tree.get('a').content, 'whole');
  tree.put(message('a', null, 'assistant', { content: 'wh', status: 'running', updated_at: later }));
  assert.equal(tree.get('a').status, 'complete');
});

test('of two pictures of a running answer the longer text counts', () => {
  const tree = new MessageTree([message('a', null, 'assistant', { content: 'so far', status: 'running' })]);
  const held = tree.get('a');
  tree.put(message('a', null, 'assistant', { content: '', status: 'running' }));
  assert.equal(held.content, 'so far');
  tree.put(message('a', null, 'assistant', { content: 'so far and on', status: 'complete' }));
  assert.equal(held.content, 'so far and on');
});

test('pieces of text join by their offsets, twice or overlapping, and a gap is noticed', () => {
  const chat = new OpenChat({ id: 'conv_1', current_message_id: 'a' }, [message('q', null), message('a', 'q', 'assistant', { content: '', status: 'running' })]);
  const piece = (offset, content) => chat.grow({ type: 'token', message_id: 'a', offset, content });
  piece(0, 'One');
  piece(3, ' two');
  piece(0, 'One');
  piece(3, ' two three');
  assert.equal(chat.tree.get('a').content, 'One two three');
  assert.equal(piece(40, 'lost'), null);
  assert.equal(chat.grow({ type: 'token', message_id: 'nobody', offset: 0, content: 'x' }), null);
});

test('the shown path changes when the message that ends it is there', () => {
  const chat = new OpenChat({ id: 'conv_1', current_message_id: 'a' }, TWO_ANSWERS.slice(0, 2));
  chat.merge({ id: 'conv_1', current_message_id: 'c' }, []);
  assert.deepEqual(ids(chat.messages), ['q', 'a']);
  chat.merge(null, TWO_ANSWERS.slice(2));
  assert.deepEqual(ids(chat.messages), ['q', 'a', 'q2', 'c']);
});

test('a question on its way is shown behind what it follows, with the answer that is awaited', () => {
  const chat = new OpenChat({ id: 'conv_1', current_message_id: 'c' }, TWO_ANSWERS);
  chat.pending = message('mine', 'a');
  assert.deepEqual(ids(chat.messages), ['q', 'a', 'mine']);
  chat.awaitedBehind = 'a';
  assert.deepEqual(ids(chat.messages), ['q', 'a', 'mine', 'awaited']);
  assert.ok(chat.busy);
});

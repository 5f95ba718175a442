// Chats with a server that stores nothing: they live in this browser.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { eventually, launch, openPage } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { answered, ask, assertNoAxeFindings, firstText } from '../specs.mjs';

let browser;
let server;
let page;

before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => {
  server = await new ScriptedServer().start();
  server.withoutOwnRoutes = true;
  page = await openPage(browser, server.url);
  await page.locator('#storage-note', { hasText: 'kept in this browser only' }).waitFor();
});
afterEach(async () => {
  await page.context().close();
  await server.stop();
  assert.deepEqual(page.problems, []);
});

const notice = text => page.locator('.notice', { hasText: text }).waitFor();

test('an error in mid-answer keeps the text, and Continue goes on from there', async () => {
  server.scripts = [{ pieces: ['It was '], error: { message: 'The node went away.' } }, { pieces: ['a dark night.'] }];
  await ask(page, 'Tell me');
  await notice('The node went away.');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.locator('.md', { hasText: 'It was a dark night.' }).waitFor();
  await answered(page);
  const { messages, continue_final_message } = server.requests[1];
  assert.deepEqual(messages.at(-1), { role: 'assistant', content: 'It was ' });
  assert.equal(continue_final_message, true);
  assert.match(await page.innerText('.stats'), /^2 tokens|^≈ 2 tokens/);
});

test('a connection that breaks keeps the text, also over a reload', async () => {
  let arrived;
  server.scripts = [{ pieces: ['Some text', ' and more'], breaks: new Promise(resolve => (arrived = resolve)) }, { pieces: ['anew'] }];
  await ask(page, 'Tell me');
  await page.locator('.md', { hasText: 'and more' }).waitFor();
  arrived();
  await notice('The connection broke before the answer was complete.');
  await page.reload();
  await notice('The connection broke');
  assert.equal(await answered(page), 'Some text and more');
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.locator('.md', { hasText: 'anew' }).waitFor();
});

test('a reload in mid-answer keeps what had come', async () => {
  server.scripts = [{ pieces: ['One', ' two'], stays: true }];
  await ask(page, 'Tell me');
  await firstText(page);
  await page.reload();
  await notice('This answer was interrupted.');
  assert.equal(await answered(page), 'One two');
});

test('Stop ends the request; another answer and another question are branches', async () => {
  server.scripts = [{ pieces: ['One'], stays: true }, { pieces: ['Two'] }, { pieces: ['Three'] }];
  await ask(page, 'Tell me');
  await firstText(page);
  await page.keyboard.press('Escape');
  await answered(page);
  await eventually(page, () => server.left === 1, 'the request has ended');
  await page.getByRole('button', { name: 'Regenerate' }).click();
  await page.locator('.md', { hasText: 'Two' }).waitFor();
  await page.locator('.answer .branch-at', { hasText: '2 / 2' }).waitFor();
  await page.keyboard.press('Alt+KeyE');
  await page.locator('.edit-box textarea').fill('Tell me more');
  await page.keyboard.press('Enter');
  await page.locator('.md', { hasText: 'Three' }).waitFor();
  await page.getByRole('button', { name: 'Previous question' }).click();
  await page.locator('.said', { hasText: /^Tell me$/ }).waitFor();
  await page.reload();
  await page.locator('.question .branch-at', { hasText: '1 / 2' }).waitFor();
});

test('chats are listed, renamed, deleted and brought back', async () => {
  await ask(page, 'Bread');
  await answered(page);
  await page.keyboard.press('Alt+KeyN');
  await page.locator('#welcome').waitFor();
  await page.locator('.chat-link', { hasText: 'Bread' }).focus();
  await page.keyboard.press('F2');
  await page.keyboard.type('Rye');
  await page.keyboard.press('Enter');
  await page.locator('.chat-link', { hasText: 'Rye' }).waitFor();
  await page.keyboard.press('Delete');
  await page.locator('.toast').waitFor();
  await eventually(page, async () => (await page.locator('.chat-row').count()) === 0, 'no chat is listed');
  await page.waitForFunction(() => document.getAnimations().length === 0);
  await assertNoAxeFindings(page, 'a note');
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.locator('.said', { hasText: 'Bread' }).waitFor();
});

test('an answer is put in other words, which are kept', async () => {
  server.scripts = [{ pieces: ['It is green.'] }, { pieces: [' At noon.'] }];
  await ask(page, 'Tell me');
  await answered(page);
  await page.getByRole('button', { name: 'Edit answer' }).click();
  await page.getByRole('textbox', { name: 'The answer in other words' }).fill('It is blue.');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.answer .branch-at', { hasText: '2 / 2' }).waitFor();
  await page.reload();
  assert.equal(await answered(page), 'It is blue.');
  await page.getByRole('button', { name: 'Continue the answer' }).click();
  await page.locator('.md', { hasText: 'It is blue. At noon.' }).waitFor();
});

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch, openPage } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { answered, ask, assertNoAxeFindings, waitUntilReady } from '../specs.mjs';

let browser;
let server;
let page;

before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => {
  server = await new ScriptedServer().start();
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
});
afterEach(async () => {
  await page.context().close();
  await server.stop();
  assert.deepEqual(page.problems, []);
});

const interrupted = () => page.locator('.notice', { hasText: 'This answer was interrupted.' }).waitFor();
const notice = text => page.locator('.notice.failure', { hasText: text }).waitFor();

test('503 with Retry-After is said with the time, and Retry asks the same again', async () => {
  const error = { message: 'The model is still loading.', type: 'server_error', code: 'model_loading' };
  server.scripts = [{ status: 503, headers: { 'Retry-After': '5' }, error }, { pieces: ['Here'] }];
  await ask(page, 'Tell me');
  await notice('The model is still loading. Try again in 5 s.');
  await assertNoAxeFindings(page, 'error');
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.locator('.md', { hasText: 'Here' }).waitFor();
  assert.deepEqual(server.requests[0].messages, [{ role: 'user', content: 'Tell me' }]);
  assert.equal(await page.locator('.failure').isVisible(), false);
});

test('429 and errors without a body have a message too', async () => {
  server.scripts = [{ status: 429, headers: { 'Retry-After': '2' } }, { status: 500 }, { pieces: ['x'] }];
  await ask(page, 'one');
  await notice('The server is busy: too many requests at once. Try again in 2 s.');
  await page.getByRole('button', { name: 'Retry' }).click();
  await notice('The server answered with status 500.');
});

test('an error in mid-answer keeps the text, and Continue goes on from there', async () => {
  server.scripts = [{ pieces: ['It was '], error: { message: 'The node went away.' } }, { pieces: ['a dark night.'] }];
  await ask(page, 'Tell me');
  await notice('The node went away.');
  assert.equal((await page.innerText('.answer .md')).trim(), 'It was');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.locator('.md', { hasText: 'It was a dark night.' }).waitFor();
});

test('an answer that was interrupted keeps its text, also over a reload', async () => {
  server.scripts = [{ pieces: ['Some text', ' and more'], everyMs: 50, breaks: true }, { pieces: ['anew'] }];
  await ask(page, 'Tell me');
  await interrupted();
  await page.reload();
  await waitUntilReady(page);
  await interrupted();
  assert.equal(await answered(page), 'Some text and more');
  await page.getByRole('button', { name: 'Regenerate' }).click();
  await page.locator('.md', { hasText: 'anew' }).waitFor();
});

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
beforeEach(async () => (server = await new ScriptedServer().start()));
afterEach(async () => {
  await page.context().close();
  await server.stop();
});

const statusIs = text => page.locator('#status-title', { hasText: text }).waitFor();

test('shows download and load with a progress bar, keeps what is typed, and sends once ready', async () => {
  server.health = { status: 'downloading', model: 'tiny-model', progress: 0.64, bytes_done: 63_000_000, bytes_total: 98_362_432 };
  page = await openPage(browser, server.url);
  await statusIs('Downloading model… 63 MB of 98 MB');
  const bar = page.getByRole('progressbar');
  assert.equal(await bar.getAttribute('aria-valuenow'), '64');
  await page.fill('#input', 'typed early');
  assert.ok(await page.locator('#send').isDisabled());
  await page.press('#input', 'Enter');
  assert.equal(server.requests.length, 0);
  assert.match(await page.innerText('#hint'), /waits for the model/);
  await assertNoAxeFindings(page, 'loading');

  server.health = { status: 'loading', model: 'tiny-model', progress: 0.42 };
  await statusIs('Model is loading… 42 %');
  server.health = { status: 'ready', model: 'tiny-model' };
  await waitUntilReady(page);
  assert.equal(await page.inputValue('#input'), 'typed early');
  await page.press('#input', 'Enter');
  assert.equal(await answered(page), 'Hello');
  assert.deepEqual(page.problems, []);
});

test('says why a model could not be loaded', async () => {
  server.health = { status: 'failed', model: 'tiny-model', message: 'The file is not a GGUF file.' };
  page = await openPage(browser, server.url);
  await statusIs('Tiny-model could not be loaded');
  assert.equal(await page.innerText('#status-detail'), 'The file is not a GGUF file.');
  assert.equal(await page.getByRole('progressbar').count(), 0);
});

test('a server that is away is said, asked again, and loses nothing', async () => {
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
  await ask(page, 'first');
  await answered(page);
  await page.fill('#input', 'second');
  await page.route('**/messages', route => route.abort());
  await page.locator('#send').click();
  await page.locator('.notice.failure', { hasText: 'cannot be reached' }).waitFor();
  await page.unroute('**/messages');
  await server.stop();
  await statusIs('The server is not reachable');
  await page.fill('#input', 'third');
  assert.ok(await page.locator('#send').isDisabled());
  await server.start();
  await waitUntilReady(page);
  await page.getByRole('button', { name: 'Retry' }).click();
  assert.equal(await answered(page), 'Hello');
  assert.equal(await page.inputValue('#input'), 'third');
  assert.equal(server.requests.at(-1).messages.at(-1).content, 'second');
});

test('works with a server that has only the OpenAI routes', async () => {
  server.withoutOwnRoutes = true;
  page = await openPage(browser, server.url);
  await page.locator('.picker-button', { hasText: 'tiny-model' }).waitFor();
  await ask(page, 'hi');
  assert.equal(await answered(page), 'Hello');
  assert.equal(server.requests[0].model, 'tiny-model');
});

test('lists the models with what each is doing, by mouse and by keyboard', async () => {
  server.models.push({ name: 'third-model', state: 'MODEL_STATE_LOADING', progress: 0.3 });
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
  await page.click('.picker-button');
  await page.locator('.picker-option').nth(2).waitFor();
  assert.deepEqual(await page.locator('.picker-about').allInnerTexts(), ['ready · 98 MB', 'on disk · 2.0 GB', 'loading 30 %']);
  await assertNoAxeFindings(page, 'model list');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  assert.equal(await page.getAttribute('.picker-button', 'aria-label'), 'Model: larger-model, on disk');
  await page.reload();
  await ask(page, 'hi');
  await answered(page);
  assert.equal(server.requests[0].model, 'larger-model');
});

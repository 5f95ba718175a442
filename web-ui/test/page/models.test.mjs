import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { PHONE, launch, openPage } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { assertNoAxeFindings, assertNothingSticksOut, waitUntilReady } from '../specs.mjs';

const ON_DISK = { last_modified: '2026-01-31T12:00:00Z', file_name: 'x.gguf' };
let browser;
let server;
let page;

before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => {
  server = await new ScriptedServer().start();
  server.models = [
    { name: 'tiny-model', state: 'ready', size_bytes: 98_362_432, memory_bytes: 150_000_000, is_default: true, quantization: 'Q4_1', parameters: 134_515_008, licence: 'apache-2.0', ...ON_DISK },
    { name: 'larger-model', state: 'on_disk', size_bytes: 2_019_377_696, ...ON_DISK },
    { name: 'catalogue-model', state: 'absent', size_bytes: 397_808_192, file_name: 'c.gguf', last_modified: null },
  ];
});
afterEach(async () => {
  await page.context().close();
  await server.stop();
});

async function open(options) {
  page = await openPage(browser, server.url, options);
  await waitUntilReady(page);
  await show();
}

async function show() {
  await page.click('.picker-button');
  await page.click('.picker-manage');
  await row('tiny-model').waitFor();
}

const row = name => page.locator('.model', { has: page.getByRole('heading', { name, exact: true }) });
const about = (name, text) => row(name).locator('.about', { hasText: text }).waitFor();
const press = (name, exact) => page.getByRole('button', { name: exact ?? name, exact: true }).click();

test('all models are shown with what they are and what can be done with them', async () => {
  await open();
  assert.deepEqual(await page.locator('.model .about').allInnerTexts(), [
    'default · ready · 98 MB · 150 MB in memory · 135 million parameters · Q4_1 · apache-2.0',
    'on disk · 2.0 GB',
    'not fetched yet · 398 MB',
  ]);
  assert.deepEqual(await page.locator('.model-actions').allInnerTexts(), ['In use\nUnload', 'Use\nLoad\nDelete', 'Get']);
  await press('Use larger-model');
  await row('larger-model').getByText('In use').waitFor();
  assert.equal(await page.getAttribute('.picker-button', 'aria-label'), 'Model: larger-model, on disk');
  assert.deepEqual(page.problems, []);
});

test('a download shows its rate and the time left, in another tab and after a reload too, and can be cancelled from there', async () => {
  await open();
  await press('Get catalogue-model');
  await row('catalogue-model').getByRole('progressbar').waitFor();
  server.modelWork.progress('catalogue-model', { progress: 0.25, bytes_done: 99_452_048, bytes_per_second: 10_000_000 });
  await about('catalogue-model', 'downloading · 99 MB of 398 MB · 10 MB/s · 29.8 s left');
  assert.equal(await row('catalogue-model').getByRole('progressbar').getAttribute('aria-valuenow'), '25');
  await page.reload();
  await waitUntilReady(page);
  await show();
  await about('catalogue-model', '99 MB of 398 MB');
  server.modelWork.progress('catalogue-model', { progress: 0.5, bytes_done: 198_904_096 });
  await about('catalogue-model', '199 MB of 398 MB');
  server.models[1].state = 'loading';
  await about('larger-model', 'loading');
  await press('Cancel the download of catalogue-model');
  await about('catalogue-model', 'not fetched yet');
  assert.equal(await row('catalogue-model').locator('.problem').isVisible(), false);
  assert.deepEqual(server.modelWork.asked, ['POST catalogue-model', 'POST catalogue-model/cancel']);
  assert.deepEqual(page.problems, []);
});

test('a file of the hub or an address is fetched, and what goes wrong is said', async () => {
  await open();
  await page.fill('#model-name', 'hf:owner/repo/new-model.gguf');
  await page.keyboard.press('Enter');
  await row('new-model').getByRole('progressbar').waitFor();
  server.modelWork.end('new-model', { state: 'on_disk', size_bytes: 5e8, ...ON_DISK });
  await about('new-model', 'on disk · 500 MB');
  await page.fill('#model-name', 'https://models.example.org/a/other.gguf');
  await press('Get');
  await row('other').getByRole('progressbar').waitFor();
  server.modelWork.end('other', { state: 'failed', reason: 'other: no source has it: 404' }, 'other: no source has it: 404');
  await row('other').locator('.problem', { hasText: 'no source has it' }).waitFor();
  await press('Remove other from the list');
  await row('other').waitFor({ state: 'detached' });
  await page.fill('#model-name', 'no name');
  await press('Get');
  await page.locator('#models-sheet .field .problem', { hasText: 'model: that (expected: a name)' }).waitFor();
  assert.equal(await page.inputValue('#model-name'), 'no name');
  assert.deepEqual(server.modelWork.asked, [
    'POST hf:owner/repo/new-model.gguf', 'POST https://models.example.org/a/other.gguf', 'DELETE other', 'POST no name',
  ]);
});

test('a model is loaded, unloaded, and deleted after a question, by keyboard', async () => {
  await open();
  await page.getByRole('button', { name: 'Load larger-model' }).focus();
  await page.keyboard.press('Enter');
  await about('larger-model', 'loading 0 %');
  server.modelWork.progress('larger-model', { progress: 0.4 });
  await about('larger-model', 'loading 40 %');
  server.modelWork.end('larger-model', { state: 'ready', memory_bytes: 3e9 });
  await about('larger-model', 'ready · 2.0 GB · 3.0 GB in memory');
  await page.getByRole('button', { name: 'Unload larger-model' }).focus();
  await page.keyboard.press('Enter');
  await about('larger-model', 'on disk');
  await page.getByRole('button', { name: 'Delete larger-model', exact: true }).focus();
  await page.keyboard.press('Enter');
  await row('larger-model').getByText('Delete 2.0 GB?').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Keep larger-model');
  await page.keyboard.press('Enter');
  assert.equal(await row('larger-model').getByText('Delete 2.0 GB?').count(), 0);
  await press('Delete larger-model');
  await press('Delete larger-model for good');
  await row('larger-model').waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await page.locator('#models-sheet').waitFor({ state: 'hidden' });
  assert.equal(await page.evaluate(() => document.activeElement.className), 'picker-button');
  assert.deepEqual(page.problems, []);
});

test('the list of models fits a phone', async () => {
  page = await openPage(browser, server.url, { viewport: PHONE, hasTouch: true, isMobile: true });
  await waitUntilReady(page);
  await page.click('.picker-button');
  const { x, width } = await page.locator('.picker-box').boundingBox();
  assert.ok(x >= 0 && x + width <= PHONE.width, `from ${x} to ${x + width}`);
});

test('the sheet fits a phone and axe finds nothing in either theme', async () => {
  server.models[2] = { ...server.models[2], state: 'downloading', progress: 0.3, bytes_done: 1e8, bytes_per_second: 1e6 };
  server.models.push({ name: 'broken', state: 'failed', reason: 'The file is no model: bad magic.' });
  for (const options of [{ colorScheme: 'dark', viewport: PHONE, hasTouch: true, isMobile: true }, { colorScheme: 'light' }]) {
    if (page) await page.context().close();
    await open(options);
    await row('broken').locator('.problem').waitFor();
    const sheet = page.locator('#models-sheet');
    assert.equal(await sheet.evaluate(element => element.scrollWidth - element.clientWidth), 0);
    if (options.isMobile) await assertNothingSticksOut(page);
    await assertNoAxeFindings(page, `models, ${options.colorScheme}`);
  }
});

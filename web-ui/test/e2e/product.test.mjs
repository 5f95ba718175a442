// The page in front of a running product: CHASQUI_URL=http://127.0.0.1:8080 npm run e2e
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage } from '../browser.mjs';
import { essentials, waitUntilReady } from '../specs.mjs';

const { CHASQUI_URL } = process.env;
if (!CHASQUI_URL) throw new Error('CHASQUI_URL is not set (expected: the address of a running server, as in http://127.0.0.1:8080)');
const url = new URL('/', CHASQUI_URL).href;
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

test('answers at once, says what it waits for, keeps what is typed, and sends when the model is ready', async () => {
  const page = await openPage(browser, url);
  await page.fill('#input', 'typed early');
  await page.waitForFunction(() => document.querySelector('.picker-button .dot').dataset.state !== 'connecting');
  if (await page.locator('#status').isVisible()) {
    assert.ok((await page.innerText('#status-title')).length > 0);
    assert.ok(await page.locator('#send').isDisabled());
  }
  await waitUntilReady(page);
  assert.equal(await page.inputValue('#input'), 'typed early');
  assert.ok(await page.locator('#send').isEnabled());
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

const prompts = {
  question: 'Write one short sentence about a bridge.',
  long: 'Write a very long story about a runner who carries a message over the mountains. Describe every day of the journey.',
};
for (const [name, run] of Object.entries(essentials(() => browser, () => url, prompts))) test(name, { timeout: 300_000 }, run);

// Keys for programs, in the settings.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { PHONE, launch, openPage } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { assertNoAxeFindings, waitUntilReady } from '../specs.mjs';

let browser;
let server;
let page;

before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await new ScriptedServer().start()));
afterEach(async () => {
  await page.context().close();
  await server.stop();
  assert.deepEqual(page.problems, []);
});

async function open(options) {
  page = await openPage(browser, server.url, options);
  await waitUntilReady(page);
  await page.keyboard.press('Alt+KeyS');
  await page.getByRole('button', { name: 'API keys' }).click();
  await page.locator('#keys-sheet[open]').waitFor();
}

const row = name => page.locator('.key', { has: page.getByRole('heading', { name, exact: true }) });
const press = name => page.locator('#keys-sheet').getByRole('button', { name, exact: true }).click();
async function inBothThemes(where) {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await assertNoAxeFindings(page, `${where}, ${colorScheme}`);
  }
}

test('a key is made, shown this once, and copied', async () => {
  await open();
  await page.getByText('You have no keys yet.').waitFor();
  await inBothThemes('no keys');
  await page.fill('#key-name', 'nightly build');
  await page.getByLabel('Expires').selectOption('in 90 days');
  await page.locator('#keys-sheet summary').click();
  await page.getByLabel('Requests a minute').fill('60');
  await press('Create key');
  await row('nightly build').waitFor();
  const secret = await page.innerText('.new-key code');
  assert.match(secret, /^chq_\w{30,}$/);
  assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Copy the key');
  await inBothThemes('a new key');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  const [made] = server.accounts.keys;
  assert.deepEqual([made.limits.requests_per_minute, made.limits.parallel], [60, null]);
  assert.match(await row('nightly build').innerText(), /active\n+.*chq_Zk3…9fA2\n+inference · at most 60 requests a minute\n+made .* · expires .*\n+never used/s);
  await page.keyboard.press('Escape');
  // A sheet is closed a moment before it says so.
  await page.locator('.new-key code').waitFor({ state: 'detached' });
  assert.doesNotMatch(await page.evaluate(() => document.documentElement.outerHTML + JSON.stringify(localStorage)), new RegExp(secret));
});

test('a key for the metrics alone is made by keyboard, and the next one is for models again', async () => {
  await open();
  await page.fill('#key-name', 'dashboard');
  await page.locator('#keys-sheet summary').focus();
  await page.keyboard.press('Enter');
  await page.locator('.scopes').waitFor();
  const ticked = () => page.locator('.scopes input:checked').evaluateAll(boxes => boxes.map(({ value }) => value));
  assert.deepEqual(await ticked(), ['inference']);
  await inBothThemes('scopes');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await page.getByLabel('metrics').focus();
  await page.keyboard.press('Space');
  assert.deepEqual(await ticked(), ['metrics']);
  await page.keyboard.press('Enter');
  await row('dashboard').waitFor();
  assert.deepEqual(server.accounts.keys[0].scopes, ['metrics']);
  assert.match(await row('dashboard').innerText(), /^metrics$/m);
  assert.deepEqual(await ticked(), ['inference']);
});

test('a key can be given what one has oneself and no more, and not nothing', async () => {
  server.accounts.areOn = true;
  server.accounts.add({ email: 'admin@example.com' });
  server.accounts.add({ email: 'ben@example.com', password: 'battery staple' });
  page = await openPage(browser, server.url);
  await page.fill('#sign-in-email', 'ben@example.com');
  await page.fill('#sign-in-password', 'battery staple');
  await page.keyboard.press('Enter');
  await waitUntilReady(page);
  await page.click('#account');
  await page.getByRole('menuitem', { name: 'API keys' }).click();
  await page.locator('#keys-sheet summary').click();
  await page.locator('.scopes').waitFor();
  assert.deepEqual(await page.locator('.scopes input').evaluateAll(boxes => boxes.map(({ value }) => value)), ['inference', 'conversations', 'keys']);
  await page.getByLabel('inference').uncheck();
  await press('Create key');
  await page.getByRole('alert').filter({ hasText: 'scopes: [] (expected: at least one scope)' }).waitFor();
  assert.deepEqual(server.accounts.keys, []);
});

test('keys are shown with what they were used for, the newest first', async () => {
  const key = await fetch(new URL('/api/keys', server.url), { method: 'POST', body: '{"name":"old"}' }).then(() => server.accounts.keys[0]);
  Object.assign(key, { status: 'expired', created_at: '2026-01-01T12:00:00Z', expires_at: '2026-01-08T12:00:00Z', last_used_at: '2026-01-05T12:00:00Z', usage: { requests: 1, prompt_tokens: 12_345, cached_tokens: 0, completion_tokens: 678 } });
  await fetch(new URL('/api/keys', server.url), { method: 'POST', body: '{}' });
  await open();
  await row('old').waitFor();
  assert.deepEqual(await page.locator('.key h3').allInnerTexts(), ['Key without a name', 'old']);
  assert.equal(await row('old').locator('.key-status').innerText(), 'expired');
  assert.deepEqual(await row('old').locator('.about').allInnerTexts(), [
    'inference',
    'made Jan 1, 2026 · expired Jan 8, 2026',
    'last used Jan 5, 2026 · 1 request · 12,345 tokens read · 678 written',
  ]);
});

test('a key is revoked after a question, by keyboard', async () => {
  for (const name of ['ci', 'laptop']) await fetch(new URL('/api/keys', server.url), { method: 'POST', body: JSON.stringify({ name }) });
  await open();
  await page.getByRole('button', { name: 'Revoke ci' }).focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Keep ci');
  await inBothThemes('a question');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Revoke ci');
  assert.deepEqual(server.accounts.keys.map(({ status }) => status), ['active', 'active']);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await row('ci').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement.id), 'key-name');
  assert.deepEqual(server.accounts.keys.map(({ name, status }) => [name, status]), [['laptop', 'active'], ['ci', 'revoked']]);
});

test('what the server does not take is said in its own words', async () => {
  await open();
  await page.route('**/api/keys', route => (route.request().method() === 'POST'
    ? route.fulfill({ status: 400, json: { success: false, error: 'limits.parallel: "few" (expected: 1 to 100000)', code: 'invalid_value' } })
    : route.continue()));
  await page.locator('#keys-sheet summary').click();
  await page.getByLabel('Requests at once').fill('few');
  await press('Create key');
  await page.getByRole('alert').filter({ hasText: 'limits.parallel: "few" (expected: 1 to 100000)' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'key-parallel');
  assert.equal(await page.getByLabel('Requests at once').inputValue(), 'few');
});

test('a server of another make has no keys to offer', async () => {
  server.withoutOwnRoutes = true;
  page = await openPage(browser, server.url);
  await page.locator('#storage-note').waitFor();
  await page.keyboard.press('Alt+KeyS');
  await page.locator('#settings[open]').waitFor();
  await page.waitForTimeout(300);
  assert.ok(await page.locator('#keys-field').isHidden());
});

test('keys fit a phone', async () => {
  await fetch(new URL('/api/keys', server.url), { method: 'POST', body: '{"name":"a rather long name of a key for the nightly build"}' });
  page = await openPage(browser, server.url, { viewport: PHONE, hasTouch: true, isMobile: true });
  await waitUntilReady(page);
  await page.click('#open-settings');
  await page.getByRole('button', { name: 'API keys' }).click();
  await page.locator('.key').waitFor();
  await page.locator('#keys-sheet summary').click();
  await press('Create key');
  await page.locator('.new-key code').waitFor();
  await page.locator('.key').last().getByRole('button', { name: /^Revoke/ }).click();
  const sheet = page.locator('#keys-sheet');
  assert.equal(await sheet.evaluate(element => element.scrollWidth - element.clientWidth), 0);
  for (const part of await page.locator('#keys-sheet :is(input, select, button, code):visible').all()) {
    const { x, width } = await part.boundingBox();
    assert.ok(x >= 0 && x + width <= PHONE.width);
  }
  await inBothThemes('keys on a phone');
});

// Everybody's accounts, as administrators look after them in the page.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { PHONE, launch, openPage } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { assertNoAxeFindings, waitUntilReady } from '../specs.mjs';

const ANA = { email: 'ana@example.com', password: 'correct horse', name: 'Ana' };
const BEN = { email: 'ben@example.com', password: 'battery staple', name: 'Ben' };
let browser;
let server;
let page;

before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => {
  server = await new ScriptedServer().start();
  server.accounts.areOn = true;
  for (const account of [ANA, BEN]) server.accounts.add(account);
});
afterEach(async () => {
  await page.context().close();
  await server.stop();
  assert.deepEqual(page.problems, []);
});

const sheet = () => page.locator('#accounts-sheet');
const row = name => page.locator('.person', { has: page.getByRole('heading', { name, exact: true }) });
const done = text => sheet().getByRole('status').filter({ hasText: text }).waitFor();
const focused = () => page.evaluate(() => document.activeElement.ariaLabel || document.activeElement.id || document.activeElement.textContent);
const ben = () => server.accounts.all.find(({ account }) => account.email === BEN.email);

async function signIn({ email, password }, options) {
  page = await openPage(browser, server.url, options);
  await page.fill('#sign-in-email', email);
  await page.fill('#sign-in-password', password);
  await page.keyboard.press('Enter');
  await waitUntilReady(page);
}

async function open(options) {
  await signIn(ANA, options);
  if (options) await page.click('#open-sidebar');
  await page.click('#account');
  await page.getByRole('menuitem', { name: 'Accounts' }).click();
  await row('Ana').waitFor();
}

async function choose(name, item) {
  await row(name).getByRole('button').click();
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}

async function inBothThemes(where) {
  await page.waitForFunction(() => document.getAnimations().length === 0);
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await assertNoAxeFindings(page, `${where}, ${colorScheme}`);
  }
}

test('an administrator sees everybody\'s accounts, and can change all but the own one', async () => {
  Object.assign(ben().account, { disabled: true, created_at: '2026-01-08T12:00:00Z' });
  server.accounts.add({ email: 'noname@example.com' });
  await open();
  await inBothThemes('accounts');
  assert.deepEqual(await page.locator('.person h3').allInnerTexts(), ['Ana', 'Ben', 'noname@example.com']);
  assert.equal((await row('Ben').innerText()).replace(/\n+/g, '\n'), 'Ben\ndisabled\nben@example.com · User · since Jan 8, 2026');
  assert.match(await row('Ana').innerText(), /^Ana\nyou\n+ana@example.com · Administrator · since /);
  assert.match(await row('noname@example.com').locator('.about').innerText(), /^User · since /);
  assert.equal(await row('Ana').getByRole('button').count(), 0);
  await row('Ben').getByRole('button').click();
  await inBothThemes('menu of an account');
});

test('a user sees nothing of it', async () => {
  await signIn(BEN);
  await page.click('#account');
  await page.getByRole('menuitem', { name: 'API keys' }).waitFor();
  assert.equal(await page.getByRole('menuitem', { name: 'Accounts' }).count(), 0);
  assert.ok(!server.paths.includes('/api/accounts'));
});

test('an account is added by keyboard, and whoever it is for can sign in', async () => {
  await open();
  assert.equal(await focused(), 'Add an account');
  await page.keyboard.press('Enter');
  await inBothThemes('adding an account');
  await page.keyboard.press('Tab');
  await page.keyboard.type('ben@example.com');
  await page.getByLabel('Role').selectOption('Administrator');
  await sheet().getByLabel('Name').fill('Cleo');
  await sheet().getByLabel('Password', { exact: true }).fill('paper clip');
  await page.keyboard.press('Enter');
  await sheet().getByRole('alert').filter({ hasText: 'There is an account with this e-mail address.' }).waitFor();
  await sheet().getByLabel('E-mail').fill('cleo@example.com');
  await page.keyboard.press('Enter');
  await done('cleo@example.com can sign in now.');
  await row('Cleo').waitFor();
  assert.equal(await focused(), 'Add an account');
  const { account, password } = server.accounts.all.at(-1);
  assert.deepEqual([account.role, password], ['admin', 'paper clip']);
  assert.equal(await page.inputValue('#account-password'), '');
});

test('an account is disabled and enabled again, and its session ends with it', async () => {
  await open();
  const his = await openPage(browser, server.url);
  await his.fill('#sign-in-email', BEN.email);
  await his.fill('#sign-in-password', BEN.password);
  await his.keyboard.press('Enter');
  await waitUntilReady(his);
  assert.equal(server.accounts.sessions.size, 2);
  await choose('Ben', 'Disable');
  await done('Ben is let in no more.');
  await row('Ben').getByText('disabled').waitFor();
  assert.equal(await focused(), 'Change the account of Ben');
  assert.equal(server.accounts.sessions.size, 1);
  await his.reload();
  await his.fill('#sign-in-email', BEN.email);
  await his.fill('#sign-in-password', BEN.password);
  await his.keyboard.press('Enter');
  await his.getByRole('alert').filter({ hasText: 'This account is disabled.' }).waitFor();
  await his.context().close();
  await choose('Ben', 'Enable');
  await done('Ben is let in again.');
  assert.equal(ben().account.disabled, false);
});

test('a user becomes an administrator, and a user again', async () => {
  await open();
  await row('Ben').getByRole('button').focus();
  await page.keyboard.press('Enter');
  assert.deepEqual(await page.getByRole('menuitem').allInnerTexts(), ['Make an administrator', 'Reset password', 'Disable', 'Remove']);
  await page.keyboard.press('Enter');
  await done('Ben is an administrator now.');
  assert.match(await row('Ben').innerText(), /Administrator/);
  await choose('Ben', 'Make a user');
  await done('Ben is a user now.');
  assert.equal(ben().account.role, 'user');
});

test('a password is reset, and what the server does not take is said in its own words', async () => {
  await open();
  await choose('Ben', 'Reset password');
  const dialog = page.getByRole('dialog', { name: 'Password of Ben' });
  await inBothThemes('reset a password');
  await page.keyboard.type('short');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').filter({ hasText: 'password: a string of 5 characters (expected: 8 to 200)' }).waitFor();
  await dialog.getByLabel('New password').fill('paper clip');
  await page.keyboard.press('Enter');
  await done('Ben has a new password, and has to sign in again.');
  assert.equal(ben().password, 'paper clip');
  assert.equal(await focused(), 'Change the account of Ben');
  await choose('Ben', 'Reset password');
  assert.equal(await page.inputValue('#reset-password'), '');
});

test('an account is removed after a question that names what is lost', async () => {
  await open();
  await choose('Ben', 'Remove');
  const dialog = page.getByRole('dialog', { name: 'Remove ben@example.com?' });
  await dialog.getByText('The account of Ben goes for good, and with it all its chats, its API keys, and what else is stored for it.').waitFor();
  await inBothThemes('the question');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  assert.equal(server.accounts.all.length, 2);
  assert.equal(await focused(), 'Change the account of Ben');
  await choose('Ben', 'Remove');
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await done('The account of Ben is removed.');
  await row('Ben').waitFor({ state: 'detached' });
  assert.deepEqual(server.accounts.all.map(({ account }) => account.email), [ANA.email]);
  assert.equal(await focused(), 'Add an account');
});

test('what cannot be done is said at the account, in the server\'s own words', async () => {
  Object.assign(ben().account, { role: 'admin' });
  await open();
  server.accounts.all[0].account.disabled = true;
  await choose('Ben', 'Make a user');
  await row('Ben').getByRole('alert').filter({ hasText: 'This is the last administrator (expected: another one beside it).' }).waitFor();
  await inBothThemes('a refusal');
  server.accounts.all[0].account.disabled = false;
  await choose('Ben', 'Make a user');
  await done('Ben is a user now.');
  assert.equal(await row('Ben').getByRole('alert').count(), 0);
});

test('names of accounts are text, whatever they say', async () => {
  ben().account.name = '<img src=x onerror=alert(1)>';
  await open();
  await choose(ben().account.name, 'Disable');
  await done('<img src=x onerror=alert(1)> is let in no more.');
  assert.equal(await page.locator('img').count(), 0);
});

test('accounts fit a phone', async () => {
  server.accounts.add({ email: 'a.rather.long.address.of.somebody@subdomain.example.com', name: 'Somebody with a rather long name indeed' });
  await open({ viewport: PHONE, hasTouch: true, isMobile: true });
  await page.getByText('Add an account').click();
  assert.equal(await sheet().evaluate(element => element.scrollWidth - element.clientWidth), 0);
  await inBothThemes('accounts on a phone');
  await row('Ben').getByRole('button').click();
  for (const part of await page.locator('#accounts-sheet :is(input, select, button):visible').all()) {
    const { x, width } = await part.boundingBox();
    assert.ok(x >= 0 && x + width <= PHONE.width);
  }
  const menu = await sheet().getByRole('menu').boundingBox();
  assert.ok(menu.y >= 0 && menu.y + menu.height <= PHONE.height);
});

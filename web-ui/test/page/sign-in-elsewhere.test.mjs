// Signing in with an account of GitHub or Apple: the ways there, what is said where it did not work, and connecting.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { PHONE, launch, openPage } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { assertNoAxeFindings, waitUntilReady } from '../specs.mjs';

const ANA = { email: 'ana@example.com', password: 'correct horse', name: 'Ana' };
/** What docs/accounts.md names. */
const CODES = ['state_invalid', 'state_expired', 'state_used', 'code_refused', 'session_ended', 'sign_in_denied', 'email_not_verified',
  'id_token_invalid', 'registration_closed', 'account_disabled', 'sign_in_not_set_up', 'email_taken', 'identity_taken', 'provider_failed'];
let browser;
let server;
let page;

before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => {
  server = await new ScriptedServer().start();
  server.accounts.areOn = true;
  server.accounts.sites = ['github', 'apple'];
});
afterEach(async () => {
  await page.context().close();
  await server.stop();
  assert.deepEqual(page.problems, []);
});

const heading = text => page.locator('#sign-in h1', { hasText: text }).waitFor();
const way = name => page.getByRole('link', { name: `Continue with ${name}` });
const note = text => page.locator('.entrance-note', { hasText: text }).waitFor();
const field = label => page.locator('#sign-in').getByLabel(label, { exact: true });

async function open(address = '', options) {
  page = await openPage(browser, server.url, options);
  if (address !== '') await page.goto(new URL(address, server.url).href);
}

async function signIn({ email, password }) {
  await field('E-mail').fill(email);
  await field('Password').fill(password);
  await page.keyboard.press('Enter');
  await waitUntilReady(page);
}

async function choose(item) {
  await page.click('#account');
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}

async function inBothThemes(where) {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await assertNoAxeFindings(page, `${where}, ${colorScheme}`);
  }
}

test('a server that is set up for it offers the way to GitHub and Apple, whatever the form is for', async () => {
  await open();
  await heading('Create the first account');
  for (const name of ['GitHub', 'Apple']) await way(name).waitFor();
  await inBothThemes('ways beside the form');
  server.accounts.add(ANA);
  await page.reload();
  await heading('Sign in');
  await page.getByRole('button', { name: 'Create one' }).click();
  await heading('Create an account');
  assert.ok(await way('Apple').isVisible());
});

test('only what the server names is offered, and nothing where it names nothing', async () => {
  server.accounts.sites = ['github'];
  await open();
  await way('GitHub').waitFor();
  assert.equal(await way('Apple').count(), 0);
  server.accounts.sites = [];
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await way('GitHub').waitFor({ state: 'hidden' });
  assert.ok(await page.locator('.entrance-or').isHidden());
});

test('one signs in with GitHub by keyboard, and comes back to the chat that the address named', async () => {
  server.accounts.add(ANA);
  const chat = server.chats.add({ title: 'Bread', turns: ['How?', 'So.'] });
  await open();
  await page.evaluate(id => (location.hash = `#/c/${id}`), chat.id);
  await heading('Sign in');
  await way('GitHub').focus();
  await page.keyboard.press('Enter');
  await page.locator('.said', { hasText: 'How?' }).waitFor();
  assert.deepEqual(server.accounts.visits, [{ site: 'github', returnTo: `/#/c/${chat.id}`, connects: null }]);
  assert.equal(await page.innerText('.account-name'), 'Ana');
});

test('an address that names no chat is not handed on', async () => {
  await open('#"><script>');
  await way('Apple').click();
  await waitUntilReady(page);
  assert.deepEqual(server.accounts.visits, [{ site: 'apple', returnTo: '/', connects: null }]);
});

test('why nobody came back is said in words for every reason, once', async () => {
  server.accounts.add(ANA);
  const said = new Set();
  await open();
  for (const code of CODES) {
    server.accounts.comesBack = { code };
    await Promise.all([page.waitForEvent('framenavigated'), way('GitHub').click()]);
    await page.locator('.entrance-note:visible', { hasNotText: 'Connecting…' }).waitFor();
    said.add(await page.innerText('.entrance-note'));
    assert.equal(new URL(page.url()).search, '', code);
  }
  assert.equal(said.size, CODES.length);
  for (const text of said) assert.match(text, /^[A-Z][^_]+\.$/);
  await inBothThemes('a reason');
  await page.reload();
  await heading('Sign in');
  assert.ok(await page.locator('.entrance-note').isHidden());
});

test('a reason that the page does not know is said all the same, and is never taken for text of the page', async () => {
  server.accounts.add(ANA);
  await open('?sign_in_error=<img src=x onerror=alert(1)>&keep=1#/new');
  await note('Signing in did not work. Try once more.');
  assert.equal(await page.locator('img').count(), 0);
  assert.equal(page.url(), `${server.url}?keep=1#/new`);
});

test('a reason is forgotten once somebody is in', async () => {
  server.accounts.add(ANA);
  await open('?sign_in_error=email_taken');
  await note('An account here has your e-mail address already. Sign in with its password');
  await signIn(ANA);
  assert.equal(await page.locator('.toast').count(), 0);
  server.accounts.endSessions();
  await note('Your session has ended.');
});

test('where somebody is signed in the reason is a note on the page', async () => {
  server.accounts.add(ANA);
  await open();
  await signIn(ANA);
  await page.goto(`${server.url}?sign_in_error=identity_taken`);
  await page.locator('.toast', { hasText: 'Another account here is connected with that one.' }).waitFor();
  assert.equal(new URL(page.url()).search, '');
  assert.ok(await page.locator('#sign-in').isHidden());
});

test('who is signed in connects the account with another site, by keyboard, and stays in the chat', async () => {
  server.accounts.add(ANA);
  const chat = server.chats.add({ title: 'Bread', turns: ['How?', 'So.'] });
  await open(`#/c/${chat.id}`);
  await signIn(ANA);
  await page.focus('#account');
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Connect Apple' }).waitFor();
  assert.deepEqual(await page.getByRole('menuitem').allInnerTexts(), ['Change password', 'API keys', 'Accounts', 'Server', 'Connect GitHub', 'Connect Apple', 'Sign out', 'Sign out everywhere']);
  await page.waitForFunction(() => document.getAnimations().length === 0);
  await inBothThemes('account menu');
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowDown');
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
  await page.locator('.said', { hasText: 'How?' }).waitFor();
  assert.deepEqual(server.accounts.visits, [{ site: 'apple', returnTo: `/#/c/${chat.id}`, connects: ANA.email }]);
});

test('a connected site is disconnected again, once one has said so', async () => {
  server.accounts.add(ANA);
  await open();
  await signIn(ANA);
  await page.click('#account');
  await Promise.all([page.waitForEvent('load'), page.getByRole('menuitem', { name: 'Connect GitHub' }).click()]);
  await waitUntilReady(page);
  await choose('Disconnect GitHub');
  const question = page.getByRole('dialog', { name: 'Disconnect GitHub?' });
  await inBothThemes('the question');
  await question.getByRole('button', { name: 'Keep' }).last().click();
  assert.equal(server.accounts.linked.size, 1);
  await choose('Disconnect GitHub');
  await question.getByRole('button', { name: 'Disconnect' }).click();
  await page.locator('.toast', { hasText: 'GitHub is disconnected.' }).waitFor();
  assert.equal(server.accounts.linked.size, 0);
  await page.click('#account');
  await page.getByRole('menuitem', { name: 'Connect GitHub' }).waitFor();
});

test('the last way to sign in is not taken away, and why is said', async () => {
  await open();
  await way('GitHub').click();
  await waitUntilReady(page);
  await choose('Disconnect GitHub');
  await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
  await page.locator('.toast', { hasText: 'set a password first' }).waitFor();
  assert.equal(server.accounts.linked.size, 1);
});

test('an account that was made elsewhere sets a password without a current one, and changes it from then on', async () => {
  await open();
  await way('GitHub').click();
  await waitUntilReady(page);
  assert.equal(server.accounts.all[0].account.has_password, false);
  await choose('Set a password');
  const dialog = page.getByRole('dialog', { name: 'Set a password' });
  assert.ok(await dialog.getByLabel('Current password').isHidden());
  assert.equal(await page.evaluate(() => document.activeElement.id), 'new-password');
  await inBothThemes('set a password');
  await page.keyboard.type('short');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').filter({ hasText: 'password: a string of 5 characters' }).waitFor();
  await dialog.getByLabel('New password').fill('better horse');
  await page.keyboard.press('Enter');
  await page.locator('.toast', { hasText: 'You have a password now.' }).waitFor();
  assert.equal(server.accounts.all[0].password, 'better horse');
  await choose('Change password');
  assert.ok(await page.getByRole('dialog', { name: 'Change password' }).getByLabel('Current password').isVisible());
});

test('the ways fit a phone', async () => {
  await open('', { viewport: PHONE, hasTouch: true, isMobile: true });
  await way('Apple').scrollIntoViewIfNeeded();
  assert.equal(await page.locator('#sign-in').evaluate(element => element.scrollWidth - element.clientWidth), 0);
  for (const part of await page.locator('#sign-in a').all()) {
    const { x, width, height } = await part.boundingBox();
    assert.ok(x >= 0 && x + width <= PHONE.width && height >= 40);
  }
  await inBothThemes('ways on a phone');
});

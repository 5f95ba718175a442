// Where one has to sign in: what is seen and asked for before, what a session's end leaves, and what belongs to whom.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { PHONE, eventually, launch, openPage, openTab } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { answered, ask, assertNoAxeFindings, waitUntilReady } from '../specs.mjs';

const ANA = { email: 'ana@example.com', password: 'correct horse', name: 'Ana' };
const BEN = { email: 'ben@example.com', password: 'battery staple', name: 'Ben' };
const PRIVATE = /^\/(?:api\/(?:conversations|stream|models|keys)|v1)/;
let browser;
let server;
let page;

before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => {
  server = await new ScriptedServer().start();
  server.accounts.areOn = true;
});
afterEach(async () => {
  await page.context().close();
  await server.stop();
  assert.deepEqual(page.problems, []);
});

const field = (label, on = page) => on.locator('#sign-in').getByLabel(label, { exact: true });
const heading = (text, on = page) => on.locator('#sign-in h1', { hasText: text }).waitFor();
const row = title => page.locator('.chat-row', { hasText: title });
const focused = () => page.evaluate(() => document.activeElement.id);
const asked = () => server.paths.filter(path => PRIVATE.test(path));
const kept = () => page.evaluate(() => Object.keys(localStorage).sort());

async function open(options) {
  page = await openPage(browser, server.url, options);
  await heading('');
}

async function signIn({ email, password }, on = page) {
  await heading('Sign in', on);
  await field('E-mail', on).fill(email);
  await field('Password', on).fill(password);
  await on.keyboard.press('Enter');
  await waitUntilReady(on);
}

async function choose(item) {
  await page.click('#account');
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}

async function inBothThemes(where) {
  await page.waitForFunction(() => document.getAnimations().length === 0);
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await assertNoAxeFindings(page, `${where}, ${colorScheme}`);
  }
}

test('nothing of the page is seen and nothing private is asked for before somebody has signed in', async () => {
  server.accounts.add(ANA);
  server.chats.add({ title: 'Bread', turns: ['How?', 'So.'] });
  const context = await browser.newContext();
  page = await context.newPage();
  page.problems = [];
  await page.addInitScript(() => {
    window.seen = [];
    const look = () => {
      const app = document.getElementById('page');
      if (app?.checkVisibility({ visibilityProperty: true })) window.seen.push(document.documentElement.dataset.access);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto(server.url);
  await heading('Sign in');
  await page.waitForTimeout(1_500);
  assert.deepEqual(await page.evaluate(() => window.seen), []);
  assert.deepEqual(asked(), []);
  assert.equal(await page.title(), 'Sign in · Chasqui');
  await page.keyboard.press('Alt+KeyS');
  await page.keyboard.press('Alt+KeyB');
  assert.equal(await page.locator('dialog[open]').count(), 0);
  await signIn(ANA);
  await row('Bread').waitFor();
  assert.ok(asked().includes('/api/stream/me'));
  assert.deepEqual([...new Set(await page.evaluate(() => window.seen))], ['in']);
  assert.equal(await page.title(), 'Chasqui');
});

test('one signs in by keyboard, and is still in after a reload', async () => {
  server.accounts.add(ANA);
  await open();
  assert.equal(await focused(), 'sign-in-email');
  assert.deepEqual(await page.locator('#sign-in input:visible').evaluateAll(inputs => inputs.map(({ autocomplete }) => autocomplete)), ['username', 'current-password']);
  await page.keyboard.type(ANA.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(ANA.password);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await field('Password').getAttribute('type'), 'text', 'shown');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await waitUntilReady(page);
  assert.equal(await page.innerText('#account'), 'A\nAna\nAdministrator');
  assert.equal(await focused(), 'input');
  await page.reload();
  await waitUntilReady(page);
  assert.ok(await page.locator('#sign-in').isHidden());
});

test('a wrong password is said in the server\'s own words, and so are too many of them', async () => {
  server.accounts.add(ANA);
  server.accounts.tries = 1;
  await open();
  await field('E-mail').fill(ANA.email);
  await field('Password').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'The e-mail address or the password is wrong.' }).waitFor();
  assert.equal(await focused(), 'sign-in-password');
  await inBothThemes('a wrong password');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'Too many wrong passwords; try again in 30 s.' }).waitFor();
  assert.equal(await page.getByRole('alert').count(), 1);
});

test('the form shows that it is on its way, and is sent once', async () => {
  server.accounts.add(ANA);
  await open();
  let go;
  const held = new Promise(resolve => (go = resolve));
  await page.route('**/api/auth/login', async route => {
    await held;
    await route.continue();
  });
  await field('E-mail').fill(ANA.email);
  await field('Password').fill(ANA.password);
  await page.keyboard.press('Enter');
  await page.locator('#sign-in form[aria-busy=true]').getByRole('button', { name: 'Signing in…' }).waitFor();
  await page.keyboard.press('Enter');
  go();
  await waitUntilReady(page);
  assert.equal(server.paths.filter(path => path === '/api/auth/login').length, 1);
});

test('the first who comes makes the administrator\'s account, and finds what was stored without accounts', async () => {
  server.chats.add({ title: 'Bread', turns: ['How?', 'So.'] });
  await open();
  await heading('Create the first account');
  assert.equal(await page.getByRole('button', { name: 'Create one' }).count(), 0);
  assert.equal(await focused(), 'sign-in-name');
  await inBothThemes('the first account');
  await field('Name').fill(ANA.name);
  await field('E-mail').fill(ANA.email);
  await field('Password').fill('short');
  assert.equal(await field('Password').getAttribute('autocomplete'), 'new-password');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'password: a string of 5 characters (expected: 8 to 200)' }).waitFor();
  assert.equal(await focused(), 'sign-in-password');
  await field('Password').fill(ANA.password);
  await page.keyboard.press('Enter');
  await row('Bread').waitFor();
  assert.equal(server.accounts.all[0].account.role, 'admin');
});

test('where registration is open one can make an account; where it is closed nothing offers it', async () => {
  server.accounts.add(ANA);
  await open();
  await field('E-mail').fill(BEN.email);
  await page.getByRole('button', { name: 'Create one' }).click();
  await heading('Create an account');
  assert.equal(await field('E-mail').inputValue(), BEN.email, 'what was written stays');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await heading('Sign in');
  server.accounts.registration = 'closed';
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.getByRole('button', { name: 'Create one' }).waitFor({ state: 'hidden' });
  server.accounts.registration = 'open';
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.getByRole('button', { name: 'Create one' }).click();
  await field('Name').fill(BEN.name);
  await field('Password').fill(BEN.password);
  await page.keyboard.press('Enter');
  await waitUntilReady(page);
  assert.equal(await page.innerText('.account-role'), 'User');
});

test('every request that changes something brings the session\'s token', async () => {
  server.accounts.add(ANA);
  await open();
  await signIn(ANA);
  await ask(page, 'Are you there?');
  await answered(page);
  await page.focus('.chat-link[aria-current=page]');
  await page.keyboard.press('Delete');
  await page.locator('.toast', { hasText: 'was deleted' }).waitFor();
  const { changes } = server.accounts;
  assert.ok(changes.length >= 3, JSON.stringify(changes));
  assert.ok(changes.every(({ hasToken }) => hasToken), JSON.stringify(changes));
});

test('a session that ends in mid-work leaves the draft and the chat, and what was sent goes on after signing in again', async () => {
  server.accounts.add(ANA);
  const chat = server.chats.add({ title: 'Bread', turns: ['How?', 'So.'] });
  await open();
  await signIn(ANA);
  await row('Bread').locator('a').click();
  await page.locator('.said', { hasText: 'How?' }).waitFor();
  await page.keyboard.press('Alt+KeyS');
  await page.locator('#settings[open]').waitFor();
  await page.keyboard.press('Escape');
  await ask(page, 'And then?');
  await answered(page);
  await page.fill('#input', 'half a thought');
  server.accounts.endSessions();
  await page.locator('.entrance-note', { hasText: 'Your session has ended.' }).waitFor();
  assert.equal(await page.locator('#page').evaluate(element => element.checkVisibility({ visibilityProperty: true })), false);
  assert.equal(await page.title(), 'Sign in · Chasqui', 'not the title of the chat');
  assert.deepEqual([await field('E-mail').inputValue(), await focused()], [ANA.email, 'sign-in-password']);
  await inBothThemes('the session has ended');
  const before = asked().length;
  server.health = { status: 'loading', model: 'tiny-model', progress: 0.5 };
  const looks = () => server.paths.filter(path => path === '/api/health').length;
  const seen = looks();
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await eventually(page, () => looks() > seen, 'the server\'s health is looked at');
  server.health = { status: 'ready', model: 'tiny-model' };
  await page.waitForTimeout(1_500);
  assert.deepEqual(asked().slice(before), [], 'nothing more is asked for, whatever the server says of its health');
  await signIn(ANA);
  assert.equal(await page.inputValue('#input'), 'half a thought');
  assert.equal(await focused(), 'input');
  assert.equal(new URL(page.url()).hash, `#/c/${chat.id}`);
  assert.equal(await page.locator('.message').count(), 4);
  await ask(page, 'Go on');
  await answered(page);
  assert.equal(await page.locator('.message').count(), 6);
});

test('a chat that is gone to while nobody is signed in is asked for once somebody is', async () => {
  server.accounts.add(ANA);
  const chats = ['Bread', 'Soup'].map(title => server.chats.add({ title, turns: [`${title}?`, 'So.'] }));
  await open();
  await signIn(ANA);
  await row('Bread').locator('a').click();
  await page.locator('.said', { hasText: 'Bread?' }).waitFor();
  server.accounts.endSessions();
  await page.locator('.entrance-note', { hasText: 'Your session has ended.' }).waitFor();
  const before = asked().length;
  await page.evaluate(id => (location.hash = `#/c/${id}`), chats[1].id);
  await page.waitForTimeout(500);
  assert.deepEqual(asked().slice(before), []);
  await signIn(ANA);
  await page.locator('.said', { hasText: 'Soup?' }).waitFor();
});

test('a question whose session has ended is sent once one has signed in again', async () => {
  server.accounts.add(ANA);
  await open();
  await signIn(ANA);
  server.accounts.endAtChange = true;
  await ask(page, 'Are you there?');
  await page.locator('.entrance-note', { hasText: 'Your session has ended.' }).waitFor();
  server.accounts.endAtChange = false;
  await signIn(ANA);
  assert.equal(await answered(page), 'Hello');
  assert.deepEqual(await page.locator('.said').allInnerTexts(), ['Are you there?']);
  assert.equal(server.requests.length, 1);
});

test('signing out leaves nothing of the account in the browser', async () => {
  server.accounts.add(ANA);
  server.chats.add({ title: 'Bread', turns: ['How?', 'So.'] });
  await open({ colorScheme: 'light' });
  await signIn(ANA);
  await page.click('#theme');
  await row('Bread').locator('a').click();
  await page.locator('.said', { hasText: 'How?' }).waitFor();
  await page.fill('#input', 'half a thought');
  await eventually(page, async () => (await kept()).length >= 5, 'a copy, a draft and others are kept');
  await page.fill('#input', 'a whole thought');
  await choose('Sign out');
  await heading('Sign in');
  assert.deepEqual(await kept(), ['chasqui.theme']);
  assert.equal(server.accounts.sessions.size, 0);
  assert.equal(new URL(page.url()).hash, '');
  assert.equal(await field('E-mail').inputValue(), '');
  assert.equal(await page.locator('.chat-row, .message').count(), 0);
});

test('signing out asks first where something would be lost that only this browser has', async () => {
  server.accounts.add(ANA);
  server.chats.available = false;
  await open();
  await signIn(ANA);
  await ask(page, 'Keep this');
  await answered(page);
  await choose('Sign out');
  await page.getByRole('dialog', { name: 'Sign out?' }).getByText('One chat is in this browser only.').waitFor();
  await inBothThemes('a question');
  await page.getByRole('button', { name: 'Stay' }).last().click();
  await page.locator('.said', { hasText: 'Keep this' }).waitFor();
  await choose('Sign out');
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
  await heading('Sign in');
  assert.deepEqual(await kept(), []);
});

test('a server that cannot be reached signs nobody out', async () => {
  server.accounts.add(ANA);
  await open();
  await signIn(ANA);
  await page.route('**/api/auth/logout', route => route.abort());
  await choose('Sign out');
  await page.locator('.toast', { hasText: 'You are still signed in. The server cannot be reached.' }).waitFor();
  assert.equal(server.accounts.sessions.size, 1);
});

test('who signs out in one tab is out in all of them, and in again in all', async () => {
  server.accounts.add(ANA);
  await open();
  await signIn(ANA);
  const other = await openTab(page);
  await waitUntilReady(other);
  await other.fill('#input', 'half a thought');
  await choose('Sign out');
  await heading('Sign in', other);
  await heading('Sign in');
  assert.deepEqual(await kept(), []);
  await signIn(ANA);
  await waitUntilReady(other);
  assert.equal(await other.inputValue('#input'), '');
  await ask(other, 'Are you there?');
  assert.equal(await answered(other), 'Hello');
  assert.deepEqual(other.problems, []);
});

test('a session that was begun anew elsewhere in the browser is taken over by what is sent next', async () => {
  server.accounts.add(ANA);
  await open();
  await signIn(ANA);
  for (const session of server.accounts.sessions.values()) session.csrf = 'another';
  await ask(page, 'Are you there?');
  assert.equal(await answered(page), 'Hello');
});

test('signing out everywhere ends the account\'s other sessions, which learn it', async () => {
  server.accounts.add(ANA);
  await open();
  await signIn(ANA);
  const elsewhere = await openPage(browser, server.url);
  await signIn(ANA, elsewhere);
  await choose('Sign out everywhere');
  await heading('Sign in');
  server.chats.breakStreams();
  await elsewhere.locator('.entrance-note', { hasText: 'Your session has ended.' }).waitFor();
  await elsewhere.context().close();
});

test('a page that one comes back to finds out by itself that its session has ended', async () => {
  server.accounts.add(ANA);
  await open();
  await signIn(ANA);
  server.accounts.sessions.clear();
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await page.locator('.entrance-note', { hasText: 'Your session has ended.' }).waitFor();
});

test('two accounts in one browser never see each other\'s chats and drafts', async () => {
  server.accounts.add({ email: 'admin@example.com' });
  for (const account of [ANA, BEN]) server.accounts.add(account);
  await open();
  await signIn(ANA);
  await ask(page, 'A secret of Ana');
  await answered(page);
  await page.fill('#input', 'half a thought of Ana');
  await page.waitForTimeout(400);
  server.accounts.endSessions();
  await page.locator('.entrance-note').waitFor();
  await signIn(BEN);
  await page.locator('#account', { hasText: 'Ben' }).waitFor();
  await page.locator('#welcome').waitFor();
  assert.equal(await page.inputValue('#input'), '');
  assert.doesNotMatch(await page.evaluate(() => document.documentElement.outerHTML), /secret of Ana|thought of Ana|ana@example/);
  const text = await page.evaluate(id => JSON.stringify(Object.entries(localStorage).filter(([key]) => !key.includes(id))), server.accounts.all[1].account.id);
  assert.doesNotMatch(text, /of Ana/);
  await choose('Sign out');
  await signIn(ANA);
  await row('A secret of Ana').waitFor();
  await row('A secret of Ana').locator('a').click();
  await page.locator('.said', { hasText: 'A secret of Ana' }).waitFor();
  assert.equal(await page.inputValue('#input'), 'half a thought of Ana', 'her own draft is kept for her');
});

test('what was kept without accounts is the first administrator\'s, and nobody else\'s', async () => {
  server.accounts.areOn = false;
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
  await page.fill('#input', 'from the time before');
  await page.waitForTimeout(400);
  server.accounts.areOn = true;
  for (const account of [ANA, BEN]) server.accounts.add(account);
  await page.reload();
  await signIn(BEN);
  assert.equal(await page.inputValue('#input'), '');
  await choose('Sign out');
  await signIn(ANA);
  assert.equal(await page.inputValue('#input'), 'from the time before');
});

test('accounts that are switched on while the page is open let it go on after signing in', async () => {
  server.accounts.areOn = false;
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
  await page.fill('#input', 'half a thought');
  server.accounts.areOn = true;
  server.accounts.add(ANA);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.locator('.entrance-note', { hasText: 'wants to know who you are from now on' }).waitFor();
  await signIn(ANA);
  assert.equal(await page.inputValue('#input'), 'half a thought');
});

test('a server that wants a key and has no accounts is met as before', async () => {
  server.accounts.areOn = false;
  server.accounts.wantsKey = true;
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
  await page.locator('#chat-list-note', { hasText: 'cannot be read right now' }).waitFor();
  assert.ok(await page.locator('#account').isHidden());
  await ask(page, 'Are you there?');
  await page.locator('.notice.failure', { hasText: 'No API key was given' }).waitFor();
  await page.keyboard.press('Alt+KeyS');
  await page.locator('#settings[open]').waitFor();
  await eventually(page, () => server.paths.includes('/api/keys'), 'keys were asked for');
  assert.ok(await page.locator('#keys-field').isHidden());
});

test('the password is changed, and a wrong one is said', async () => {
  server.accounts.add(ANA);
  await open();
  await signIn(ANA);
  await choose('Change password');
  const dialog = page.getByRole('dialog', { name: 'Change password' });
  await page.keyboard.type('wrong');
  await dialog.getByLabel('New password').fill('better horse');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').filter({ hasText: 'current_password: not the account\'s password' }).waitFor();
  assert.equal(await focused(), 'current-password');
  await inBothThemes('change password');
  await page.fill('#current-password', ANA.password);
  await page.keyboard.press('Enter');
  await page.locator('.toast', { hasText: 'Your password is changed.' }).waitFor();
  assert.equal(server.accounts.all[0].password, 'better horse');
  await choose('Change password');
  assert.deepEqual([await page.inputValue('#current-password'), await page.inputValue('#new-password')], ['', '']);
});

test('why nobody can be let in is said, and the page comes by itself when it is over', async () => {
  server.accounts.add(ANA);
  page = await openPage(browser, server.url);
  await signIn(ANA);
  await page.route('**/api/auth/me', route => route.fulfill({ status: 503, json: { success: false, error: 'The database cannot be reached.', code: 'database_unavailable' } }));
  await page.reload();
  await page.locator('.entrance-note', { hasText: 'The database cannot be reached.' }).waitFor();
  await inBothThemes('waiting');
  await page.unroute('**/api/auth/me');
  await waitUntilReady(page);
});

test('names and errors are text, whatever they say', async () => {
  const attack = '<img src=x onerror=alert(1)>';
  server.accounts.add({ ...ANA, name: attack });
  await open();
  await page.route('**/api/auth/login', route => route.fulfill({ status: 400, json: { success: false, error: attack } }));
  await field('E-mail').fill(ANA.email);
  await field('Password').fill(ANA.password);
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: attack }).waitFor();
  await page.unroute('**/api/auth/login');
  await page.keyboard.press('Enter');
  await page.locator('#account', { hasText: attack }).waitFor();
  assert.equal(await page.locator('img').count(), 0);
});

for (const viewport of [PHONE, { width: 320, height: 480 }]) {
  test(`fits a screen of ${viewport.width} by ${viewport.height}`, async () => {
    server.accounts.add(ANA);
    await open({ viewport, hasTouch: true, isMobile: true });
    await page.getByRole('button', { name: 'Create one' }).click();
    const box = page.locator('#sign-in');
    assert.equal(await box.evaluate(element => element.scrollWidth - element.clientWidth), 0);
    await page.getByRole('button', { name: 'Create account' }).scrollIntoViewIfNeeded();
    for (const part of await page.locator('#sign-in :is(input, button):visible').all()) {
      const { x, width } = await part.boundingBox();
      assert.ok(x >= 0 && x + width <= viewport.width);
    }
    await inBothThemes('sign in on a phone');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await signIn(ANA);
    await page.click('#open-sidebar');
    await page.click('#account');
    const menu = await page.locator('#account-menu').boundingBox();
    assert.ok(menu.x >= 0 && menu.x + menu.width <= viewport.width && menu.y >= 0);
    await inBothThemes('account menu on a phone');
  });
}

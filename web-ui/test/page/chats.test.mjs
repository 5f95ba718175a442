// Stored chats: the list, what goes on without the page, and what is kept where.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { PHONE, eventually, launch, openPage, openTab } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { answered, ask, assertNoAxeFindings, firstText, grownText, waitUntilReady } from '../specs.mjs';

const DAY = 86_400_000;
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

async function open(options, hash = '') {
  page = await openPage(browser, server.url, options);
  if (hash) await page.goto(server.url + hash);
  await waitUntilReady(page);
}
async function inBothThemes(where) {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await assertNoAxeFindings(page, `${where}, ${colorScheme}`);
  }
}
const row = title => page.locator('.chat-row', { hasText: title });
const said = text => page.locator('.said', { hasText: text });

test('lists the chats by day, page by page, and goes to the one that is chosen', async () => {
  for (let i = 0; i < 130; i++) {
    server.chats.add({ title: `Chat number ${i}`, turns: [`Question ${i}`, `Answer ${i}`], updated_at: new Date(Date.now() - i * DAY).toISOString() });
  }
  await open();
  await row('Chat number 0').waitFor();
  assert.deepEqual((await page.locator('.chat-day').allInnerTexts()).slice(0, 2), ['Today', 'Yesterday']);
  assert.ok((await page.locator('.chat-row').count()) < 130, 'not everything at once');
  const scrolled = async () => {
    await page.locator('#chat-scroller').evaluate(scroller => scroller.scrollTo(0, scroller.scrollHeight));
    return (await page.locator('.chat-row').count()) === 130;
  };
  await eventually(page, scrolled, 'all chats are listed');
  await row('Chat number 129').locator('a').click();
  await said('Question 129').waitFor();
  assert.equal(await page.title(), 'Chat number 129 · Chasqui');
  assert.equal(await page.getAttribute('.chat-link[aria-current=page]', 'title'), 'Chat number 129');
  await page.goBack();
  await page.locator('#welcome').waitFor();
});

test('a chat has an address of its own, and the last one is there again', async () => {
  const chat = server.chats.add({ title: 'Bread', turns: ['How?', 'So.'] });
  await open({}, `#/c/${chat.id}`);
  await said('How?').waitFor();
  await page.goto('about:blank');
  await page.goto(server.url);
  await said('How?').waitFor();
  assert.equal(new URL(page.url()).hash, `#/c/${chat.id}`);
});

test('the title that the model makes appears by itself', async () => {
  server.chats.title = 'Bridges of grass';
  await open();
  await ask(page, 'Tell me of bridges');
  await answered(page);
  await row('Bridges of grass').waitFor();
  await page.waitForFunction(() => document.title === 'Bridges of grass · Chasqui');
  assert.equal(await page.innerText('#chat-title'), 'Bridges of grass');
});

test('a stream that breaks off is taken up where it was, and nothing is missing', async () => {
  server.scripts = [{ pieces: Array.from({ length: 60 }, (_, i) => `word${i} `), everyMs: 40 }];
  await open();
  await ask(page, 'Tell me');
  await grownText(page, 30);
  server.chats.breakStreams();
  const text = await answered(page);
  assert.equal(text.trim(), Array.from({ length: 60 }, (_, i) => `word${i}`).join(' '));
  assert.match(String(server.chats.positions.at(-1)), /^\d+$/, 'came back with its position');
});

test('an answer in another chat is marked while it is written, and until it is looked at', async () => {
  let finish;
  server.scripts = [{ pieces: ['Done.'], hold: new Promise(resolve => (finish = resolve)) }];
  await open();
  await ask(page, 'Take your time');
  await page.keyboard.press('Alt+KeyN');
  await page.locator('#welcome').waitFor();
  await row('Take your time').locator('.chat-state.running').waitFor();
  finish();
  await row('Take your time').locator('.chat-state:not(.running)').waitFor();
  await row('Take your time').locator('a').click();
  assert.equal(await answered(page), 'Done.');
  await row('Take your time').locator('.chat-state').waitFor({ state: 'hidden' });
});

test('each chat has a draft of its own', async () => {
  const chat = server.chats.add({ title: 'Bread', turns: ['How?', 'So.'] });
  await open({}, `#/c/${chat.id}`);
  await said('How?').waitFor();
  await page.fill('#input', 'more on bread');
  await page.keyboard.press('Alt+KeyN');
  await page.locator('#welcome').waitFor();
  assert.equal(await page.inputValue('#input'), '');
  await page.fill('#input', 'something new');
  await row('Bread').locator('a').click();
  await said('How?').waitFor();
  assert.equal(await page.inputValue('#input'), 'more on bread');
  await page.reload();
  await said('How?').waitFor();
  assert.equal(await page.inputValue('#input'), 'more on bread');
});

test('what changes in one tab changes in the other', async () => {
  const chat = server.chats.add({ title: 'Bread', turns: ['How?', 'So.'] });
  await open({}, `#/c/${chat.id}`);
  await said('How?').waitFor();
  const other = await openTab(page);
  await other.locator('.said', { hasText: 'How?' }).waitFor();
  await other.focus('.chat-link[aria-current=page]');
  await other.keyboard.press('F2');
  await other.keyboard.type('Sourdough');
  await other.keyboard.press('Enter');
  await row('Sourdough').waitFor();
  await ask(other, 'And then?');
  await said('And then?').waitFor();
  assert.equal(await answered(page), 'Hello');
  await other.focus('.chat-link[aria-current=page]');
  await other.keyboard.press('Delete');
  await page.locator('#nothing-title', { hasText: 'not here any more' }).waitFor();
  await other.getByRole('button', { name: 'Undo' }).click();
  await said('And then?').waitFor();
});

test('a title can be written while the list goes on', async () => {
  const yesterday = new Date(Date.now() - DAY).toISOString();
  const bread = server.chats.add({ title: 'Bread', turns: ['How?', 'So.'], updated_at: yesterday });
  await open();
  const other = await openTab(page);
  await other.goto(`${server.url}#/c/${bread.id}`);
  await other.locator('.said', { hasText: 'How?' }).waitFor();
  await row('Bread').locator('a').focus();
  await page.keyboard.press('F2');
  await page.keyboard.type('Sour');
  await ask(other, 'And then?');
  await answered(other);
  await page.waitForTimeout(300);
  await page.keyboard.type('dough');
  await page.keyboard.press('Enter');
  await row('Sourdough').waitFor();
  await page.locator('.chat-day', { hasText: 'Today' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.querySelector('.chat-title')?.textContent), 'Sourdough', 'the focus stays');
});

test('without its database the server still answers: the chat is kept here, and stored when that works again', async () => {
  server.chats.available = false;
  server.scripts = [{ pieces: ['From ', 'memory.'] }];
  await open();
  await page.locator('#storage-note', { hasText: 'cannot store chats' }).waitFor();
  await ask(page, 'Are you there?');
  assert.equal(await answered(page), 'From memory.');
  await inBothThemes('without database');
  await page.reload();
  assert.equal(await answered(page), 'From memory.');
  await page.locator('.chat-day', { hasText: 'In this browser only' }).waitFor();
  server.chats.available = true;
  await page.locator('#storage-note').waitFor({ state: 'hidden' });
  await page.waitForFunction(() => location.hash.startsWith('#/c/conv_'));
  assert.equal(await answered(page), 'From memory.');
  assert.equal(await page.locator('.chat-row').count(), 1);
  const [{ messages }] = server.chats.all.values();
  assert.deepEqual(messages.map(({ content }) => content), ['Are you there?', 'From memory.']);
});

test('a stored chat whose database goes away goes on as a copy in this browser', async () => {
  const chat = server.chats.add({ title: 'Bread', turns: ['How?', 'So.'] });
  await open({}, `#/c/${chat.id}`);
  await said('How?').waitFor();
  server.chats.available = false;
  server.chats.breakStreams();
  await ask(page, 'And then?');
  assert.equal(await answered(page), 'Hello');
  assert.match(new URL(page.url()).hash, /^#\/c\/local_/);
  assert.deepEqual(server.requests[0].messages.map(({ content }) => content), ['How?', 'So.', 'And then?']);
});

test('while the server is away chats that were open can be read, and others appear when it is back', async () => {
  const bread = server.chats.add({ title: 'Bread', turns: ['How?', 'So.'] });
  server.chats.add({ title: 'Cheese', turns: ['Which?', 'Blue.'] });
  await open({}, `#/c/${bread.id}`);
  await said('How?').waitFor();
  await page.keyboard.press('Alt+KeyN');
  await page.locator('#welcome').waitFor();
  await row('Cheese').waitFor();
  await server.stop();
  await row('Bread').locator('a').click();
  await said('How?').waitFor();
  await row('Cheese').locator('a').click();
  await page.locator('#nothing-title', { hasText: 'cannot be read right now' }).waitFor();
  await page.locator('#status-title', { hasText: 'not reachable' }).waitFor();
  await server.start();
  await said('Which?').waitFor();
});

test('a server that ends in mid-answer and comes back: the text stays, and goes on', async () => {
  server.scripts = [{ pieces: ['It was '], stays: true }, { pieces: ['a dark night.'] }];
  await open();
  await ask(page, 'Tell me');
  await grownText(page, 5);
  await server.stop();
  server.chats.endAll('interrupted');
  await page.locator('#status-title', { hasText: 'not reachable' }).waitFor();
  await server.start();
  await page.locator('.notice', { hasText: 'This answer was interrupted.' }).waitFor();
  await waitUntilReady(page);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.locator('.md', { hasText: 'It was a dark night.' }).waitFor();
});

test('a question that did not reach the server is kept over a reload, and can be changed', async () => {
  server.scripts = [{ status: 503, error: { message: 'The model is still loading.', code: 'model_not_ready' } }, { pieces: ['Here'] }];
  await open();
  await ask(page, 'Are you there?');
  await page.locator('.notice.failure', { hasText: 'Not sent. The model is still loading.' }).waitFor();
  await inBothThemes('not sent');
  await page.reload();
  await page.locator('.notice.failure', { hasText: 'Not sent.' }).waitFor();
  await page.getByRole('button', { name: 'Change' }).click();
  assert.equal(await page.inputValue('#input'), 'Are you there?');
  await ask(page, 'Are you here?');
  assert.equal(await answered(page), 'Here');
  assert.deepEqual(await page.locator('.said').allInnerTexts(), ['Are you here?']);
});

test('system prompt and sampling of one chat are its own', async () => {
  const chat = server.chats.add({ title: 'Bread', turns: ['How?', 'So.'] });
  await open({}, `#/c/${chat.id}`);
  await said('How?').waitFor();
  await page.keyboard.press('Alt+KeyS');
  await page.fill('#system', 'Be brief.');
  await page.fill('#temperature', '0.3');
  await page.locator('summary', { hasText: 'More sampling' }).click();
  await page.fill('#repeat_penalty', '1.1');
  await page.locator('#scope label', { hasText: 'New chats' }).click();
  assert.equal(await page.inputValue('#system'), '');
  await page.locator('#scope label', { hasText: 'This chat' }).click();
  assert.equal(await page.inputValue('#system'), 'Be brief.');
  await page.keyboard.press('Escape');
  await ask(page, 'And then?');
  await answered(page);
  assert.equal(server.requests[0].messages[0].content, 'Be brief.');
  assert.deepEqual([server.requests[0].temperature, server.requests[0].repeat_penalty], [0.3, 1.1]);
  await page.keyboard.press('Alt+KeyN');
  await ask(page, 'Something else');
  await answered(page);
  assert.equal(server.requests[1].messages[0].content, 'Something else');
  assert.equal(server.requests[1].temperature, undefined);
});

test('each chat keeps its model, and a new one begins with the one that was chosen last', async () => {
  const pick = async name => {
    await page.click('.picker-button');
    await page.locator('.picker-option', { hasText: name }).click();
  };
  const shown = () => page.innerText('.picker-button .picker-name');
  const bread = server.chats.add({ title: 'Bread', turns: ['How?', 'So.'] });
  await open({}, `#/c/${bread.id}`);
  await said('How?').waitFor();
  await pick('larger-model');
  await eventually(page, () => bread.model === 'larger-model', 'the server has it');
  await page.keyboard.press('Alt+KeyN');
  await page.locator('#welcome').waitFor();
  assert.equal(await shown(), 'larger-model');
  await pick('tiny-model');
  await ask(page, 'Cheese');
  await answered(page);
  assert.equal([...server.chats.all.values()].at(-1).model, 'tiny-model');
  await row('Bread').locator('a').click();
  await said('How?').waitFor();
  assert.equal(await shown(), 'larger-model');
  await page.reload();
  await said('How?').waitFor();
  assert.equal(await shown(), 'larger-model');
  await ask(page, 'And then?');
  await answered(page);
  assert.deepEqual(server.requests.map(({ model }) => model), ['tiny-model', 'larger-model']);
  await row('Cheese').locator('a').click();
  await said('Cheese').waitFor();
  assert.equal(await shown(), 'tiny-model');
  const other = await openTab(page);
  await other.locator('.said', { hasText: 'Cheese' }).waitFor();
  await other.click('.picker-button');
  await other.locator('.picker-option', { hasText: 'larger-model' }).click();
  await eventually(page, async () => (await shown()) === 'larger-model', 'the other tab shows it too');
});

test('a deleted chat can be brought back by keyboard, for as long as one is at the note', async () => {
  for (const title of ['Cheese', 'Bread']) server.chats.add({ title, turns: [`${title}?`, 'So.'] });
  await open();
  const remove = async title => {
    await row(title).locator('a').focus();
    await page.keyboard.press('Delete');
    await page.locator('.toast', { hasText: `“${title}” was deleted.` }).waitFor();
  };
  await remove('Bread');
  assert.equal(await page.evaluate(() => document.activeElement.title), 'Cheese', 'the focus goes on to the next chat');
  await page.keyboard.press('Alt+KeyZ');
  await said('Bread?').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.title), 'Bread', 'and back to the one that is there again');
  assert.equal(await page.locator('.toast').count(), 0);

  await page.clock.install();
  await remove('Bread');
  await page.getByRole('button', { name: 'Undo' }).focus();
  await page.mouse.move(640, 300);
  await page.clock.runFor(60_000);
  assert.equal(await page.locator('.toast').count(), 1, 'has the focus');
  await page.locator('.toast').hover();
  await page.focus('#search');
  await page.clock.runFor(60_000);
  assert.equal(await page.locator('.toast').count(), 1, 'is pointed at');
  await page.mouse.move(640, 300);
  await page.clock.runFor(9_000);
  assert.equal(await page.locator('.toast').count(), 1, 'time to think');
  await page.clock.runFor(2_000);
  assert.equal(await page.locator('.toast').count(), 0);
});

test('says what the model was not given', async () => {
  server.scripts = [{ pieces: ['So.'], leftOut: { messages: 14, by: 'context_window' } }];
  await open();
  await ask(page, 'Go on');
  await page.locator('.left-out', { hasText: 'The first 14 messages were left out' }).waitFor();
});

/** Chooses a file with so many chats of half a megabyte each. */
async function bringIn(count) {
  const conversations = Array.from({ length: count }, (_, i) => ({ title: `Brought ${i}`, messages: [{ id: 'a', parent_id: null, role: 'user', content: `Number ${i} ${'x'.repeat(500_000)}` }] }));
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.click('#import')]);
  await chooser.setFiles({ name: 'all.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify({ conversations })) });
}
const imports = () => server.paths.filter(path => path === '/api/conversations/import').length;

test('an export that is larger than the server takes at once is brought in bit by bit', async () => {
  await open();
  await bringIn(30);
  await page.locator('.toast', { hasText: '30 chats were brought in.' }).waitFor();
  assert.ok(imports() > 2, `${imports()} requests`);
  assert.equal(server.chats.all.size, 30);
  await said('Number 0').waitFor();
});

test('says how far a file was brought in where the rest was refused', async () => {
  await open();
  server.chats.takesFiles = 2;
  await bringIn(30);
  await page.locator('.toast', { hasText: /all.json was brought in up to chat \d+ and no further. The file is refused./ }).waitFor();
  assert.match(await page.locator('.toast').innerText(), new RegExp(`up to chat ${server.chats.all.size} and`));
  assert.ok(server.chats.all.size > 0 && server.chats.all.size < 30);
  await said('Number 0').waitFor();
});

test('on a phone the chats lie over the page, hold the focus, and make room when one is chosen', async () => {
  server.chats.add({ title: 'Bread', turns: ['How?', 'So.'] });
  await open({ viewport: PHONE, hasTouch: true, isMobile: true });
  await page.locator('#sidebar').waitFor({ state: 'hidden' });
  await page.click('#open-sidebar');
  await row('Bread').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'close-sidebar');
  assert.ok(await page.locator('#page').evaluate(element => element.inert));
  await page.waitForFunction(() => document.getAnimations().length === 0);
  await inBothThemes('chats on a phone');
  await page.keyboard.press('Escape');
  await page.locator('#sidebar').waitFor({ state: 'hidden' });
  assert.equal(await page.evaluate(() => document.activeElement.id), 'open-sidebar');
  await page.click('#open-sidebar');
  await row('Bread').locator('a').click();
  await said('How?').waitFor();
  await page.locator('#sidebar').waitFor({ state: 'hidden' });
});

test('the list is one stop of the Tab key, and the arrows, Enter and the menu work in it', async () => {
  for (const title of ['Three', 'Two', 'One']) server.chats.add({ title, turns: [title, 'So.'], updated_at: new Date(Date.now() - 60_000 * server.chats.all.size).toISOString() });
  await open();
  await row('One').waitFor();
  await page.focus('#search');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.title), 'Three');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await said('Two').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('#chat-menu').waitFor();
  await inBothThemes('menu');
  await page.keyboard.press('ArrowDown');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Export as JSON');
  await page.keyboard.press('Escape');
  await page.locator('#chat-menu').waitFor({ state: 'hidden' });
  assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Options of Two');
  await page.keyboard.press('Alt+ArrowDown');
  await said('One').waitFor();
});

test('closed on a wide screen the chats stay closed', async () => {
  await open();
  await page.keyboard.press('Alt+KeyB');
  await page.locator('#sidebar').waitFor({ state: 'hidden' });
  await page.reload();
  await waitUntilReady(page);
  assert.ok(await page.locator('#sidebar').isHidden());
  await page.keyboard.press('Control+KeyK');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'search');
});

test('titles and what a search finds are text, whatever they say', async () => {
  const attack = '<img src=x onerror=alert(1)>';
  server.chats.add({ title: attack, turns: [`${attack} needle ${attack}`, attack] });
  await open();
  await row(attack).waitFor();
  await page.fill('#search', 'needle');
  await page.locator('.chat-snippet mark', { hasText: 'needle' }).waitFor();
  await row(attack).locator('a').click();
  await said(attack).waitFor();
  assert.equal(await page.locator('img').count(), 0);
});

test('what a search has found is gone to in a long chat', async () => {
  const turns = Array.from({ length: 80 }, (_, i) => (i === 30 ? 'Where is the needle?' : `Turn ${i}, with some words in it.\n\nAnd more of them.`));
  server.chats.add({ title: 'Haystack', turns });
  await open();
  await page.fill('#search', 'needle');
  await page.locator('.chat-snippet mark').waitFor();
  await row('Haystack').locator('a').click();
  await page.locator('.message.found', { hasText: 'Where is the needle?' }).waitFor();
  await page.locator('.message', { hasText: 'Turn 1, with' }).waitFor();
  const { y, height } = await said('Where is the needle?').boundingBox();
  assert.ok(y > 0 && y + height < 800, `at ${y}`);
});

test('what is asked on another branch never overtakes the choice of that branch', async () => {
  server.scripts = [{ pieces: ['One.'] }, { pieces: ['Two.'] }, { pieces: ['Three.'] }];
  await open();
  await ask(page, 'Count');
  await answered(page);
  await page.keyboard.press('Alt+KeyR');
  await page.locator('.answer .branch-at', { hasText: '2 / 2' }).waitFor();
  await answered(page);
  const order = [];
  await page.route('**/api/conversations/**', async route => {
    const method = route.request().method();
    if (method === 'PATCH') await page.waitForTimeout(1_000);
    if (method !== 'GET') order.push(method);
    await route.continue();
  });
  await page.getByRole('button', { name: 'Previous answer' }).click();
  await page.getByRole('button', { name: 'Next answer' }).click();
  await page.getByRole('button', { name: 'Previous answer' }).click();
  await ask(page, 'Go on');
  await page.locator('.answer .md', { hasText: 'Three.' }).waitFor();
  assert.deepEqual(order, ['PATCH', 'PATCH', 'PATCH', 'POST']);
  assert.deepEqual(server.requests.at(-1).messages.map(({ content }) => content), ['Count', 'One.', 'Go on']);
  await page.reload();
  await said('Go on').waitFor();
});

test('an answer whose text comes while the chat is read anew has every piece once', async () => {
  let end;
  server.scripts = [{ pieces: Array.from({ length: 40 }, (_, i) => `${i} `), everyMs: 30, lasts: new Promise(resolve => (end = resolve)) }];
  await open();
  await ask(page, 'Count');
  await firstText(page);
  for (let i = 0; i < 3; i++) {
    await page.reload();
    await page.locator('.answer .md').waitFor();
  }
  end();
  const text = await answered(page);
  assert.equal(text.trim(), Array.from({ length: 40 }, (_, i) => i).join(' '));
});
